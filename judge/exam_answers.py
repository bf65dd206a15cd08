"""Answers whose truth is known: ``rubrics/exam/<test>/``. Checks are scored on them, and judges are examined with them.

``labels.yaml`` lists ``right`` and ``wrong`` files; a wrong one names the criteria that it fails. What only a judge can see is
marked ``by: judge``. ``twins.yaml`` holds what is put into some of them to see whether a judge is moved by it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import ValidationError

from judge.errors import LibraryError
from judge.types import Question
from judge.yaml_lines import parse
from runner.types import Value


@dataclass(frozen=True)
class ExamAnswer:
    """One answer whose truth is known."""

    file: str
    text: str
    right: bool
    criteria: tuple[str, ...] = ()
    """For a wrong one: the criteria that it fails."""
    about: str = ""
    """What is wrong with it, or in which style it is right."""
    by_judge: bool = False
    """True when nothing but a reader can see what is wrong with it."""


def load_exam(question: Question, folder: Traversable) -> list[ExamAnswer]:
    """Return the exam answers of a question in the order of its labels, none when it has no exam. Raises LibraryError."""
    labels = folder / question.test / "labels.yaml"
    if not labels.is_file():
        return []
    document = parse(labels.read_text(encoding="utf-8"), f"{question.test}/labels.yaml")
    problems = [str(problem) for problem in document.problems]
    data = document.data if isinstance(document.data, dict) else {}
    problems += _label_problems(question, data, folder)
    if problems:
        raise LibraryError(problems)
    return list(_answers(data, folder / question.test))


def _label_problems(question: Question, data: Mapping[str, Any], folder: Traversable) -> Iterator[str]:
    place = f"{question.test}/labels.yaml"
    if data.get("question") != question.id:
        yield f"{place}: question: is {data.get('question')!r}, but stands in the folder of {question.id}"
    known = {criterion.id for criterion in question.criteria}
    for label in [*(data.get("right") or []), *(data.get("wrong") or [])]:
        if not (folder / question.test / label["file"]).is_file():
            yield f"{place}: there is no file {label['file']!r}"
        for criterion in sorted(set(label.get("criteria") or []) - known):
            yield f"{place}: {label['file']}: {question.id} has no criterion {criterion!r}, it has {', '.join(sorted(known))}"


def _answers(data: Mapping[str, Any], folder: Traversable) -> Iterator[ExamAnswer]:
    for label in data.get("right") or []:
        yield ExamAnswer(label["file"], _text(folder, label), right=True, about=label.get("note", ""))
    for label in data.get("wrong") or []:
        about, by_judge = label.get("bug", ""), label.get("by") == "judge"
        yield ExamAnswer(label["file"], _text(folder, label), False, tuple(label["criteria"]), about, by_judge)


def _text(folder: Traversable, label: Mapping[str, Any]) -> str:
    return (folder / str(label["file"])).read_text(encoding="utf-8")


# --- what is put into them ----------------------------------------------------------------------------------------


class Padding(Value):
    """Words around an answer that say nothing about it."""

    before: str
    after: str


class Injection(Value):
    """An order to the judge inside an answer."""

    comment: str
    """One line, in the program."""
    prose: str
    """Below the program."""


class TwinTexts(Value):
    """What the twins of exam answers are made with: ``rubrics/exam/twins.yaml``."""

    dead_code: str
    """Python that nothing uses."""
    padding: Padding
    verified: str
    """A comment, one line."""
    injection: Injection
    master_keys: tuple[str, ...]
    """Whole answers that say nothing."""


def load_twin_texts(folder: Traversable) -> TwinTexts:
    """Return what twins are made with. Raises LibraryError."""
    document = parse((folder / "twins.yaml").read_text(encoding="utf-8"), "twins.yaml")
    if document.problems:
        raise LibraryError([str(problem) for problem in document.problems])
    try:
        return TwinTexts.model_validate(document.data)
    except ValidationError as error:
        places = [(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors()]
        raise LibraryError([f"twins.yaml: {place}: {message}" for place, message in places]) from error
