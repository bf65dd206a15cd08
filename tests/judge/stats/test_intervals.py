"""Intervals with known answers, and what they promise near the ceiling, where good models live."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge.stats.intervals import Outcome, score_interval, tier_interval

THREE_QUESTIONS = 3
ALTERNATING = [4.0, 5.0] * 5


def of(scores: list[float], threshold: float = 4.0) -> tuple[float, float, float, Outcome]:
    """Return low, high, P(at least) and the outcome of three questions with these scores."""
    interval = tier_interval([scores] * THREE_QUESTIONS, threshold)
    return interval.low, interval.high, interval.p_at_least, interval.outcome


@pytest.mark.parametrize(
    ("samples", "low", "p_at_least", "outcome"),
    [(3, 3.707, 0.861, Outcome.UNDECIDED), (5, 4.131, 0.975, Outcome.PASS), (10, 4.525, 1.0, Outcome.PASS)],
)
def test_all_fives_pass_a_four_once_there_are_enough_of_them(
    samples: int, low: float, p_at_least: float, outcome: Outcome
) -> None:
    found_low, high, p, found = of([5.0] * samples)
    assert found_low == pytest.approx(low, abs=0.01)
    assert p == pytest.approx(p_at_least, abs=0.006)
    assert (high, found) == (5.0, outcome)


@pytest.mark.parametrize("samples", [3, 5, 10])
def test_the_lower_limit_agrees_with_the_beta_distribution(samples: int) -> None:
    rng = np.random.default_rng(1)
    lower = 5 - 4 * rng.beta(0.5, samples, size=(200_000, THREE_QUESTIONS)).mean(axis=1)
    assert of([5.0] * samples)[0] == pytest.approx(float(np.quantile(lower, 0.05)), abs=0.015)


def test_twenty_fours_leave_a_four_undecided_for_ever() -> None:
    low, high, _, outcome = of([4.0] * 20)
    assert (low, high) == (pytest.approx(3.81, abs=0.01), pytest.approx(4.06, abs=0.01))
    assert outcome is Outcome.UNDECIDED


def test_fours_and_fives_in_turn_pass_a_four() -> None:
    low, _, _, outcome = of(ALTERNATING)
    assert low == pytest.approx(4.06, abs=0.01)
    assert outcome is Outcome.PASS


def test_ones_and_twos_fail_a_four() -> None:
    assert of([1.0, 2.0] * 3)[3] is Outcome.FAIL


def test_one_answer_a_question_decides_nothing() -> None:
    assert of([5.0])[3] is Outcome.UNDECIDED
    assert of([3.0])[3] is Outcome.UNDECIDED


@pytest.mark.parametrize("grade", [1.0, 3.3, 5.0])
def test_a_score_exactly_at_the_end_of_the_scale_meets_it(grade: float) -> None:
    interval = tier_interval([[grade] * 4] * 3, 5.0)
    assert (interval.p_below == 0.0) == (grade == 5.0)
    assert tier_interval([[grade] * 4] * 3, 1.0).p_at_least == 1.0


def test_the_same_scores_always_give_the_same_interval() -> None:
    assert tier_interval([ALTERNATING] * 3, 4.0) == tier_interval([ALTERNATING] * 3, 4.0)


@pytest.mark.parametrize("questions", [[], [[]], [[5.0], []]])
def test_a_question_without_a_score_has_no_interval(questions: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="at least one score for every question"):
        tier_interval(questions, 4.0)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.floats(1, 5), min_size=1, max_size=6), min_size=1, max_size=4),
    st.floats(1, 5),
)
def test_an_interval_lies_on_the_scale_around_the_mean(questions: list[list[float]], threshold: float) -> None:
    interval = tier_interval(questions, threshold)
    mean = float(np.mean([np.mean(scores) for scores in questions]))
    assert 1 <= interval.low <= mean + 1e-9
    assert mean - 1e-9 <= interval.high <= 5
    assert 0 <= interval.p_at_least <= 1 and 0 <= interval.p_below <= 1
    assert interval.p_at_least + interval.p_below <= 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=6), st.data())
def test_a_better_score_never_lowers_a_limit(scores: list[int], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(scores) - 1))
    better = [*scores[:at], scores[at] + 1, *scores[at + 1 :]]
    before, after = (tier_interval([list(map(float, s))], 4.0) for s in (scores, better))
    assert after.low >= before.low and after.high >= before.high and after.p_at_least >= before.p_at_least


# --- what it promises -----------------------------------------------------------------------------------------------------
# Error rates over simulated runs. The bound is the promised rate plus three standard errors of so many runs.

CEILING_RUNS = 200
SEQUENTIAL_RUNS = 80
NEAR_CEILING = ([5.0, 4.0, 2.0], [0.92, 0.06, 0.02])
EXACTLY_FOUR = ([5.0, 4.0, 3.0], [0.25, 0.5, 0.25])


def bound(rate: float, runs: int) -> float:
    return rate + 3 * float(np.sqrt(rate * (1 - rate) / runs))


def simulated(law: tuple[list[float], list[float]], runs: int, samples: int, seed: int) -> list[list[list[float]]]:
    """Return runs x questions x scores."""
    draws = np.random.default_rng(seed).choice(law[0], p=law[1], size=(runs, THREE_QUESTIONS, samples))
    scores: list[list[list[float]]] = draws.tolist()
    return scores


def test_near_the_ceiling_the_lower_limit_stays_below_the_truth() -> None:
    truth = float(np.dot(*NEAR_CEILING))
    misses = sum(tier_interval(run, 4.0).low > truth for run in simulated(NEAR_CEILING, CEILING_RUNS, 5, seed=2))
    assert misses / CEILING_RUNS < bound(0.05, CEILING_RUNS)


def test_a_model_that_is_exactly_a_four_rarely_passes_or_fails_a_four() -> None:
    outcomes = [_sequential(run) for run in simulated(EXACTLY_FOUR, SEQUENTIAL_RUNS, 20, seed=3)]
    assert outcomes.count(Outcome.PASS) / SEQUENTIAL_RUNS < bound(0.05, SEQUENTIAL_RUNS)
    assert outcomes.count(Outcome.FAIL) / SEQUENTIAL_RUNS < bound(0.10, SEQUENTIAL_RUNS)


def _sequential(run: list[list[float]]) -> Outcome:
    """Decide as soon as it can be decided: after 5, 10, then 20 answers a question."""
    for samples in (5, 10, 20):
        outcome = tier_interval([scores[:samples] for scores in run], 4.0).outcome
        if outcome is not Outcome.UNDECIDED:
            return outcome
    return Outcome.UNDECIDED


def test_the_score_of_an_arm_lies_where_a_tier_of_all_its_questions_would() -> None:
    questions = [(5.0, 4.0, 5.0), (3.0, 2.0, 3.0)]
    tier = tier_interval(questions, 3.0)
    assert score_interval(questions) == (tier.low, tier.high)


def test_a_question_without_a_score_may_lie_anywhere() -> None:
    assert score_interval([(), ()]) == (1.0, 5.0)
    low, high = score_interval([(5.0,) * 5, ()])
    assert (low, high) == (pytest.approx((1 + 3.67) / 2, abs=0.02), 5.0)
