"""Values and results of an answer's calls, as they may be quoted."""

from typing import Any

from judge.checks.quoting import cut, quoted
from runner.outcomes import CallResult
from runner.protocol import Opaque


def shown(value: Any) -> str:
    """Return a value as it may be quoted."""
    try:
        return cut(ascii(value) if not isinstance(value, Opaque) else f"<{quoted(value.type_name or 'object')}>")
    except ValueError:  # an integer of more digits than Python prints
        size = f"an integer of {value.bit_length()} bits" if isinstance(value, int) else f"a large {_kind(value)}"
        return f"<{size}>"


def shown_result(result: CallResult) -> str:
    """Return how a call went as it may be quoted."""
    if result.ok:
        return shown(result.value)
    if result.error is not None:
        message = f": {result.error.message}" if result.error.message else ""
        return quoted(f"raised {result.error.type}{message}")
    return quoted(f"{result.state}: {result.message or 'no more is known'}")


def _kind(value: object) -> str:
    return type(value).__name__
