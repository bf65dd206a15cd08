"""Two arms on the same questions: what the verdict says, and that it is wrong as seldom as it promises."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import stdtrit

from judge.stats.figures import Interval
from judge.stats.paired import (
    ComparisonVerdict,
    ScorePair,
    criterion_differences,
    difference_limits,
    score_difference,
    speed_ratio,
    verdict,
)

Array = NDArray[np.float64]

MARGIN = 0.25


def pairs_of(a: list[float], b: list[float], questions: int = 10) -> list[ScorePair]:
    return [
        ScorePair(question=f"q{i % questions}", sample=i // questions, a=x, b=y)
        for i, (x, y) in enumerate(zip(a, b, strict=True))
    ]


def test_pairs_that_are_alike_are_drawn_together_and_the_limits_are_those_of_single_ones() -> None:
    weights, differences = np.array([1.0, 1.0, 0.5]), np.array([0.0, -1.0, 2.0])
    times = np.array([40, 5, 12])
    together = difference_limits(differences[None, :], weights, times, seed=1)
    single = difference_limits(np.repeat(differences, times)[None, :], np.repeat(weights, times), seed=2)
    assert np.ravel(together) == pytest.approx(np.ravel(single), abs=0.01), (
        "20,000 draws of either leave less than that"
    )
    off = difference_limits(differences[None, :], weights, seed=1)
    assert np.ravel(off) != pytest.approx(np.ravel(single), abs=0.1)


def test_a_difference_weighs_questions_alike_however_often_pairs_repeat() -> None:
    pairs = [*pairs_of([4.0] * 30, [5.0] * 30, questions=1), ScorePair(question="other", sample=0, a=4, b=2)]
    found = score_difference(pairs, seed=1)
    assert found is not None
    assert (found.mean, found.pairs, found.questions) == (pytest.approx(-0.5), 31, 2)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.02, 0.3, ComparisonVerdict.SUPERIOR),
        (-0.15, 0.02, ComparisonVerdict.NON_INFERIOR),
        (-0.20, -0.05, ComparisonVerdict.NON_INFERIOR),
        (-0.30, 0.40, ComparisonVerdict.UNDECIDED),
        (-0.25, 0.40, ComparisonVerdict.UNDECIDED),
        (-0.90, -0.26, ComparisonVerdict.INFERIOR),
    ],
)
def test_a_verdict_is_what_the_whole_interval_says(low: float, high: float, expected: ComparisonVerdict) -> None:
    assert verdict(Interval(low=low, high=high, confidence=0.9), MARGIN) is expected


def test_every_question_weighs_the_same_however_often_it_was_answered() -> None:
    pairs = [ScorePair(question="often", sample=i, a=3.0, b=4.0) for i in range(9)]
    found = score_difference([*pairs, ScorePair(question="once", sample=0, a=4.0, b=2.0)], seed=1)
    assert found is not None
    assert (found.mean, found.pairs, found.questions) == (pytest.approx(-0.5), 10, 2)


def test_the_same_pairs_always_have_the_same_interval_around_their_mean() -> None:
    pairs = pairs_of([5.0, 4.0] * 25, [4.0, 4.5] * 25)
    found = score_difference(pairs, seed=1)
    assert found is not None and found == score_difference(pairs, seed=1)
    assert found.interval.low < found.mean < found.interval.high


def test_fifteen_equal_pairs_do_not_show_that_nothing_is_lost_and_a_hundred_do() -> None:
    few, many = (score_difference(pairs_of([5.0] * n, [5.0] * n), seed=1) for n in (15, 100))
    assert few is not None and many is not None
    assert verdict(few.interval, MARGIN) is ComparisonVerdict.UNDECIDED
    assert verdict(many.interval, MARGIN) is ComparisonVerdict.NON_INFERIOR
    # An independent check: with all differences 0 the lower limit is -4 times the 95 % quantile of Beta(.5, n).
    worst = np.random.default_rng(1).beta(0.5, 15, size=200_000)
    assert few.interval.low == pytest.approx(-4 * float(np.quantile(worst, 0.95)), abs=0.03)


def test_an_arm_that_loses_a_point_everywhere_is_inferior_and_the_other_way_round_superior() -> None:
    worse = score_difference(pairs_of([5.0] * 50, [4.0] * 50), seed=1)
    better = score_difference(pairs_of([4.0] * 50, [5.0] * 50), seed=1)
    assert worse is not None and verdict(worse.interval, MARGIN) is ComparisonVerdict.INFERIOR
    assert better is not None and verdict(better.interval, MARGIN) is ComparisonVerdict.SUPERIOR


def test_each_criterion_has_its_own_difference() -> None:
    found = criterion_differences({"logic": pairs_of([5.0] * 10, [4.0] * 10), "style": []}, seed=1)
    assert found["logic"] is not None and found["logic"].mean == -1.0
    assert found["style"] is None


# --- speed --------------------------------------------------------------------------------------------------------------


def test_the_speed_ratio_is_that_of_the_medians() -> None:
    found = speed_ratio([10.0, 10.1, None, 9.9, 10.0, 10.2], [13.2, 13.3, 13.4, 13.3, 1.0], seed=1)
    assert found is not None and found.interval is not None
    assert found.ratio == pytest.approx(1.33)
    assert found.interval.low < found.ratio <= found.interval.high < 1.37


def test_few_measurements_have_a_ratio_without_an_interval_and_none_have_neither() -> None:
    found = speed_ratio([10.0], [20.0], seed=1)
    assert found is not None and (found.ratio, found.interval) == (2.0, None)
    assert speed_ratio([None], [20.0], seed=1) is None


# --- what it promises ---------------------------------------------------------------------------------------------------
# Arms that are exactly one margin apart. Nominal error rate of either claim: 5 %; the bound is that plus three standard errors
# of so many runs.

RUNS = 1_000
DRAWS = 2_000
BOUND = 0.05 + 3 * float(np.sqrt(0.05 * 0.95 / RUNS))
Law = tuple[list[float], list[float]]
CEILING: Law = ([5, 4, 2], [0.92, 0.06, 0.02])
LAWS: dict[str, tuple[Law, Law]] = {
    "ceiling, now and then a failure": (CEILING, ([5, 4, 2, 1], [0.8575, 0.06, 0.02, 0.0625])),
    "perfect against rare failures": (([5], [1.0]), ([5, 1], [0.9375, 0.0625])),
    "perfect against duller": (([5], [1.0]), ([5, 4], [0.75, 0.25])),
    "middle of the scale": (([5, 4, 3, 2], [0.25] * 4), ([5, 4, 3, 2, 1], [0.2, 0.25, 0.25, 0.2, 0.1])),
}


def limits(laws: tuple[Law, Law], questions: int, samples: int) -> tuple[Array, Array, float]:
    """Return the limits of many runs, and the true difference."""
    rng, n = np.random.default_rng(6), questions * samples
    (a, pa), (b, pb) = laws
    differences = rng.choice(b, p=pb, size=(RUNS, n)) - rng.choice(a, p=pa, size=(RUNS, n))
    low, high = difference_limits(differences, np.ones(n), seed=1, draws=DRAWS)
    return low, high, float(np.dot(b, pb) - np.dot(a, pa))


@pytest.mark.parametrize(("questions", "samples"), [(3, 5), (10, 5), (10, 20)])
@pytest.mark.parametrize("laws", LAWS.values(), ids=LAWS)
def test_an_arm_exactly_one_margin_worse_is_rarely_called_non_inferior_or_inferior(
    laws: tuple[Law, Law], questions: int, samples: int
) -> None:
    low, high, truth = limits(laws, questions, samples)
    assert np.mean(low > truth + 1e-9) < BOUND
    assert np.mean(high < truth - 1e-9) < BOUND


def test_a_t_interval_over_the_same_answers_would_call_rare_failures_non_inferior_in_a_third_of_the_runs() -> None:
    differences = -4.0 * (np.random.default_rng(6).random((RUNS, 15)) < 0.0625)
    error = differences.std(axis=1, ddof=1) / np.sqrt(15)
    assert np.mean(differences.mean(axis=1) - stdtrit(14, 0.95) * error > -MARGIN) > 1 / 3


def test_equal_arms_are_called_non_inferior_once_there_are_enough_answers() -> None:
    low, _, _ = limits((CEILING, CEILING), 10, 10)
    assert np.mean(low > -MARGIN) > 0.85
    few, _, _ = limits((CEILING, CEILING), 3, 5)
    assert np.mean(few > -MARGIN) < 0.10
