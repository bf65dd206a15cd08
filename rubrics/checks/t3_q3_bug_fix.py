"""C-T3-Q3: the corrected merge_intervals. Naming and explaining the bug is for judges; here the fix is run.

Open, so accepted: intervals as lists or tuples, a new list or the changed input, returned or (with no result) in
place, any other name. The question does not mention empty input, on which the original fails: it is not looked at.
Intervals that touch are merged, as the original's ``<=`` does.
"""

import functools
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from judge.checks.candidates import WantedFunction, words_of
from judge.checks.cases import Case
from judge.checks.checking import Check
from judge.checks.entry import find_function
from judge.checks.showing import shown
from judge.checks.subject import Subject
from runner.outcomes import CallResult, Inventory

QUESTION = "C-T3-Q3"

_FIX = ("correct_fix",)

CONTAINED = Check(id="contained", criteria=_FIX, about="an interval inside another one does not shorten it")
CHAIN = Check(id="chain", criteria=_FIX, about="several intervals inside one leave its end alone")
OVERLAP = Check(id="overlap", criteria=_FIX, about="overlapping intervals become one with the later end")
TOUCHING = Check(id="touching", criteria=_FIX, about="intervals that touch are still merged")
APART = Check(id="apart", criteria=_FIX, about="intervals that do not meet stay as they are")
UNSORTED = Check(id="unsorted", criteria=_FIX, about="the order of the input does not matter")
PLAIN = Check(id="plain", criteria=_FIX, about="one interval, equal intervals, negative numbers, fractions")
RANDOM = Check(id="random", criteria=_FIX, about="random intervals give what a reference gives")

CHECKS = (CONTAINED, CHAIN, OVERLAP, TOUCHING, APART, UNSORTED, PLAIN, RANDOM)

_SEED = 33
_RANDOM_CASES = 60

Interval = tuple[float, float]


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Return what is right: the reference."""
    result: list[Interval] = []
    for start, end in sorted(intervals):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def _case(*intervals: Interval) -> Case:
    expected = merged(intervals)
    given = [list(interval) for interval in intervals]

    def accepts(result: CallResult) -> bool:
        return _read(result, given) == expected

    return Case(
        (given,),
        accepts=accepts,
        expected_text=shown([list(interval) for interval in expected]),
    )


def _read(result: CallResult, given: list[list[float]]) -> list[Interval] | None:
    """Return the intervals in a result, or in what became of the input; ``None`` when there are none."""
    found: Any = result.value
    if result.ok and found is None:
        found = result.args_after[0] if result.args_after is not None else given
    if not isinstance(found, list | tuple | set | frozenset) or not all(map(_is_interval, found)):
        return None
    read = [(one[0], one[1]) for one in found]
    return sorted(read) if isinstance(found, set | frozenset) else read


def _is_interval(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(end, int | float) for end in value)


_WANTED = WantedFunction(
    names=("merge_intervals", "merge", "merge_overlapping_intervals", "merge_overlapping"),
    words=("merge", "interval"),
    example=_case((1, 3), (2, 6), (8, 10), (15, 18), (16, 17)),
    versions=True,
)
_FIXED = frozenset(
    {"fixed", "fix", "correct", "corrected", "new", "right", "improved", "solution", "v2", "after", "final"}
)
_NOT_FIXED = frozenset(
    {"not", "non", "before", "is", "are", "check", "test", "verify", "original", "old", "buggy", "wrong"}
)


def _wanted(inventory: Inventory) -> WantedFunction:
    """What is named as the fixed one is as good a name as the usual ones: an answer may keep the original beside it."""
    functions = [*inventory.functions, *(method for owner in inventory.classes for method in owner.methods)]
    fixed = [f.name for f in functions if "merge" in f.name.lower() and _is_fixed(set(words_of(f.name)))]
    return replace(_WANTED, names=(*_WANTED.names, *fixed))


def _is_fixed(words: set[str]) -> bool:
    return bool(words & _FIXED) and not words & _NOT_FIXED


async def examine(subject: Subject) -> None:
    """Record every check."""
    entry = await find_function(subject, _wanted(subject.inventory))
    await subject.check_cases(entry.target, _cases(), entry.shown_name)


@functools.cache
def _cases() -> dict[Check, list[Case]]:
    """Made once: they are the same for every answer."""
    return {
        CONTAINED: [_case((1, 10), (2, 5)), _case((1, 4), (2, 3)), _case((0, 100), (10, 20), (200, 300))],
        CHAIN: [
            _case((1, 10), (2, 3), (4, 5), (6, 7)),
            _case((1, 9), (2, 8), (3, 7)),
            _case((1, 8), (2, 3), (8, 9)),
        ],
        OVERLAP: [_case((1, 3), (2, 6)), _case((1, 3), (2, 6), (8, 10), (15, 18)), _case((1, 4), (2, 5), (3, 6))],
        TOUCHING: [_case((1, 4), (4, 5)), _case((0, 1), (1, 2), (2, 3)), _case((1, 9), (9, 9), (9, 12))],
        APART: [_case((1, 2), (3, 4), (5, 6)), _case((1, 2), (10, 20)), _case((5, 5), (6, 6))],
        UNSORTED: [
            _case((5, 6), (1, 2)),
            _case((8, 10), (1, 3), (2, 6)),
            _case((2, 3), (1, 10)),
            _case((4, 5), (1, 4)),
        ],
        PLAIN: [
            _case((1, 4)),
            _case((1, 3), (1, 3)),
            _case((-5, -1), (-3, 2)),
            _case((0.5, 1.5), (1.25, 1.4)),
            *_same_start(),
        ],
        RANDOM: list(_random_cases()),
    }


def _same_start() -> Iterator[Case]:
    yield _case((1, 5), (1, 2))
    yield _case((1, 2), (1, 5))


def _random_cases() -> Iterator[Case]:
    source = random.Random(_SEED)
    for _ in range(_RANDOM_CASES):
        starts = [source.randint(-20, 40) for _ in range(source.randint(1, 9))]
        yield _case(*[(start, start + source.choice((0, 1, 2, 3, 5, 8, 13))) for start in starts])
