"""Interval of a tier score and what it decides, for a fixed set of questions. Pure; numpy only.

Imprecise Dirichlet: for a question with scores x_1..x_K, w ~ Dirichlet(1,..,1,s) puts the weight of s imaginary answers at 1
(lower end) or at 5 (upper end). L and U are the means over the questions; the interval is [q05(L), q95(U)]. Normal, t and
bootstrap intervals are far too short near the ceiling, where good models live.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from judge.stats.arrays import np
from runner.types import Value

if TYPE_CHECKING:
    from judge.stats.arrays import Array

PRIOR_STRENGTH = 0.5
"""s: how many imaginary answers at the end of the scale stand for what has not been seen."""
DRAWS = 20_000
DRAWN_AT_ONCE = 1_000_000
"""Random weights that are held at a time, eight bytes each."""
ROWS_ALIKE = 256
"""Draws are cut into multiples of it: a matrix product adds the last rows of an odd number up in another order."""
SEED = 20_251_216
CONFIDENCE = 0.95
LOWEST, HIGHEST = 1.0, 5.0

MOST_SAMPLES = 100
"""Answers per question beyond which nobody would sample further to decide a role."""


class Outcome(StrEnum):
    """What the scores say about a threshold."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNDECIDED = "UNDECIDED"


class TierInterval(Value):
    """Where a tier score lies, given a finite number of answers to these very questions."""

    low: float
    """5 % quantile of the lower mean, 1-5."""
    high: float
    """95 % quantile of the upper mean, 1-5."""
    p_at_least: float
    """P(L >= threshold), 0-1: above 0.95 is a PASS."""
    p_below: float
    """P(U < threshold), 0-1: above 0.95 is a FAIL."""

    @property
    def outcome(self) -> Outcome:
        """PASS, FAIL or UNDECIDED at the 95 % level."""
        if self.p_at_least >= CONFIDENCE:
            return Outcome.PASS
        return Outcome.FAIL if self.p_below >= CONFIDENCE else Outcome.UNDECIDED


def tier_interval(questions: Sequence[Sequence[float]], threshold: float, *, s: float = PRIOR_STRENGTH) -> TierInterval:
    """Return the interval of the mean over ``questions`` (each the scores of its answers, at least one) at a threshold."""
    if not questions or not all(questions):
        raise ValueError("a tier interval needs at least one score for every question")
    return _held_against(*_kept_means(tuple(map(tuple, questions)), s, DRAWS), threshold)


def _held_against(lower: Array, upper: Array, threshold: float) -> TierInterval:
    return TierInterval(
        low=float(np.quantile(lower, 1 - CONFIDENCE)),
        high=float(np.quantile(upper, CONFIDENCE)),
        p_at_least=float(np.mean(lower >= threshold)),
        p_below=float(np.mean(upper < threshold)),
    )


def score_interval(questions: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return [q05(L), q95(U)] of the mean over ``questions``; one without a score may lie anywhere on the scale."""
    lower, upper = _kept_means(tuple(map(tuple, questions)), PRIOR_STRENGTH, DRAWS)
    return float(np.quantile(lower, 1 - CONFIDENCE)), float(np.quantile(upper, CONFIDENCE))


def audited_interval(
    questions: Sequence[Sequence[float]], threshold: float, low_moves: float, high_moves: float
) -> TierInterval:
    """Return the interval with its ends moved by the interval of the judges' bias (D10), cut to the scale; 0, 0: as it is.

    A lower end that moves by b is at least t where it was at least t - b, so the two tails are read at moved thresholds.
    """
    at_low = tier_interval(questions, threshold - low_moves)
    at_high = at_low if low_moves == high_moves else tier_interval(questions, threshold - high_moves)
    return TierInterval(
        low=min(max(at_low.low + low_moves, LOWEST), HIGHEST),
        high=min(max(at_high.high + high_moves, LOWEST), HIGHEST),
        p_at_least=at_low.p_at_least,
        p_below=at_high.p_below,
    )


def settles_at(questions: Sequence[Sequence[float]], threshold: float) -> int | None:
    """Return the answers per question at which the tier would be decided if further ones repeat those so far.

    By bisection, as the interval shrinks with every repetition; ``None`` when MOST_SAMPLES would not decide it.
    """
    have = min(map(len, questions))
    low, high = have, MOST_SAMPLES
    if have >= high or _repeated_outcome(questions, high, threshold) is Outcome.UNDECIDED:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if _repeated_outcome(questions, middle, threshold) is Outcome.UNDECIDED:
            low = middle
        else:
            high = middle
    return high


def _repeated_outcome(questions: Sequence[Sequence[float]], count: int, threshold: float) -> Outcome:
    return _held_against(*_means(_repeated(questions, count), PRIOR_STRENGTH, DRAWS), threshold).outcome


def _repeated(questions: Sequence[Sequence[float]], count: int) -> list[list[float]]:
    """Return ``count`` scores of each question with the same distribution: each score as often as its share allows, evenly."""
    return [[ranked[i * len(ranked) // count] for i in range(count)] for ranked in map(sorted, questions)]


def _means(questions: Sequence[Sequence[float]], s: float, draws: int) -> tuple[Array, Array]:
    """Return draws of L and of U."""
    rng = np.random.default_rng(SEED)
    ends = [_question_ends(scores, s, rng, draws) for scores in questions]
    return np.mean([low for low, _ in ends], axis=0), np.mean([high for _, high in ends], axis=0)


@lru_cache(maxsize=4)
def _kept_means(questions: tuple[tuple[float, ...], ...], s: float, draws: int) -> tuple[Array, Array]:
    """Return the same, kept for all the thresholds that a tier is held against; nobody writes into it."""
    lower, upper = _means(questions, s, draws)
    lower.setflags(write=False)
    upper.setflags(write=False)
    return lower, upper


def _question_ends(scores: Sequence[float], s: float, rng: np.random.Generator, draws: int) -> tuple[Array, Array]:
    # Equal scores are drawn together: their weights sum to a Dirichlet weight of their number, and there are few different scores.
    x, counts = np.unique(np.asarray(scores, dtype=float), return_counts=True)
    rows = max(ROWS_ALIKE, DRAWN_AT_ONCE // (len(x) + 1) // ROWS_ALIKE * ROWS_ALIKE)
    low, high = np.empty(draws), np.empty(draws)
    for start in range(0, draws, rows):
        drawn = slice(start, min(start + rows, draws))
        seen = rng.dirichlet([*counts, s], size=drawn.stop - start)[:, :-1]
        # Measured from the ends, where the imaginary answers add nothing: so rounding leads neither off the scale nor past a score
        # exactly at its end.
        low[drawn], high[drawn] = LOWEST + seen @ (x - LOWEST), HIGHEST - seen @ (HIGHEST - x)
    return low, high
