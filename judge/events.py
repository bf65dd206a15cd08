"""What a run tells whoever watches it: the pipeline yields these and prints nothing."""

from typing import Literal

from judge.checks.checking import Evidence
from judge.exam.result import ExamResult, ItemKind
from judge.pairs import Winner
from runner.types import Answer, Timing, Value


class Loading(Value):
    """A model server is being started."""

    model: str
    phase: str
    """``collect``, ``score`` or ``rank``."""


class Loaded(Value):
    """A server is ready and its settings are proven."""

    model: str
    seconds: float
    experts_used: int | None
    """``None`` or 0 for a dense model, and for an endpoint."""


class Answered(Value):
    """One answer, or a failed attempt, was stored."""

    arm_id: str
    question_id: str
    answer: Answer
    timing: Timing
    done: int
    owed: int
    """Units of this phase that were owed at its start."""


class Checked(Value):
    """One answer was executed."""

    arm_id: str
    question_id: str
    evidence: Evidence
    done: int
    owed: int


class Scored(Value):
    """One judgement was stored."""

    judge: str
    arm_id: str
    question_id: str
    score: float | None
    """``None``: the judge could not assess a criterion."""
    done: int
    owed: int


class ScoringFailed(Value):
    """One scoring gave no scores; it stays owed."""

    judge: str
    arm_id: str
    question_id: str
    message: str
    done: int
    owed: int


class Compared(Value):
    """One comparison of two answers was stored."""

    judge: str
    question_id: str
    sample: int
    first: str
    """Arm whose answer was shown first."""
    second: str
    winner: Winner
    done: int
    owed: int


class ComparisonFailed(Value):
    """One comparison gave no preference; it stays owed."""

    judge: str
    question_id: str
    sample: int
    first: str
    second: str
    message: str
    done: int
    owed: int


class ExamMarked(Value):
    """A judge was asked about one answer of its exam."""

    judge: str
    question_id: str
    kind: ItemKind
    done: int
    owed: int
    """Scorings of the exam that were owed at its start; fewer are asked when the judge can no longer qualify."""


class Examined(Value):
    """An exam is finished and stored."""

    exam: ExamResult


class ExamUnfinished(Value):
    """An exam ended without a result: the judge could not be reached, or the budget is spent. What is missing is owed again."""

    judge: str
    owed: int
    message: str


class ArmFailed(Value):
    """An arm could not be served or proven, or its server died; what it owes stays owed."""

    arm_id: str
    message: str


class JudgeUnusable(Value):
    """A judge could not be served or reached, or refused; what it owes stays owed, and other judges go on."""

    judge: str
    unit: Literal["scorings", "comparisons"]
    owed: int
    """How many of them; exams are not counted."""
    message: str


class Noticed(Value):
    """Something happened that whoever reads the results should know; the run goes on."""

    model: str
    message: str


class BudgetSpent(Value):
    """The time that was given is over: what was begun was finished, and what is left is not begun."""

    hours: float


Event = (
    Loading
    | Loaded
    | Noticed
    | Answered
    | Checked
    | ExamMarked
    | Examined
    | ExamUnfinished
    | Scored
    | ScoringFailed
    | Compared
    | ComparisonFailed
    | ArmFailed
    | JudgeUnusable
    | BudgetSpent
)
