"""Human labels of two kinds that no function can mix up (D11).

*Audit* labels are a random sample, drawn before anybody looked at a score: they say how the judges err. *Repair* labels are where
the judges disagree: they mend these very scores and say nothing about the errors that the judges share (simulated: a bias of
+.45 that an interval from repair labels never covers, A7). Estimators take ``AuditLabel`` alone; the two types have no common
ancestor and different fields, so neither mypy nor pydantic lets one pass for the other.
"""

from collections.abc import Collection, Iterable, Sequence

from pydantic import Field

from judge.errors import UserError
from runner.types import Value


class AuditLabel(Value):
    """A person's score of one randomly drawn (answer, criterion) unit."""

    unit: str
    question: str
    stratum: str
    """The part of the population that it was drawn from: one model's units."""
    inclusion_probability: float = Field(gt=0, le=1)
    """n/N of its stratum when it was drawn."""
    human: float
    """1-5."""
    judge: float
    """What the panel gave the same unit, 1-5."""


class RepairLabel(Value):
    """A person's score of a unit that was picked because something looked wrong. It replaces the judges' score of this unit."""

    unit: str
    question: str
    reason: str
    """``spread``, ``veto``, ``tests`` or ``threshold``."""
    repaired_score: float
    """1-5, by a person."""
    judge_score: float
    """1-5, what it replaces."""


class Stratum(Value):
    """A part of the population of units that was audited on its own."""

    id: str
    units: int = Field(ge=1)
    """N: how many units it has, labelled or not."""
    drawn: int = Field(ge=0)
    """How many of them the audit queue took, whether or not a person has come to them yet."""
    judge_mean: float
    """Mean of the judges' scores over all N units."""


def require_audit(labels: Iterable[object]) -> None:
    """Refuse, at run time too, anything that was not drawn at random. Raises TypeError."""
    for label in labels:
        if not isinstance(label, AuditLabel):
            raise TypeError(
                f"an estimate of the judge's bias was asked of a {type(label).__name__}: only labels of the audit queue, drawn at "
                "random, can tell it; repair labels are where the judges disagree"
            )


def census(labels: Sequence[RepairLabel], units: Collection[str], stratum: str) -> tuple[AuditLabel, ...]:
    """Return repair labels as audit labels of a stratum in which every unit has one: then nothing was picked. Raises UserError."""
    missing = set(units) - {label.unit for label in labels}
    foreign = {label.unit for label in labels} - set(units)
    if missing or foreign or len(labels) != len(units):
        raise UserError(
            f"repair labels of {stratum} were offered as a census of its {len(units)} units: {len(missing)} have no label and "
            f"{len(foreign)} labels are of other units; label all of them, or use the audit queue"
        )
    return tuple(
        AuditLabel(
            unit=label.unit,
            question=label.question,
            stratum=stratum,
            inclusion_probability=1.0,
            human=label.repaired_score,
            judge=label.judge_score,
        )
        for label in labels
    )
