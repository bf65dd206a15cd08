"""Where the GGUF file of a model lies: its path with variables, home folder, globs and split files resolved."""

import glob
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from judge.errors import UserError
from judge.types import ModelEntry
from runner.types import Value

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_]\w*)(?P<default>:-(?P<text>[^{}]*))?\}")
_SPLIT = re.compile(r"(?P<stem>.*)-(?P<part>\d{5})-of-(?P<parts>\d{5})\.gguf", re.IGNORECASE)
_BRACKETS_OR_LETTER = re.compile(r"(?P<brackets>\[[^\]]*\])|[A-Za-z]")


class FoundFile(Value):
    """The file that the path of a model leads to."""

    path: Path
    """The file to open: of a split model the first part, and all others lie beside it."""


class MissingFile(Value):
    """There is no such file, which is no error: most people have some of the models only."""

    path: None = None
    reason: str
    """One line."""


def find_file(entry: ModelEntry, env: Mapping[str, str]) -> FoundFile | MissingFile:
    """Return where the file of a model lies, or why there is none. Raises UserError when the path fits several.

    ``env`` is the environment; ``~`` is its ``HOME``.
    """
    if entry.path is None:
        return MissingFile(reason=f"models.yaml has no path for {entry.id}")
    try:
        pattern = _expanded(entry.path, env)
    except LookupError as error:
        return MissingFile(reason=f"{error.args[0]} is not set, but the path is {entry.path}")
    files = _first_parts(_matches(pattern))
    if len(files) > 1:
        raise UserError(
            f"{entry.id}: {len(files)} files fit {entry.path!r}: {', '.join(map(str, files))}; narrow the path"
        )
    return _complete(files[0]) if files else MissingFile(reason=f"no such file: {_unescaped(pattern)}")


def _expanded(path: str, env: Mapping[str, str]) -> str:
    """Return ``path`` as a glob in which the values of variables stand for themselves. Raises LookupError(name)."""

    def value(match: re.Match[str]) -> str:
        if found := env.get(match["name"]):  # an empty variable counts as unset, as ":-" does in a shell
            return glob.escape(found)
        if match["default"] is None:
            raise LookupError(match["name"])
        return match["text"]

    pattern = _VARIABLE.sub(value, path)
    if pattern != "~" and not pattern.startswith("~/"):
        return pattern
    if not env.get("HOME"):
        raise LookupError("HOME")
    return glob.escape(env["HOME"]) + pattern[1:]


def _matches(pattern: str) -> list[Path]:
    literal = Path(_unescaped(pattern))
    if literal.is_file():  # also a name with brackets in it, which as a glob would mean something else
        return [literal]
    found = map(Path, glob.glob(_any_case(pattern), recursive=True))  # noqa: PTH207  Path.glob refuses absolute patterns
    return sorted(path for path in found if path.is_file())


def _any_case(pattern: str) -> str:
    """Make letters of the file name match in both cases: publishers do not agree on ``Q4_K_M`` or ``q4_k_m``."""
    folder, slash, name = pattern.rpartition("/")
    both = _BRACKETS_OR_LETTER.sub(lambda m: m["brackets"] or f"[{m[0].lower()}{m[0].upper()}]", name)
    return folder + slash + both


def _unescaped(pattern: str) -> str:
    return re.sub(r"\[([*?[])\]", r"\1", pattern)


def _first_parts(paths: Iterable[Path]) -> list[Path]:
    """Put the first part in the place of every part of a split file; links to one and the same file count once."""
    firsts: dict[Path, Path] = {}
    for path in paths:
        first = _part(path, 1)
        firsts.setdefault(first.resolve(), first)
    return list(firsts.values())


def _part(path: Path, number: int) -> Path:
    match = _SPLIT.fullmatch(path.name)
    if match is None:
        return path
    return path.with_name(f"{match['stem']}-{number:05d}-of-{match['parts']}{path.suffix}")


def _complete(first: Path) -> FoundFile | MissingFile:
    match = _SPLIT.fullmatch(first.name)
    numbers = range(1, int(match["parts"]) + 1) if match else ()
    lacking = [str(number) for number in numbers if not _part(first, number).is_file()]
    if lacking:
        return MissingFile(reason=f"of {len(numbers)} parts there is no part {', '.join(lacking)}: {first}")
    return FoundFile(path=first)
