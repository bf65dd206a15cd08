"""PPI++: how much of the judges' scores to believe is tuned on the labels (Angelopoulos et al. 2023, arXiv 2311.01453).

theta = mean(y) + lambda (mean(f_unlabelled) - mean(f_labelled)), lambda = cov(y, f) / ((1 + n/N) var(f)), normal interval. The
variant is that of GLIDE: every variance with n-1, sums over clusters with C/(C-1) when the units are clustered. ppi_py divides by
n, which is the same for large n and too short for small (5.559 [5.118, 6.000] for 5.618 [4.923, 6.312] on two labels).

For a finite set of judged units the difference estimator is the one to report; this one is for a larger population of answers.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from judge.stats.figures import Array, Interval
from judge.stats.labels import AuditLabel, require_audit
from judge.stats.resampling import cluster_index, sums_by_cluster
from runner.types import Value


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
    y, f, rest = (
        np.array(x) for x in ([a.human for a in labels], [a.judge for a in labels], [u.judge for u in unlabelled])
    )
    here = [a.question if by_question else str(at) for at, a in enumerate(labels)]
    there = [u.question if by_question else str(-1 - at) for at, u in enumerate(unlabelled)]
    if power is None:
        power = _tuned(y, f, rest, here, there, ddof)
    mean = float(y.mean() + power * (rest.mean() - f.mean()))
    labelled_error = y - power * f
    variance = _covariance(labelled_error, labelled_error, here, ddof) + power**2 * _covariance(rest, rest, there, ddof)
    reach = float(ndtri((1 + confidence) / 2) * np.sqrt(variance))
    return PpiEstimate(
        mean=mean, power=power, interval=Interval(low=mean - reach, high=mean + reach, confidence=confidence)
    )


def _tuned(y: Array, f: Array, rest: Array, here: Sequence[str], there: Sequence[str], ddof: int) -> float:
    n, pooled = len(y), np.concatenate([f, rest])
    spread = len(pooled) * _covariance(pooled, pooled, [*here, *there], ddof=1)  # in ppi_py too
    return n * _covariance(y, f, here, ddof) / ((1 + n / len(rest)) * spread) if spread > 0 else 0.0


def _covariance(a: Array, b: Array, clusters: Sequence[str], ddof: int) -> float:
    """Covariance of the means of ``a`` and ``b`` with units dependent inside clusters; for units on their own, cov(a, b)/n."""
    count, index = cluster_index(clusters)
    sums = sums_by_cluster(np.stack([a - a.mean(), b - b.mean()], axis=1), index, count)
    return float((sums[:, 0] * sums[:, 1]).sum() * count / (count - ddof) / len(a) ** 2)
