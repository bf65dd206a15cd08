"""The only reader of models.yaml, prompts/ and rubrics/; the templates in prompts/judge are read by ``judge_prompts``.

types <- files <- shapes, consistency <- library. What is wrong is collected, and reported all at once.
"""

from collections.abc import Collection
from importlib.resources.abc import Traversable
from pathlib import Path

from judge.consistency import models_problems, roles_of, suite_problems
from judge.files import Models, ModelsFile, QuestionsFile, RubricsFile, models_of, suite_of
from judge.judge_prompts import read_judge_prompts
from judge.problem import Problem
from judge.shapes import refuse_newer, shape
from judge.shipped import good, ordered, prompts_folder, shipped, shown_name, unreadable
from judge.types import Suite
from judge.yaml_lines import Document, parse
from runner.types import Value

DEFAULT_SUITE = "coder"


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
    return good(suite, problems)


def load_models(path: Path | None = None, *, suite: Suite | None = None) -> Models:
    """Return the models of ``path`` or of the project's own models.yaml; with a suite, their roles must be in it.

    Raises LibraryError with every problem found.
    """
    roles = [role.id for role in suite.roles] if suite else []
    models, problems = _models(_read(path or shipped("models.yaml")), roles)
    return good(models, problems)


def check_all(
    models: Path | None = None, prompts: Path | None = None, rubrics: Path | None = None
) -> tuple[list[Problem], Summary]:
    """Check everything that a run would read, models against suite included. No problems: all of it can be loaded."""
    questions, rubric = _suite_documents(DEFAULT_SUITE, prompts, rubrics)
    suite, in_suite = _suite(questions, rubric)
    entries, in_models = _models(_read(models or shipped("models.yaml")), roles_of(rubric))
    judge_prompts, in_prompts = read_judge_prompts(prompts)
    summary = Summary(
        suite=suite.name if suite else None,
        questions=len(suite.questions) if suite else 0,
        criteria=sum(len(question.criteria) for question in suite.questions) if suite else 0,
        roles=len(suite.roles) if suite else 0,
        models=len(entries.entries) if entries else 0,
        judge_prompts=len(judge_prompts.templates) if judge_prompts else 0,
    )
    return ordered([*in_suite, *in_models, *in_prompts]), summary


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


# --- files --------------------------------------------------------------------------------------------------------


def _suite_documents(name: str, prompts: Path | None, rubrics: Path | None) -> tuple[Document, Document]:
    questions: Traversable = prompts_folder(prompts, "questions") / f"{name}.yaml"
    if prompts is not None and not prompts.is_dir():
        questions = prompts
    rubric: Traversable = (rubrics or shipped("rubrics")) / f"{name}.yaml"
    if rubrics is not None and not rubrics.is_dir():
        rubric = rubrics
    return _read(questions), _read(rubric)


def _read(file: Traversable) -> Document:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return Document(shown_name(file), None, {}, (unreadable(file, error),))
    return refuse_newer(parse(text, shown_name(file)))
