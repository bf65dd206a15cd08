"""C-T3-Q1: all valid IP addresses that dots in a string of digits can make.

Open, so accepted: the order, any collection or iterator of strings, an empty result or a ValueError where nothing can
be made, what happens to anything but digits. Efficiency is counted in operations, never timed: with pruning, three
dots have at most 81 places however long the string is; dots tried everywhere have n^3.
"""

import functools
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator

from judge.checks.candidates import WantedFunction
from judge.checks.cases import Case
from judge.checks.checking import Check
from judge.checks.entry import find_function
from judge.checks.showing import shown
from judge.checks.subject import Subject
from runner.outcomes import CallResult
from runner.protocol import Counting

QUESTION = "C-T3-Q1"

_CORRECT, _ALL, _EFFICIENT = ("correct_algorithm",), ("all_valid_ips_found",), ("efficient",)

EXAMPLE = Check(id="example", criteria=_CORRECT, about="the example of the question gives exactly its two addresses")
ZEROS = Check(id="leading_zeros", criteria=_CORRECT, about="no part has a leading zero, and no digit is dropped")
RANGE = Check(id="range", criteria=_CORRECT, about="no part is above 255")
LENGTH = Check(id="length", criteria=_CORRECT, about="fewer than 4 or more than 12 digits make no address")
RANDOM = Check(id="random", criteria=_CORRECT, about="random digits give valid addresses only, call after call")
ONCE = Check(id="once", criteria=_CORRECT, about="no address is given twice")
COMPLETE = Check(id="example_complete", criteria=_ALL, about="both addresses of the example are found")
LIMITS = Check(id="limits", criteria=_ALL, about="0 and 255 are valid parts, and so are 4 and 12 digits")
EVERY = Check(id="every_length", criteria=_ALL, about="parts of one, two and three digits are found at every place")
RANDOM_ALL = Check(id="random_complete", criteria=_ALL, about="nothing is missing for random digits")
SHORT_COST = Check(id="cost_12", criteria=_EFFICIENT, about="12 digits take few operations")
LONG_COST = Check(id="cost_20", criteria=_EFFICIENT, about="20 digits take few operations")
LONGER_COST = Check(id="cost_40", criteria=_EFFICIENT, about="40 digits do not take many times more")
LONGEST_COST = Check(id="cost_200", criteria=_EFFICIENT, about="200 digits do not take many times more")

CHECKS = (
    EXAMPLE, ZEROS, RANGE, LENGTH, RANDOM, ONCE, COMPLETE, LIMITS, EVERY, RANDOM_ALL,
    SHORT_COST, LONG_COST, LONGER_COST, LONGEST_COST,
)  # fmt: skip

_SEED = 31
_EXAMPLE_DIGITS = "25525511135"
_BASE_OPERATIONS, _OPERATIONS_PER_DIGIT = 40_000, 1_000
"""Most operations that pass. 81 places for the dots at some hundred operations each are below the first; slices that
copy the rest of the string and tables over all positions are below the second."""


def addresses(digits: str) -> set[str]:
    """Return what is right: the reference."""
    found = set()
    for lengths in itertools.product((1, 2, 3), repeat=4):
        if sum(lengths) == len(digits):
            ends = list(itertools.accumulate(lengths))
            parts = [digits[end - length : end] for end, length in zip(ends, lengths, strict=True)]
            if all(part == str(int(part)) and int(part) <= 255 for part in parts):
                found.add(".".join(parts))
    return found


def _found(result: CallResult) -> list[str] | None:
    """Return the addresses in a result; ``None`` when it is no collection of strings. A refusal is an empty one."""
    if result.error is not None:
        return [] if result.error.is_a("ValueError") else None
    if result.ok and result.value is None:
        return []
    if not isinstance(result.value, list | tuple | set | frozenset | dict):
        return None
    items = list(result.value)
    return items if all(isinstance(item, str) for item in items) else None


def _case(digits: str, right: Callable[[list[str], set[str]], bool], words: str, count: Counting | None = None) -> Case:
    expected = addresses(digits)

    def accepts(result: CallResult) -> bool:
        found = _found(result)
        return found is not None and right(found, expected)

    listed = shown(sorted(expected))
    return Case((digits,), accepts=accepts, expected_text=f"{words}: {listed}", count=count)


def _exact(digits: str) -> Case:
    return _case(digits, lambda found, expected: set(found) == expected, "exactly")


def _valid(digits: str) -> Case:
    return _case(digits, lambda found, expected: set(found) <= expected, "nothing but")


def _complete(digits: str) -> Case:
    return _case(digits, lambda found, expected: set(found) >= expected, "at least")


def _without_repeats(digits: str) -> Case:
    return _case(digits, lambda found, _: max(Counter(found).values(), default=0) <= 1, "each once")


def _within(digits: str) -> Case:
    cap = _BASE_OPERATIONS + _OPERATIONS_PER_DIGIT * len(digits)
    return _case(digits, lambda *_: True, f"at most {cap} operations", Counting(cap=cap))


_WANTED = WantedFunction(
    names=(
        "restore_ip_addresses", "find_valid_ip_addresses", "generate_ip_addresses", "valid_ip_addresses",
        "find_ip_addresses", "generate_valid_ip_addresses", "get_valid_ip_addresses", "find_all_valid_ip_addresses",
        "restore_ips", "find_ips", "find_valid_ips", "generate_ips", "valid_ips", "all_valid_ips",
    ),
    words=("ip",),
    example=_exact(_EXAMPLE_DIGITS),
)  # fmt: skip


def _with_ones(part: str) -> Iterator[list[str]]:
    """Yield four parts, one of them ``part``, at each of the places, the others short or long."""
    for place, other in itertools.product(range(4), ("1", "11")):
        yield [part if index == place else other for index in range(4)]


async def examine(subject: Subject) -> None:
    """Record every check."""
    entry = await find_function(subject, _WANTED)
    await subject.check_cases(entry.target, _cases(), entry.shown_name)
    await subject.check_cases(entry.target, _costs(), entry.shown_name)


@functools.cache
def _cases() -> dict[Check, list[Case]]:
    """Made once: they are the same for every answer."""
    source = random.Random(_SEED)
    sometimes = ["".join(source.choices("0123456789", weights=(3, 6, 6, 2, 1, 4, 1, 1, 1, 1), k=k)) for k in _LENGTHS]
    return {
        EXAMPLE: [_WANTED.example, _WANTED.example],
        ZEROS: [_valid(digits) for digits in ("010010", "0000", "00000", "101023", "1001001", "00255255", "100200")],
        RANGE: [_valid(d) for d in ("256111", "1111256", "2562562561", "999999999999", "300300300300", "1199")],
        LENGTH: [_valid(digits) for digits in ("", "1", "111", "1111111111111", "25525525525512")],
        RANDOM: [_valid(digits) for digits in sometimes],
        ONCE: [_without_repeats(d) for d in (_EXAMPLE_DIGITS, "1111", "11111111", "010010", "0000", *sometimes[:8])],
        COMPLETE: [_complete(_EXAMPLE_DIGITS)],
        LIMITS: [_complete(digits) for digits in ("0000", "255255255255", "1111", "00255255", "199199199199")],
        EVERY: [_complete(digits) for digits in ("1199", "19216811", "11111111", "1010101", "101023", "172162541")]
        + [_complete(digits) for digits in _BORDERS],
        RANDOM_ALL: [_complete(digits) for digits in sometimes],
    }


@functools.cache
def _costs() -> dict[Check, list[Case]]:
    costs = [(SHORT_COST, 12), (LONG_COST, 20), (LONGER_COST, 40), (LONGEST_COST, 200)]
    return {check: [_within("1" * size), _within("12" * (size // 2))] for check, size in costs}


_BORDERS = tuple("".join(parts) for part in ("255", "254", "25", "249", "0", "100") for parts in _with_ones(part))
"""One part at or near a limit, at each place, with ones in the others: several readings of most."""

_LENGTHS = (4, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12) * 2
