"""What a judge said of pairs, shown in both orders -> matches, and how far it looks at the place instead of the answer. Pure.

Two orders that disagree are a tie, so that a judge which always says "the first" finds all models equal.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

from runner.types import Value

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
