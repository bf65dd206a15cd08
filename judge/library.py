"""The only reader of models.yaml, prompts/ and rubrics/.

types <- files <- shapes, consistency <- library. Each of the three is taken from the path that the user gave, else from the
installed package, else from the checkout beside it. What is wrong is collected, and reported all at once.
"""

import importlib.resources
import string
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal, TypeVar

from judge.consistency import models_problems, roles_of, suite_problems
from judge.errors import LibraryError, UserError
from judge.files import Models, ModelsFile, QuestionsFile, RubricsFile, models_of, suite_of
from judge.model_files import FoundFile, MissingFile, find_file
from judge.shapes import refuse_newer, shape
from judge.types import Suite
from judge.yaml_lines import Document, Problem, parse
from runner.identity import digest
from runner.types import Value

__all__ = [
    "FoundFile",
    "JudgePrompts",
    "MissingFile",
    "Models",
    "Problem",
    "Summary",
    "check_all",
    "find_file",
    "load_judge_prompts",
    "load_models",
    "load_suite",
    "shipped",
]

Kind = Literal["models.yaml", "prompts", "rubrics"]
DEFAULT_SUITE = "coder"
Loaded = TypeVar("Loaded")

PAIR_VARIABLES: Mapping[str, frozenset[str]] = {
    "pair_system": frozenset(),
    "pair": frozenset(
        ("criteria", "first", "first_nonce", "first_evidence", "second", "second_nonce", "second_evidence")
    ),
    "pair_repair": frozenset({"problem"}),
}
"""Templates of comparisons -> what is filled into each: all of it, and nothing else."""
SHARED_TEMPLATES = ("question", "evidence")
"""Templates that scorings and comparisons share."""


@dataclass(frozen=True)
class JudgePrompts:
    """The templates of what judges are sent."""

    templates: Mapping[str, string.Template]
    """File name without ``.md`` -> template."""
    hash: str
    """Identity of all names and texts that a scoring depends on."""
    pair_hash: str
    """Identity of those that a comparison of two answers depends on."""


class Summary(Value):
    """What ``check_all`` looked at; counts are 0 where a file is too broken to say."""

    suite: str | None
    questions: int
    criteria: int
    roles: int
    models: int
    judge_prompts: int

    def __str__(self) -> str:
        suite = f"suite {self.suite}: {self.questions} questions, {self.criteria} criteria, {self.roles} roles"
        return f"{suite}; {self.models} models; {self.judge_prompts} judge prompts"


def load_suite(name: str = DEFAULT_SUITE, *, prompts: Path | None = None, rubrics: Path | None = None) -> Suite:
    """Return a suite. ``prompts`` and ``rubrics`` are the file itself, or a folder laid out as the project's own.

    Raises LibraryError with every problem found.
    """
    suite, problems = _suite(*_suite_documents(name, prompts, rubrics))
    return _good(suite, problems)


def load_models(path: Path | None = None, *, suite: Suite | None = None) -> Models:
    """Return the models of ``path`` or of the project's own models.yaml; with a suite, their roles must be in it.

    Raises LibraryError with every problem found.
    """
    roles = [role.id for role in suite.roles] if suite else []
    models, problems = _models(_read(path or shipped("models.yaml")), roles)
    return _good(models, problems)


def load_judge_prompts(prompts: Path | None = None) -> JudgePrompts:
    """Return the templates in ``judge/`` of the prompts folder. Raises LibraryError with every problem found."""
    judge_prompts, problems = _judge_prompts(prompts)
    return _good(judge_prompts, problems)


def check_all(
    models: Path | None = None, prompts: Path | None = None, rubrics: Path | None = None
) -> tuple[list[Problem], Summary]:
    """Check everything that a run would read, models against suite included. No problems: all of it can be loaded."""
    questions, rubric = _suite_documents(DEFAULT_SUITE, prompts, rubrics)
    suite, in_suite = _suite(questions, rubric)
    entries, in_models = _models(_read(models or shipped("models.yaml")), roles_of(rubric))
    judge_prompts, in_prompts = _judge_prompts(prompts)
    summary = Summary(
        suite=suite.name if suite else None,
        questions=len(suite.questions) if suite else 0,
        criteria=sum(len(question.criteria) for question in suite.questions) if suite else 0,
        roles=len(suite.roles) if suite else 0,
        models=len(entries.entries) if entries else 0,
        judge_prompts=len(judge_prompts.templates) if judge_prompts else 0,
    )
    return _ordered([*in_suite, *in_models, *in_prompts]), summary


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


# --- each kind: its value, or its problems ------------------------------------------------------------------------


def _suite(questions: Document, rubrics: Document) -> tuple[Suite | None, list[Problem]]:
    asked, misshaped = shape(questions, QuestionsFile)
    scored, misshaped_too = shape(rubrics, RubricsFile)
    problems = [*misshaped, *misshaped_too, *suite_problems(questions, rubrics)]
    if problems or asked is None or scored is None:
        return None, problems
    return suite_of(asked, scored), []


def _models(document: Document, roles: Collection[str]) -> tuple[Models | None, list[Problem]]:
    file, misshaped = shape(document, ModelsFile)
    problems = [*misshaped, *models_problems(document, roles)]
    return (None, problems) if problems or file is None else (models_of(file), [])


def _judge_prompts(explicit: Path | None) -> tuple[JudgePrompts | None, list[Problem]]:
    folder = _prompts_folder(explicit, "judge")
    texts, problems = _texts(folder)
    if problems:
        return None, problems
    templates = {name: string.Template(text) for name, text in texts.items()}
    # A changed text about comparisons is no reason to have anything scored again, nor the other way round.
    scoring = {name: text for name, text in texts.items() if name not in PAIR_VARIABLES}
    comparing = {name: text for name, text in texts.items() if name in (*PAIR_VARIABLES, *SHARED_TEMPLATES)}
    return JudgePrompts(templates, digest(scoring), digest(comparing)), []


def _texts(folder: Traversable) -> tuple[dict[str, str], list[Problem]]:
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    files = sorted(folder.iterdir(), key=lambda file: file.name) if folder.is_dir() else []
    for file in files:
        if not file.name.endswith(".md"):
            continue
        try:
            texts[file.name.removesuffix(".md")] = text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(_unreadable(file, error))
        else:
            problems += _loose_dollars(_shown(file), text)
            problems += _wrong_variables(_shown(file), file.name.removesuffix(".md"), text)
    if not texts and not problems:
        problems.append(Problem(file=_shown(folder), line=None, field="", message="holds no *.md with judge prompts"))
    return texts, problems


def _loose_dollars(file: str, text: str) -> Iterator[Problem]:
    for match in string.Template.pattern.finditer(text):
        if match["invalid"] is not None:
            line = text.count("\n", 0, match.start()) + 1
            yield Problem(file=file, line=line, field="", message="a $ that starts no variable: write $$ for the sign")


def _wrong_variables(file: str, name: str, text: str) -> Iterator[Problem]:
    wanted = PAIR_VARIABLES.get(name)
    if wanted is None:
        return
    shown = ", ".join(f"${variable}" for variable in sorted(wanted)) or "none"
    found = {match["named"] or match["braced"]: match.start() for match in string.Template.pattern.finditer(text)}
    for variable, at in found.items():
        if variable is not None and variable not in wanted:
            line = text.count("\n", 0, at) + 1
            yield Problem(file=file, line=line, field="", message=f"${variable} is not filled in here; known: {shown}")
    for variable in sorted(wanted - found.keys()):
        message = f"lacks ${variable}: what it stands for would not reach the judge; known: {shown}"
        yield Problem(file=file, line=None, field="", message=message)


# --- files --------------------------------------------------------------------------------------------------------


def _suite_documents(name: str, prompts: Path | None, rubrics: Path | None) -> tuple[Document, Document]:
    questions: Traversable = _prompts_folder(prompts, "questions") / f"{name}.yaml"
    if prompts is not None and not prompts.is_dir():
        questions = prompts
    rubric: Traversable = (rubrics or shipped("rubrics")) / f"{name}.yaml"
    if rubrics is not None and not rubrics.is_dir():
        rubric = rubrics
    return _read(questions), _read(rubric)


def _prompts_folder(explicit: Path | None, part: Literal["questions", "judge"]) -> Traversable:
    """Return a subfolder of prompts/: the project's own when the user's folder has only the other one."""
    other = "judge" if part == "questions" else "questions"
    lacking = explicit is None or explicit.is_file() or ((explicit / other).is_dir() and not (explicit / part).is_dir())
    base = shipped("prompts") if explicit is None or lacking else explicit
    return base / part


def _read(file: Traversable) -> Document:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return Document(_shown(file), None, {}, (_unreadable(file, error),))
    return refuse_newer(parse(text, _shown(file)))


def _unreadable(file: Traversable, error: OSError | UnicodeDecodeError) -> Problem:
    match error:
        case FileNotFoundError():
            why = "no such file"
        case OSError():
            why = f"cannot be read: {error.strerror or error}"
        case _:
            why = f"is not UTF-8 text: {error.reason} at byte {error.start}"
    return Problem(file=_shown(file), line=None, field="", message=why)


def _shown(file: Traversable) -> str:
    """Return the name of a file as the user would type it."""
    if isinstance(file, Path) and file.is_absolute() and file.is_relative_to(Path.cwd()):
        return str(file.relative_to(Path.cwd()))
    return str(file)


def _good(value: Loaded | None, problems: Iterable[Problem]) -> Loaded:
    if value is None:
        raise LibraryError([str(problem) for problem in _ordered(problems)])
    return value


def _ordered(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.file, problem.line or 0))
