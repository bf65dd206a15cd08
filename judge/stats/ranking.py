"""Pairwise verdicts -> abilities (D13): Bradley-Terry with ties after Davidson, fitted by evalica (Newman's algorithm).

Only models whose score intervals overlap are ranked this way: between the others the scores have decided. Every pair is asked in
both orders; two orders that disagree are a tie, so that a judge which always says "the first" finds all models equal.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Literal

import evalica
import numpy as np
from evalica import Winner

from judge.stats import resampling
from judge.stats.figures import Array, Interval
from runner.types import Value

PSEUDO_WINS = 0.5
"""Imaginary wins of either side added to every pair that met: without them a model that won everything has no finite ability."""
TOLERANCE, MAX_ITERATIONS = 1e-9, 100_000
"""The fewer the ties, the slower the fit: some 40 steps by the inverse share of ties."""
EQUAL = 1e-6
"""Log abilities this close are equal."""

Result = Literal["first", "second", "tie"]


class Preference(Value):
    """What a judge said when shown two answers in this order."""

    question: str
    sample: int = 0
    first: str
    """Model whose answer was shown first."""
    second: str
    preferred: Result


class Match(Value):
    """What both orders together say."""

    question: str
    a: str
    b: str
    """Alphabetically after ``a``."""
    result: Literal["a", "b", "tie"]


class Matches(Value):
    """Preferences put together, and what could not be."""

    matches: tuple[Match, ...]
    one_sided: int
    """Pairs asked in one order only, or more than once in one: not used, owed."""
    order_flips: int
    """Matches where a side won in one order and the other side in the other: the judge looks at the place."""


class PositionBias(Value):
    """Does the judge look at the answers, or at their places? Of pairs that were asked in both orders."""

    pairs: int
    consistent: int
    """Pairs of which both orders say the same: one side twice, or a tie twice."""
    decisive: int
    """Verdicts that name a side, either order."""
    first_wins: int
    """Of these, those that name the side that was shown first."""

    @property
    def consistent_share(self) -> float | None:
        """0-1; ``None`` without a pair."""
        return self.consistent / self.pairs if self.pairs else None

    @property
    def first_share(self) -> float | None:
        """0-1, and 0.5 for a judge that looks at no place; ``None`` when no verdict names a side."""
        return self.first_wins / self.decisive if self.decisive else None


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


def matches_of(preferences: Iterable[Preference]) -> Matches:
    """Put the two orders of each question, sample and pair together."""
    matches, one_sided, flips = [], 0, 0
    for (question, _, a, b), asked in _by_pair(preferences).items():
        if not _both_orders(asked):
            one_sided += 1
            continue
        winners = {_winner(p) for p in asked}
        flips += winners == {a, b}
        result: Literal["a", "b", "tie"] = "a" if winners == {a} else "b" if winners == {b} else "tie"
        matches.append(Match(question=question, a=a, b=b, result=result))
    return Matches(matches=tuple(matches), one_sided=one_sided, order_flips=flips)


def position_bias(preferences: Iterable[Preference]) -> PositionBias:
    """Count how often both orders agree, and how often the first one shown wins; pairs asked in one order only do not count."""
    pairs = [asked for asked in _by_pair(preferences).values() if _both_orders(asked)]
    decisive = [p.preferred for asked in pairs for p in asked if p.preferred != "tie"]
    return PositionBias(
        pairs=len(pairs),
        consistent=sum(len({_winner(p) for p in asked}) == 1 for asked in pairs),
        decisive=len(decisive),
        first_wins=decisive.count("first"),
    )


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


def chains(intervals: Mapping[str, Interval]) -> list[set[str]]:
    """Return the models grouped so that neighbours in a group overlap, the lowest group first: a gap starts a new group."""
    groups: list[set[str]] = []
    reach = -np.inf
    for model in sorted(intervals, key=lambda m: intervals[m].low):
        if intervals[model].low > reach:
            groups.append(set())
        groups[-1].add(model)
        reach = max(reach, intervals[model].high)
    return groups


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


def _by_pair(preferences: Iterable[Preference]) -> dict[tuple[str, int, str, str], list[Preference]]:
    """Return (question, sample, a, b) -> what was asked of it; ``b`` alphabetically after ``a``."""
    groups: dict[tuple[str, int, str, str], list[Preference]] = defaultdict(list)
    for p in preferences:
        a, b = sorted((p.first, p.second))
        groups[p.question, p.sample, a, b].append(p)
    return groups


def _both_orders(asked: Sequence[Preference]) -> bool:
    return len(asked) == 2 and asked[0].first == asked[1].second


def _winner(preference: Preference) -> str | None:
    return {"first": preference.first, "second": preference.second, "tie": None}[preference.preferred]


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
