"""What scores on some questions say about questions of their kind: standard errors over clusters, and when to say nothing.

The answers to one question are alike, so the questions are what counts: Miller 2024, "Adding Error Bars to Evals", App. A, with
the small-sample factor C/(C-1) (the clustered error of inspect_ai and of statsmodels).
"""

from __future__ import annotations

from collections.abc import Sequence

from judge.stats.arrays import np, special
from judge.stats.figures import Interval, Refused
from judge.stats.resampling import cluster_index, sums_by_cluster
from runner.types import Value

MIN_POPULATION_QUESTIONS = 15
"""D9: over three questions a normal 95 % interval covers 81 % and a bootstrap 75 %."""


class PopulationEstimate(Value):
    """The mean over questions like these, not only over these."""

    mean: float
    se: float
    interval: Interval
    """t with questions - 1 degrees of freedom."""
    questions: int


def clustered_se(scores: Sequence[float], clusters: Sequence[str], *, small_sample: bool = True) -> float:
    """Return the standard error of the mean score with scores dependent inside clusters (two or more of them).

    ``small_sample``: with the factor C/(C-1); without it is Miller's formula as printed, too small for few clusters.
    """
    x = np.asarray(scores, dtype=float)
    count, index = cluster_index(clusters)
    if count < 2:
        raise ValueError("a clustered standard error needs at least two clusters")
    squares = float((sums_by_cluster(x - x.mean(), index, count) ** 2).sum())
    return float(np.sqrt(squares * (count / (count - 1) if small_sample else 1.0)) / len(x))


def population_estimate(
    scores: Sequence[float], questions: Sequence[str], *, confidence: float = 0.95
) -> PopulationEstimate | Refused:
    """Return the mean with its interval for the population of questions; refused under 15 questions."""
    count = len(set(questions))
    if count < MIN_POPULATION_QUESTIONS:
        return Refused(
            reason=f"an interval beyond these questions needs at least {MIN_POPULATION_QUESTIONS} of them, and there are {count}"
        )
    mean, se = float(np.mean(scores)), clustered_se(scores, questions)
    reach = float(special.stdtrit(count - 1, (1 + confidence) / 2)) * se
    interval = Interval(low=mean - reach, high=mean + reach, confidence=confidence)
    return PopulationEstimate(mean=mean, se=se, interval=interval, questions=count)
