"""Role decisions: which tier decides, and what is said about it."""

from examples import covered

from judge.roles import RoleDecision, decide
from judge.scoring import TierScore
from judge.stats.intervals import Outcome
from judge.types import Role, Target

ROLE = Role(
    id="coder_primary",
    targets={"T1": Target(low=4, high=5), "T2": Target(low=3, high=4), "T3": Target(low=2, high=3)},
    thresholds={"T1": 4.0, "T2": 3.0},
)
BOTH = ("T1", "T2")


def tier(name: str, *questions: list[float]) -> TierScore:
    scores = {f"{name}-Q{i}": tuple(q) for i, q in enumerate(questions)}
    known = [q for q in questions if q]
    mean = sum(sum(q) / len(q) for q in known) / len(known) if known else None
    count = sum(map(len, questions))
    return TierScore(
        tier=name, mean=mean, questions=scores, coverage=covered(count, samples=(max(map(len, questions)),))
    )


def all_of(name: str, grade: float, samples: int = 5) -> TierScore:
    return tier(name, *([[grade] * samples] * 3))


def decided(*tiers: TierScore, asked: tuple[str, ...] = BOTH) -> RoleDecision:
    return decide(ROLE, tiers, asked)


def test_a_role_is_filled_when_every_tier_is_above_its_threshold() -> None:
    decision = decided(all_of("T1", 5), all_of("T2", 5))
    assert (decision.outcome, decision.limiting_tier) == (Outcome.PASS, None)
    assert decision.label == "coder_primary: PASS (provisional)"


def test_one_tier_that_fails_fails_the_role_whatever_else_is_open() -> None:
    decision = decided(all_of("T1", 4, samples=2), all_of("T2", 1, samples=10))
    assert (decision.outcome, decision.limiting_tier) == (Outcome.FAIL, "T2")
    assert decision.label == "coder_primary: FAIL"


def test_one_tier_that_is_open_leaves_the_role_open() -> None:
    decision = decided(all_of("T1", 5, samples=3), all_of("T2", 5))
    assert (decision.outcome, decision.limiting_tier) == (Outcome.UNDECIDED, "T1")
    assert decision.label == "coder_primary: UNDECIDED"


def test_a_reason_has_value_interval_threshold_questions_and_answers() -> None:
    assert decided(all_of("T1", 4, samples=20), all_of("T2", 5)).reason == (
        "T1: 4.00 [3.82, 4.06] (K 20, 1 judge, 60/60) against 4 on these 3 questions"
        "; more answers like these would not settle it (up to 100 a question)"
    )


def test_a_tier_that_was_asked_in_part_decides_nothing() -> None:
    decision = decided(all_of("T1", 5, samples=20), all_of("T2", 5), asked=("T2",))
    assert (decision.outcome, decision.reason) == (Outcome.UNDECIDED, "T1: not all of its questions were asked")
    assert decision.tiers[0].interval is None


def test_a_tier_that_was_asked_in_part_cannot_fail_a_role_either() -> None:
    assert decided(all_of("T1", 1, samples=20), all_of("T2", 5), asked=("T2",)).outcome is Outcome.UNDECIDED


def test_a_tier_that_was_not_asked_at_all_leaves_the_role_open() -> None:
    assert decided(all_of("T1", 5), asked=("T1",)).reason == "T2: not all of its questions were asked"


def test_a_question_without_a_score_leaves_the_role_open() -> None:
    decision = decided(tier("T1", [5.0] * 9, []), all_of("T2", 5))
    assert (decision.outcome, decision.reason) == (Outcome.UNDECIDED, "T1: a question has no score")


def test_a_tier_without_a_threshold_decides_nothing() -> None:
    decision = decided(all_of("T1", 5), all_of("T2", 5), all_of("T3", 1), asked=("T1", "T2", "T3"))
    assert decision.outcome is Outcome.PASS
    assert [one.tier for one in decision.tiers] == ["T1", "T2"]


def test_with_more_than_one_score_in_twenty_missing_nothing_is_decided() -> None:
    whole = all_of("T1", 5, samples=20)
    some = whole.model_copy(update={"coverage": covered(60, 64, failed=3)})
    decision = decided(some, all_of("T2", 5))
    assert (decision.outcome, decision.limiting_tier) == (Outcome.UNDECIDED, "T1")
    assert decision.reason == (
        "T1: 4 of 64 answers have no score (3 failed, 1 missing), and the rest may be other answers than these"
    )
    enough = whole.model_copy(update={"coverage": covered(60, 63)})
    assert decided(enough, all_of("T2", 5)).outcome is Outcome.PASS
