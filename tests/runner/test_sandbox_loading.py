"""How an answer is loaded: in bare surroundings, with a list of what it defines, or with why and where it did not load."""

from typing import Any

import pytest
from sandboxes import QUICK, behind_every_wall

from runner.sandbox import Sandbox


async def load_one(code: str, **options: Any) -> Any:
    async with Sandbox(**options) as sandbox:
        return await sandbox.load(code)


SURROUNDINGS = """
import posix, sys
def modules():
    return sorted(sys.modules)
def finders():
    return [getattr(finder, "__name__", type(finder).__name__) for finder in sys.meta_path]
def descriptors():
    return [fd for fd in range(64) if _is_open(fd)]
def _is_open(fd):
    try:
        posix.fstat(fd)
        return True
    except OSError:
        return False
def import_ours():
    import inside.server
"""
COSTLY = {"asyncio", "collections", "ctypes", "enum", "functools", "inspect", "json", "os", "re", "threading", "typing"}


async def test_a_start_imports_nothing_costly_and_leaves_nothing_of_ours_in_sight() -> None:
    async with Sandbox() as sandbox:
        assert (await sandbox.load(SURROUNDINGS)).ok
        modules = set((await sandbox.call("modules")).value)
        assert not modules & COSTLY
        assert not [name for name in modules if name.partition(".")[0] == "inside"]
        assert (await sandbox.call("finders")).value == ["BuiltinImporter", "FrozenImporter", "PathFinder"]
        assert (await sandbox.call("import_ours")).error.type == "ModuleNotFoundError"


async def test_an_answer_finds_collections_abc_as_in_a_program_that_has_imported_more() -> None:
    loaded = await load_one("import collections\ndef f(x: collections.abc.Iterable): ...\n")
    assert loaded.ok, loaded.error


@behind_every_wall
async def test_only_the_standard_streams_and_two_pipes_are_open_inside() -> None:
    async with Sandbox() as sandbox:
        assert (await sandbox.load(SURROUNDINGS)).ok
        found = (await sandbox.call("descriptors")).value
        assert found[:3] == [0, 1, 2]
        assert len(found) == 5


INVENTORY = '''
"""A module."""
import functools
from dataclasses import dataclass
from os.path import join

def plain(a, /, b: int, *rest: str, c: float = 1.5, **more) -> "list[int]":
    """Do it."""

async def waiting(): ...

def generating():
    yield 1

@functools.lru_cache(maxsize=None)
def cached(n: int | None) -> int: ...

anonymous = lambda x: x

class Base:
    def inherited(self): ...

class Stack(Base, dict):
    """Last in, first out."""
    def __init__(self, capacity: int = 3): ...
    def push(self, item): ...
    @property
    def size(self) -> int: return 0
    @classmethod
    def of(cls, *items): ...
    @staticmethod
    def helper(x): ...

@dataclass
class Point:
    x: int
    y: int = 0
'''


async def test_the_inventory_lists_what_the_answer_defines_in_order() -> None:
    inventory = (await load_one(INVENTORY)).inventory
    assert [function.name for function in inventory.functions] == [
        "plain",
        "waiting",
        "generating",
        "cached",
        "anonymous",
    ]
    assert [cls.name for cls in inventory.classes] == ["Base", "Stack", "Point"]


async def test_the_inventory_describes_parameters_as_they_were_written() -> None:
    plain, waiting, generating, cached, _ = (await load_one(INVENTORY)).inventory.functions
    assert [(p.name, p.kind, p.default, p.annotation) for p in plain.parameters] == [
        ("a", "positional_only", None, None),
        ("b", "positional_or_keyword", None, "int"),
        ("rest", "var_positional", None, "str"),
        ("c", "keyword_only", "1.5", "float"),
        ("more", "var_keyword", None, None),
    ]
    assert (plain.returns, plain.doc, plain.line) == ("list[int]", "Do it.", 7)
    assert (waiting.is_async, waiting.is_generator) == (True, False)
    assert (generating.is_async, generating.is_generator) == (False, True)
    assert [(p.name, p.annotation) for p in cached.parameters] == [("n", "int | None")]


async def test_the_inventory_describes_methods_properties_and_inherited_ones() -> None:
    _, stack, point = (await load_one(INVENTORY)).inventory.classes
    assert (stack.bases, stack.doc) == (("Base", "dict"), "Last in, first out.")
    assert {method.name: method.kind for method in stack.methods} == {
        "inherited": "method",
        "__init__": "method",
        "push": "method",
        "size": "property",
        "of": "classmethod",
        "helper": "staticmethod",
    }
    assert [p.name for p in stack.method("push").parameters] == ["item"]
    assert [p.name for p in point.method("__init__").parameters] == ["x", "y"]
    assert stack.method("pop") is None


async def test_code_for_the_command_line_does_not_run() -> None:
    loaded = await load_one("if __name__ == '__main__':\n    raise SystemExit('ran')\n")
    assert loaded.ok


@pytest.mark.parametrize(
    ("code", "kind", "line"),
    [
        ("def f(:\n", "SyntaxError", 1),
        ("x = 1\nimport numpy_that_is_not_there\n", "ModuleNotFoundError", 2),
        ("\n\nx = 1 / 0\n", "ZeroDivisionError", 3),
        ("import sys\nsys.exit(0)\n", "SystemExit", 2),
        ("name = input('? ')\n", "EOFError", 1),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt", 1),
        ("x = '\\ud800' + \udc80\n", "UnicodeEncodeError", None),
        ("class E(Exception):\n    def __str__(self): raise self\nraise E\n", "E", 3),
    ],
)
async def test_an_answer_that_does_not_load_says_why_and_where(code: str, kind: str, line: int | None) -> None:
    loaded = await load_one(code)
    assert (loaded.state, loaded.error.type, loaded.error.line) == ("error", kind, line)


async def test_loading_that_never_ends_is_a_timeout_and_prints_are_kept() -> None:
    loaded = await load_one("print('before')\nwhile True: pass\n", limits=QUICK)
    assert (loaded.state, loaded.stdout) == ("timeout", "before\n")
    assert loaded.message == "no result within 1 s"


@behind_every_wall
async def test_loading_that_kills_the_process_is_a_death_with_its_signal() -> None:
    loaded = await load_one("import ctypes\nctypes.string_at(1)\n")
    assert (loaded.state, loaded.message) == ("died", "ended by SIGSEGV")
