"""The exam answers: every file is labelled, every label can be trusted as far as its form goes, all code loads."""

import ast
from functools import cache
from pathlib import Path
from typing import Literal, Self

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from judge.extract.answer import extract
from judge.extract.program import runnable
from judge.library import load_suite
from judge.types import Question

EXAM = Path(__file__).parents[3] / "rubrics" / "exam"
FOLDERS = sorted(path for path in EXAM.iterdir() if path.is_dir())
SUITE = load_suite()
ABOUT_WORDS = {"C-T3-Q3"}
"""Questions that ask for an explanation: their answers may differ in what they say and share their code."""

each_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


class Line(BaseModel):
    """What every label says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str


class Right(Line):
    """An answer that meets every criterion."""

    note: str = Field(min_length=10)


class Wrong(Line):
    """An answer with one known bug."""

    criteria: tuple[str, ...] = Field(min_length=1)
    """What the bug must lower; each once."""
    bug: str = Field(min_length=10)
    twin_of: str | None = None
    by: Literal["judge"] | None = None
    """``judge``: nothing but a reader can see it; ``None``: execution or static analysis shows it."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        assert len(set(self.criteria)) == len(self.criteria)
        return self


class Labels(BaseModel):
    """A whole labels.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    right: tuple[Right, ...]
    wrong: tuple[Wrong, ...]

    @property
    def lines(self) -> tuple[Right | Wrong, ...]:
        return self.right + self.wrong


@cache
def labels_of(folder: Path) -> Labels:
    return Labels.model_validate(yaml.safe_load((folder / "labels.yaml").read_text(encoding="utf-8")))


def question_of(folder: Path) -> Question:
    return SUITE.question(labels_of(folder).question)


@cache
def code_of(folder: Path, file: str) -> str:
    return extract((folder / file).read_text(encoding="utf-8"), prompt=question_of(folder).prompt).code


def has_syntax_error(line: Right | Wrong) -> bool:
    return isinstance(line, Wrong) and line.bug.startswith("syntax error")


def is_clean(criterion: str) -> bool:
    return criterion.startswith("clean")


def without_comments(code: str) -> str:
    try:
        return ast.unparse(ast.parse(code))
    except SyntaxError:
        return code


def test_there_is_an_exam() -> None:
    assert FOLDERS


@each_folder
def test_a_folder_is_named_after_the_test_of_its_question(folder: Path) -> None:
    assert question_of(folder).test == folder.name


@each_folder
def test_every_file_is_labelled_once_and_every_label_has_its_file(folder: Path) -> None:
    labelled = [line.file for line in labels_of(folder).lines]
    assert sorted(labelled) == sorted(path.name for path in folder.iterdir() if path.name != "labels.yaml")


@each_folder
def test_file_names_say_right_or_wrong_as_the_labels_do(folder: Path) -> None:
    labels = labels_of(folder)
    assert [line.file for line in labels.right if not line.file.startswith("right_")] == []
    assert [line.file for line in labels.wrong if not line.file.startswith("wrong_")] == []
    assert [line.file for line in labels.lines if not line.file.endswith(".md")] == []


@each_folder
def test_there_are_several_right_answers_and_many_wrong_ones(folder: Path) -> None:
    labels = labels_of(folder)
    assert len(labels.right) >= 3
    assert len(labels.wrong) >= 10
    assert len([line for line in labels.wrong if line.by is None]) >= 8


@each_folder
def test_wrong_answers_name_criteria_of_their_question(folder: Path) -> None:
    known = {criterion.id for criterion in question_of(folder).criteria}
    assert {line.file: line.criteria for line in labels_of(folder).wrong if not known.issuperset(line.criteria)} == {}


@each_folder
def test_every_criterion_that_can_be_tested_has_a_wrong_answer(folder: Path) -> None:
    lowered = {criterion for line in labels_of(folder).wrong for criterion in line.criteria}
    assert {c.id for c in question_of(folder).criteria if not is_clean(c.id)} - lowered == set()


@each_folder
def test_bugs_of_style_are_for_judges_alone_and_at_most_one(folder: Path) -> None:
    wrong = labels_of(folder).wrong
    assert [line.file for line in wrong if line.by is None and any(map(is_clean, line.criteria))] == []
    assert len([line for line in wrong if any(map(is_clean, line.criteria))]) <= 1


@each_folder
def test_a_twin_is_a_right_answer_with_other_text(folder: Path) -> None:
    labels = labels_of(folder)
    right = {line.file: (folder / line.file).read_text(encoding="utf-8") for line in labels.right}
    for line in labels.wrong:
        if line.twin_of is not None:
            assert line.twin_of in right, line
            assert (folder / line.file).read_text(encoding="utf-8") != right[line.twin_of], line


@each_folder
def test_code_compiles_unless_the_bug_is_a_syntax_error(folder: Path) -> None:
    for line in labels_of(folder).lines:
        code = code_of(folder, line.file)
        assert code, line
        assert runnable(code).parses is not has_syntax_error(line), line


@each_folder
def test_no_two_answers_are_the_same(folder: Path) -> None:
    about_words = labels_of(folder).question in ABOUT_WORDS
    seen: dict[str, str] = {}
    for line in labels_of(folder).lines:
        text = (folder / line.file).read_text(encoding="utf-8")
        compared = text if about_words else without_comments(code_of(folder, line.file))
        assert seen.setdefault(compared, line.file) == line.file


@each_folder
def test_the_exam_holds_the_traps_for_judges(folder: Path) -> None:
    files = {line.file for line in labels_of(folder).lines}
    traps = {"right_padded_with_unused_code.md", "wrong_verified_comment.md", "wrong_asks_for_full_marks.md"}
    assert traps - files == set()
