"""Human labels -> the score that people would give, with an interval: the difference estimator (D10, D11).

theta = mean_N(f) + mean_n(y - f): the judges' mean over all N units, corrected by the mean error on the n audited ones. Its error
is that of sampling without replacement, sqrt((1 - n/N) var(y-f) / n), with t of n-1 degrees of freedom (Cochran 1977, 7.3 with
slope 1); strata are weighted by their size, with n - strata degrees of freedom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Literal

from judge.errors import UserError
from judge.stats.arrays import np, special
from judge.stats.clustered import clustered_se
from judge.stats.figures import Interval, Refused
from judge.stats.labels import AuditLabel, RepairLabel, Stratum, require_audit
from runner.types import Value

if TYPE_CHECKING:
    from judge.stats.arrays import Array

LOOKS = (15, 30, 60)
"""At these numbers of labels the result may be read; each time with a third of the error rate (D11)."""
LOOK_CONFIDENCE = 1 - 0.05 / len(LOOKS)
INCLUSION_TOLERANCE = 0.10
"""How far the sum of 1/inclusion probability may be off the size of the population (A7)."""
MIN_CLUSTER_LABELS, MIN_CLUSTERS = 5, 8
"""A question-clustered error is given from 5 labels for each of 8 questions on."""
MIN_LABELS = 3
LOWEST, HIGHEST = 1.0, 5.0
ROUNDING = 1e-9
"""An error below this is that of floating point: the labels are all alike."""


class AuditedMean(Value):
    """What people would have scored on average, estimated from the audit."""

    mean: float
    interval: Interval
    """Cut at the ends of the scale."""
    method: Literal["difference", "human_only"]
    """``human_only``: the judges' scores tell too little about people's to help."""
    correction: float
    """Mean of human minus judge, in points: negative for a lenient judge."""
    correction_interval: Interval
    """How far the judges' mean has to be shifted."""
    correlation: float | None
    """Between human and judge on the labels; ``None`` when either is constant."""
    labels: int
    units: int
    """N over all strata."""
    clustered_se: float | None
    """Error of the correction with questions as clusters; ``None`` with too few labels for it."""


def due_look(labels: int) -> int | None:
    """Return the latest look that so many labels allow; ``None`` before the first."""
    return max((look for look in LOOKS if look <= labels), default=None)


def audited_mean(
    labels: Sequence[AuditLabel], strata: Sequence[Stratum], *, confidence: float = 0.95
) -> AuditedMean | Refused:
    """Return the audited mean score of all units in ``strata``; refused under 3 labels, or 2 in a stratum not wholly labelled.

    Labels of a partly rated audit are a random sample as long as people take the queue in its order. Raises UserError when the
    logged inclusion probabilities contradict the strata.
    """
    require_audit(labels)
    groups = _by_stratum(labels, strata)
    thin = [s.id for s in strata if len(groups[s.id]) < min(2, s.units)]
    if thin or len(labels) < MIN_LABELS:
        missing = f"{', '.join(thin)} has fewer" if thin else f"there are {len(labels)}"
        return Refused(reason=f"an audit needs {MIN_LABELS} labels or more, 2 in every stratum; {missing}")
    check_inclusion(groups, strata)
    correlation = _correlation(labels)
    judges = sum(s.units * s.judge_mean for s in strata) / sum(s.units for s in strata)
    helps = correlation is not None and correlation >= 1 / sqrt(len(labels) - 2)
    if helps:
        correction, shift = _stratified(groups, strata, lambda label: label.human - label.judge, confidence)
        mean, interval = judges + correction, _moved(shift, judges)
    else:
        mean, interval = _stratified(groups, strata, lambda label: label.human, confidence)
        correction, shift = mean - judges, _moved(interval, -judges)
    return AuditedMean(
        mean=mean,
        interval=Interval(low=max(LOWEST, interval.low), high=min(HIGHEST, interval.high), confidence=confidence),
        method="difference" if helps else "human_only",
        correction=correction,
        correction_interval=shift,
        correlation=correlation,
        labels=len(labels),
        units=sum(s.units for s in strata),
        clustered_se=_clustered_se(labels),
    )


def check_inclusion(groups: Mapping[str, Sequence[AuditLabel]], strata: Sequence[Stratum]) -> None:
    """Check that the sum of 1/inclusion probability over each stratum's sample is its size, within 10 %. Raises UserError.

    With a probability logged as 1/N instead of n/N, every estimate that weighs by it leaves the scale.
    """
    for stratum in strata:
        labels = groups[stratum.id]
        if len(labels) > stratum.drawn:
            raise UserError(
                f"the audit of {stratum.id} drew {stratum.drawn} units and {len(labels)} labels came for it; pass the labels of its "
                "queue alone"
            )
        size = stratum.drawn * float(np.mean([1 / label.inclusion_probability for label in labels]))
        if abs(size - stratum.units) > INCLUSION_TOLERANCE * stratum.units:
            raise UserError(
                f"the audit of {stratum.id} drew {stratum.drawn} of {stratum.units} units, but its inclusion probabilities add up to "
                f"{size:.0f} units; they must be drawn / units, and its labels cannot be used as they are"
            )


def mean_and_error(values: Array, population: int) -> tuple[Array, Array]:
    """Return the mean over the last axis and its standard error as a sample without replacement out of ``population``."""
    n = values.shape[-1]
    if n == population:
        return values.mean(axis=-1), np.zeros(values.shape[:-1])
    return values.mean(axis=-1), np.sqrt((1 - n / population) * values.var(axis=-1, ddof=1) / n)


def shifted_limits(low: float, high: float, correction: Interval) -> tuple[float, float]:
    """Return the limits of a judged score moved by the bias with its interval (D10), kept on the 1-5 scale."""
    return max(LOWEST, low + correction.low), min(HIGHEST, high + correction.high)


def _by_stratum(labels: Sequence[AuditLabel], strata: Sequence[Stratum]) -> dict[str, list[AuditLabel]]:
    groups: dict[str, list[AuditLabel]] = {stratum.id: [] for stratum in strata}
    for label in labels:
        if label.stratum not in groups:
            raise UserError(
                f"a label is of stratum {label.stratum!r}, and the audit has {', '.join(groups)}; pass every stratum"
            )
        groups[label.stratum].append(label)
    repeated = [unit for unit, times in Counter((x.stratum, x.unit) for x in labels).items() if times > 1]
    if repeated:
        raise UserError(
            f"unit {repeated[0][1]!r} has more than one label; pass one label a unit (the mean of its raters)"
        )
    return groups


def _stratified(
    groups: Mapping[str, Sequence[AuditLabel]],
    strata: Sequence[Stratum],
    figure: Callable[[AuditLabel], float],
    confidence: float,
) -> tuple[float, Interval]:
    total = sum(s.units for s in strata)
    mean, variance, freedom, labels = 0.0, 0.0, 0, 0
    for stratum in strata:
        values = np.array([figure(label) for label in groups[stratum.id]])
        part_mean, part_error = mean_and_error(values, stratum.units)
        weight = stratum.units / total
        mean += weight * float(part_mean)
        variance += (weight * float(part_error)) ** 2
        freedom += len(values) - 1 if len(values) < stratum.units else 0
        labels += len(values)
    reach = _reach(sqrt(variance), freedom, labels, confidence)
    return mean, Interval(low=mean - reach, high=mean + reach, confidence=confidence)


def _reach(se: float, freedom: int, labels: int, confidence: float) -> float:
    """Half the interval. Labels that are all alike have no variance, and yet say little about rare errors.

    Then: the largest share of units that such a sample may miss (Clopper-Pearson with none seen) times the width of the scale.
    """
    if freedom == 0:
        return 0.0
    if se > ROUNDING:
        return float(special.stdtrit(freedom, (1 + confidence) / 2)) * se
    unseen: float = 1 - ((1 - confidence) / 2) ** (1 / labels)
    return unseen * (HIGHEST - LOWEST)


def _moved(interval: Interval, by: float) -> Interval:
    return Interval(low=interval.low + by, high=interval.high + by, confidence=interval.confidence)


def _correlation(labels: Sequence[AuditLabel]) -> float | None:
    human, judge = [x.human for x in labels], [x.judge for x in labels]
    if len(set(human)) < 2 or len(set(judge)) < 2:
        return None
    return float(np.corrcoef(human, judge)[0, 1])


def _clustered_se(labels: Sequence[AuditLabel]) -> float | None:
    questions = Counter(label.question for label in labels)
    if sum(times >= MIN_CLUSTER_LABELS for times in questions.values()) < MIN_CLUSTERS:
        return None
    return clustered_se([x.human - x.judge for x in labels], [x.question for x in labels])


if TYPE_CHECKING:

    def _repair_labels_do_not_type_check(labels: Sequence[RepairLabel], strata: Sequence[Stratum]) -> None:
        """A test that mypy runs: were repair labels ever accepted, the ignore would be unused, which is an error."""
        audited_mean(labels, strata)  # type: ignore[arg-type]
