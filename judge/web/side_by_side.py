"""Two programs beside each other, line by line. Pure."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

from runner.types import Value

MOST_LINES = 3000
"""Of either program; finding the differences of more could take minutes."""

Kind = Literal["same", "changed", "removed", "added"]


class DiffLine(Value):
    """One line of a table with two programs."""

    kind: Kind
    left_number: int | None
    """From 1; ``None``: no line here."""
    left: str
    right_number: int | None
    """From 1; ``None``: no line here."""
    right: str


def diff_lines(left: str, right: str) -> tuple[DiffLine, ...] | None:
    """Return both texts line by line, equal lines beside each other; ``None`` when they are too long to compare."""
    one, other = left.splitlines(), right.splitlines()
    if max(len(one), len(other)) > MOST_LINES:
        return None
    return tuple(_lines(one, other))


def _lines(left: Sequence[str], right: Sequence[str]) -> Iterator[DiffLine]:
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, left, right).get_opcodes():
        for i, j in zip_longest(range(i1, i2), range(j1, j2)):
            kind: Kind = "same" if tag == "equal" else "added" if i is None else "removed" if j is None else "changed"
            yield DiffLine(
                kind=kind,
                left_number=None if i is None else i + 1,
                left="" if i is None else left[i],
                right_number=None if j is None else j + 1,
                right="" if j is None else right[j],
            )
