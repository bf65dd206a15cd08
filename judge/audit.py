"""The judge against the tests: where the two disagree, and how well the judge tells right from wrong code. Pure.

The tests are the truth only where they are decisive: all checks of a criterion passed, or at most half of them. The rest is left out.
"""

from collections.abc import Iterable, Mapping

from judge.types import Grade, Verdict
from runner.types import Value

SAYS_RIGHT = 4
"""A judge that gives this or more says that the criterion is met."""
CLEARLY_WRONG = 2
"""A bound of this or less: at most half of the checks passed, or the answer does not run."""


class Disagreement(Value):
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
