"""Judges against each other (D7): who is severe, who favours the own family, and how many independent judges a panel is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from judge.stats import resampling
from judge.stats.arrays import np
from judge.stats.figures import Interval, Refused, as_floats
from runner.types import Value

if TYPE_CHECKING:
    from judge.stats.arrays import Array

NOTABLE = 0.25
"""A self-preference is flagged above a quarter of a point (D7)."""


class PanelUnit(NamedTuple):
    """One answer (or one criterion of it) with the scores of the judges; not a ``Value``, as there may be a hundred thousand."""

    question: str
    candidate: str
    scores: Mapping[str, float | None]
    """Judge -> 1-5; ``None`` or absent: no score."""
    own: frozenset[str] = frozenset()
    """The judges of the candidate's own family, the candidate itself included."""

    def score(self, judge: str) -> float | None:
        """Return this judge's score."""
        return self.scores.get(judge)

    def others(self, judge: str) -> float | None:
        """Return the mean of the other judges that are not of the candidate's family; ``None`` when there are none."""
        scores = [s for name, s in self.scores.items() if s is not None and name != judge and name not in self.own]
        return fmean(scores) if scores else None


class SelfPreference(Value):
    """How much more a judge gives its own family than others give it, beyond how much more it gives everybody."""

    judge: str
    delta: float
    """mean over own answers of (judge - other judges) minus the same over all other answers, in points."""
    interval: Interval | None
    """95 %, question-cluster bootstrap; ``None`` under 5 questions."""
    own_units: int
    other_units: int
    questions: int

    @property
    def flagged(self) -> bool:
        """True when it is over a quarter of a point, either way, and its interval excludes 0."""
        return abs(self.delta) > NOTABLE and self.interval is not None and self.interval.excludes(0.0)


class LeaveOneOut(Value):
    """Candidates ranked by all judges, and by all but one."""

    ranking: tuple[str, ...]
    """Best first; equal means in alphabetical order."""
    without: Mapping[str, tuple[str, ...]]
    """Judge left out -> ranking by the rest; candidates that nobody else scored are not in it."""

    @property
    def decisive_judges(self) -> tuple[str, ...]:
        """The judges without whom the order of the candidates that the rest scored would change."""
        return tuple(
            judge
            for judge, ranking in self.without.items()
            if ranking != tuple(candidate for candidate in self.ranking if candidate in ranking)
        )


def severities(units: Sequence[PanelUnit]) -> dict[str, float]:
    """Return judge -> mean of its scores minus the panel's on the same units, in points; below 0 is severe.

    Own-family scores are left out on either side; so is a judge that shares no unit with another.
    """
    gaps: dict[str, list[float]] = {}
    for unit in units:
        panel = {judge: s for judge, s in unit.scores.items() if s is not None and judge not in unit.own}
        if len(panel) >= 2:
            mean = fmean(panel.values())
            for judge, score in panel.items():
                gaps.setdefault(judge, []).append(score - mean)
    return {judge: fmean(gap) for judge, gap in gaps.items()}


def self_preference(units: Sequence[PanelUnit], judge: str, *, seed: int) -> SelfPreference | Refused:
    """Return the judge's difference in differences; refused unless it and others scored both own and other answers."""
    rows = [
        (unit.question, judge in unit.own, score - others)
        for unit in units
        if (score := unit.score(judge)) is not None and (others := unit.others(judge)) is not None
    ]
    own = np.array([mine for _, mine, _ in rows], dtype=float)
    if not rows or own.min() == own.max():
        side = "other models" if rows and own.min() else "its own family"
        return Refused(
            reason=f"self-preference of {judge} needs answers of {side} that it and another judge have scored"
        )
    gaps = np.array([gap for _, _, gap in rows])
    clusters, index = resampling.cluster_index([question for question, _, _ in rows])
    per_unit = np.stack([own * gaps, own, (1 - own) * gaps, 1 - own], axis=1)
    sums = resampling.sums_by_cluster(per_unit, index, clusters)
    enough = clusters >= resampling.MIN_QUESTIONS
    draws = _deltas(resampling.resampled_counts(clusters, seed) @ sums) if enough else None
    return SelfPreference(
        judge=judge,
        delta=float(_deltas(sums.sum(axis=0))),
        interval=None if draws is None else resampling.percentile_interval(draws),
        own_units=int(own.sum()),
        other_units=int((1 - own).sum()),
        questions=clusters,
    )


def error_correlation(errors: Sequence[Sequence[float | None]]) -> float | None:
    """Return the mean correlation between judges of their errors (score minus truth); one row a judge, one column a unit.

    The truth has to come from elsewhere (execution, people): against the panel's own mean errors look independent by construction.
    ``None``: no two judges have three common units with errors that vary.
    """
    correlations = []
    for a, b in combinations([as_floats(row) for row in errors], 2):
        both = ~np.isnan(a) & ~np.isnan(b)
        if both.sum() >= 3 and a[both].std() > 0 and b[both].std() > 0:
            correlations.append(float(np.corrcoef(a[both], b[both])[0, 1]))
    return fmean(correlations) if correlations else None


def effective_judges(judges: int, correlation: float) -> float:
    """Return how many independent judges a panel is worth, 1 to J: J / (1 + (J-1) rho); a negative rho counts as 0."""
    return judges / (1 + (judges - 1) * max(0.0, correlation))


def leave_one_judge_out(units: Sequence[PanelUnit]) -> LeaveOneOut:
    """Rank the candidates by the mean over questions of the judges not of their family, with each judge left out in turn."""
    judges = sorted({judge for unit in units for judge in unit.scores})
    return LeaveOneOut(ranking=_ranking(units, None), without={judge: _ranking(units, judge) for judge in judges})


def _deltas(sums: Array) -> Array:
    """Return own mean minus other mean from (..., [sum own, n own, sum other, n other]); NaN where a side is empty."""
    own, own_n, other, other_n = np.moveaxis(sums, -1, 0)
    missing = np.full_like(own, np.nan)
    own_mean = np.divide(own, own_n, out=missing.copy(), where=own_n > 0)
    return np.asarray(own_mean - np.divide(other, other_n, out=missing, where=other_n > 0))


def _ranking(units: Sequence[PanelUnit], left_out: str | None) -> tuple[str, ...]:
    scores: dict[str, dict[str, list[float]]] = {}
    for unit in units:
        mean = unit.others(left_out or "")
        if mean is not None:
            scores.setdefault(unit.candidate, {}).setdefault(unit.question, []).append(mean)
    means = {candidate: fmean(map(fmean, questions.values())) for candidate, questions in scores.items()}
    return tuple(sorted(means, key=lambda candidate: (-round(means[candidate], 9), candidate)))
