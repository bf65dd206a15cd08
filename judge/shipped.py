"""Where the files of the library are, and what is wrong with them: models.yaml, prompts/ and rubrics/.

Each is taken from the path that the user gave, else from the installed package, else from the checkout beside it.
"""

import importlib.resources
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal, TypeVar

from judge.errors import LibraryError, UserError
from judge.problem import Problem

Kind = Literal["models.yaml", "prompts", "rubrics"]
Loaded = TypeVar("Loaded")


def shipped(kind: Kind) -> Traversable:
    """Return the project's own file or folder of this kind. Raises UserError when the installation lacks it."""
    places: list[Traversable] = [
        importlib.resources.files("judge") / "_data" / kind,
        Path(__file__).parent.parent / kind,
    ]
    for place in places:
        if place.is_file() or place.is_dir():
            return place
    raise UserError(f"{kind} is neither at {' nor at '.join(map(str, places))}: install coder-judge again, or name one")


def prompts_folder(explicit: Path | None, part: Literal["questions", "judge"]) -> Traversable:
    """Return a subfolder of prompts/: the project's own when the user's folder has only the other one."""
    other = "judge" if part == "questions" else "questions"
    lacking = explicit is None or explicit.is_file() or ((explicit / other).is_dir() and not (explicit / part).is_dir())
    base = shipped("prompts") if explicit is None or lacking else explicit
    return base / part


def unreadable(file: Traversable, error: OSError | UnicodeDecodeError) -> Problem:
    """Return the problem of a file that could not be read as text."""
    match error:
        case FileNotFoundError():
            why = "no such file"
        case OSError():
            why = f"cannot be read: {error.strerror or error}"
        case _:
            why = f"is not UTF-8 text: {error.reason} at byte {error.start}"
    return Problem(file=shown_name(file), line=None, field="", message=why)


def shown_name(file: Traversable) -> str:
    """Return the name of a file as the user would type it."""
    if isinstance(file, Path) and file.is_absolute() and file.is_relative_to(Path.cwd()):
        return str(file.relative_to(Path.cwd()))
    return str(file)


def good(value: Loaded | None, problems: Iterable[Problem]) -> Loaded:
    """Return ``value``. Raises LibraryError with every problem when there is none."""
    if value is None:
        raise LibraryError([str(problem) for problem in ordered(problems)])
    return value


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems as one reads the files: by name and line."""
    return sorted(problems, key=lambda problem: (problem.file, problem.line or 0))
