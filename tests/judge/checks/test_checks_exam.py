"""The checks on answers whose truth is known: right ones in many styles pass, wrong ones fail for what is wrong."""

from importlib.resources.abc import Traversable
from pathlib import Path

import pytest

from judge.checks.evidence import examine_all
from judge.checks.modules import load_checks
from judge.checks.mutation import ENOUGH_CAUGHT, QuestionScore, for_checks, render_scores, score
from judge.errors import LibraryError
from judge.exam_answers import ExamAnswer, load_exam
from judge.library import load_suite
from judge.shipped import shipped
from judge.types import Question
from runner.isolation import isolation

pytestmark = pytest.mark.slow

SUITE = load_suite()
EXAM = shipped("rubrics") / "exam"
WAITING = {"C-T2-Q2"}
"""Questions whose checks mostly wait for sockets and take hardly any processor time."""


async def scored(question: Question, answers: list[ExamAnswer]) -> QuestionScore:
    found = await isolation()
    found.required()
    evidence = await examine_all(
        question, [answer.text for answer in answers], at_once=6 if question.id in WAITING else 3, isolated=found
    )
    return score(question, [(answer, e) for answer, e in zip(answers, evidence, strict=True) if e is not None])


@pytest.mark.parametrize("question_id", SUITE.ids)
async def test_right_answers_pass_every_check_and_wrong_ones_are_caught(question_id: str) -> None:
    question = SUITE.question(question_id)
    result = await scored(question, for_checks(load_exam(question, EXAM)))
    assert result.accepted == result.right >= 2, render_scores([result])
    assert result.wrong >= 8 and result.caught >= ENOUGH_CAUGHT * result.wrong, render_scores([result])
    assert result.not_run == 0, render_scores([result])


@pytest.mark.parametrize("question_id", SUITE.ids)
async def test_every_check_comes_to_a_result_on_a_right_answer(question_id: str) -> None:
    question = SUITE.question(question_id)
    checks = load_checks(question)
    right = [answer for answer in load_exam(question, EXAM) if answer.right]
    assert checks is not None and right
    [evidence] = await examine_all(question, [right[0].text])
    assert evidence is not None
    assert {check.id: check.outcome for check in evidence.checks} == {check.id: "pass" for check in checks.checks}


# --- labels -------------------------------------------------------------------------------------------------------

FACTORIAL = SUITE.question("C-T1-Q1")


def exam_with(folder: Path, labels: str) -> Traversable:
    place = folder / FACTORIAL.test
    place.mkdir()
    (place / "labels.yaml").write_text(labels)
    (place / "wrong_a.md").write_text("```python\ndef factorial(n): return 0\n```")
    return folder


def test_labels_name_the_criteria_of_the_question(tmp_path: Path) -> None:
    labels = "question: C-T1-Q1\nright: []\nwrong:\n  - {file: wrong_a.md, criteria: [logic], bug: zero}\n"
    with pytest.raises(LibraryError, match=r"wrong_a\.md: C-T1-Q1 has no criterion 'logic', it has clean_code"):
        load_exam(FACTORIAL, exam_with(tmp_path, labels))


def test_labels_name_files_that_are_there(tmp_path: Path) -> None:
    labels = "question: C-T1-Q1\nright:\n  - {file: right_b.md, note: b}\nwrong: []\n"
    with pytest.raises(LibraryError, match=r"there is no file 'right_b\.md'"):
        load_exam(FACTORIAL, exam_with(tmp_path, labels))


def test_what_only_a_judge_can_see_is_left_out(tmp_path: Path) -> None:
    labels = "question: C-T1-Q1\nright: []\nwrong:\n  - {file: wrong_a.md, criteria: [clean_code], bug: x, by: judge}\n"
    assert for_checks(load_exam(FACTORIAL, exam_with(tmp_path, labels))) == []


async def test_a_wrong_answer_that_is_not_caught_is_reported_with_what_was_seen() -> None:
    answer = ExamAnswer(
        "wrong_a.md", "```python\ndef factorial(n: int) -> int: return 0\n```", False, ("type_hints",), "x"
    )
    result = await scored(FACTORIAL, [answer])
    assert (result.wrong, result.caught, result.good) == (1, 0, False)
    assert "wrong_a.md: x" in render_scores([result])
    assert "failed: example (factorial(5): 0)" in result.misses[0].seen
