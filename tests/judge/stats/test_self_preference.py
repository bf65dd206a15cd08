"""Judges against each other: severity, own family, shared errors."""

import numpy as np
import pytest

from judge.stats.figures import Refused
from judge.stats.self_preference import (
    PanelUnit,
    SelfPreference,
    effective_judges,
    error_correlation,
    leave_one_judge_out,
    self_preference,
    severities,
)

JUDGES = ("a", "b", "c")


def panel(bonus: float = 0.0, severity: float = 0.0, questions: int = 10) -> list[PanelUnit]:
    """Return scores of three judges for their own three models; judge a favours itself by ``bonus`` and all by ``severity``."""
    rng = np.random.default_rng(4)
    units = []
    for question in range(questions):
        for candidate in JUDGES:
            scores: dict[str, float | None] = {j: 3.0 + float(rng.normal(0, 0.05)) for j in JUDGES}
            scores["a"] = (scores["a"] or 0.0) + severity + (bonus if candidate == "a" else 0.0)
            units.append(
                PanelUnit(question=f"q{question}", candidate=candidate, scores=scores, own=frozenset({candidate}))
            )
    return units


def preference(units: list[PanelUnit], judge: str = "a") -> SelfPreference:
    found = self_preference(units, judge, seed=1)
    assert isinstance(found, SelfPreference), found
    return found


def test_a_judge_that_favours_its_own_family_is_flagged_with_how_much() -> None:
    found = preference(panel(bonus=0.8))
    assert found.delta == pytest.approx(0.8, abs=0.1)
    assert found.flagged
    assert (found.own_units, found.other_units, found.questions) == (10, 20, 10)


def test_severity_towards_everybody_is_no_self_preference() -> None:
    found = preference(panel(severity=-1.0))
    assert found.delta == pytest.approx(0.0, abs=0.1)
    assert not found.flagged


def test_the_difference_is_that_of_the_two_differences() -> None:
    own = PanelUnit(question="q", candidate="a", scores={"a": 5.0, "b": 4.0, "c": 3.0}, own=frozenset("a"))
    other = PanelUnit(question="q", candidate="x", scores={"a": 3.0, "b": 3.0, "c": 2.0})
    assert preference([own, other]).delta == pytest.approx((5 - 3.5) - (3 - 2.5))


def test_other_judges_of_the_candidates_family_are_no_yardstick() -> None:
    own = PanelUnit(question="q", candidate="a", scores={"a": 5.0, "a2": 5.0, "c": 3.0}, own=frozenset({"a", "a2"}))
    other = PanelUnit(question="q", candidate="x", scores={"a": 3.0, "a2": 3.0, "c": 3.0})
    assert preference([own, other]).delta == pytest.approx(2.0)


def test_on_few_questions_a_large_preference_is_reported_but_not_flagged() -> None:
    found = preference(panel(bonus=2.0, questions=3))
    assert found.delta > 1.5
    assert (found.interval, found.flagged) == (None, False)


@pytest.mark.parametrize(
    ("candidate", "side"), [("a", "other models"), ("x", "its own family")], ids=["only its own", "only others"]
)
def test_without_both_own_and_other_answers_there_is_no_preference(candidate: str, side: str) -> None:
    unit = PanelUnit(
        question="q", candidate=candidate, scores={"a": 4.0, "b": 3.0}, own=frozenset("a" if candidate == "a" else "")
    )
    found = self_preference([unit], "a", seed=1)
    assert isinstance(found, Refused) and side in found.reason


def test_severity_is_against_the_panel_and_leaves_own_family_scores_out() -> None:
    units = [
        PanelUnit(question="q", candidate="x", scores={"a": 2.0, "b": 4.0, "c": None}),
        PanelUnit(question="q", candidate="a", scores={"a": 5.0, "b": 4.0, "c": 4.0}, own=frozenset("a")),
        PanelUnit(question="q", candidate="y", scores={"c": 1.0}),
    ]
    assert severities(units) == pytest.approx({"a": -1.0, "b": 0.5, "c": 0.0})


def test_a_panel_that_shares_its_errors_is_worth_fewer_judges() -> None:
    assert effective_judges(3, 0.0) == 3
    assert effective_judges(3, 1.0) == 1
    assert effective_judges(3, 0.8) == pytest.approx(3 / 2.6)  # D7: J / (1 + (J-1) rho)
    assert effective_judges(3, -0.5) == 3


def test_error_correlation_is_the_mean_over_pairs_with_enough_common_units() -> None:
    same, opposite = [1.0, 0.0, -1.0, 0.0], [-1.0, 0.0, 1.0, 0.0]
    assert error_correlation([same, same]) == pytest.approx(1.0)
    assert error_correlation([same, same, opposite]) == pytest.approx(-1 / 3)
    assert error_correlation([same, [0.0] * 4]) is None
    assert error_correlation([same, [1.0, None, None, 0.0]]) is None


def test_a_judge_without_whom_the_order_changes_is_named() -> None:
    units = [
        PanelUnit(question="q", candidate="x", scores={"a": 5.0, "b": 3.0, "c": 3.0}),
        PanelUnit(question="q", candidate="y", scores={"a": 3.0, "b": 3.5, "c": 3.5}),
    ]
    found = leave_one_judge_out(units)
    assert found.ranking == ("x", "y")
    assert found.without == {"a": ("y", "x"), "b": ("x", "y"), "c": ("x", "y")}
    assert found.decisive_judges == ("a",)


def test_questions_weigh_the_same_in_a_ranking() -> None:
    units = [PanelUnit(question="easy", candidate="x", scores={"a": 5.0})] * 9
    units += [PanelUnit(question="hard", candidate="x", scores={"a": 1.0})]
    units += [PanelUnit(question=q, candidate="y", scores={"a": 4.0}) for q in ("easy", "hard")]
    assert leave_one_judge_out(units).ranking == ("y", "x")
