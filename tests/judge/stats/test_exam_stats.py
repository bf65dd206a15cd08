"""Rates of a judge on answers whose truth is known, its gates, and what its pass rate means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge.stats.exam_stats import (
    MIN_TNR,
    MIN_TPR,
    ExamItem,
    JudgeRates,
    Outlook,
    corrected_pass_rate,
    flip_rate,
    jeffreys_rate,
    judge_rates,
    outlook,
    pairwise_accuracy,
)
from judge.stats.figures import Refused


def exam(right: str, wrong: str) -> list[ExamItem]:
    """Return an exam with a verdict an item: ``+`` accepted, ``-`` rejected, ``?`` missing."""
    verdict = {"+": True, "-": False, "?": None}
    return [
        ExamItem(correct=truth, accepted=(verdict[v],)) for truth, row in ((True, right), (False, wrong)) for v in row
    ]


def rates(items: list[ExamItem]) -> JudgeRates:
    found = judge_rates(items)
    assert isinstance(found, JudgeRates), found
    return found


def test_three_caught_of_ten_wrong_answers() -> None:
    rate = jeffreys_rate(3, 10, confidence=0.95)
    assert (rate.interval.low, rate.interval.high) == pytest.approx((0.093, 0.606), abs=1e-3)  # D6


def test_a_rate_without_a_trial_is_unknown_and_may_be_anything() -> None:
    rate = jeffreys_rate(0, 0)
    assert (rate.value, rate.interval.low, rate.interval.high) == (None, 0.0, 1.0)


@pytest.mark.parametrize(
    ("right", "wrong", "passes"),
    [
        ("+" * 12, "-" * 12, True),  # perfect
        ("+" * 12, "+" * 12, False),  # lenient: accepts everything
        ("-" * 12, "-" * 12, False),  # rejects everything
        ("+-" * 6, "+-" * 6, False),  # throws a coin
        ("+" * 4, "-" * 12, False),  # too few correct answers to tell
    ],
)
def test_only_a_judge_that_is_surely_good_on_both_sides_passes_the_gates(right: str, wrong: str, passes: bool) -> None:
    assert rates(exam(right, wrong)).passes_gates == passes


def test_the_rates_count_each_answer_once_however_often_it_was_asked() -> None:
    items = [
        ExamItem(correct=True, accepted=(True, True, False)),
        ExamItem(correct=False, accepted=(False, False, False)),
    ]
    found = rates(items)
    assert (found.tpr.trials, found.tnr.trials, found.flip_rate) == (1, 1, 0.5)


def test_a_judge_that_often_gives_no_verdict_is_not_summarised() -> None:
    refused = judge_rates(exam("+" * 9 + "?", ""))
    assert isinstance(refused, Refused) and refused.reason.startswith("10% of the judge's verdicts are missing")
    assert rates(exam("+" * 19 + "?", "-")).missing == pytest.approx(1 / 21)
    assert isinstance(judge_rates([]), Refused)


def test_an_exam_can_stop_when_a_gate_is_out_of_reach_or_safe() -> None:
    assert outlook(jeffreys_rate(0, 6), 4, MIN_TNR) is Outlook.LOST
    assert outlook(jeffreys_rate(0, 6), 40, MIN_TNR) is Outlook.OPEN
    assert outlook(jeffreys_rate(20, 20), 2, MIN_TPR) is Outlook.CERTAIN


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 8), st.data())
def test_what_is_lost_or_certain_stays_so_whatever_comes(yes: int, no: int, left: int, data: st.DataObject) -> None:
    more = data.draw(st.integers(0, left))
    reached = jeffreys_rate(yes + more, yes + no + left).interval.low >= MIN_TNR
    before = outlook(jeffreys_rate(yes, yes + no), left, MIN_TNR)
    assert before is Outlook.OPEN or reached == (before is Outlook.CERTAIN)


def test_repeats_that_disagree_are_flips() -> None:
    assert flip_rate([(True, True), (True, False), (False, None), (None, None), (False, False)]) == pytest.approx(1 / 3)
    assert flip_rate([(True,), (False,)]) is None


def test_a_mutant_must_score_below_its_reference() -> None:
    assert pairwise_accuracy([(5, 2), (5, 5), (4, 5), (5, None), (3, 1)]) == pytest.approx(2 / 4)
    assert pairwise_accuracy([(5, None)]) is None


@pytest.mark.parametrize(("observed", "true"), [(0.80, 0.238), (0.90, 0.714), (0.95, 0.952), (0.70, 0.0), (1.0, 1.0)])
def test_what_the_pass_rate_of_a_lenient_judge_means(observed: float, true: float) -> None:
    assert corrected_pass_rate(observed, tpr=0.96, tnr=0.25) == pytest.approx(true, abs=1e-3)  # A7


def test_the_pass_rate_of_a_judge_no_better_than_chance_means_nothing() -> None:
    assert corrected_pass_rate(0.8, tpr=0.7, tnr=0.3) is None
