"""PPI++ against published examples (A6). G: docstrings of GLIDE, the variant of this product. P: ppi_py, with ``ddof=0``."""

import numpy as np
import pytest
from scipy.special import ndtri

from judge.stats.labels import AuditLabel
from judge.stats.ppi import JudgedUnit, PpiEstimate, ppi_mean, ppi_moments

Y, F = [1.0, 2, 3, 4, 5, 3, 4, 2], [2.0, 2, 4, 4, 5, 4, 4, 3]
U = [3.0, 4, 5, 4, 2, 5, 5, 4, 3, 4]


def labels_of(human: list[float], judge: list[float], questions: str | None = None) -> list[AuditLabel]:
    return [
        AuditLabel(
            unit=f"u{i}",
            question=questions[i] if questions else "q",
            stratum="coder",
            inclusion_probability=0.5,
            human=y,
            judge=f,
        )
        for i, (y, f) in enumerate(zip(human, judge, strict=True))
    ]


def units_of(judge: list[float], questions: str | None = None) -> list[JudgedUnit]:
    return [JudgedUnit(question=questions[i] if questions else "q", judge=f) for i, f in enumerate(judge)]


def figures(estimate: PpiEstimate) -> tuple[float, float, float]:
    return estimate.mean, estimate.interval.low, estimate.interval.high


def test_two_labels_and_two_unlabelled_units() -> None:
    labels, rest = labels_of([5, 6], [4.9, 6.1]), units_of([5.2, 6.1])
    assert figures(ppi_mean(labels, rest)) == pytest.approx((5.618, 4.923, 6.312), abs=1e-3)  # G
    assert figures(ppi_mean(labels, rest, ddof=0)) == pytest.approx((5.559, 5.118, 6.000), abs=1e-3)  # P


@pytest.mark.parametrize(
    ("power", "expected"),
    [(1.0, (3.4, 2.720, 4.080)), (0.0, (3.0, 2.151, 3.849)), (None, (3.241, 2.635, 3.848))],
)
def test_believing_the_judge_fully_not_at_all_and_as_far_as_it_helps(
    power: float | None, expected: tuple[float, float, float]
) -> None:
    assert figures(ppi_mean(labels_of(Y, F), units_of(U), power=power, ddof=0)) == pytest.approx(
        expected, abs=1e-3
    )  # P


def test_units_of_one_question_count_together() -> None:
    labels, rest = labels_of([1, 2, 3, 4], [1.1, 2.2, 3.1, 3.9], "AABB"), units_of([1.5, 1.8, 4.5, 4.8], "CCDD")
    assert figures(ppi_mean(labels, rest, by_question=True)) == pytest.approx((2.744, 1.020, 4.468), abs=1e-3)  # G


def test_a_judge_that_gives_everything_the_same_score_has_no_power() -> None:
    found = ppi_mean(labels_of(Y, [4.0] * 8), units_of([4.0] * 10))
    assert (found.power, found.mean) == (0.0, 3.0)


def test_tuning_on_thirty_labels_costs_a_normal_interval_some_of_its_promise() -> None:
    """A6c: correlation .8, judge bias +.5, n = 30, N = 1000 more, 20,000 runs."""
    n, units, parts, rng = 30, 1000, 10, np.random.default_rng(8)
    covered = []
    for _ in range(parts):
        human = rng.standard_normal((2_000, n))
        judge = 0.8 * human + 0.6 * rng.standard_normal(human.shape) + 0.5
        mean, error, _ = ppi_moments(human, judge, rng.standard_normal((2_000, units)) + 0.5)
        covered.append(np.mean(np.abs(mean) <= ndtri(0.975) * error))
    assert np.mean(covered) == pytest.approx(0.935, abs=0.006)
