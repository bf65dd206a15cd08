"""How a judge does on answers whose truth is known (D6): rates with Jeffreys intervals, its gates, and what a pass rate then means.

A positive is a correct answer: TPR is the share of correct answers that the judge accepts, TNR the share of wrong ones that it
rejects. Fourteen judges of Python code had TPR over 96 % and TNR under 25 % (arXiv 2510.11822).
"""

from collections.abc import Sequence
from enum import StrEnum

from judge.stats.arrays import special
from judge.stats.figures import Interval, Refused
from runner.types import Value

CONFIDENCE = 0.90
MIN_TNR = 0.50
"""The lower limit of TNR must reach this for a judge to score logic."""
MIN_TPR = 0.70
MAX_MISSING = 0.05
"""A judge that failed to answer on more than this share of the exam is not summarised (D1)."""


class Rate(Value):
    """A share of yes among trials, with its interval."""

    yes: int
    trials: int
    interval: Interval
    """Jeffreys; 0 to 1 when there was no trial."""

    @property
    def value(self) -> float | None:
        """yes / trials, 0-1; ``None`` without a trial."""
        return self.yes / self.trials if self.trials else None


class ExamItem(Value):
    """One answer of the exam and what the judge made of it."""

    correct: bool
    """The truth, established by execution."""
    accepted: tuple[bool | None, ...]
    """Whether the judge took it for correct, one a repeat; ``None``: this repeat gave no verdict."""


class JudgeRates(Value):
    """What an exam says about a judge."""

    tpr: Rate
    """Over correct answers, by the first verdict on each: repeats of one answer are no new evidence."""
    tnr: Rate
    """Over wrong answers."""
    flip_rate: float | None
    """Share of answers on which repeats disagree, 0-1; ``None`` when nothing was repeated."""
    missing: float
    """Share of repeats without a verdict, 0-1."""

    @property
    def passes_gates(self) -> bool:
        """True when both lower limits reach their gate: the judge may score logic."""
        return self.tnr.interval.low >= MIN_TNR and self.tpr.interval.low >= MIN_TPR


class Outlook(StrEnum):
    """What the items still to come can do for a gate."""

    CERTAIN = "certain"
    """Passed even if all the rest are wrong."""
    OPEN = "open"
    LOST = "lost"
    """Failed even if all the rest are right: the exam may stop."""


def jeffreys_rate(yes: int, trials: int, *, confidence: float = CONFIDENCE) -> Rate:
    """Return the rate with the equal-tailed Jeffreys interval, Beta(yes + 1/2, no + 1/2), closed at 0 and 1 (Brown et al. 2001)."""
    no, tail = trials - yes, (1 - confidence) / 2
    low = float(special.betaincinv(yes + 0.5, no + 0.5, tail)) if yes else 0.0
    high = float(special.betaincinv(yes + 0.5, no + 0.5, 1 - tail)) if no else 1.0
    return Rate(yes=yes, trials=trials, interval=Interval(low=low, high=high, confidence=confidence))


def judge_rates(items: Sequence[ExamItem]) -> JudgeRates | Refused:
    """Return what the exam says; refused when there is no item or over 5 % of the verdicts are missing."""
    verdicts = [verdict for item in items for verdict in item.accepted]
    if not verdicts:
        return Refused(reason="the exam has no verdict of this judge")
    missing = verdicts.count(None) / len(verdicts)
    if missing > MAX_MISSING:
        return Refused(
            reason=f"{missing:.0%} of the judge's verdicts are missing, and over {MAX_MISSING:.0%} a judge is not summarised"
        )
    first = [(item.correct, _first(item)) for item in items]
    return JudgeRates(
        tpr=jeffreys_rate(first.count((True, True)), first.count((True, True)) + first.count((True, False))),
        tnr=jeffreys_rate(first.count((False, False)), first.count((False, False)) + first.count((False, True))),
        flip_rate=flip_rate([item.accepted for item in items]),
        missing=missing,
    )


def outlook(rate: Rate, left: int, gate: float) -> Outlook:
    """Return whether the lower limit of ``rate`` can still reach, or fail to reach, ``gate`` with ``left`` more trials."""

    def reached(more_yes: int) -> bool:
        confidence = rate.interval.confidence
        return jeffreys_rate(rate.yes + more_yes, rate.trials + left, confidence=confidence).interval.low >= gate

    if reached(0):
        return Outlook.CERTAIN
    return Outlook.OPEN if reached(left) else Outlook.LOST


def flip_rate(repeats: Sequence[Sequence[bool | None]]) -> float | None:
    """Return the share of items whose verdicts are not all alike, among those with two or more; ``None`` when there are none."""
    known = [{v for v in item if v is not None} for item in repeats if sum(v is not None for v in item) >= 2]
    return sum(len(kinds) > 1 for kinds in known) / len(known) if known else None


def pairwise_accuracy(pairs: Sequence[tuple[float | None, float | None]]) -> float | None:
    """Return the share of (reference score, mutant score) in which the mutant's is lower; a tie is a miss.

    Pairs with a missing score are left out; ``None`` when all are.
    """
    known = [(reference, mutant) for reference, mutant in pairs if reference is not None and mutant is not None]
    return sum(mutant < reference for reference, mutant in known) / len(known) if known else None


def corrected_pass_rate(observed: float, *, tpr: float, tnr: float) -> float | None:
    """Return the true pass rate behind an observed one, 0-1 (Rogan & Gladen 1978): (observed + TNR - 1) / (TPR + TNR - 1).

    ``None``: the judge is no better than chance (TPR + TNR at most 1), so its pass rate says nothing.
    """
    youden = tpr + tnr - 1
    return min(1.0, max(0.0, (observed + tnr - 1) / youden)) if youden > 0 else None


def _first(item: ExamItem) -> bool | None:
    return next((verdict for verdict in item.accepted if verdict is not None), None)
