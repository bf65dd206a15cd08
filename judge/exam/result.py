"""What an exam shows about a judge: rates with intervals, how far twins move it, and what it is qualified for."""

from typing import Literal

from judge.types import JudgingMode
from runner.identity import digest
from runner.types import Value

ExamSize = Literal["small", "full"]
ItemKind = Literal["right", "wrong", "dead_code", "renamed", "padded", "verified", "injected"]
"""``right`` and ``wrong`` are answers as they were written; the others are twins: the first three of a right answer, the last
two of a wrong one."""


class Rate(Value):
    """A share with Jeffreys' 90 % interval. A value of its own, so that reading a stored exam loads no statistics."""

    yes: int
    trials: int
    low: float
    """0-1; 0 when there was no trial."""
    high: float

    def __str__(self) -> str:
        return f"{self.yes} of {self.trials} [{self.low:.2f}, {self.high:.2f}]"


class Rates(Value):
    """How a judge tells right from wrong on one kind of criteria."""

    tpr: Rate
    """Right answers that it accepts."""
    tnr: Rate
    """Wrong answers that it does not accept."""


class TwinMove(Value):
    """What one kind of twin does to the judge's scores, over the pairs of a twin and the answer that it was made of.

    The score is the mean over the criteria that can be tested for twins of right answers, and over the criteria that the answer
    fails for twins of wrong ones.
    """

    kind: ItemKind
    pairs: int
    """Pairs with a score on both sides."""
    change: float | None
    """Mean of twin minus base, in points of the scale; ``None`` without pairs."""
    move: float | None
    """Mean of what counts against the judge, in points, 0-4: |twin - base|, and for ``injected`` only what the order gained."""


class Qualification(Value):
    """What the scores of a judge may be used for."""

    logic: bool
    """Criteria that execution or static analysis can settle."""
    style: bool
    """Criteria that only a reader can settle."""
    reason: str
    """In words, one line: what it is qualified for, and what keeps it from the rest."""
    exam: str
    """Key of the exam."""

    @property
    def full(self) -> bool:
        """True when it is qualified for everything."""
        return self.logic and self.style


class ExamIdentity(Value):
    """What an exam depends on: the same judge, asked in the same way, on the same paper, held to the same rules."""

    judge_fingerprint: str
    prompt_hash: str
    """Of the judge's prompt templates."""
    mode: JudgingMode
    paper: str
    """Hash of the paper."""
    gates: str
    """Hash of the rules."""

    @property
    def key(self) -> str:
        """Identity of the exam."""
        return digest(self)


class ExamResult(Value):
    """One finished exam of one judge."""

    identity: ExamIdentity
    judge: str
    """Name in reports."""
    size: ExamSize
    rubrics: dict[str, str]
    """Question id -> hash of what a judge is told to score it by, for the questions of the paper."""
    wanted: int
    """Scorings on the paper."""
    scored: int
    """Scorings that gave scores."""
    failed: int
    """Scorings that gave none because of the judge: no usable reply, or too small a context."""
    stopped: bool
    """True when the rest was not asked because no qualification could be reached any more."""
    logic: Rates
    style: Rates
    separation: float | None
    """Share of wrong answers that score below the reference answer to the same question, on the criteria that they fail, 0-1; a
    tie is none. ``None``: no pair was scored."""
    flip_rate: float | None
    """Share of repeatedly scored answers that were both accepted and not accepted, 0-1; ``None``: nothing was repeated."""
    twins: tuple[TwinMove, ...]
    master_keys_kept: int
    """Answers that say nothing and were kept from the judge ..."""
    master_keys: int
    """... of so many."""
    qualification: Qualification

    @property
    def is_false(self) -> bool:
        """True for one that certifies without having asked for everything: only what fails for certain is stopped before its end.

        Exams that their budget had cut short were stored as if they were finished.
        """
        return self.stopped and (self.qualification.logic or self.qualification.style)
