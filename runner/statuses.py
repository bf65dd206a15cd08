"""What an HTTP status and its body say: which error it is, and whether asking again could help. Pure."""

import email.utils
import json
import math
import time
from collections.abc import Callable, Mapping

from runner.errors import AccessDenied, ContextExceeded, EndpointError
from runner.types import Endpoint

TRANSIENT_STATUS = frozenset({408, 409, 425, 429, 502, 503, 504})
SHOWN_CHARS = 300
"""Of what a server said, in a message."""
_VALIDATION_MARKS = ("validation error", "literal_error", "value_error", "type_error")
_CONTEXT_MARKS = (
    "context_length_exceeded",
    "exceed context window",
    "maximum context length",
    "exceeds the available context",
)


def status_error(where: str, status: int, detail: str, headers: Mapping[str, str]) -> EndpointError:
    """Return the error for an HTTP status: which kind it is, and whether asking again could help."""
    message = f"{where}: HTTP {status}: {detail}"
    if status in (401, 403):
        return AccessDenied(f"{where}: the endpoint refused the key (HTTP {status}): {detail}", status=status)
    if any(mark in detail.lower() for mark in _CONTEXT_MARKS):
        return ContextExceeded(message, status=status)
    # llama-cpp-python answers a malformed request with 500: the same request would fail for ever.
    is_fault = status == 500 and not any(mark in detail.lower() for mark in _VALIDATION_MARKS)
    transient = is_fault or status in TRANSIENT_STATUS
    return EndpointError(
        message, status=status, transient=transient, retry_after_s=retry_after(headers.get("retry-after"))
    )


def error_detail(body: str) -> str:
    """Return message and code of the body of an error on one line; HTML and other bodies are cut short."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    error = said.get("error", said) if isinstance(said, dict) else None
    parts = [str(error[key]) for key in ("message", "code") if error.get(key)] if isinstance(error, dict) else []
    return one_line(" ".join(parts) or body) or "an empty body"


def where(endpoint: Endpoint) -> str:
    """Return how a message names the model that was asked."""
    return f"{endpoint.base_url} ({endpoint.model})"


def retry_after(header: str | None, *, now: Callable[[], float] = time.time) -> float | None:
    """Return the seconds that a Retry-After header asks for (a number or an HTTP date), or ``None``."""
    try:
        seconds = float(header or "nan")
    except ValueError:
        date = email.utils.parsedate_tz(header)
        seconds = math.nan if date is None else email.utils.mktime_tz(date) - now()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def one_line(text: str) -> str:
    """Return ``text`` without line breaks, and no more of it than fits into a message."""
    return " ".join(text.split())[:SHOWN_CHARS]
