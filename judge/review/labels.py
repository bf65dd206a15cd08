"""Ratings -> labels: of the audit queue and of the repair queue, which are different types from here on. Pure.

Estimates of bias and agreement take audit labels; nothing here makes one of a repair item.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from judge.ratings import AuditItem, Item, Rating, RepairItem
from judge.review.units import AnyScored, Unit, middle
from judge.stats.labels import AuditLabel, RepairLabel
from judge.types import Grade
from runner.types import Value

DIGITS = 10
"""Scores that are all alike must stay so: what differs behind this digit is rounding."""

Scored = Mapping[tuple[str, str], AnyScored]


def latest(ratings: Iterable[Rating]) -> dict[str, dict[str, Rating]]:
    """Return item -> rater -> the rating that counts; a skip changes nothing, a withdrawal takes the rating away."""
    counted: dict[str, dict[str, Rating]] = defaultdict(dict)
    for rating in sorted(ratings, key=lambda rating: (rating.created_at, rating.id)):
        if rating.state == "rated":
            counted[rating.item][rating.rater] = rating
        elif rating.state == "withdrawn":
            counted[rating.item].pop(rating.rater, None)
    return {item: said for item, said in counted.items() if said}


class RatedItem(Value):
    """One item of either queue with what people say of it."""

    grades: tuple[Grade, ...]
    """One a rater; raters who cannot assess it are left out."""
    by_rater: dict[str, Grade | None]
    """Rater -> grade; ``None``: cannot assess."""
    blind: bool
    """False when one of the ratings was given after seeing the judges' scores of the unit."""

    @property
    def score(self) -> float | None:
        """Mean over the raters, 1-5; ``None`` when none could assess it."""
        return fmean(self.grades) if self.grades else None

    @property
    def grade(self) -> Grade | None:
        """The lower middle grade, for coefficients that need whole grades."""
        return middle(self.grades)


def rated_items(items: Sequence[Item], ratings: Iterable[Rating]) -> dict[str, RatedItem]:
    """Return item id -> what people say of it, for rated items. Raises ValueError for a rating of another queue."""
    ids = {item.id for item in items}
    ratings = list(ratings)
    if foreign := sorted({rating.item for rating in ratings} - ids):
        raise ValueError(
            f"ratings of {', '.join(foreign[:3])} are not of this queue and cannot stand in for one that is"
        )
    return {item: _rated(said) for item, said in latest(ratings).items()}


def _rated(said: Mapping[str, Rating]) -> RatedItem:
    by_rater = {rater: said[rater].score for rater in sorted(said)}
    return RatedItem(
        grades=tuple(grade for grade in by_rater.values() if grade is not None),
        by_rater=by_rater,
        blind=all(rating.blind for rating in said.values()),
    )


def audit_labels(
    items: Sequence[AuditItem], rated: Mapping[str, RatedItem], scored: Scored, shares: Mapping[str, float]
) -> tuple[AuditLabel, ...]:
    """Return a label for every audited unit that both people and judges scored.

    ``scored``: the units of answers that have a score; ``shares``: stratum -> n/N as the queue stands today.
    """
    return tuple(
        AuditLabel(
            unit=unit_name(item),
            question=item.question_id,
            stratum=item.stratum,
            inclusion_probability=shares[item.stratum],
            human=human,
            judge=judge,
        )
        for item in items
        if (human := _human(item, rated)) is not None and (judge := _judges(item, scored)) is not None
    )


def repair_labels(
    items: Sequence[RepairItem], rated: Mapping[str, RatedItem], scored: Scored
) -> tuple[RepairLabel, ...]:
    """Return a label for every repaired unit that the judges scored too."""
    return tuple(
        RepairLabel(
            unit=unit_name(item),
            question=item.question_id,
            reason=item.reason,
            repaired_score=human,
            judge_score=judge,
        )
        for item in items
        if (human := _human(item, rated)) is not None and (judge := _judges(item, scored)) is not None
    )


def unit_name(unit: Item | Unit) -> str:
    """Return the name of a unit in labels."""
    return f"{unit.answer_unit}/{unit.criterion}"


def _human(item: Item, rated: Mapping[str, RatedItem]) -> float | None:
    return rated[item.id].score if item.id in rated else None


def _judges(item: Item, scored: Scored) -> float | None:
    unit = scored.get(item.key)
    return unit.panel if unit else None


def linearised(labels: Sequence[AuditLabel], weights: Mapping[str, float]) -> list[AuditLabel]:
    """Return labels whose plain mean and variance are those of the weighted ratio estimate of the labels given.

    A tier score weighs units unequally: a criterion of 50 % counts five times one of 10 %. Sampled with equal probability, the weighted
    mean is a ratio, sum(a x) / sum(a), and its error that of m + a (x - m) / mean(a) (Cochran 1977, 6.3; Särndal et al. 1992, 5.7).
    That is linear in x, so human, judge and their difference may each be replaced.
    """
    a = [weights[label.unit] for label in labels]
    scale = fmean(a) if a else 1.0
    human, judge = (
        _weighted_mean([getattr(label, side) for label in labels], a) if a else 0.0 for side in ("human", "judge")
    )
    return [
        label.model_copy(
            update={
                "human": round(human + weight / scale * (label.human - human), DIGITS),
                "judge": round(judge + weight / scale * (label.judge - judge), DIGITS),
            }
        )
        for label, weight in zip(labels, a, strict=True)
    ]


def _weighted_mean(values: Sequence[float], weights: Sequence[float]) -> float:
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)
