"""Which version of the checks made some evidence: evidence of another version is owed again.

It counts: the check file; everything of ours that the file and the examination import (``judge.checks``, ``judge.extract``, the
sandbox and what is below it); what runs inside of the sandbox; and the minor version of this Python, which reads the answers and
as a rule runs them. All of it as compiled code, so that comments, layout and what docstrings say do not count.

It does not count: code that no examination of this question imports (how servers are started, how judges are asked, the entry
points of other questions), values of many purposes without behaviour, the machine. What stood around an answer when it was
executed (the wall, the packages) is written into its evidence instead, because it can be better at the next execution.

Owing too much costs the time of executing again, and no judge is asked again unless what it is shown changes. Owing too little
leaves scores that the code of today does not give.
"""

import functools
import importlib.util
import sys
from collections.abc import Iterator
from importlib import resources
from types import CodeType

from runner.identity import digest

_ALWAYS = "judge.checks.evidence"
"""The examination itself; a check file imports what finds its entry point."""
_FOLLOWED = ("judge.checks", "judge.extract", "runner")
_VALUES = frozenset({"runner", "runner.types", "runner.errors", "runner.identity"})


@functools.lru_cache
def checks_version(source: str) -> str:
    """Return the identity of a check file with all that decides what its checks show."""
    modules = {name: _module(name)[0] for name in sorted(modules_behind(source))}
    python = "{}.{}".format(*sys.version_info)
    return digest([python, code_identity(source), modules, _inside()])


def modules_behind(source: str) -> frozenset[str]:
    """Return the modules of ours that the examination with a check file runs through."""
    known: set[str] = set()
    owed = {_ALWAYS, *_imported(_compiled(source))}
    while owed:
        known |= owed
        owed = {imported for name in owed for imported in _module(name)[1]} - known
    return frozenset(known)


def code_identity(source: str) -> str:
    """Return the identity of what a program does, whatever its comments, its layout and its docstrings say."""
    return digest(_plain(_compiled(source)))


def _compiled(source: str) -> CodeType:
    return compile(source, "checks", "exec", dont_inherit=True, optimize=2)  # 2: without docstrings


def _plain(value: object) -> object:
    """Return compiled code, or a constant in it, as a value that is the same in every process; lines are left out."""
    match value:
        case CodeType():
            names = (value.co_name, value.co_names, value.co_varnames, value.co_cellvars, value.co_freevars)
            shape = (value.co_argcount, value.co_posonlyargcount, value.co_kwonlyargcount, value.co_flags)
            code = (value.co_code.hex(), value.co_exceptiontable.hex())
            return [names, shape, code, [_plain(constant) for constant in value.co_consts]]
        case frozenset():
            return sorted(map(repr, value))  # its own order is another one in every process
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return repr(value)


@functools.cache
def _module(name: str) -> tuple[str, frozenset[str]]:
    """Return the identity of a module and the modules of ours that it imports."""
    package, _, file = name.rpartition(".")
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        package, file = name, "__init__"
    code = _compiled((resources.files(package) / f"{file}.py").read_text(encoding="utf-8"))
    return digest(_plain(code)), frozenset(_imported(code))


def _imported(code: CodeType) -> Iterator[str]:
    """Yield the modules of ours that are imported. In compiled code only they have dots in their names."""
    packages = [name for name in code.co_names if name in ("runner", "judge.checks", "judge.extract")]
    asked = [*code.co_names, *(f"{package}.{name}" for package in packages for name in code.co_names)]
    yield from (name for name in asked if _is_followed(name))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _imported(constant)


@functools.cache
def _is_followed(name: str) -> bool:
    if name in _VALUES or not any(name == part or name.startswith(f"{part}.") for part in _FOLLOWED):
        return False
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # ``runner`` beside a name that is dotted itself
        return False


@functools.cache
def _inside() -> str:
    """Return the identity of what runs in the sandbox; it is sent there as text and imported by nothing here."""
    folder = resources.files("runner") / "inside"
    files = [file for file in folder.iterdir() if file.name.endswith(".py")]
    return digest({file.name: code_identity(file.read_text(encoding="utf-8")) for file in files})
