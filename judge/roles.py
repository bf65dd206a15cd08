"""Does an arm fill a role? PASS, FAIL or UNDECIDED, with the tier that limits it. Pure."""

from collections.abc import Sequence

from judge.scoring import TierScore
from judge.stats.intervals import MOST_SAMPLES, Outcome, TierInterval, settles_at, tier_interval
from judge.types import Role
from runner.types import Value


class TierDecision(Value):
    """One tier of a role rule."""

    tier: str
    threshold: float
    interval: TierInterval | None
    """``None`` when a question of the tier has no score."""
    outcome: Outcome
    reason: str
    settles_at: int | None = None
    """Answers per question at which it would be decided if further ones are like those so far; ``None``: it is decided, cannot
    be by more answers, or would take more than are ever asked for."""


class RoleDecision(Value):
    """What the scores of one arm say about one role. Relative to the judge, and provisional until an audit backs it."""

    role: str
    outcome: Outcome
    limiting_tier: str | None
    """The tier that keeps the decision from PASS; ``None`` when it passes, or when the scores decide nothing."""
    reason: str
    tiers: tuple[TierDecision, ...]

    @property
    def open_tiers(self) -> tuple[str, ...]:
        """The tiers of which more answers could decide it; empty when it is decided or the scores decide nothing."""
        if self.outcome is not Outcome.UNDECIDED:
            return ()
        return tuple(tier.tier for tier in self.tiers if tier.interval and tier.outcome is Outcome.UNDECIDED)

    @property
    def label(self) -> str:
        """Short form for tables: ``coder_primary: PASS (provisional)``."""
        suffix = " (provisional)" if self.outcome is Outcome.PASS else ""
        return f"{self.role}: {self.outcome}{suffix}"


def decide(role: Role, tiers: Sequence[TierScore], complete_tiers: Sequence[str]) -> RoleDecision:
    """Decide one role. ``complete_tiers``: the tiers of which every question of the suite was asked."""
    scores = {score.tier: score for score in tiers}
    decisions = tuple(
        _decide_tier(tier, threshold, scores.get(tier), asked=tier in complete_tiers)
        for tier, threshold in role.thresholds.items()
    )
    limiting = _limiting(decisions)
    return RoleDecision(
        role=role.id,
        outcome=limiting.outcome if limiting else Outcome.PASS,
        limiting_tier=limiting.tier if limiting else None,
        reason=limiting.reason if limiting else "every tier is above its threshold",
        tiers=decisions,
    )


def undecided(role: Role, reason: str) -> RoleDecision:
    """Return that nothing can be said about ``role`` whatever the scores are."""
    return RoleDecision(role=role.id, outcome=Outcome.UNDECIDED, limiting_tier=None, reason=reason, tiers=())


def _limiting(decisions: Sequence[TierDecision]) -> TierDecision | None:
    """Return the tier that decides: any FAIL fails the role, else any UNDECIDED leaves it open."""
    for outcome in (Outcome.FAIL, Outcome.UNDECIDED):
        for decision in decisions:
            if decision.outcome is outcome:
                return decision
    return None


def _decide_tier(tier: str, threshold: float, score: TierScore | None, *, asked: bool) -> TierDecision:
    if score is None or not asked or not score.complete:
        missing = "not all of its questions were asked" if score is None or not asked else "a question has no score"
        reason = f"{tier}: {missing}"
        return TierDecision(tier=tier, threshold=threshold, interval=None, outcome=Outcome.UNDECIDED, reason=reason)
    questions = list(score.questions.values())
    interval = tier_interval(questions, threshold)
    settles = settles_at(questions, threshold) if interval.outcome is Outcome.UNDECIDED else None
    return TierDecision(
        tier=tier,
        threshold=threshold,
        interval=interval,
        outcome=interval.outcome,
        reason=_reason(tier, threshold, score, interval, settles),
        settles_at=settles,
    )


def _reason(tier: str, threshold: float, score: TierScore, interval: TierInterval, settles: int | None) -> str:
    return (
        f"{tier}: {score.mean:.2f} [{interval.low:.2f}, {interval.high:.2f}] against {threshold:g} on these "
        f"{len(score.questions)} questions, {score.coverage.scored} answers" + _advice(tier, score, interval, settles)
    )


def _advice(tier: str, score: TierScore, interval: TierInterval, settles: int | None) -> str:
    if interval.outcome is not Outcome.UNDECIDED:
        return ""
    more = (settles or 0) - min(map(len, score.questions.values()))
    if settles is None or more <= 0:
        return f"; more answers like these would not settle it (up to {MOST_SAMPLES} a question)"
    return f"; {more} more {'sample' if more == 1 else 'samples'} of {tier} like these would settle it"
