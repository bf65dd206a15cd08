"""The agreement page: everything that is said about how far raters (judges, or a judge and people) agree on the 1-5 scale.

No single coefficient will do: near the ceiling kappa and alpha collapse although raters agree (A3), while exact agreement and
AC2 look splendid although they agree on nothing but "5". So all of them, with the share of fives and the table beside them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from judge.stats import resampling
from judge.stats.alpha import coincidences, ordinal_alphas
from judge.stats.arrays import np, stats
from judge.stats.figures import Coefficient, Interval
from judge.stats.gwet import expected_by_chance, gwet_ac, unit_agreement
from judge.stats.kappa import SCALE, Weighting, agreement_weights, kappas, weighted_kappa
from judge.types import Grade
from runner.types import Value

if TYPE_CHECKING:
    from judge.stats.arrays import Array, Bytes, Index, Whole


class RatedUnit(NamedTuple):
    """One criterion of one answer with the scores that raters gave it; not a ``Value``, as there may be hundreds of thousands."""

    question: str
    model: str
    """Who wrote the answer: with several models pooled, the questions are clusters."""
    scores: Mapping[str, Grade | None]
    """Rater -> score; ``None`` or absent: this rater did not score it."""


class AgreementIntervals(Value):
    """95 % intervals of a question-cluster bootstrap; ``None``: undefined in too many resamples."""

    questions: int
    alpha: Interval | None
    qwk: Interval | None
    ac2: Interval | None
    exact: Interval | None
    within_one: Interval | None
    bias: Interval | None


class Agreement(Value):
    """How far raters agree. Figures of two raters are ``None`` for more."""

    raters: tuple[str, ...]
    units: int
    """Units that at least two of them scored."""
    questions: int
    models: int
    alpha: float | None
    """Krippendorff's ordinal alpha, at most 1; ``None``, undefined, when all ratings are alike."""
    ac2: Coefficient | None
    """Gwet's, quadratic weights; ``None`` with fewer than two units."""
    exact: float
    """Share of pairs of ratings that are equal, 0-1."""
    within_one: float
    """Share of pairs of ratings that differ by at most 1."""
    top_share: float
    """Share of all ratings that are 5, 0-1: near 1 every coefficient says little."""
    qwk: Coefficient | None
    """Quadratic weighted kappa of two raters; ``None``, undefined, when one of them is constant."""
    tau_b: float | None
    """Kendall's of two raters; ``None`` as for ``qwk``."""
    bias: float | None
    """Mean of the first rater's score minus the second's, in points."""
    table: tuple[tuple[int, ...], ...] | None
    """5 x 5 counts of two raters, rows the first rater's 1..5."""
    intervals: AgreementIntervals | None
    """``None`` for a single model, where units are not pooled, and under 5 questions."""


class Ratings(NamedTuple):
    """The scores of many units in columns, a byte each."""

    raters: tuple[str, ...]
    given: Bytes
    """Raters x units; UNRATED: no score."""
    questions: Index
    """The question of each unit, as a number; ascending as the names do."""
    models: Index
    """Likewise."""


def ratings(units: Iterable[RatedUnit], raters: Sequence[str]) -> Ratings:
    """Return what ``raters`` gave, holding none of the units."""
    given, questions, models = bytearray(), _Names(), _Names()
    for unit in units:
        given += bytes(unit.scores.get(rater) or UNRATED for rater in raters)
        questions.add(unit.question)
        models.add(unit.model)
    columns = np.frombuffer(given, dtype=np.uint8).reshape(-1, len(raters)).T
    return Ratings(tuple(raters), columns, questions.places(), models.places())


class _Names:
    """A name a unit, held as the number of the name."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._column = array("L")

    def add(self, name: str) -> None:
        self._column.append(self._numbers.setdefault(name, len(self._numbers)))

    def places(self) -> Index:
        """Return the place of each unit's name among all names in order."""
        ranks = {name: rank for rank, name in enumerate(sorted(self._numbers))}
        by_number = np.array([ranks[name] for name in self._numbers], dtype=np.intp)
        return by_number[np.array(self._column, dtype=np.intp)]


def agreement(units: Iterable[RatedUnit], raters: Sequence[str], *, seed: int) -> Agreement | None:
    """Return how far ``raters`` (two or more) agree on ``units``; ``None`` when no unit was scored by two of them."""
    return agreement_of(ratings(units, raters), raters, seed=seed)


def agreement_of(rated: Ratings, raters: Sequence[str], *, seed: int) -> Agreement | None:
    """Return the same of these ``raters`` among those of ``rated``."""
    given = rated.given[[rated.raters.index(rater) for rater in raters]]
    kept = (given != UNRATED).sum(axis=0) >= 2
    if not kept.any():
        return None
    given, questions, models = given[:, kept], rated.questions[kept], rated.models[kept]
    counts = np.stack([(given == value).sum(axis=0) for value in SCALE], axis=1).astype(float)
    places = _table_places(given.astype(np.int64)) if len(raters) == 2 else None
    table = None if places is None else _tables(places, np.zeros_like(places), 1)[0]
    return Agreement(
        raters=tuple(raters),
        units=given.shape[1],
        questions=len(np.unique(questions)),
        models=len(np.unique(models)),
        alpha=_defined(float(ordinal_alphas(coincidences(counts).sum(axis=0)))),
        ac2=gwet_ac(counts),
        exact=float(unit_agreement(counts, _weights("unweighted")).mean()),
        within_one=float(unit_agreement(counts, _within_one()).mean()),
        top_share=float(counts[:, -1].sum() / counts.sum()),
        qwk=None if table is None else weighted_kappa(table),
        tau_b=None if table is None else _tau_b(given.astype(np.int64)),
        bias=None if table is None else float(_biases(table)),
        table=None if table is None else tuple(tuple(map(int, row)) for row in table),
        intervals=_intervals(questions, models, places, counts, seed),
    )


UNRATED = 0


@cache
def _weights(weighting: Weighting) -> Array:
    return agreement_weights(len(SCALE), weighting)


@cache
def _within_one() -> Array:
    return np.asarray(np.abs(np.subtract.outer(SCALE, SCALE)) <= 1, dtype=float)


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else value


def _table_places(given: Whole) -> Whole:
    """Return for each unit that both of two raters rated the place of its cell in a 5 x 5 table, row by row."""
    return np.asarray((given[0] - SCALE[0]) * len(SCALE) + given[1] - SCALE[0])


def _tables(places: Whole, index: Whole, clusters: int) -> Array:
    """Return clusters x 5 x 5 counts of units; ``index``: the cluster of each."""
    cells = len(SCALE) ** 2
    counts = np.bincount(index * cells + places, minlength=clusters * cells)
    return counts.reshape(clusters, len(SCALE), len(SCALE)).astype(float)


def _tau_b(given: Whole) -> float | None:
    if any(len(np.unique(row)) < 2 for row in given):
        return None
    return float(stats.kendalltau(*given, variant="b").statistic)


def _biases(tables: Array) -> Array:
    """Return mean(first - second) of each table (..., q, q); NaN for an empty one."""
    n = tables.sum(axis=(-2, -1))
    difference = (tables * np.subtract.outer(SCALE, SCALE)).sum(axis=(-2, -1))
    return np.asarray(np.divide(difference, n, out=np.full_like(n, np.nan), where=n > 0))


def _intervals(
    questions: Index, models: Index, places: Whole | None, counts: Array, seed: int
) -> AgreementIntervals | None:
    """Every figure is a function of sums over units, so a resample is a weighted sum over the questions' sums."""
    names, index = np.unique(questions, return_inverse=True)
    clusters = len(names)
    if len(np.unique(models)) < 2 or clusters < resampling.MIN_QUESTIONS:
        return None
    draws = resampling.resampled_counts(clusters, seed)

    def resampled(values: Array) -> Array:
        return np.tensordot(draws, resampling.sums_by_cluster(values, index, clusters), axes=1)

    n = resampled(np.ones(len(questions)))
    prevalence = resampled(counts / counts.sum(axis=1, keepdims=True)) / n[:, None]
    chance = expected_by_chance(prevalence, _weights("quadratic"))
    observed = resampled(unit_agreement(counts, _weights("quadratic"))) / n
    tables = None if places is None else np.tensordot(draws, _tables(places, index, clusters), axes=1)
    interval = resampling.percentile_interval
    return AgreementIntervals(
        questions=clusters,
        alpha=interval(ordinal_alphas(resampled(coincidences(counts)))),
        ac2=interval((observed - chance) / (1 - chance)),
        exact=interval(resampled(unit_agreement(counts, _weights("unweighted"))) / n),
        within_one=interval(resampled(unit_agreement(counts, _within_one())) / n),
        qwk=None if tables is None else interval(kappas(tables, _weights("quadratic"))),
        bias=None if tables is None else interval(_biases(tables)),
    )
