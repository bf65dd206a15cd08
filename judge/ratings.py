"""What people are asked to rate, and what they said.

Two queues with a type and a table each (D11). An *audit* item was drawn at random, blind to every score, and tells how the judges
err. A *repair* item was picked because something about its scores looks wrong; a rating of it mends that score and tells nothing
about the judges. An item is one unit: one criterion of one answer.
"""

from typing import Literal

from pydantic import Field

from judge.types import Grade
from runner.identity import digest
from runner.types import Value

QueueName = Literal["audit", "repair"]
RepairReason = Literal["tests", "veto", "spread", "threshold"]
"""Most telling first. ``tests``: judge and tests contradict each other; ``veto``: a judge rejects it and cites an input that no test
confirms; ``spread``: judges are 2 or more apart; ``threshold``: the score of the answer and its tier are near what a role needs."""


class AuditItem(Value):
    """One randomly drawn unit that is to be rated."""

    id: str
    """Opaque: tells neither queue nor answer."""
    run_id: str
    """The run that it was drawn for. The rating belongs to the answer, and so to every run that has this answer."""
    answer_unit: str
    question_id: str
    criterion: str
    rubric: str
    """Hash of what it is rated by: under a changed rubric the unit is rated anew."""
    stratum: str
    """Fingerprint of the arm and tier: ``3f0a.../T1``."""
    seed: int
    """Of the draw."""
    inclusion_probability: float = Field(gt=0, le=1)
    """n/N of its stratum at this draw; topping up raises n, and estimates use n and N of the day."""

    @property
    def key(self) -> tuple[str, str]:
        """The unit."""
        return self.answer_unit, self.criterion


class RepairItem(Value):
    """One unit whose scores look wrong."""

    id: str
    """Opaque: tells neither queue nor answer."""
    run_id: str
    """The run whose scores look wrong."""
    answer_unit: str
    question_id: str
    criterion: str
    rubric: str
    """Hash of what it is rated by."""
    reason: RepairReason
    """The most telling one when there are several."""

    @property
    def key(self) -> tuple[str, str]:
        """The unit."""
        return self.answer_unit, self.criterion


Item = AuditItem | RepairItem

LONGEST_NAME = 80
"""Characters of a rater's name."""

RatingState = Literal["rated", "skipped", "withdrawn"]
"""``skipped``: left for later; ``withdrawn``: takes back this rater's rating of the item."""


class Rating(Value):
    """What one person said of one item at one time. Nothing is overwritten: the latest of a rater counts."""

    item: str
    rater: str = Field(min_length=1, max_length=LONGEST_NAME)
    created_at: str
    """UTC, ISO 8601, microseconds."""
    state: RatingState = "rated"
    score: Grade | None = None
    """``None`` in state ``rated``: cannot assess."""
    comment: str = ""
    blind: bool = True
    """False when this rater had seen the judges' scores of the unit before: it changes an earlier rating."""

    @property
    def id(self) -> str:
        """Identity, so that the same rating is never stored twice however often it is imported."""
        return digest(self)


def item_id(queue: QueueName, answer_unit: str, criterion: str, rubric: str) -> str:
    """Return the opaque id of an item: a hash, from which neither queue nor answer can be read."""
    return digest([queue, answer_unit, criterion, rubric], length=10)
