"""The agreement page: one value with everything, for two raters and for more."""

import numpy as np
import pytest

from judge.stats.agreement import Agreement, RatedUnit, agreement
from judge.types import Grade

RATINGS: list[tuple[Grade, Grade | None]] = [(5, 5), (4, 5), (3, 5), (2, 2), (5, 4), (1, 1), (4, None)]


def units_of(ratings: list[tuple[Grade, Grade | None]], models: int = 1, questions: int = 7) -> list[RatedUnit]:
    return [
        RatedUnit(question=f"q{i % questions}", model=f"m{i % models}", scores={"judge": a, "person": b})
        for i, (a, b) in enumerate(ratings)
    ]


def page(units: list[RatedUnit], raters: tuple[str, ...] = ("judge", "person")) -> Agreement:
    found = agreement(units, raters, seed=1)
    assert found is not None
    return found


def noisy_judges(units: int = 120) -> list[RatedUnit]:
    """Return units of 10 questions and 4 models, rated by three judges that err by at most one."""
    rng = np.random.default_rng(7)
    truth = rng.integers(1, 6, size=units)
    ratings = np.clip(truth + rng.integers(-1, 2, size=(3, units)), 1, 5).tolist()
    return [
        RatedUnit(question=f"q{i % 10}", model=f"m{i % 4}", scores=dict(zip("abc", scores, strict=True)))
        for i, scores in enumerate(zip(*ratings, strict=True))
    ]


def test_the_plain_figures_of_two_raters_are_counted() -> None:
    found = page(units_of(RATINGS))
    assert (found.units, found.questions, found.models) == (6, 6, 1)
    assert found.exact == pytest.approx(3 / 6)
    assert found.within_one == pytest.approx(5 / 6)
    assert found.top_share == pytest.approx(5 / 12)
    assert found.bias == pytest.approx((-1 - 2 + 1) / 6)
    assert found.table is not None
    assert found.table[2][4] == 1 and sum(map(sum, found.table)) == 6


def test_tau_is_that_of_kendall() -> None:
    assert page(units_of([(1, 1), (2, 3), (3, 2), (4, 4)])).tau_b == pytest.approx(4 / 6)


def test_what_a_constant_rater_leaves_undefined_is_none_and_the_rest_stands() -> None:
    found = page(units_of([(5, 5), (5, 4), (5, 5)]))
    assert (found.qwk, found.tau_b) == (None, None)
    assert found.ac2 is not None and found.exact == pytest.approx(2 / 3)


def test_of_more_than_two_raters_there_is_no_table_no_bias_and_no_kappa() -> None:
    found = page(noisy_judges(), ("a", "b", "c"))
    assert (found.qwk, found.tau_b, found.bias, found.table) == (None, None, None, None)
    assert found.alpha is not None and found.intervals is not None
    assert found.intervals.alpha is not None and not found.intervals.alpha.excludes(found.alpha)
    assert (found.intervals.qwk, found.intervals.bias) == (None, None)


def test_every_figure_of_pooled_models_lies_in_its_interval_over_questions() -> None:
    found = page(noisy_judges(), ("a", "b"))
    assert found.intervals is not None and found.intervals.questions == 10
    assert found.qwk is not None and found.ac2 is not None and found.alpha is not None and found.bias is not None
    for value, interval in [
        (found.alpha, found.intervals.alpha),
        (found.qwk.value, found.intervals.qwk),
        (found.ac2.value, found.intervals.ac2),
        (found.exact, found.intervals.exact),
        (found.bias, found.intervals.bias),
    ]:
        assert interval is not None and interval.low < value < interval.high


def test_a_single_model_or_few_questions_have_no_bootstrap_interval() -> None:
    assert page(units_of(RATINGS, models=1)).intervals is None
    assert page(units_of(RATINGS, models=2, questions=3)).intervals is None


def test_the_same_seed_gives_the_same_intervals() -> None:
    assert agreement(noisy_judges(), ("a", "b"), seed=1) == agreement(noisy_judges(), ("a", "b"), seed=1)
    assert agreement(noisy_judges(), ("a", "b"), seed=1) != agreement(noisy_judges(), ("a", "b"), seed=2)


def test_raters_without_a_common_unit_have_no_page() -> None:
    assert agreement(units_of([(4, None)]), ("judge", "person"), seed=1) is None
    assert agreement([], ("judge", "person"), seed=1) is None
