"""Two arms on the same questions: score difference with an interval, speed ratio, and a verdict (judge compare).

The questions are fixed; what varies is what the arms generate. Near the ceiling the pairs seen are mostly 0, and t intervals and
bootstraps take rare failures for impossible: with five answers to ten questions they call an arm that is exactly one margin
worse "non-inferior" in up to 16 % of runs, and on three questions in up to 37 %, where 5 % is promised. So the same imprecise
Dirichlet as for tier scores: all pairs get random weights, and s = 0.5 imaginary pairs of weight lie at the worst (lower limit)
or the best (upper limit) difference that the scale allows. Its error rate was 0-6 % in every simulated case; the price is that
15 pairs decide nothing at a margin of 0.25, and equal arms near the ceiling need about 100 pairs to be told so in 9 runs of 10.

Pairs are drawn over all questions together; what questions differ by widens the interval a little and never shortens it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

from judge.stats.arrays import np
from judge.stats.figures import Interval, as_floats
from runner.types import Value

if TYPE_CHECKING:
    from judge.stats.arrays import Array

PRIOR_STRENGTH = 0.5
"""s of D9: how many imaginary pairs stand for what has not been seen."""
DRAWS = 20_000
DRAWN_AT_ONCE = 1_000_000
"""Random weights, or speeds, that are held at a time, eight bytes each."""
CONFIDENCE = 0.90
"""Two-sided: each limit is wrong in 5 % of cases, which is what "non-inferior" promises."""
WORST, BEST = -4.0, 4.0
"""From 5 to 1 and back."""
MIN_SPEEDS = 5
"""With fewer measurements of either arm a bootstrap of a median cannot tell how far it may be off."""
SPEED_DRAWS = 2_000


class ScorePair(Value):
    """The scores of both arms for one question and sample; a score that is missing on either side makes no pair."""

    question: str
    sample: int
    """g, 0-based."""
    a: float
    """The arm compared with, 1-5."""
    b: float
    """The arm in question, 1-5."""


class ScoreDifference(Value):
    """B minus A on these very questions."""

    mean: float
    """Mean over questions of the mean over samples, in points, -4 to 4."""
    interval: Interval
    pairs: int
    questions: int


class SpeedRatio(Value):
    """Speed of B over that of A."""

    ratio: float
    """Of the medians; above 1, B is faster."""
    interval: Interval | None
    """95 %, bootstrap of the log ratio; ``None`` under 5 measurements of either arm. Drifts of the machine are not in it."""


class ComparisonVerdict(StrEnum):
    """What a difference says at a margin."""

    SUPERIOR = "superior"
    """The whole interval is above 0."""
    NON_INFERIOR = "non-inferior"
    """The whole interval is above minus the margin."""
    INFERIOR = "inferior"
    """The whole interval is below minus the margin."""
    UNDECIDED = "undecided"


class Differences:
    """How often pairs of a question differ by how much. Hundreds that are alike take no more time and memory than one does."""

    def __init__(self, pairs: Iterable[ScorePair] = ()) -> None:
        self._times: Counter[tuple[str, float]] = Counter()
        for pair in pairs:
            self.add(pair.question, pair.b - pair.a)

    def add(self, question: str, difference: float) -> None:
        """Count one more pair; ``difference``: B minus A."""
        self._times[question, difference] += 1

    @property
    def pairs(self) -> int:
        """How many there are."""
        return self._times.total()

    @property
    def by_question(self) -> Counter[str]:
        """Question -> pairs."""
        found: Counter[str] = Counter()
        for (question, _), times in self._times.items():
            found[question] += times
        return found

    def alike(self) -> Counter[tuple[int, float]]:
        """Return (pairs of the question, difference) -> pairs: what weighs the same and differs by the same, in one."""
        counts, found = self.by_question, Counter[tuple[int, float]]()
        for (question, difference), times in self._times.items():
            found[counts[question], difference] += times
        return found


def score_difference(pairs: Iterable[ScorePair], *, seed: int, s: float = PRIOR_STRENGTH) -> ScoreDifference | None:
    """Return the difference with its interval; every question weighs the same. ``None`` without a pair."""
    return difference_of(Differences(pairs), seed=seed, s=s)


def difference_of(counted: Differences, *, seed: int, s: float = PRIOR_STRENGTH) -> ScoreDifference | None:
    """Return the same of pairs that were counted."""
    if not counted.pairs:
        return None
    alike = counted.alike()
    weights = np.array([1 / count for count, _ in alike])
    differences = np.array([difference for _, difference in alike])
    times = np.array(list(alike.values()))
    low, high = difference_limits(differences[None, :], weights, times, seed=seed, s=s)
    return ScoreDifference(
        mean=float(weights * times @ differences / (weights @ times)),
        interval=Interval(low=float(low[0]), high=float(high[0]), confidence=CONFIDENCE),
        pairs=counted.pairs,
        questions=len(counted.by_question),
    )


def criterion_differences(pairs: Mapping[str, Sequence[ScorePair]], *, seed: int) -> dict[str, ScoreDifference | None]:
    """Return criterion -> difference, over the questions that have it; each with its own interval, none of them adjusted."""
    return {criterion: score_difference(scored, seed=seed) for criterion, scored in pairs.items()}


def difference_limits(
    differences: Array,
    weights: Array,
    times: Array | None = None,
    *,
    seed: int,
    s: float = PRIOR_STRENGTH,
    draws: int = DRAWS,
) -> tuple[Array, Array]:
    """Return the limits for each row of differences (data sets x pairs); ``weights``: one a pair, of any scale.

    ``times``: how many pairs each column stands for; ``None``: one. With equal weights the random ones are
    Dirichlet(1, .., 1, s), as for tier scores: the sum of n of them is drawn at once, from a gamma distribution of shape n.
    """
    rng = np.random.default_rng(seed)
    counts = np.ones(len(weights)) if times is None else times
    scaled = weights / np.average(weights, weights=counts)
    total, sums = np.empty((draws, 1)), np.empty((draws, len(differences)))
    rows = max(1, DRAWN_AT_ONCE // len(weights))
    for start in range(0, draws, rows):
        share = rng.standard_gamma(counts, (min(rows, draws - start), len(weights))) * scaled
        total[start : start + rows] = share.sum(axis=1, keepdims=True)
        sums[start : start + rows] = share @ differences.T
    unseen = rng.standard_gamma(s, (draws, 1))
    total += unseen
    means, unseen = sums / total, unseen / total
    tail = (1 - CONFIDENCE) / 2
    low = np.quantile(means + unseen * WORST, tail, axis=0)
    return np.asarray(low), np.asarray(np.quantile(means + unseen * BEST, 1 - tail, axis=0))


def verdict(interval: Interval, margin: float) -> ComparisonVerdict:
    """Return the strongest thing that the interval of a difference says at ``margin`` (points, positive)."""
    if interval.low > 0:
        return ComparisonVerdict.SUPERIOR
    if interval.low > -margin:
        return ComparisonVerdict.NON_INFERIOR
    return ComparisonVerdict.INFERIOR if interval.high < -margin else ComparisonVerdict.UNDECIDED


def speed_ratio(a: Sequence[float | None], b: Sequence[float | None], *, seed: int) -> SpeedRatio | None:
    """Return how much faster B is, from tokens per second of single answers; ``None`` when either was never measured."""
    first, second = (values[~np.isnan(values)] for values in (as_floats(a), as_floats(b)))
    if not len(first) or not len(second):
        return None
    interval = None
    if min(len(first), len(second)) >= MIN_SPEEDS:
        rng = np.random.default_rng(seed)
        log_ratios = _median_logs(second, rng) - _median_logs(first, rng)
        low, high = np.exp(np.quantile(log_ratios, [0.025, 0.975]))
        interval = Interval(low=float(low), high=float(high), confidence=0.95)
    return SpeedRatio(ratio=median(second.tolist()) / median(first.tolist()), interval=interval)


def _median_logs(speeds: Array, rng: np.random.Generator) -> Array:
    medians, rows = np.empty(SPEED_DRAWS), max(1, DRAWN_AT_ONCE // len(speeds))
    for start in range(0, SPEED_DRAWS, rows):
        drawn = rng.choice(speeds, size=(min(rows, SPEED_DRAWS - start), len(speeds)))
        medians[start : start + rows] = np.median(drawn, axis=1, overwrite_input=True)
    return np.log(medians)
