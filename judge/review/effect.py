"""What the labels change: every tier score and what it decides, before and after. Pure.

An audited arm keeps its judges' scores, and their interval moves by the bias that the audit found in these very scores
(``estimate``). An arm that is not audited takes the human score for each repaired unit. It stays unaudited: repairs say nothing
about what judges get wrong alike. The two are never combined, which would correct the same error twice.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Literal

from judge.review.estimate import Audit, Labelled, audit
from judge.review.labels import repair_labels, unit_name
from judge.review.units import AnyScored, answer_scores
from judge.stats.estimators import shifted_limits
from judge.stats.figures import Interval
from judge.stats.intervals import Outcome, tier_interval
from judge.types import Role, Suite
from runner.types import Value

CHANCES = 0.90
"""Of D9's interval: 5 % at either end."""

By = Literal["nothing", "audit", "repairs"]


class Reading(Value):
    """A tier score and where it lies."""

    mean: float
    """1-5."""
    interval: Interval


class TierEffect(Value):
    """One arm on one tier."""

    arm_id: str
    tier: str
    by: By
    """What moved it."""
    repaired: int
    """Units with a human score in place of the judges'; 0 for an audited arm."""
    before: Reading
    after: Reading


class RoleEffect(Value):
    """What one tier of one role rule says of one arm."""

    arm_id: str
    role: str
    tier: str
    threshold: float
    before: Outcome
    after: Outcome

    @property
    def changed(self) -> bool:
        """True when the labels turned it."""
        return self.before is not self.after


class Effect(Value):
    """What people's labels changed in a run."""

    audit: Audit
    tiers: tuple[TierEffect, ...]
    roles: tuple[RoleEffect, ...]
    repaired: int
    """Units with a rating in the repair queue, over all arms."""
    repair_shift: float | None
    """Mean of human minus judge on repaired units, in points. These were picked for looking wrong: it is no estimate of bias."""


def effect(labelled: Labelled, suite: Suite) -> Effect:
    """Return what the labels changed; tiers of which some question of the suite has no score are left out."""
    found = audit(labelled)
    scored = {one.unit.key: one for one in labelled.scored}
    repairs = repair_labels(labelled.repair, labelled.repair_ratings, scored)
    by_unit = {label.unit: label.repaired_score for label in repairs}
    tiers = [
        _tier_effect(arm_id, tier, units, found, by_unit)
        for (arm_id, tier), units in _by_tier(labelled.scored).items()
        if _complete(suite, tier, units)
    ]
    return Effect(
        audit=found,
        tiers=tuple(tiers),
        roles=tuple(role for tier in tiers for role in _role_effects(tier, suite.roles)),
        repaired=len(repairs),
        repair_shift=fmean(label.repaired_score - label.judge_score for label in repairs) if repairs else None,
    )


def outcome(interval: Interval, threshold: float) -> Outcome:
    """Return what an interval says of a threshold: PASS when all of it is there, FAIL when none of it is."""
    if interval.low >= threshold:
        return Outcome.PASS
    return Outcome.FAIL if interval.high < threshold else Outcome.UNDECIDED


def _by_tier(scored: Sequence[AnyScored]) -> dict[tuple[str, str], list[AnyScored]]:
    groups: dict[tuple[str, str], list[AnyScored]] = defaultdict(list)
    for one in scored:
        groups[one.unit.arm_id, one.unit.tier].append(one)
    return dict(groups)


def _complete(suite: Suite, tier: str, units: Sequence[AnyScored]) -> bool:
    answers = answer_scores(units)
    scored = {one.unit.question_id for one in units if one.unit.answer_unit in answers}
    return scored == {question.id for question in suite.questions if question.tier == tier}


def _tier_effect(
    arm_id: str, tier: str, units: Sequence[AnyScored], found: Audit, by_unit: Mapping[str, float]
) -> TierEffect:
    arm = found.arm(arm_id)
    before = _reading(units, {})
    repaired = {one.unit.key: score for one in units if (score := by_unit.get(unit_name(one.unit))) is not None}
    by: By = "audit" if arm and arm.audited else "repairs" if repaired else "nothing"
    after = before
    if by == "repairs":
        after = _reading(units, repaired)
    elif arm and (estimate := arm.corrected(tier)):
        after = Reading(mean=estimate.mean, interval=_shifted(before.interval, estimate.correction_interval))
    else:
        by = "nothing"
    count = len(repaired) if by == "repairs" else 0
    return TierEffect(arm_id=arm_id, tier=tier, by=by, repaired=count, before=before, after=after)


def _reading(units: Sequence[AnyScored], repaired: Mapping[tuple[str, str], float]) -> Reading:
    answers = answer_scores(units, repaired)
    questions: dict[str, dict[str, float]] = defaultdict(dict)
    for one in units:
        if one.unit.answer_unit in answers:
            questions[one.unit.question_id][one.unit.answer_unit] = answers[one.unit.answer_unit]
    scores = [list(found.values()) for found in questions.values()]
    found = tier_interval(scores, threshold=0.0)  # only its ends are used here
    return Reading(
        mean=fmean(map(fmean, scores)), interval=Interval(low=found.low, high=found.high, confidence=CHANCES)
    )


def _shifted(interval: Interval, correction: Interval) -> Interval:
    low, high = shifted_limits(interval.low, interval.high, correction)
    return Interval(low=low, high=high, confidence=interval.confidence)


def _role_effects(tier: TierEffect, roles: Sequence[Role]) -> list[RoleEffect]:
    return [
        RoleEffect(
            arm_id=tier.arm_id,
            role=role.id,
            tier=tier.tier,
            threshold=role.thresholds[tier.tier],
            before=outcome(tier.before.interval, role.thresholds[tier.tier]),
            after=outcome(tier.after.interval, role.thresholds[tier.tier]),
        )
        for role in roles
        if tier.tier in role.thresholds
    ]
