"""What a run goes on to want."""

import pytest
from examples import arm_record, covered, question, run_record

from judge.further import next_look, sampled_further
from judge.plan import wanted_answers
from judge.roles import RoleDecision, decide, undecided
from judge.scoring import TierScore
from judge.stats.intervals import Outcome, settles_at, tier_interval
from judge.types import Role

ROLE = Role(id="coder", targets={}, thresholds={"T1": 4.0, "T2": 3.0})


def tier(name: str, scores: list[float]) -> TierScore:
    mean = sum(scores) / len(scores)
    return TierScore(tier=name, mean=mean, questions={f"{name}-Q": tuple(scores)}, coverage=covered(len(scores)))


def decision(t1: list[float], t2: list[float]) -> RoleDecision:
    return decide(ROLE, [tier("T1", t1), tier("T2", t2)], ["T1", "T2"])


OPEN_T1 = decision([4.0] * 5, [5.0] * 20)
RUN = run_record(question("Q1"), question("Q2", tier="T2"), samples=5)


@pytest.mark.parametrize(
    ("samples", "limit", "look"), [(1, 20, 5), (5, 20, 10), (10, 20, 20), (20, 20, None), (5, 7, 7), (7, 7, None)]
)
def test_looks_are_fixed_beforehand(samples: int, limit: int, look: int | None) -> None:
    assert next_look(samples, limit) == look


def test_only_the_tier_that_keeps_a_role_open_is_sampled_further() -> None:
    assert OPEN_T1.open_tiers == ("T1",)
    further = sampled_further(RUN, [[OPEN_T1]], 20)
    assert further is not None
    assert further.arms[0].samples == {"T1": 10}
    assert len(wanted_answers(further, further.arms[0])) == 10 + 5
    again = sampled_further(further, [[OPEN_T1]], 20)
    assert again is not None and again.arms[0].samples == {"T1": 20}
    assert sampled_further(again, [[OPEN_T1]], 20) is None


@pytest.mark.parametrize(
    "settled",
    [
        decision([5.0] * 20, [5.0] * 20),
        decision([1.0] * 20, [4.0] * 5),
        undecided(ROLE, "the judge is not qualified"),
        decide(ROLE, [tier("T1", [4.0])], []),
    ],
)
def test_what_more_answers_cannot_change_is_not_sampled_further(settled: RoleDecision) -> None:
    assert sampled_further(RUN, [[settled]], 20) is None


def test_imported_answers_are_never_sampled_further() -> None:
    run = RUN.model_copy(update={"arms": (arm_record(model=None),)})
    assert sampled_further(run, [[OPEN_T1]], 20) is None


# --- what would settle it -------------------------------------------------------------------------------------------


def test_the_decision_says_how_many_more_samples_would_settle_it() -> None:
    found = decision([5.0] * 3, [5.0] * 20)
    assert found.outcome is Outcome.UNDECIDED
    at = found.tiers[0].settles_at
    assert at is not None and at > 3
    assert tier_interval([[5.0] * at], 4.0).outcome is Outcome.PASS
    assert tier_interval([[5.0] * (at - 1)], 4.0).outcome is Outcome.UNDECIDED
    assert f"; {at - 3} more samples of T1 like these would settle it" in found.reason


def test_scores_at_the_threshold_are_settled_by_nothing() -> None:
    assert settles_at([[4.0] * 5], 4.0) is None
    assert "more answers like these would not settle it" in OPEN_T1.reason
