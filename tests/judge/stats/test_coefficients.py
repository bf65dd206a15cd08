"""Agreement coefficients against published values. Tolerance 1e-3, as the sources print three or four digits.

K: Krippendorff 2011 ("C" data; krippendorff 0.9.0 and evalica agree). G: Gwet's irrCAC vignette and tests. I: the R package irr.
S: scikit-learn's cohen_kappa_score. M: Krippendorff 2019 via the ATLAS.ti manual.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from judge.stats.alpha import Metric, coincidences, krippendorff_alpha, ordinal_alphas, units_needed
from judge.stats.gwet import brennan_prediger, gwet_ac, value_counts
from judge.stats.kappa import Weighting, contingency, weighted_kappa

Array = NDArray[np.float64]

TOLERANCE = 1e-3
UNITS = ["11.1", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", ".555", "..11", "..3."]
C_DATA = [[None if unit[rater] == "." else int(unit[rater]) for unit in UNITS] for rater in range(4)]
THREE_BY_THREE = np.array([[13.0, 0, 0], [0, 20, 7], [0, 4, 56]])
CLUMPED = ([5] * 46 + [5, 5, 4, 4], [5] * 46 + [4, 4, 5, 5])


def counts_of(table: Array) -> Array:
    """Return units x q counts of two raters out of their table."""
    eye = np.eye(len(table))
    return np.array([eye[i] + eye[k] for i, row in enumerate(table) for k, n in enumerate(row) for _ in range(int(n))])


# --- A1: alpha ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "expected"),
    [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107), ("ratio", 0.797403)],
)
def test_alpha_of_krippendorffs_example(metric: Metric, expected: float) -> None:
    assert krippendorff_alpha(C_DATA, metric) == pytest.approx(expected, abs=1e-6)  # K


def test_a_unit_that_one_rater_rated_does_not_count() -> None:
    without = [row[:-1] for row in C_DATA]
    assert krippendorff_alpha(without) == krippendorff_alpha(C_DATA)


@pytest.mark.parametrize("ratings", [[[5, 5], [5, 5]], [[1, None], [None, 2]], [[None], [None]]])
def test_alpha_of_ratings_that_are_all_alike_or_never_paired_is_undefined(ratings: list[list[int | None]]) -> None:
    assert krippendorff_alpha(ratings) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.none() | st.integers(1, 5), min_size=3, max_size=3), min_size=1, max_size=12))
def test_the_alpha_of_resamples_is_that_of_the_library(units: list[list[int | None]]) -> None:
    raters = [list(row) for row in zip(*units, strict=True)]
    ours = float(ordinal_alphas(coincidences(value_counts(raters)).sum(axis=0)))
    theirs = krippendorff_alpha(raters)
    assert np.isnan(ours) if theirs is None else ours == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize(("alpha", "levels", "units"), [(0.8, 4, 139), (0.667, 4, 81), (0.8, 5, 164), (0.667, 5, 96)])
def test_the_planner_says_how_many_units_two_raters_need(alpha: float, levels: int, units: int) -> None:
    assert units_needed(alpha, levels=levels) == units  # M (A5d)


# --- A2: weighted kappa -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("weighting", "expected"), [("unweighted", 0.7964), ("linear", 0.8429), ("quadratic", 0.8922)])
def test_kappa_of_gwets_table(weighting: Weighting, expected: float) -> None:
    kappa = weighted_kappa(THREE_BY_THREE, weighting)
    assert kappa is not None and kappa.value == pytest.approx(expected, abs=TOLERANCE)  # G


def test_the_error_of_kappa_and_its_interval() -> None:
    kappa = weighted_kappa(THREE_BY_THREE)
    assert kappa is not None
    assert kappa.se == pytest.approx(0.0354, abs=TOLERANCE)  # G
    assert (kappa.interval.low, kappa.interval.high) == pytest.approx((0.822, 0.962), abs=TOLERANCE)


def test_kappa_of_the_anxiety_ratings() -> None:
    first = [3, 3, 3, 4, 5, 5, 2, 3, 5, 2, 2, 6, 1, 5, 2, 2, 1, 2, 4, 3]
    second = [3, 6, 4, 6, 2, 4, 2, 4, 3, 3, 2, 3, 3, 3, 2, 2, 1, 3, 3, 4]
    kappa = weighted_kappa(contingency(first, second, scale=range(1, 7)))
    assert kappa is not None and kappa.value == pytest.approx(0.2968, abs=TOLERANCE)  # I


def test_levels_that_nobody_used_are_part_of_the_scale() -> None:
    kappa = weighted_kappa(contingency([5, 5, 5, 2, 5, 5, 1, 5], [5, 5, 2, 5, 5, 5, 1, 5]))
    assert kappa is not None and kappa.value == pytest.approx(0.5232, abs=TOLERANCE)  # S; .7419 without levels 3 and 4


@pytest.mark.parametrize("second", [[5, 5, 5], [5, 4, 3], [None, None, None]])
def test_kappa_of_a_constant_rater_is_undefined(second: list[int | None]) -> None:
    assert weighted_kappa(contingency([5, 5, 5], second)) is None


# --- A3: Gwet -----------------------------------------------------------------------------------------------------------


def test_ac1_ac2_and_brennan_prediger_of_gwets_table() -> None:
    counts = counts_of(THREE_BY_THREE)
    ac1, ac2, bp = gwet_ac(counts, "unweighted"), gwet_ac(counts), brennan_prediger(counts)
    assert ac1 and ac2 and bp
    assert (ac1.value, ac2.value, bp.value) == pytest.approx((0.8493, 0.9402, 0.9175), abs=TOLERANCE)  # G
    assert ac2.se == pytest.approx(0.0179, abs=TOLERANCE)
    assert (ac2.interval.low, ac2.interval.high) == pytest.approx((0.905, 0.976), abs=TOLERANCE)


@pytest.mark.parametrize(("weighting", "expected"), [("unweighted", 0.775), ("quadratic", 0.914), ("ordinal", 0.899)])
def test_gwets_coefficient_of_four_raters_with_gaps(weighting: Weighting, expected: float) -> None:
    ac = gwet_ac(value_counts(C_DATA), weighting)
    assert ac is not None and ac.value == pytest.approx(expected, abs=TOLERANCE)  # G


def test_the_interval_of_ac2_of_four_raters_ends_at_one() -> None:
    ac = gwet_ac(value_counts(C_DATA))
    assert ac is not None and (ac.interval.low, ac.interval.high) == pytest.approx((0.685, 1.0), abs=TOLERANCE)  # G


def test_near_the_ceiling_kappa_collapses_and_ac2_does_not() -> None:
    kappa, ac2 = weighted_kappa(contingency(*CLUMPED)), gwet_ac(value_counts(CLUMPED))
    assert kappa is not None and kappa.value == pytest.approx(-0.0417, abs=TOLERANCE)
    assert ac2 is not None and ac2.value == pytest.approx(0.9946, abs=TOLERANCE)


def test_one_unit_has_no_coefficient() -> None:
    assert gwet_ac(value_counts([[5], [4]])) is None
    assert brennan_prediger(value_counts([[5, 3], [4, None]])) is None
