"""What statistics return: a figure with its interval, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from judge.stats.arrays import np
from runner.types import Value

if TYPE_CHECKING:
    from judge.stats.arrays import Array


class Interval(Value):
    """A range of plausible values."""

    low: float
    high: float
    confidence: float
    """Two-sided, 0-1: 0.95."""

    def excludes(self, value: float) -> bool:
        """True when ``value`` lies outside."""
        return value < self.low or value > self.high

    def overlaps(self, other: Interval) -> bool:
        """True when the two share at least one value."""
        return self.low <= other.high and other.low <= self.high


def chains(intervals: Mapping[str, Interval]) -> list[set[str]]:
    """Return the names grouped so that neighbours in a group overlap, the lowest group first: a gap starts a new group."""
    groups: list[set[str]] = []
    reach = -np.inf
    for name in sorted(intervals, key=lambda n: intervals[n].low):
        if intervals[name].low > reach:
            groups.append(set())
        groups[-1].add(name)
        reach = max(reach, intervals[name].high)
    return groups


class Coefficient(Value):
    """An estimate with its standard error."""

    value: float
    se: float
    interval: Interval


class Refused(Value):
    """An estimate that is not given, because it would say more than the data do."""

    reason: str
    """One line: what is missing and what would do."""


def as_floats(values: Sequence[float | None]) -> Array:
    """Return the values with missing ones as NaN, for arithmetic inside this package only."""
    return np.array(values, dtype=float)  # numpy makes NaN of None
