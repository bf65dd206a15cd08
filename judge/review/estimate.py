"""What the audit says of the judges: agreement with people, and bias by the difference estimator (D10, D11). Pure.

How an audit moves the interval of a tier score (D9, D10). D9 gives [q05(L), q95(U)], the range of the *judges'* mean over all
answers that might have come. The audit of the same arm and tier gives the mean of human minus judge with its interval [b, B],
by the difference estimator over the tier's own weights. The audited interval is [q05(L) + b, q95(U) + B], cut to the 1-5 scale,
and a threshold t is PASSed when q05(L) + b >= t and FAILed when q95(U) + B < t. Where the judges' scores tell too little about
people's, [b, B] is that of the human mean alone, and the judges add nothing but width.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from judge.ratings import AuditItem, RepairItem
from judge.review.labels import RatedItem, audit_labels, linearised, unit_name
from judge.review.queue import LEAST_PER_ARM, LEAST_PER_STRATUM, overlooked
from judge.review.units import AnyScored, Unit, answer_scores
from judge.stats.agreement import Agreement, RatedUnit, agreement
from judge.stats.estimators import LOOK_CONFIDENCE, AuditedMean, audited_mean, due_look
from judge.stats.figures import Interval, Refused
from judge.stats.labels import AuditLabel, Stratum
from runner.types import Value

PEOPLE = "people"
"""Name of all raters together beside a judge's."""
SEED = 20_260_301
"""Of the bootstrap of agreement."""


class Labelled(Value):
    """Everything about the human labels of a run, read from the store."""

    run_id: str
    units: tuple[Unit, ...]
    """The population: every unit of the run that can be rated."""
    scored: tuple[AnyScored, ...]
    """The same units with their scores; those of the audit queue with what judges and tests say."""
    audit: tuple[AuditItem, ...]
    audit_ratings: dict[str, RatedItem]
    """Item id -> what people say, for rated items."""
    repair: tuple[RepairItem, ...]
    repair_ratings: dict[str, RatedItem]


class TierAudit(Value):
    """The audit of one arm on one tier."""

    tier: str
    units: int
    """N: units that have a score."""
    drawn: int
    labels: int
    """Units that people and judges both scored."""
    estimate: AuditedMean | Refused
    """The tier score that people would give; refused under 3 labels."""


class ArmAudit(Value):
    """The audit of one arm."""

    arm_id: str
    drawn: int
    labels: int
    cannot_assess: int
    """Rated units that no rater could assess."""
    unpaired: int
    """Units that people scored, of answers that have no score by the judges."""
    changed_after_seeing: int
    """Units with a rating that was given after its rater had seen the judges' scores."""
    overlooked: int
    """Units that came after the draw and belong into it: until the queue is topped up, the audit is of the older answers."""
    look: int | None
    """The planned look that has been reached: 15, 30 or 60 labels; ``None`` before the first."""
    estimate: AuditedMean | Refused
    """Over all tiers, each with the weight of its units."""
    tiers: tuple[TierAudit, ...]

    @property
    def audited(self) -> bool:
        """True from 15 labels on, or when every drawn unit of a smaller arm has one, but never under 3."""
        return self.labels >= max(LEAST_PER_STRATUM, min(LEAST_PER_ARM, self.drawn))

    def corrected(self, tier: str) -> AuditedMean | None:
        """Return the audited score of a tier; ``None`` when the arm is not audited, or this tier too thinly."""
        found = next((one.estimate for one in self.tiers if one.tier == tier), None) if self.audited else None
        return None if isinstance(found, Refused) else found

    def correction(self, tier: str) -> Interval | None:
        """Return how far the low and the high end of D9's interval of a tier move (see the top of this file); ``None`` as above."""
        found = self.corrected(tier)
        return found.correction_interval if found else None


class Audit(Value):
    """What people say about the judges of a run."""

    run_id: str
    raters: tuple[str, ...]
    arms: tuple[ArmAudit, ...]
    judges: tuple[Agreement, ...]
    """Each judge's own scores (raters: judge, people) on the audited units; judges without a common unit are left out."""
    people: Agreement | None
    """Raters among themselves; ``None`` when no unit was rated by two."""

    def arm(self, arm_id: str) -> ArmAudit | None:
        """Return the audit of an arm; ``None`` when nothing of it was drawn."""
        return next((arm for arm in self.arms if arm.arm_id == arm_id), None)


def audit(labelled: Labelled) -> Audit:
    """Return agreement and bias, from the audit queue alone."""
    arms = {unit.key: unit.arm for unit in labelled.units}
    drawn = dict.fromkeys(arms[item.key] for item in labelled.audit)
    return Audit(
        run_id=labelled.run_id,
        raters=tuple(sorted({rater for rated in labelled.audit_ratings.values() for rater in rated.by_rater})),
        arms=tuple(_arm_audit(labelled, arm) for arm in dict.fromkeys(arms.values()) if arm in drawn),
        judges=tuple(_judge_agreements(labelled)),
        people=_people(labelled),
    )


# --- bias -----------------------------------------------------------------------------------------------------------


def _arm_audit(labelled: Labelled, arm: str) -> ArmAudit:
    units = [unit for unit in labelled.units if unit.arm == arm]
    scored = _with_answer_score([s for s in labelled.scored if s.unit.arm == arm])
    known = {unit.key for unit in units}
    items = [item for item in labelled.audit if item.key in known]
    rated = [labelled.audit_ratings[item.id] for item in items if item.id in labelled.audit_ratings]
    weights = unit_weights(list(scored.values()))
    tiers = {unit.stratum: unit.tier for unit in units}
    strata = _strata(scored.values(), items, weights)
    shares = {stratum.id: stratum.drawn / stratum.units for stratum in strata}
    usable = [item for item in items if item.key in scored]
    labels = _linearised(audit_labels(usable, labelled.audit_ratings, scored, shares), weights)
    return ArmAudit(
        arm_id=units[0].arm_id,
        drawn=len(items),
        labels=len(labels),
        cannot_assess=sum(one.score is None for one in rated),
        unpaired=sum(one.score is not None for one in rated) - len(labels),
        changed_after_seeing=sum(not one.blind for one in rated),
        overlooked=len(overlooked(units, items)),
        look=due_look(len(labels)),
        estimate=_estimate(labels, strata),
        tiers=tuple(_tier_audit(tiers[stratum.id], labels, stratum) for stratum in strata),
    )


def _with_answer_score(scored: Sequence[AnyScored]) -> dict[tuple[str, str], AnyScored]:
    """Return the units of answers that have a score: those that a tier score is made of."""
    answers = answer_scores(scored)
    return {one.unit.key: one for one in scored if one.unit.answer_unit in answers}


def unit_weights(scored: Sequence[AnyScored]) -> dict[str, float]:
    """Return unit -> its share of its tier's score: weight / (answers of the question * questions of the tier); sums to 1 a tier."""
    answers: dict[str, set[str]] = defaultdict(set)
    questions: dict[str, set[str]] = defaultdict(set)
    for one in scored:
        answers[one.unit.question_id].add(one.unit.answer_unit)
        questions[one.unit.tier].add(one.unit.question_id)
    return {
        unit_name(one.unit): one.unit.weight / 100 / len(answers[one.unit.question_id]) / len(questions[one.unit.tier])
        for one in scored
    }


def _strata(
    scored: Iterable[AnyScored], items: Sequence[AuditItem], weights: Mapping[str, float]
) -> tuple[Stratum, ...]:
    groups: dict[str, list[AnyScored]] = defaultdict(list)
    for one in scored:
        groups[one.unit.stratum].append(one)
    drawn = {item.key for item in items}
    return tuple(
        Stratum(
            id=stratum,
            units=len(group),
            drawn=taken,
            judge_mean=sum(weights[unit_name(one.unit)] * (one.panel or 0.0) for one in group),
        )
        for stratum, group in groups.items()
        if (taken := sum(one.unit.key in drawn for one in group))
    )


def _linearised(labels: Sequence[AuditLabel], weights: Mapping[str, float]) -> list[AuditLabel]:
    groups: dict[str, list[AuditLabel]] = defaultdict(list)
    for label in labels:
        groups[label.stratum].append(label)
    return [label for group in groups.values() for label in linearised(group, weights)]


def _estimate(labels: Sequence[AuditLabel], strata: Sequence[Stratum]) -> AuditedMean | Refused:
    """Every look may be the last, so each takes a third of the error rate (D11)."""
    return (
        audited_mean(labels, strata, confidence=LOOK_CONFIDENCE)
        if strata
        else Refused(reason="no answer of this arm has a score by the judges")
    )


def _tier_audit(tier: str, labels: Sequence[AuditLabel], stratum: Stratum) -> TierAudit:
    mine = [label for label in labels if label.stratum == stratum.id]
    return TierAudit(
        tier=tier,
        units=stratum.units,
        drawn=stratum.drawn,
        labels=len(mine),
        estimate=_estimate(mine, [stratum]),
    )


# --- agreement ------------------------------------------------------------------------------------------------------


def _judge_agreements(labelled: Labelled) -> Iterable[Agreement]:
    scored = {one.unit.key: one for one in labelled.scored}
    names = dict.fromkeys(judge.judge for one in labelled.scored for judge in one.judges)
    for name in names:
        pairs = []
        for item in labelled.audit:
            one, rated = scored.get(item.key), labelled.audit_ratings.get(item.id)
            if one and rated:
                own = next((judge.grade for judge in one.judges if judge.judge == name), None)
                grades = {name: own, PEOPLE: rated.grade}
                pairs.append(RatedUnit(question=item.question_id, model=one.unit.arm_id, scores=grades))
        if (found := agreement(pairs, (name, PEOPLE), seed=SEED)) is not None:
            yield found


def _people(labelled: Labelled) -> Agreement | None:
    arms = {unit.key: unit.arm_id for unit in labelled.units}
    units = [
        RatedUnit(
            question=item.question_id,
            model=arms[item.key],
            scores=labelled.audit_ratings[item.id].by_rater,
        )
        for item in labelled.audit
        if item.id in labelled.audit_ratings
    ]
    raters = tuple(sorted({rater for unit in units for rater in unit.scores}))
    return agreement(units, raters, seed=SEED) if len(raters) > 1 else None
