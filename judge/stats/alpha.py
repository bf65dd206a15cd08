"""Krippendorff's alpha for any number of raters with gaps, and how many units it takes to establish one.

The coefficient is evalica's. For resamples it is computed from sums of coincidence matrices, thousands at a time, by the same
definition (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"); a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Literal

from judge.stats.arrays import np, special
from judge.stats.figures import as_floats

if TYPE_CHECKING:
    from judge.stats.arrays import Array

Metric = Literal["nominal", "ordinal", "interval", "ratio"]
Ratings = Sequence[Sequence[float | None]]
"""One row a rater, one column a unit; ``None``: not rated."""


def krippendorff_alpha(ratings: Ratings, metric: Metric = "ordinal") -> float | None:
    """Return alpha, at most 1. Units with a single rating do not count; ``None``: no unit has two, or all ratings are alike."""
    data = np.array([as_floats(row) for row in ratings])
    pairable = data[:, np.sum(~np.isnan(data), axis=0) >= 2]
    if len(np.unique(pairable[~np.isnan(pairable)])) < 2:
        return None
    # Imported here because the two take a second, and most reports have one judge.
    import evalica
    import pandas as pd

    return float(evalica.alpha(pd.DataFrame(pairable), distance=metric).alpha)


def coincidences(counts: Array) -> Array:
    """Return units x q x q: how often each unit pairs two values, from its units x q counts of ratings."""
    raters = counts.sum(axis=1)
    weights = np.where(raters >= 2, 1 / np.maximum(raters - 1, 1), 0.0)
    own_pairs = np.einsum("uk,kl->ukl", counts, np.eye(counts.shape[1]))
    return np.asarray(weights[:, None, None] * (np.einsum("uk,ul->ukl", counts, counts) - own_pairs))


def ordinal_alphas(matrices: Array) -> Array:
    """Return the ordinal alpha of each coincidence matrix (..., q, q); NaN where all ratings are alike."""
    totals = matrices.sum(axis=-1)
    midpoints = np.cumsum(totals, axis=-1) - totals / 2
    distances = (midpoints[..., :, None] - midpoints[..., None, :]) ** 2
    n = totals.sum(axis=-1)
    observed = (matrices * distances).sum(axis=(-2, -1)) * (n - 1)
    expected = (totals[..., :, None] * totals[..., None, :] * distances).sum(axis=(-2, -1))
    return np.asarray(1 - np.divide(observed, expected, out=np.full_like(n, np.nan), where=expected > 0))


def units_needed(alpha: float, *, levels: int = 5, significance: float = 0.05) -> int:
    """Return how many units two raters must rate so that a true reliability of ``alpha`` (0-1) can be told from less.

    Krippendorff 2019, 12.2: 2 z^2 ((1+a)(3-a) / (4(1-a) p(1-p)) - a) with p = 1/levels, the rarest value's share.
    """
    z = float(special.ndtri(1 - significance))
    share = 1 / levels
    ratio = (1 + alpha) * (3 - alpha) / (4 * (1 - alpha) * share * (1 - share))
    return ceil(2 * z**2 * (ratio - alpha))
