"""The plan: what is wanted, what is owed, in which order, and how long it may take."""

import pytest
from examples import arm_record, question, run_record
from hypothesis import given
from hypothesis import strategies as st

from judge.plan import EXPECTED_ANSWER_TOKENS, arm_work, estimate, total_seconds, wanted_answers
from runner.types import Sampling

RECORD = arm_record(config="moe4", sampling=Sampling(seed=10))
ARM = RECORD.arm
QUESTIONS = [question("Q1"), question("Q2"), question("Q3", tier="T2")]
RUN = run_record(*QUESTIONS, arms=(RECORD,), samples=2)
WANTED = wanted_answers(RUN, RECORD)
KEYS = [unit.key for unit in WANTED]


def test_no_question_is_asked_twice_in_a_row() -> None:
    assert [(u.question_id, u.sample) for u in WANTED] == [
        ("Q1", 0),
        ("Q2", 0),
        ("Q3", 0),
        ("Q1", 1),
        ("Q2", 1),
        ("Q3", 1),
    ]


def test_more_samples_keep_the_answers_that_are_there() -> None:
    more = wanted_answers(RUN.model_copy(update={"samples": 3}), RECORD)
    assert set(KEYS) < {unit.key for unit in more}


def test_one_tier_of_an_arm_may_be_sampled_further_than_the_run() -> None:
    further = RECORD.model_copy(update={"samples": {"T2": 4}})
    assert [(u.question_id, u.sample) for u in wanted_answers(RUN, further)] == [
        *((u.question_id, u.sample) for u in WANTED),
        ("Q3", 2),
        ("Q3", 3),
    ]


@given(st.sets(st.sampled_from(KEYS)))
def test_what_is_owed_is_what_is_wanted_and_not_stored_in_order(stored: set[str]) -> None:
    work = arm_work(ARM, WANTED, stored | {"something else"})
    assert [unit.key for unit in work.owed] == [key for key in KEYS if key not in stored]
    assert work.wanted == WANTED


def test_a_measured_speed_and_length_are_believed_before_an_expected_one() -> None:
    plan = estimate(arm_work(ARM, WANTED, ()), [10.0, 30.0, 20.0], [100, 300], expected_tps=45.0)
    assert (plan.arm, plan.owed, plan.decode_tps, plan.source) == ("coder/moe4", 6, 20.0, "measured")
    assert (plan.tokens, plan.seconds) == (1200, 60.0)


def test_without_measurements_the_expected_speed_is_used() -> None:
    plan = estimate(arm_work(ARM, WANTED, KEYS[:5]), [], [], expected_tps=30.0)
    assert (plan.tokens, plan.seconds, plan.source) == (EXPECTED_ANSWER_TOKENS, 20.0, "models.yaml")


def test_an_unknown_speed_is_an_unknown_time_and_not_zero() -> None:
    plan = estimate(arm_work(ARM, WANTED, ()), [], [], None)
    assert (plan.decode_tps, plan.seconds, plan.source) == (None, None, "unknown")


@pytest.mark.parametrize(("expected", "total"), [(30.0, 140.0), (None, None)])
def test_the_total_is_unknown_as_soon_as_one_part_is(expected: float | None, total: float | None) -> None:
    all_owed = estimate(arm_work(ARM, WANTED, ()), [], [], expected)
    one_owed = estimate(arm_work(ARM, WANTED, KEYS[:5]), [], [], 30.0)
    assert total_seconds([all_owed, one_owed]) == total


def test_an_arm_that_owes_nothing_needs_no_speed() -> None:
    done = estimate(arm_work(ARM, WANTED, KEYS), [], [], None)
    assert total_seconds([done]) == 0
