"""Which of several points are worth looking at: those that no other beats on both counts. Pure."""

from collections.abc import Sequence

Pair = tuple[float, float]


def pareto_front(points: Sequence[Pair]) -> tuple[bool, ...]:
    """Return for each point, more is better on both counts, whether none is as good on both and better on one."""
    return tuple(not any(_beats(other, point) for other in points) for point in points)


def _beats(one: Pair, other: Pair) -> bool:
    return one != other and one[0] >= other[0] and one[1] >= other[1]
