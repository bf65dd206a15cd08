"""Cohen's kappa of two raters on a fixed scale, weighted or not.

The scale is given and not read off the data: with only the values that occur, quadratic weights change (.742 for .523). Standard
error and interval: Gwet 2014, "Handbook of Inter-Rater Reliability", with t of n-1 degrees of freedom, as in irrCAC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from judge.stats.arrays import np, special
from judge.stats.figures import Coefficient, Interval

if TYPE_CHECKING:
    from judge.stats.arrays import Array

SCALE = (1, 2, 3, 4, 5)
Weighting = Literal["unweighted", "linear", "quadratic", "ordinal"]


def agreement_weights(levels: int, weighting: Weighting) -> Array:
    """Return q x q: how much two values agree, 1 on the diagonal, 0 for the ends of the scale (unweighted: for any two)."""
    steps = np.abs(np.subtract.outer(np.arange(levels), np.arange(levels))).astype(float)
    if weighting == "unweighted":
        return np.asarray(steps == 0, dtype=float)
    if weighting == "ordinal":  # pairs of levels in the range that the two values span; Gwet 2014
        return np.asarray(1 - steps * (steps + 1) / (levels * (levels - 1)))
    return np.asarray(1 - (steps / (levels - 1)) ** (1 if weighting == "linear" else 2))


def contingency(a: Sequence[int | None], b: Sequence[int | None], scale: Sequence[int] = SCALE) -> Array:
    """Return q x q counts, rows the first rater; units that either did not rate are left out."""
    place = {value: at for at, value in enumerate(scale)}
    table = np.zeros((len(scale), len(scale)))
    for first, second in zip(a, b, strict=True):
        if first is not None and second is not None:
            table[place[first], place[second]] += 1
    return table


def weighted_kappa(table: Array, weighting: Weighting = "quadratic", confidence: float = 0.95) -> Coefficient | None:
    """Return kappa of a q x q table of counts; ``None``, undefined, when a rater gave everything the same value."""
    value = float(kappas(table, agreement_weights(len(table), weighting)))
    if np.isnan(value):
        return None
    return coefficient(value, _standard_error(table, value, weighting), int(table.sum()), confidence)


def kappas(tables: Array, weights: Array) -> Array:
    """Return the kappa of each table (..., q, q); NaN where a rater is constant."""
    n = tables.sum(axis=(-2, -1), keepdims=True)
    p = np.divide(tables, n, out=np.zeros_like(tables), where=n > 0)
    rows, columns = p.sum(axis=-1), p.sum(axis=-2)
    expected = np.einsum("...i,ij,...j->...", rows, weights, columns)
    observed = (weights * p).sum(axis=(-2, -1))
    varied = np.minimum(np.sum(rows > 0, axis=-1), np.sum(columns > 0, axis=-1)) >= 2
    return np.asarray(np.divide(observed - expected, 1 - expected, out=np.full_like(expected, np.nan), where=varied))


def coefficient(value: float, se: float, units: int, confidence: float) -> Coefficient:
    """Return value, error and the t interval with units-1 degrees of freedom, cut at 1, the most that agreement can be."""
    reach = float(special.stdtrit(units - 1, (1 + confidence) / 2)) * se
    return Coefficient(
        value=value, se=se, interval=Interval(low=value - reach, high=min(1.0, value + reach), confidence=confidence)
    )


def _standard_error(table: Array, kappa: float, weighting: Weighting) -> float:
    weights, n = agreement_weights(len(table), weighting), table.sum()
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    expected = rows @ weights @ columns
    observed = float((weights * p).sum())
    slopes = weights - (1 - kappa) * np.add.outer(weights @ columns, weights.T @ rows)
    spread = (p * slopes**2).sum() - (observed - 2 * (1 - kappa) * expected) ** 2
    return float(np.sqrt(max(spread, 0.0) / n) / (1 - expected))
