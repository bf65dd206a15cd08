"""ICCs of Shrout & Fleiss 1979, Table 2 data and Table 4 results (pingouin prints four digits)."""

import pytest

from judge.stats.reliability import intraclass_correlations

SIX_TARGETS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def test_the_six_forms_of_shrout_and_fleiss() -> None:
    icc = intraclass_correlations(SIX_TARGETS)
    assert icc is not None
    assert tuple(icc.model_dump().values()) == pytest.approx((0.1657, 0.2898, 0.7148, 0.4428, 0.6201, 0.9093), abs=1e-4)


def test_raters_that_always_agree_are_fully_reliable() -> None:
    icc = intraclass_correlations([[1, 1], [3, 3], [5, 5]])
    assert icc is not None and set(icc.model_dump().values()) == {1.0}


def test_targets_that_are_all_alike_have_no_reliability() -> None:
    assert intraclass_correlations([[5, 5], [5, 5]]) is None


@pytest.mark.parametrize("ratings", [[[1, 2]], [[1], [2]], [[1, 2], [3, float("nan")]]])
def test_gaps_or_too_few_ratings_are_an_error(ratings: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="at least two targets"):
        intraclass_correlations(ratings)
