"""One answer examined in a process of its own: the same evidence, and trouble of ours that says nothing about the answer."""

import pytest
from examples import question

from judge.checks.apart import examine_apart
from judge.checks.evidence import examine_answer
from judge.exam_answers import load_exam
from judge.library import load_suite
from judge.shipped import shipped
from runner.errors import SandboxError

QUESTION = load_suite().question("C-T1-Q1")
RIGHT = next(one.text for one in load_exam(QUESTION, shipped("rubrics") / "exam") if one.right)


async def test_the_evidence_is_that_of_an_examination_in_this_process() -> None:
    apart, here = await examine_apart(QUESTION, RIGHT), await examine_answer(QUESTION, RIGHT)
    assert apart is not None and apart == here


async def test_a_question_without_checks_has_no_evidence() -> None:
    assert await examine_apart(question(test="nobody_checks_this"), RIGHT) is None


async def test_an_examination_that_takes_too_long_is_given_up_and_fails_nothing() -> None:
    with pytest.raises(SandboxError, match=r"more than 0\.05 s and was given up"):
        await examine_apart(QUESTION, RIGHT, wall_s=0.05)


async def test_a_process_that_breaks_is_no_evidence() -> None:
    broken = QUESTION.model_copy(update={"id": "not the one that the checks are for"})
    with pytest.raises(SandboxError, match="ended with status 1"):
        await examine_apart(broken, RIGHT)
