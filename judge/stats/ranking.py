"""Pairwise verdicts -> abilities (D13): Bradley-Terry with ties after Davidson, fitted by evalica (Newman's algorithm).

Only models whose score intervals overlap are ranked this way: between the others the scores have decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import evalica
from evalica import Winner

from judge.stats import resampling
from judge.stats.arrays import np
from judge.stats.figures import Interval, chains
from judge.stats.preferences import Match
from runner.types import Value

if TYPE_CHECKING:
    from judge.stats.arrays import Array

PSEUDO_WINS = 0.5
"""Imaginary wins of either side added to every pair that met: without them a model that won everything has no finite ability."""
TOLERANCE, MAX_ITERATIONS = 1e-9, 100_000
"""The fewer the ties, the slower the fit: some 40 steps by the inverse share of ties."""
EQUAL = 1e-6
"""Log abilities this close are equal."""


class Abilities(Value):
    """Bradley-Terry-Davidson abilities."""

    log_abilities: Mapping[str, float]
    """Model -> natural log of its ability; they sum to 0."""
    tie_parameter: float
    """Davidson's nu: 0 without ties. P(tie) = nu sqrt(ab) / (a + b + nu sqrt(ab))."""


class Ranking(Value):
    """The order of models that overlap."""

    ranking: tuple[str, ...]
    """Best first; equal abilities in alphabetical order."""
    abilities: Abilities
    p_better: Mapping[str, Mapping[str, float]] | None
    """A -> B -> P(A > B), 0-1, over a question-cluster bootstrap, for pairs whose intervals overlap; ``None`` under 5 questions."""
    questions: int
    matches: int


def rankings(
    matches: Sequence[Match], intervals: Mapping[str, Interval], *, seed: int, draws: int = resampling.DRAWS
) -> tuple[Ranking, ...]:
    """Return a ranking for each group of models that matches connect, among those whose score intervals overlap in a chain.

    Matches across chains do not count; models that never met, directly or through others, cannot be ordered by matches.
    """
    chain_of = {model: at for at, chain in enumerate(chains(intervals)) for model in chain}
    inside = [m for m in matches if m.a in chain_of and chain_of[m.a] == chain_of.get(m.b)]
    return tuple(
        _ranking([match for match in inside if match.a in group], intervals, seed, draws)
        for group in _connected(inside)
    )


def abilities(wins: Mapping[tuple[str, str], float], ties: Mapping[tuple[str, str], float]) -> Abilities:
    """Fit abilities to counts: (winner, loser) -> wins, (either, other) -> ties.

    Abilities are finite and unique only if every model has won, or tied, against the rest somehow and lost somehow: ``PSEUDO_WINS``.
    """
    tied = {pair: n for pair, n in ties.items() if n > 0}
    xs, ys = zip(*wins, *tied, strict=True)
    winners = [Winner.X] * len(wins) + [Winner.Draw] * len(tied)
    weights = [float(n) for n in (*wins.values(), *tied.values())]
    # Without ties the two models are one, and Newman's updates swing between two models for ever.
    method = evalica.newman if tied else evalica.bradley_terry
    fit = method(xs, ys, winners, weights=weights, tolerance=TOLERANCE, limit=MAX_ITERATIONS)
    if fit.iterations >= MAX_ITERATIONS:
        raise RuntimeError(f"abilities of {len(fit.scores)} models did not settle in {MAX_ITERATIONS} steps")
    logs = np.log(fit.scores)
    centred = logs - logs.mean()
    return Abilities(
        log_abilities={str(model): float(value) for model, value in centred.items()},
        tie_parameter=2 * float(fit.v) if isinstance(fit, evalica.NewmanResult) else 0.0,
    )


def _connected(matches: Sequence[Match]) -> list[set[str]]:
    groups: list[set[str]] = []
    for a, b in {(match.a, match.b): None for match in matches}:
        joined = [group for group in groups if a in group or b in group]
        groups = [group for group in groups if group not in joined] + [{a, b}.union(*joined)]
    return groups


def _ranking(matches: Sequence[Match], intervals: Mapping[str, Interval], seed: int, draws: int) -> Ranking:
    fitted = _fit(Counter((m.a, m.b, m.result) for m in matches))
    questions = {match.question for match in matches}
    order = sorted(fitted.log_abilities, key=lambda m: (-round(fitted.log_abilities[m], 6), m))
    enough = len(questions) >= resampling.MIN_QUESTIONS
    return Ranking(
        ranking=tuple(order),
        abilities=fitted,
        p_better=_p_better(_resampled(matches, order, seed, draws), order, intervals) if enough else None,
        questions=len(questions),
        matches=len(matches),
    )


def _fit(counts: Mapping[tuple[str, str, str], float]) -> Abilities:
    met = {(a, b) for a, b, _ in counts}
    wins = {(a, b): counts.get((a, b, "a"), 0) + PSEUDO_WINS for a, b in met}
    wins |= {(b, a): counts.get((a, b, "b"), 0) + PSEUDO_WINS for a, b in met}
    return abilities(wins, {(a, b): counts.get((a, b, "tie"), 0) for a, b in met})


def _resampled(matches: Sequence[Match], models: Sequence[str], seed: int, draws: int) -> Array:
    """Return draws x models: log abilities with the questions drawn anew."""
    clusters, index = resampling.cluster_index([match.question for match in matches])
    cells = sorted({(m.a, m.b, m.result) for m in matches})
    tallies = np.zeros((clusters, len(cells)))
    for match, question in zip(matches, index, strict=True):
        tallies[question, cells.index((match.a, match.b, match.result))] += 1
    drawn = resampling.resampled_counts(clusters, seed, draws) @ tallies
    # Five questions have 126 different resamples, and a fit takes a millisecond.
    different, which = np.unique(drawn, axis=0, return_inverse=True)
    fits = [_fit(dict(zip(cells, row, strict=True))).log_abilities for row in different.tolist()]
    return np.array([[fit[model] for model in models] for fit in fits])[which.reshape(-1)]


def _p_better(draws: Array, models: Sequence[str], intervals: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    table: dict[str, dict[str, float]] = {model: {} for model in models}
    for i, k in combinations(range(len(models)), 2):
        a, b = models[i], models[k]
        if intervals[a].overlaps(intervals[b]):
            gap = draws[:, i] - draws[:, k]
            better = float(np.mean(np.where(np.abs(gap) < EQUAL, 0.5, gap > 0)))
            table[a][b], table[b][a] = better, 1 - better
    return table
