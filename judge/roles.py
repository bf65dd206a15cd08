"""Does an arm fill a role? PASS, FAIL or UNDECIDED, with the tier that limits it. Pure."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from judge.scoring import ENOUGH_COVERAGE, TierScore
from judge.stats.intervals import MOST_SAMPLES, Outcome, TierInterval, audited_interval, settles_at
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
    audited: bool = False
    """True when the bias that people's labels show has moved the interval."""


class RoleDecision(Value):
    """What the scores of one arm say about one role; relative to the judges, and provisional, until an audit backs it."""

    role: str
    outcome: Outcome
    limiting_tier: str | None
    """The tier that keeps the decision from PASS; ``None`` when it passes, or when the scores decide nothing."""
    reason: str
    tiers: tuple[TierDecision, ...]

    @property
    def audited(self) -> bool:
        """True when labels of people moved the interval of every tier that decides."""
        return bool(self.tiers) and all(tier.audited for tier in self.tiers)

    @property
    def open_tiers(self) -> tuple[str, ...]:
        """The tiers of which more answers could decide it; empty when it is decided or the scores decide nothing."""
        if self.outcome is not Outcome.UNDECIDED:
            return ()
        return tuple(tier.tier for tier in self.tiers if tier.interval and tier.outcome is Outcome.UNDECIDED)

    @property
    def label(self) -> str:
        """Short form for tables: ``coder_primary: PASS (provisional)``."""
        suffix = " (provisional)" if self.outcome is Outcome.PASS and not self.audited else ""
        return f"{self.role}: {self.outcome}{suffix}"


Corrections = Mapping[str, tuple[float, float]]
"""Tier -> how far people's labels move the low and the high end of its interval."""


def decide(
    role: Role,
    tiers: Sequence[TierScore],
    complete_tiers: Sequence[str],
    corrections: Corrections = MappingProxyType({}),
) -> RoleDecision:
    """Decide one role. ``complete_tiers``: the tiers of which every question of the suite was asked."""
    scores = {score.tier: score for score in tiers}
    decisions = tuple(
        _decide_tier(tier, threshold, scores.get(tier), corrections.get(tier), asked=tier in complete_tiers)
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


def _decide_tier(
    tier: str, threshold: float, score: TierScore | None, correction: tuple[float, float] | None, *, asked: bool
) -> TierDecision:
    if score is None or not asked or (missing := _too_little(score)):
        missing = "not all of its questions were asked" if score is None or not asked else missing
        reason = f"{tier}: {missing}"
        return TierDecision(tier=tier, threshold=threshold, interval=None, outcome=Outcome.UNDECIDED, reason=reason)
    questions = list(score.questions.values())
    interval = audited_interval(questions, threshold, *(correction or (0.0, 0.0)))
    is_open = interval.outcome is Outcome.UNDECIDED and correction is None
    settles = settles_at(questions, threshold) if is_open else None
    return TierDecision(
        tier=tier,
        threshold=threshold,
        interval=interval,
        outcome=interval.outcome,
        reason=_reason(tier, threshold, score, interval) + _advice(tier, score, interval, correction, settles),
        settles_at=settles,
        audited=correction is not None,
    )


def _too_little(score: TierScore) -> str:
    """Return why the scores that are there cannot stand for those that were wanted; empty when they can."""
    if not score.complete:
        return "a question has no score"
    found = score.coverage
    if found.share < ENOUGH_COVERAGE:
        without = f"{found.wanted - found.scored} of {found.wanted} answers have no score"
        return (
            f"{without} ({found.failed} failed, {found.missing} missing), and the rest may be other answers than these"
        )
    return ""


def _reason(tier: str, threshold: float, score: TierScore, interval: TierInterval) -> str:
    return (
        f"{tier}: {score.mean:.2f} [{interval.low:.2f}, {interval.high:.2f}] ({score.coverage.text}) against {threshold:g} on "
        f"{_these(score)}"
    )


def _these(score: TierScore) -> str:
    return "this question" if len(score.questions) == 1 else f"these {len(score.questions)} questions"


def _advice(
    tier: str, score: TierScore, interval: TierInterval, correction: tuple[float, float] | None, settles: int | None
) -> str:
    """Return what would settle an open tier, in words; with an audit also that the interval is that of people's scores."""
    if correction is not None:
        return "; interval moved by what people's labels show" + (
            ", more labels or answers may settle it" if interval.outcome is Outcome.UNDECIDED else ""
        )
    if interval.outcome is not Outcome.UNDECIDED:
        return ""
    more = (settles or 0) - min(map(len, score.questions.values()))
    if settles is None or more <= 0:
        return f"; more answers like these would not settle it (up to {MOST_SAMPLES} a question)"
    return f"; {more} more {'sample' if more == 1 else 'samples'} of {tier} like these would settle it"
