"""C-T2-Q1: the longest palindromic substring, the first one of several.

A palindrome is compared character by character, so case and spaces count. Efficiency is read off operation counts at two
sizes: twice the input is four times the work at O(n^2), and eight times at O(n^3).
"""

import functools
import random
from dataclasses import dataclass

from judge.checks.candidates import Entry, WantedFunction
from judge.checks.cases import Case
from judge.checks.checking import Check
from judge.checks.entry import find_function
from judge.checks.subject import NOT_TRIED, Subject
from runner.outcomes import CallResult, Work
from runner.protocol import Call, Counted, Counting

QUESTION = "C-T2-Q1"
CALL_WALL_S = 2.0

EXAMPLES = Check(
    id="examples", criteria=("correct_algorithm",), about="odd and even lengths, in the middle and at both ends"
)
FIRST = Check(id="first_of_equals", criteria=("correct_algorithm",), about="the first of several with the same length")
EXACT = Check(id="exact_characters", criteria=("correct_algorithm",), about="case, spaces and punctuation count")
RANDOM = Check(id="random", criteria=("correct_algorithm",), about="random strings against a plain search")
LONGER = Check(id="longer", criteria=("correct_algorithm",), about="strings and palindromes of 40 to 160 characters")
EMPTY = Check(id="empty", criteria=("edge_cases",), about="the empty string gives the empty string")
SINGLE = Check(id="single", criteria=("edge_cases",), about="a single character is a palindrome")
PAIRS = Check(id="two_characters", criteria=("edge_cases",), about="two characters, equal or not")
WHOLE = Check(
    id="whole_or_nothing", criteria=("edge_cases",), about="all characters alike, all different, or all a palindrome"
)
GROWTH = Check(
    id="growth",
    criteria=("efficiency",),
    about="twice the input is less than six times the work, on every kind of input",
)

CHECKS = (EXAMPLES, FIRST, EXACT, RANDOM, LONGER, EMPTY, SINGLE, PAIRS, WHOLE, GROWTH)

_SEED = 23
_SIZE = 36
"""Smaller of the two sizes for growth; the larger one is twice that."""
_MAX_RATIO = 5.6
"""Between 4 (quadratic; 4.7 with a logarithm) and 8 (cubic; 6.8 at these sizes, with the quadratic part in it)."""
_START_CAP = 1_500_000
"""Operations at the smaller size: ten times what cubic search by single characters takes."""

_WANTED = WantedFunction(
    names=(
        "longest_palindrome",
        "longest_palindromic_substring",
        "find_longest_palindrome",
        "longest_palindrome_substring",
    ),
    words=("longest", "palindrom"),
    example=Case(("xabbay",), "abba"),
)


async def examine(subject: Subject) -> None:
    """Record every check."""
    entry = await find_function(subject, _WANTED)
    await subject.check_cases(entry.target, _cases(), entry.shown_name)
    await _growth(subject, entry)


@functools.cache
def _cases() -> dict[Check, list[Case]]:
    """Made once: they are the same for every answer."""
    choose = random.Random(_SEED)
    texts = {
        EXAMPLES: [
            "babad",
            "cbbd",
            "forgeeksskeegfor",
            "racecarxy",
            "xyracecar",
            "bananas",
            "abacdfgdcaba",
            "abcbaxyzzyx",
        ],
        FIRST: ["abacdc", "aabbcc", "abcd", "xaxbyb", "abbacddc", "babad", "abaxyzzyxaba" + "q" + "xyzzyx"],
        EXACT: ["Aba", "aBBa bb", "a b a", "x, y ,x!", "Noon noon", "1a2a1"],
        RANDOM: [_text(choose, "ab", 12) for _ in range(40)] + [_text(choose, "abcd", 20) for _ in range(20)],
        LONGER: [_text(choose, "ab", 80, 40) for _ in range(4)]
        + [_text(choose, "abc", 80, 40) for _ in range(4)]
        + ["x" + "ab" * 33 + "a" + "y", "a" * 50 + "b" + "a" * 50, "abcd" * 20 + "dcba" * 20],
        EMPTY: [""],
        SINGLE: ["a", "Z", " "],
        PAIRS: ["aa", "ab", "ba"],
        WHOLE: ["aaa", "aaaaaaaa", "abcdef", "abcdcba", "abccba"],
    }
    return {check: [Case((text,), longest_palindrome(text)) for text in some] for check, some in texts.items()}


def longest_palindrome(text: str) -> str:
    """The definition itself: the first of the longest substrings that read the same backwards."""
    for length in range(len(text), 0, -1):
        for start in range(len(text) - length + 1):
            part = text[start : start + length]
            if part == part[::-1]:
                return part
    return ""


def _text(choose: random.Random, letters: str, longest: int, shortest: int = 3) -> str:
    return "".join(choose.choices(letters, k=choose.randint(shortest, longest)))


# --- growth -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Family:
    """A kind of input by size."""

    name: str
    middle: str

    def text(self, size: int) -> str:
        half = (size - len(self.middle)) // 2
        return "a" * half + self.middle + "a" * (size - half - len(self.middle))


_FAMILIES = (
    _Family("all characters alike", ""),
    # No long palindrome, but a search over all substrings sees the difference only in the middle of each.
    _Family("alike but for the middle", "bc"),
)


async def _growth(subject: Subject, entry: Entry) -> None:
    for family in _FAMILIES:
        small = await _counted(subject, entry, family.text(_SIZE), _START_CAP)
        if small is None:
            subject.not_run(GROWTH, NOT_TRIED)
            return
        shown_call = f"{entry.shown_name}(<{2 * _SIZE} characters, {family.name}>)"
        if not small.ok or small.work is None:
            subject.failed_call(GROWTH, small, input=shown_call, expected="a result")
            continue
        large = await _counted(subject, entry, family.text(2 * _SIZE), round(1.5 * _MAX_RATIO * small.work.total))
        if large is None:
            subject.not_run(GROWTH, NOT_TRIED)
        elif not large.ok or large.work is None:
            subject.failed_call(
                GROWTH, large, input=shown_call, expected="less than six times the work of half the size"
            )
        else:
            _compare(subject, shown_call, small.work, large.work)


async def _counted(subject: Subject, entry: Entry, text: str, cap: int) -> CallResult | None:
    call = Call(target=entry.target, args=(Counted(value=text),), count=Counting(cap=cap))
    results = await subject.run([call])
    return results[0] if results is not None else None


def _compare(subject: Subject, shown_call: str, small: Work, large: Work) -> None:
    """Instructions and touched characters are compared apart: the cubic part of one would hide in the other."""
    steps = (large.instructions + large.c_calls) / max(1, small.instructions + small.c_calls)
    touched = large.touched / max(1, small.touched)
    if max(steps, touched) <= _MAX_RATIO:
        subject.passed(GROWTH)
        return
    subject.failed(
        GROWTH,
        "the work grows faster than with the square of the length",
        kind="unbounded",
        input=shown_call,
        expected="about 4 times the operations of half the size (8 times is cubic)",
        got=f"{steps:.1f} times the instructions, {touched:.1f} times the characters touched",
    )
