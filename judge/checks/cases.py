"""Calls of an answer and what came of them. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from judge.checks.checking import FailureKind
from judge.checks.showing import shown
from runner.outcomes import CallResult
from runner.protocol import Call, Counting

Batch = Sequence[Call]
Results = tuple[CallResult, ...]


@dataclass(frozen=True)
class Case:
    """One call and what is right for it."""

    args: tuple[Any, ...]
    expected: Any = None
    accepts: Callable[[CallResult], bool] | None = None
    """``None`` accepts exactly ``expected``, in the same types."""
    expected_text: str | None = None
    """What is right, in words; ``None`` shows ``expected``."""
    count: Counting | None = None

    def accepted(self, result: CallResult) -> bool:
        """True when the call went right."""
        if self.accepts is not None:
            return self.accepts(result)
        return result.ok and same(result.value, self.expected)

    def shown_expected(self) -> str:
        """What is right, for a person."""
        return self.expected_text if self.expected_text is not None else shown(self.expected)


def same(one: Any, other: Any) -> bool:
    """True for equal plain values of the same types: 120 is not 120.0, and a list is not a tuple."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def ended(results: Results) -> bool:
    """True when the sandbox ended in one of these calls."""
    return any(result.state in ("timeout", "died", "tampered") for result in results)


def kind_of(result: CallResult) -> FailureKind:
    """Return what sort of failure a call is that did not give what it should."""
    kinds: dict[str, FailureKind] = {
        "raised": "raised",
        "timeout": "timeout",
        "died": "died",
        "aborted": "unbounded",
    }
    return kinds.get(result.state, "wrong")


def reason_of(result: CallResult) -> str:
    """Return in words what sort of failure a call is."""
    reasons = {
        "raised": "it raised an exception",
        "timeout": f"it hangs: {result.message}",
        "died": f"the process died: {result.message}",
        "aborted": "it takes more operations than the check allows",
        "missing": "there is no such name in the answer",
    }
    return reasons.get(result.state, "wrong result")
