"""Two arms against each other, a sweep over configs, and the ladder of roles."""

from collections.abc import Iterator, Sequence

import pytest
from examples import covered
from hypothesis import given
from hypothesis import strategies as st

from judge.compare import Comparison, Side, compare, sweep
from judge.ladder import Contender, Filling, ladder, role_map
from judge.roles import RoleDecision
from judge.scoring import AnswerScore
from judge.stats.intervals import Outcome
from judge.stats.paired import ComparisonVerdict
from judge.types import Role


def answers(scores: Sequence[float | None], *, criterion: str = "logic") -> Iterator[AnswerScore]:
    for i, score in enumerate(scores):
        yield AnswerScore(
            question_id=f"Q{i % 10}",
            sample=i // 10,
            score=score,
            criteria={} if score is None else {criterion: score},
            by_judge={"j": score},
            verdicts={},
            limits={},
        )


def side(arm: str, scores: Sequence[float | None], tps: float | None = 30.0, *, decides: bool = True) -> Side:
    coverage = covered(sum(score is not None for score in scores), len(scores), samples=(10,))
    speeds = tuple(tps for _ in scores)
    return Side(arm_id=arm, scores=tuple(answers(scores)), decode_tps=speeds, coverage=coverage, decides=decides)


GOOD = [5.0, 4.6, 4.8, 5.0, 4.4] * 20


def test_a_faster_config_with_the_same_scores_is_non_inferior() -> None:
    found = compare(side("x/baseline", GOOD), side("x/moe4", GOOD, 40.0))
    assert found.verdict is ComparisonVerdict.NON_INFERIOR
    assert found.sentence.startswith("x/moe4: 1.33x faster, score +0.00 [-0.")
    assert found.sentence.endswith(" (100 pairs; K 10, 1 judge, 100/100 each), non-inferior within 0.25")
    assert found.criteria["logic"] is not None and found.criteria["logic"].mean == 0


def test_a_config_that_is_clearly_worse_is_inferior_by_more_than_the_margin() -> None:
    found = compare(side("x/baseline", GOOD), side("x/moe1", [score - 1 for score in GOOD], 60.0))
    assert found.verdict is ComparisonVerdict.INFERIOR
    assert "score -1.00 [" in found.sentence and found.sentence.endswith("inferior by more than 0.25")


def test_few_answers_decide_nothing() -> None:
    assert compare(side("a", GOOD[:10]), side("b", GOOD[:10])).verdict is ComparisonVerdict.UNDECIDED


def test_scores_of_an_unqualified_judge_decide_nothing_however_many() -> None:
    found = compare(side("a", GOOD), side("b", GOOD, decides=False))
    assert found.verdict is ComparisonVerdict.UNDECIDED
    assert found.sentence.endswith("undecided within 0.25 (the judge is not qualified)")


def test_a_missing_score_makes_no_pair_and_is_counted() -> None:
    found = compare(side("a", [5.0, None, 5.0]), side("b", [4.0, 4.0]))
    assert found.difference is not None
    assert (found.difference.pairs, found.difference.mean, found.unpaired) == (1, -1.0, 3)
    nothing = compare(side("a", [None]), side("b", [None], None))
    assert (nothing.difference, nothing.speed) == (None, None)
    assert nothing.sentence == (
        "b: speed unknown, no score (0 pairs; K 10, 1 judge, 0/1, 1 missing each), "
        "undecided within 0.25 (no answer is scored on both sides)"
    )


def test_a_difference_says_what_both_sides_rest_on() -> None:
    uneven = compare(side("a", [5.0, None, 5.0]), side("b", [4.0, 4.0]))
    assert uneven.basis == "1 pair; K 10, 1 judge, 2/2 against K 10, 1 judge, 2/3, 1 missing"
    assert compare(side("a", GOOD), side("b", GOOD)).basis == "100 pairs; K 10, 1 judge, 100/100 each"


@given(st.lists(st.sampled_from([1.0, 2.5, 4.0, 5.0]), min_size=1, max_size=30))
def test_an_arm_against_itself_differs_by_nothing(scores: list[float]) -> None:
    found = compare(side("a", scores), side("a", scores))
    assert found.difference is not None and found.difference.mean == 0
    assert found.difference.interval.low <= 0 <= found.difference.interval.high


# --- a sweep --------------------------------------------------------------------------------------------------------


def swept(**scores: tuple[float, Sequence[float]]) -> tuple[str, str]:
    base = side("x/baseline", GOOD)
    found: list[Comparison] = [compare(base, side(f"x/{name}", given, tps)) for name, (tps, given) in scores.items()]
    result = sweep("x", base.arm_id, found)
    return result.recommended, result.reason


def test_the_fastest_config_that_is_good_enough_is_recommended() -> None:
    worse = [score - 1 for score in GOOD]
    assert swept(moe6=(36.0, GOOD), moe4=(45.0, GOOD), moe2=(90.0, worse)) == (
        "x/moe4",
        "1.50x faster and not shown to cost more than the margin",
    )


def test_what_is_undecided_never_replaces_the_baseline() -> None:
    assert swept(moe4=(45.0, GOOD[:5])) == (
        "x/baseline",
        "nothing faster is shown to be good enough; undecided: x/moe4",
    )


def test_a_slower_config_is_not_recommended_however_good() -> None:
    assert swept(spec_k8=(20.0, GOOD))[0] == "x/baseline"


# --- the ladder -----------------------------------------------------------------------------------------------------

ROLES = [Role(id=name, targets={}, thresholds={}) for name in ("primary", "escalation", "architect")]


def contender(arm: str, tps: float, score: float, *outcomes: Outcome, role: str | None = None) -> Contender:
    decisions = tuple(
        RoleDecision(role=r.id, outcome=outcome, limiting_tier=None, reason="", tiers=())
        for r, outcome in zip(ROLES, outcomes, strict=True)
    )
    return Contender(arm_id=arm, role=role, decode_tps=tps, score=score, coverage=covered(5), decisions=decisions)


P, F, U = Outcome.PASS, Outcome.FAIL, Outcome.UNDECIDED


def test_the_fastest_arm_that_passes_fills_a_rung_and_the_next_rung_says_what_it_gains_and_costs() -> None:
    rungs = ladder(ROLES, [contender("a/moe4", 45, 4.0, P, F, F), contender("b/moe4", 30, 4.5, P, P, F)])
    assert [(rung.arm_id, rung.filling) for rung in rungs] == [
        ("a/moe4", Filling.PASSED),
        ("b/moe4", Filling.PASSED),
        (None, Filling.EMPTY),
    ]
    assert rungs[1].gain == pytest.approx(0.5)
    assert rungs[1].speed_ratio == pytest.approx(30 / 45)
    assert rungs[1].sentence == (
        "escalation: b/moe4 (passed, provisional): the only one that passes; "
        "against the rung below: score +0.50 (K 5, 1 judge, 5/5; below: K 5, 1 judge, 5/5), 0.67x its tokens/s"
    )
    assert rungs[2].sentence == "architect: empty: nobody passes"


def test_undecided_keeps_the_incumbent_and_a_fail_empties_the_rung() -> None:
    kept = ladder(ROLES, [contender("a/moe4", 45, 4.0, U, F, F, role="primary")])[0]
    assert (kept.arm_id, kept.filling, kept.provisional) == ("a/moe4", Filling.KEPT, True)
    assert ladder(ROLES, [contender("a/moe4", 45, 4.0, F, F, F, role="primary")])[0].arm_id is None


def test_somebody_else_who_is_undecided_does_not_get_the_role() -> None:
    assert ladder(ROLES, [contender("b/moe4", 45, 4.0, U, U, U)])[0].arm_id is None


def test_the_role_map_names_arm_candidate_and_config() -> None:
    rungs = ladder(ROLES, [contender("a/moe4", 45, 4.0, P, F, F)])
    assert role_map(rungs)["primary"] == {
        "arm": "a/moe4",
        "candidate": "a",
        "config": "moe4",
        "filling": "passed",
        "provisional": True,
        "decode_tps": 45.0,
        "score": 4.0,
        "coverage": {**covered(5).model_dump(mode="json"), "missing": 0},
    }
    assert role_map(rungs)["architect"]["arm"] is None
