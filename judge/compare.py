"""Two arms on the same questions: how much faster, how much better or worse, and whether that is within a margin. Pure.

Pairs are formed by question and sample; a score that is missing on either side makes no pair and is counted.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from judge.scoring import AnswerScore, Coverage
from judge.stats.figures import Interval
from judge.stats.intervals import SEED
from judge.stats.paired import (
    ComparisonVerdict,
    Differences,
    ScoreDifference,
    SpeedRatio,
    difference_of,
    speed_ratio,
    verdict,
)
from runner.types import Value

MARGIN = 0.25
"""Points on the 1-5 scale that a faster config may cost before it is called worse."""


class Side(NamedTuple):
    """One arm of a comparison."""

    arm_id: str
    scores: Sequence[AnswerScore]
    """May be made when they are looked at: none is kept."""
    decode_tps: Sequence[float | None]
    """Of each answer; ``None`` or NaN: not measured."""
    coverage: Coverage
    decides: bool
    """False when its scores come from judges that decide nothing."""


class Comparison(Value):
    """Arm B against arm A."""

    a: str
    b: str
    margin: float
    speed: SpeedRatio | None
    """Decode speed of B over that of A; ``None`` when one was never measured."""
    difference: ScoreDifference | None
    """B minus A; ``None`` without a pair."""
    criteria: dict[str, ScoreDifference | None]
    """Criterion -> difference over the questions that have it."""
    coverages: tuple[Coverage, Coverage]
    """Of A and of B."""
    unpaired: int
    """Answers of either arm without a score on the other side."""
    verdict: ComparisonVerdict
    reason: str
    """Why it is undecided, where more answers would not help; else empty."""

    @property
    def sentence(self) -> str:
        """The whole comparison in one line: ``moe4: 1.33x faster, score -0.06 [-0.15, +0.02] (50 pairs; K 5, 1 judge, 50/50 each),
        non-inferior within 0.25``.
        """
        difference = f"{_difference_words(self.difference)} ({self.basis})"
        return f"{self.b}: {_speed_words(self.speed)}, {difference}, {self._verdict_words}"

    @property
    def basis(self) -> str:
        """What the difference rests on: pairs, and K, judges and coverage of B and of A."""
        a, b = (coverage.text for coverage in self.coverages)
        pairs = self.difference.pairs if self.difference else 0
        return f"{pairs} {'pair' if pairs == 1 else 'pairs'}; " + (f"{a} each" if a == b else f"{b} against {a}")

    @property
    def _verdict_words(self) -> str:
        margin = "" if self.verdict is ComparisonVerdict.SUPERIOR else f" within {self.margin:g}"
        if self.verdict is ComparisonVerdict.INFERIOR:
            margin = f" by more than {self.margin:g}"
        return f"{self.verdict}{margin}" + (f" ({self.reason})" if self.reason else "")


def compare(a: Side, b: Side, margin: float = MARGIN) -> Comparison:
    """Compare ``b`` with ``a``; ``margin`` in points, positive."""
    counted = _counted(a.scores, b.scores)
    difference = difference_of(counted.whole, seed=SEED)
    outcome, reason = _outcome(a, b, difference.interval if difference else None, margin)
    return Comparison(
        a=a.arm_id,
        b=b.arm_id,
        margin=margin,
        speed=speed_ratio(a.decode_tps, b.decode_tps, seed=SEED),
        difference=difference,
        criteria={name: difference_of(one, seed=SEED) for name, one in sorted(counted.criteria.items())},
        coverages=(a.coverage, b.coverage),
        unpaired=len(a.scores) + len(b.scores) - 2 * counted.whole.pairs,
        verdict=outcome,
        reason=reason,
    )


def _outcome(a: Side, b: Side, interval: Interval | None, margin: float) -> tuple[ComparisonVerdict, str]:
    if not (a.decides and b.decides):
        return ComparisonVerdict.UNDECIDED, "the judge is not qualified"
    if interval is None:
        return ComparisonVerdict.UNDECIDED, "no answer is scored on both sides"
    return verdict(interval, margin), ""


class _Counted(NamedTuple):
    whole: Differences
    criteria: dict[str, Differences]


def _counted(a: Sequence[AnswerScore], b: Sequence[AnswerScore]) -> _Counted:
    found = _Counted(Differences(), {})
    for one, other in _answered_by_both(a, b):
        if one.score is not None and other.score is not None:
            found.whole.add(other.question_id, other.score - one.score)
        for criterion in one.criteria.keys() & other.criteria.keys():
            counted = found.criteria.setdefault(criterion, Differences())
            counted.add(other.question_id, other.criteria[criterion] - one.criteria[criterion])
    return found


def _answered_by_both(a: Sequence[AnswerScore], b: Sequence[AnswerScore]) -> Iterator[tuple[AnswerScore, AnswerScore]]:
    places: dict[str, dict[int, int]] = {}
    for number, one in enumerate(a):
        places.setdefault(one.question_id, {})[one.sample] = number
    for other in b:
        place = places.get(other.question_id, {}).get(other.sample)
        if place is not None:
            yield a[place], other


def _speed_words(speed: SpeedRatio | None) -> str:
    if speed is None:
        return "speed unknown"
    return f"{speed.ratio:.2f}x faster" if speed.ratio >= 1 else f"{1 / speed.ratio:.2f}x slower"


def _difference_words(difference: ScoreDifference | None) -> str:
    if difference is None:
        return "no score"
    interval = difference.interval
    return f"score {difference.mean:+.2f} [{interval.low:+.2f}, {interval.high:+.2f}]"


# --- a sweep --------------------------------------------------------------------------------------------------------


class Sweep(Value):
    """Configs of one candidate against its baseline, and which one to take."""

    candidate: str
    baseline: str
    """Arm id."""
    comparisons: tuple[Comparison, ...]
    recommended: str
    """Arm id: the fastest one that is not worse than the margin allows, the baseline itself included."""
    reason: str


ACCEPTABLE = (ComparisonVerdict.SUPERIOR, ComparisonVerdict.NON_INFERIOR)


def sweep(candidate: str, baseline: str, comparisons: Sequence[Comparison]) -> Sweep:
    """Return the recommendation: only what is shown to be good enough and measured to be faster replaces the baseline."""
    faster = {c.b: c.speed.ratio for c in comparisons if c.verdict in ACCEPTABLE and c.speed and c.speed.ratio > 1}
    best = max(faster, key=lambda arm: faster[arm], default=None)
    open_ones = [c.b for c in comparisons if c.verdict is ComparisonVerdict.UNDECIDED]
    reason = (
        f"{faster[best]:.2f}x faster and not shown to cost more than the margin"
        if best
        else "nothing faster is shown to be good enough"
    )
    if open_ones:
        reason += f"; undecided: {', '.join(open_ones)}"
    return Sweep(
        candidate=candidate,
        baseline=baseline,
        comparisons=tuple(comparisons),
        recommended=best or baseline,
        reason=reason,
    )
