"""Gwet's AC1 and AC2 and Brennan-Prediger for any number of raters with gaps: agreement that holds near the ceiling.

Where nearly everything is a 5, chance agreement of kappa and alpha is nearly 1 and the coefficients collapse; AC2's is not.
Formulas and linearised standard errors: Gwet 2008 and 2014 ("Handbook of Inter-Rater Reliability"), as in irrCAC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from judge.stats.arrays import np
from judge.stats.figures import Coefficient
from judge.stats.kappa import SCALE, Weighting, agreement_weights, coefficient

if TYPE_CHECKING:
    from judge.stats.arrays import Array


def value_counts(ratings: Sequence[Sequence[int | None]], scale: Sequence[int] = SCALE) -> Array:
    """Return units x q: how many raters gave each value, from one row a rater and one column a unit."""
    columns = list(zip(*ratings, strict=True))
    return np.array([[column.count(value) for value in scale] for column in columns], dtype=float)


def gwet_ac(counts: Array, weighting: Weighting = "quadratic", confidence: float = 0.95) -> Coefficient | None:
    """Return AC2 (``unweighted``: AC1) of units x q counts; ``None`` with fewer than two units that two raters rated."""
    weights = agreement_weights(counts.shape[1], weighting)
    counts = counts[counts.sum(axis=1) > 0]
    if np.sum(counts.sum(axis=1) >= 2) < 2:
        return None
    shares = counts / counts.sum(axis=1, keepdims=True)
    prevalence = shares.mean(axis=0)
    expected = float(expected_by_chance(prevalence, weights))
    units = _unit_values(counts, weights, expected)
    value = float(units.mean())
    chance = _chance_scale(weights) * (shares @ (1 - prevalence))
    return _estimate(units - 2 * (1 - value) * (chance - expected) / (1 - expected), value, confidence)


def brennan_prediger(counts: Array, weighting: Weighting = "quadratic", confidence: float = 0.95) -> Coefficient | None:
    """Return the coefficient whose chance agreement is that of raters who throw dice; ``None`` as for ``gwet_ac``."""
    weights = agreement_weights(counts.shape[1], weighting)
    counts = counts[counts.sum(axis=1) > 0]
    if np.sum(counts.sum(axis=1) >= 2) < 2:
        return None
    units = _unit_values(counts, weights, float(weights.mean()))
    return _estimate(units, float(units.mean()), confidence)


def unit_agreement(counts: Array, weights: Array) -> Array:
    """Return each unit's share of (weighted) agreeing pairs of raters, 0-1; 0 for units with fewer than two ratings."""
    raters = counts.sum(axis=1)
    agreeing = (counts * (counts @ weights - 1)).sum(axis=1)
    return np.asarray(np.where(raters >= 2, agreeing / np.maximum(raters * (raters - 1), 1), 0.0))


def expected_by_chance(prevalence: Array, weights: Array) -> Array:
    """Return Gwet's chance agreement for shares of the values (..., q)."""
    return np.asarray(_chance_scale(weights) * (prevalence * (1 - prevalence)).sum(axis=-1))


def _chance_scale(weights: Array) -> float:
    levels = len(weights)
    return float(weights.sum()) / (levels * (levels - 1))


def _unit_values(counts: Array, weights: Array, expected: float) -> Array:
    """Return each unit's share in the coefficient: their mean is the coefficient. A unit with one rating has 0."""
    paired = counts.sum(axis=1) >= 2
    agreement = unit_agreement(counts, weights)
    return np.asarray(len(counts) / paired.sum() * np.where(paired, agreement - expected, 0.0) / (1 - expected))


def _estimate(linearised: Array, value: float, confidence: float) -> Coefficient:
    n = len(linearised)
    se = float(np.sqrt(((linearised - value) ** 2).sum() / (n * (n - 1))))
    return coefficient(value, se, n, confidence)
