"""The judge against the tests: where the two disagree, and how well the judge tells right from wrong code. Pure.

The tests are the truth only where they are decisive: all checks of a criterion passed, or at most half of them. The rest is left out.

Tests as the audit of logic (D10). An audit asks how far the judges are off where the truth is known. Tests know it for the criteria
that have checks ("logic" in an exam), of every answer that was executed and not of a sample: a census, so the bias has no sampling
error. Decided, and what it costs:

- The mark is of these criteria alone. What has no checks ("style") stays unaudited until people rate it, so tests never take
  "provisional" from a role: every question of the suite has criteria without checks.
- The bias moves no interval. Under the policy ``grounded`` the bound has already taken out all that a judge gave beyond the tests, and
  a shift would take it out twice. What is left is severity; making up for it would raise scores because tests pass, and tests
  that pass are no proof. Under ``judge`` the scores are wanted as they are, so the bias is reported and the mark is not given.
- Bounds between the two decisive ends (some checks fail, more than half pass) are no truth: such an answer is not counted as decided.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import fsum
from typing import NamedTuple

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from judge.types import Grade, Verdict
from runner.types import Value

SAYS_RIGHT = 4
"""A judge that gives this or more says that the criterion is met."""
CLEARLY_WRONG = 2
"""A bound of this or less: at most half of the checks passed, or the answer does not run."""


# No ``Value``: there may be some of every answer, and it takes a tenth of the memory.
@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Disagreement:
    """One criterion of one answer that judge and tests see differently."""

    arm_id: str
    question_id: str
    sample: int
    judge: str
    criterion: str
    score: Grade
    bound: Grade
    """Highest score that the evidence allows."""


class Rates(Value):
    """How often a judge was right about criteria whose truth the tests know."""

    right: int
    """Criteria that the tests pass."""
    right_confirmed: int
    """Of these, scored 4 or more."""
    wrong: int
    """Criteria that the tests fail clearly."""
    wrong_caught: int
    """Of these, scored below 4."""

    @property
    def tpr(self) -> float | None:
        """True-positive rate, 0-1; ``None`` without right ones."""
        return self.right_confirmed / self.right if self.right else None

    @property
    def tnr(self) -> float | None:
        """True-negative rate, 0-1; ``None`` without wrong ones."""
        return self.wrong_caught / self.wrong if self.wrong else None


def disagrees(score: Grade | None, bound: Grade | None) -> bool:
    """True when the judge confirms what the tests fail clearly, or rejects what passes every check."""
    if score is None or bound is None:
        return False
    return (score >= SAYS_RIGHT and bound <= CLEARLY_WRONG) or (score <= CLEARLY_WRONG and bound == 5)


def rates(judged: Iterable[tuple[Iterable[Verdict], Mapping[str, Grade]]]) -> Rates:
    """Count over (verdicts, bounds) of many answers."""
    pairs = [
        (verdict.score, bounds[verdict.criterion])
        for verdicts, bounds in judged
        for verdict in verdicts
        if verdict.score is not None and verdict.criterion in bounds
    ]
    right = [score for score, bound in pairs if bound == 5]
    wrong = [score for score, bound in pairs if bound <= CLEARLY_WRONG]
    return Rates(
        right=len(right),
        right_confirmed=sum(score >= SAYS_RIGHT for score in right),
        wrong=len(wrong),
        wrong_caught=sum(score < SAYS_RIGHT for score in wrong),
    )


# --- tests as an audit ----------------------------------------------------------------------------------------------


def is_decisive(bound: Grade | None) -> bool:
    """True when the tests know the score of a criterion: it is their bound."""
    return bound is not None and (bound == 5 or bound <= CLEARLY_WRONG)


class LogicAudit(Value):
    """How far the tests audit the logic of scored answers, and what they say of the judges there."""

    answers: int
    """That have a score."""
    decided: int
    """Of these, whose every criterion with checks is decided by them."""
    criteria: int
    """Decided criteria of scored answers, n of what follows."""
    bias: float | None
    """Mean of the judges' own scores, blind to the evidence where that was asked for, minus what the tests show, -4 to 4;
    ``None`` without a decided criterion."""
    left: float | None
    """The same of the scores by the policy of the run: at most 0 where the tests bound them."""


class DecidedUnit(NamedTuple):
    """One decided criterion of one scored answer; not a ``Value``, as there may be some of every answer."""

    truth: Grade
    own: float
    """Mean of the judges' own scores, 1-5."""
    counted: float
    """Mean of their scores by the policy, 1-5."""


def logic_audit(answers: int, decided: int, units: Sequence[DecidedUnit]) -> LogicAudit:
    """Return the audit of some answers from their decided criteria."""
    return LogicAudit(
        answers=answers,
        decided=decided,
        criteria=len(units),
        bias=fsum(unit.own - unit.truth for unit in units) / len(units) if units else None,
        left=fsum(unit.counted - unit.truth for unit in units) / len(units) if units else None,
    )


def all_audited(parts: Iterable[LogicAudit]) -> LogicAudit:
    """Return the audit of all parts together: every criterion weighs the same."""
    known = list(parts)
    return LogicAudit(
        answers=sum(part.answers for part in known),
        decided=sum(part.decided for part in known),
        criteria=sum(part.criteria for part in known),
        bias=_pooled([(part.criteria, part.bias) for part in known]),
        left=_pooled([(part.criteria, part.left) for part in known]),
    )


def _pooled(parts: Sequence[tuple[int, float | None]]) -> float | None:
    count = sum(count for count, _ in parts)
    return fsum(count * mean for count, mean in parts if mean is not None) / count if count else None
