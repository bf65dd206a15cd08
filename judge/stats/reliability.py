"""Intraclass correlations of complete ratings, after Shrout & Fleiss 1979 (the six forms of their Table 4)."""

from __future__ import annotations

from collections.abc import Sequence

from judge.stats.arrays import np
from runner.types import Value


class IntraclassCorrelations(Value):
    """How much of the variance lies between targets. At most 1; negative when raters differ more than targets do."""

    single_one_way: float
    """ICC(1,1): every target has its own raters."""
    single_random: float
    """ICC(2,1): the raters are a sample; a rater's severity counts as error."""
    single_fixed: float
    """ICC(3,1): these very raters; severity does not count."""
    mean_one_way: float
    """ICC(1,k): reliability of the mean of the k raters."""
    mean_random: float
    """ICC(2,k)."""
    mean_fixed: float
    """ICC(3,k)."""


def intraclass_correlations(ratings: Sequence[Sequence[float]]) -> IntraclassCorrelations | None:
    """Return the ICCs of targets x raters without gaps; ``None``, undefined, when the targets' means are all alike."""
    x = np.asarray(ratings, dtype=float)
    if x.ndim != 2 or min(x.shape) < 2 or np.isnan(x).any():
        raise ValueError("an ICC needs at least two targets that the same two or more raters have all scored")
    n, k = x.shape
    targets, raters = x.mean(axis=1), x.mean(axis=0)
    between = k * float(targets.var(ddof=1))
    judges = n * float(raters.var(ddof=1))
    within = float(x.var(axis=1, ddof=1).mean())
    residual = x - targets[:, None] - raters + x.mean()
    error = float((residual**2).sum()) / ((n - 1) * (k - 1))
    if np.isclose(between, 0.0):
        return None
    return IntraclassCorrelations(
        single_one_way=(between - within) / (between + (k - 1) * within),
        single_random=(between - error) / (between + (k - 1) * error + k * (judges - error) / n),
        single_fixed=(between - error) / (between + (k - 1) * error),
        mean_one_way=(between - within) / between,
        mean_random=(between - error) / (between + (judges - error) / n),
        mean_fixed=(between - error) / between,
    )
