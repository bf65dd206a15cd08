"""What an HTTP status and its body say: which error it is, and whether asking again could help. Pure."""

import email.utils
import json
import math
import time
from collections.abc import Callable, Mapping

from runner.errors import AccessDenied, ContextExceeded, EndpointError
from runner.foreign_text import NO_SECRETS, Blackout
from runner.types import Endpoint

TRANSIENT_STATUS = frozenset({408, 409, 425, 429, 502, 503, 504})
SHOWN_CHARS = 300
"""Of what a server said, in a message."""
READ_CHARS = 65_536
"""Of what a server said, to find out what it means: some repeat the request before they say what is wrong with it."""
_VALIDATION_MARKS = ("validation error", "literal_error", "value_error", "type_error")
_CONTEXT_MARKS = (
    "context_length_exceeded",
    "exceed context window",
    "maximum context length",
    "exceeds the available context",
)


def status_error(
    where: str, status: int, body: str, headers: Mapping[str, str], hidden: Blackout = NO_SECRETS
) -> EndpointError:
    """Return the error for an HTTP status and its whole body: which kind it is, and whether asking again could help."""
    told = error_detail(body, hidden)
    said = f"{told} {body[:READ_CHARS]}".lower()
    detail = one_line(told) or "an empty body"
    message = f"{where}: HTTP {status}: {detail}"
    if status in (401, 403):
        return AccessDenied(f"{where}: the endpoint refused the key (HTTP {status}): {detail}", status=status)
    if any(mark in said for mark in _CONTEXT_MARKS):
        return ContextExceeded(message, status=status)
    # llama-cpp-python answers a malformed request with 500: the same request would fail for ever.
    is_fault = status == 500 and not any(mark in said for mark in _VALIDATION_MARKS)
    transient = is_fault or status in TRANSIENT_STATUS
    return EndpointError(
        message, status=status, transient=transient, retry_after_s=retry_after(headers.get("retry-after"))
    )


def error_detail(body: str, hidden: Blackout = NO_SECRETS) -> str:
    """Return message and code of the body of an error, or the body where it has none of the usual forms; without secrets."""
    try:
        said = hidden.everywhere(json.loads(body))
    except (ValueError, RecursionError):  # no JSON, or numbers and nesting beyond what Python reads
        said = None
    error = said.get("error", said) if isinstance(said, dict) else None
    parts = [str(error[key]) for key in ("message", "code") if error.get(key)] if isinstance(error, dict) else []
    return " ".join(parts) or hidden.whole(body[:READ_CHARS])


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
    """Return ``text``, which has no secrets in it any more, without line breaks, and no more of it than fits into a message."""
    return " ".join(text.split())[:SHOWN_CHARS]
