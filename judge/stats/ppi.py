"""PPI++: how much of the judges' scores to believe is tuned on the labels (Angelopoulos et al. 2023, arXiv 2311.01453).

theta = mean(y) + lambda (mean(f_unlabelled) - mean(f_labelled)), lambda = cov(y, f) / ((1 + n/N) var(f)), normal interval. The
variant is that of GLIDE: every variance with n-1, sums over clusters with C/(C-1) when the units are clustered. ppi_py divides by
n, which is the same for large n and too short for small (5.559 [5.118, 6.000] for 5.618 [4.923, 6.312] on two labels).

For a finite set of judged units the difference estimator is the one to report; this one is for a larger population of answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from judge.stats.arrays import np, special
from judge.stats.figures import Interval
from judge.stats.labels import AuditLabel, require_audit
from judge.stats.resampling import cluster_index
from runner.types import Value

if TYPE_CHECKING:
    from judge.stats.arrays import Array


class JudgedUnit(Value):
    """A unit that judges scored and nobody else did."""

    question: str
    judge: float
    """1-5."""


class PpiEstimate(Value):
    """Mean human score of the population that labelled and unlabelled units come from."""

    mean: float
    interval: Interval
    power: float
    """lambda: 0 uses the human labels alone, 1 believes the judges fully. Not clipped."""


def ppi_mean(
    labels: Sequence[AuditLabel],
    unlabelled: Sequence[JudgedUnit],
    *,
    power: float | None = None,
    by_question: bool = False,
    confidence: float = 0.95,
    ddof: int = 1,
) -> PpiEstimate:
    """Return the PPI++ estimate of two or more labels and two or more unlabelled units.

    ``power``: lambda, ``None`` tunes it; ``by_question``: units of one question are dependent (two questions or more on either
    side); ``ddof`` 0 is ppi_py's variant.
    """
    require_audit(labels)
    y, f = np.array([label.human for label in labels]), np.array([label.judge for label in labels])
    rest = np.array([unit.judge for unit in unlabelled])
    questions = [*(label.question for label in labels), *(unit.question for unit in unlabelled)]
    members = _membership(questions) if by_question else None
    mean, error, used = ppi_moments(y, f, rest, power=power, members=members, ddof=ddof)
    reach = float(special.ndtri((1 + confidence) / 2) * error)
    low, high = float(mean) - reach, float(mean) + reach
    return PpiEstimate(
        mean=float(mean), power=float(used), interval=Interval(low=low, high=high, confidence=confidence)
    )


def ppi_moments(
    y: Array, f: Array, rest: Array, *, power: float | None = None, members: Array | None = None, ddof: int = 1
) -> tuple[Array, Array, Array]:
    """Return estimate, standard error and lambda for samples along the last axis.

    ``members``: units x clusters, 1 where a unit (the labelled ones first) belongs; ``None``: units are independent.
    """
    n = y.shape[-1]
    here, there = (None, None) if members is None else (_used(members[:n]), _used(members[n:]))
    used = _tuned(y, f, rest, members, ddof) if power is None else np.full(y.shape[:-1], power)
    gap = y - used[..., None] * f
    variance = _error_covariance(gap, gap, here, ddof) + used**2 * _error_covariance(rest, rest, there, ddof)
    return y.mean(axis=-1) + used * (rest.mean(axis=-1) - f.mean(axis=-1)), np.sqrt(variance), used


def _tuned(y: Array, f: Array, rest: Array, members: Array | None, ddof: int) -> Array:
    n, pooled = y.shape[-1], np.concatenate([f, rest], axis=-1)
    spread = pooled.shape[-1] * _error_covariance(pooled, pooled, members, ddof=1)  # in ppi_py too
    joint = n * _error_covariance(y, f, None if members is None else _used(members[:n]), ddof)
    scale = (1 + n / rest.shape[-1]) * spread
    return np.asarray(np.divide(joint, scale, out=np.zeros_like(joint), where=scale > 0))


def _error_covariance(a: Array, b: Array, members: Array | None, ddof: int) -> Array:
    """Return the covariance of the means of ``a`` and ``b``: cov(a, b)/n, or from sums over clusters."""
    n = a.shape[-1]
    first, second = (x - x.mean(axis=-1, keepdims=True) for x in (a, b))
    if members is not None:
        first, second = first @ members, second @ members
    count = first.shape[-1]
    return np.asarray((first * second).sum(axis=-1) * count / (count - ddof) / n**2)


def _membership(clusters: Sequence[str]) -> Array:
    count, index = cluster_index(clusters)
    return np.eye(count)[index]


def _used(members: Array) -> Array:
    """Leave out clusters without a unit: they would count as clusters with an error of 0."""
    return members[:, members.any(axis=0)]
