"""C-T1-Q1: the factorial of n, with type hints.

Open, so accepted: recursion or iteration, any limit on n from a few hundred on (recursion depth), any way to refuse a
negative n (the question does not mention it, so 1 for an empty product is fine), and what happens to anything but an int.
"""

import functools
import math
import random

from judge.checks.candidates import Entry, WantedFunction
from judge.checks.cases import Case
from judge.checks.checking import Check
from judge.checks.entry import CannotCall, find_function
from judge.checks.hints import function_hints, says_integer
from judge.checks.subject import Subject
from runner.outcomes import CallResult

QUESTION = "C-T1-Q1"
CALL_WALL_S = 1.0

EXAMPLE = Check(id="example", criteria=("correct_logic",), about="5! is 120")
SMALL = Check(id="small", criteria=("correct_logic",), about="n! for every n from 2 to 12")
LARGE = Check(id="large", criteria=("correct_logic",), about="n! is exact beyond 64 bits and beyond floats")
RANDOM = Check(id="random", criteria=("correct_logic",), about="n! for random n up to 200, in random order, twice")
ZERO = Check(id="zero", criteria=("edge_cases",), about="0! is 1")
ONE = Check(id="one", criteria=("edge_cases",), about="1! is 1")
NEGATIVE = Check(
    id="negative", criteria=("edge_cases",), about="a negative n gets neither a made-up number nor an endless loop"
)
PARAMETER = Check(id="parameter_hint", criteria=("type_hints",), about="n is annotated as an integer", static=True)
RETURN = Check(id="return_hint", criteria=("type_hints",), about="the result is annotated as an integer", static=True)

CHECKS = (EXAMPLE, SMALL, LARGE, RANDOM, ZERO, ONE, NEGATIVE, PARAMETER, RETURN)

_SEED = 20
_WANTED = WantedFunction(
    names=("factorial", "fact", "calculate_factorial", "compute_factorial", "get_factorial", "factorial_of"),
    words=("fact",),
    example=Case((5,), 120),
)


async def examine(subject: Subject) -> None:
    """Record every check."""
    try:
        entry = await find_function(subject, _WANTED)
    except CannotCall as hanging:
        _hints(subject, hanging.entry)
        raise
    _hints(subject, entry)
    await subject.check_cases(entry.target, _cases(), entry.shown_name)


@functools.cache
def _cases() -> dict[Check, list[Case]]:
    """Made once: they are the same for every answer."""
    numbers = random.Random(_SEED).sample(range(13, 200), 12)
    return {
        EXAMPLE: [_WANTED.example],
        SMALL: [_factorial(n) for n in range(2, 13)],
        LARGE: [_factorial(n) for n in (20, 25, 50, 171)],
        RANDOM: [_factorial(n) for n in (*numbers, *reversed(numbers))],
        ZERO: [_factorial(0)],
        ONE: [_factorial(1)],
        NEGATIVE: [Case((n,), accepts=_refused, expected_text="an exception, no number, or 1") for n in (-1, -5)],
    }


def _factorial(n: int) -> Case:
    return Case((n,), math.factorial(n))


def _refused(result: CallResult) -> bool:
    """An exception (an endless recursion ends in one too), no number, or 1: the empty product."""
    return result.error is not None or (result.ok and not _is_number(result.value)) or result.value == 1


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _hints(subject: Subject, entry: Entry) -> None:
    hints = function_hints(subject.tree, entry.function, entry.owner)
    if hints is None:
        for check in (PARAMETER, RETURN):
            subject.not_run(check, f"{entry.function} is not defined by a def or an annotated lambda")
        return
    parameter = next(iter(hints.parameters.values()), None)
    subject.judge(PARAMETER, says_integer(parameter), f"n is annotated as {parameter or 'nothing'}")
    subject.judge(RETURN, says_integer(hints.returns), f"the result is annotated as {hints.returns or 'nothing'}")
