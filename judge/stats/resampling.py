"""Bootstrap over whole questions: the answers to one question are alike, so they are drawn together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from judge.stats.arrays import np
from judge.stats.figures import Interval

if TYPE_CHECKING:
    from judge.stats.arrays import Array, Index

DRAWS = 2_000
"""Resamples of a question-cluster bootstrap (D12)."""
MIN_QUESTIONS = 5
"""A percentile bootstrap over three clusters covers 75 % where it promises 95 (A5b), and below five there are fewer than 126
different resamples: no interval then."""
MAX_UNDEFINED = 0.05
"""An interval is not given when the figure is undefined in more than this share of the resamples."""


def cluster_index(clusters: Sequence[str]) -> tuple[int, Index]:
    """Return how many clusters there are, and for each unit the number of its cluster."""
    names, index = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    return len(names), index


def sums_by_cluster(values: Array, index: Index, clusters: int) -> Array:
    """Return the sum over each cluster's units, of which each has one; ``values`` has one row a unit."""
    order = np.argsort(index, kind="stable")
    begins = np.searchsorted(index[order], np.arange(clusters))
    return np.asarray(np.add.reduceat(values[order], begins, axis=0))


def resampled_counts(clusters: int, seed: int, draws: int = DRAWS) -> Array:
    """Return draws x clusters: how often each cluster is in each resample."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=draws).astype(float)


def percentile_interval(draws: Array, confidence: float = 0.95) -> Interval | None:
    """Return the percentile interval of the draws; ``None`` when too many of them are undefined (NaN)."""
    if np.mean(np.isnan(draws)) > MAX_UNDEFINED:
        return None
    low, high = np.nanquantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(low=float(low), high=float(high), confidence=confidence)
