"""The one retry policy for requests to models. The client library's own retries are switched off.

Only failures that the client marked transient are tried again: transport errors, replies that were broken off, 408, 409, 425, 429,
502-504, and a 500 that is no validation error. Silence is waited out fewer times. ``Retry-After`` is honoured. The sleep is injected,
so tests do not wait.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from runner.errors import EndpointError, NoReply
from runner.types import Value

if TYPE_CHECKING:
    from tenacity import RetryCallState

logger = logging.getLogger(__name__)

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]


class RetryPolicy(Value):
    """How often and how patiently a transient failure is tried again."""

    attempts: int = 5
    """Requests in all; 1 never retries."""
    silences: int = 2
    """Requests in all that may end because nothing came in time: each of them takes as long as a reply may take."""
    base_s: float = 0.5
    """Upper bound of the first random wait; it doubles each time."""
    max_wait_s: float = 60.0
    """No wait is longer, whatever the server asks for."""
    absent_s: float = 5.0
    """First pause before an endpoint that was left out at the start is met again; it doubles each time, to ``max_wait_s``."""


async def retried(call: Callable[[], Awaitable[T]], policy: RetryPolicy, *, sleep: Sleep = asyncio.sleep) -> T:
    """Await ``call()`` until it succeeds, fails for good, or the attempts are used up; then its last error is raised."""
    try:
        return await call()
    except EndpointError as error:
        if not error.transient:
            raise
        failed: EndpointError | None = error
    # Imported here because most requests succeed.
    from tenacity import AsyncRetrying, retry_if_exception

    retrying = AsyncRetrying(
        stop=_enough(policy),
        wait=_wait(policy),
        retry=retry_if_exception(lambda error: isinstance(error, EndpointError) and error.transient),
        before_sleep=_log,
        sleep=sleep,
        reraise=True,
    )

    async def attempt() -> T:  # tenacity awaits only what it can see is a coroutine function
        nonlocal failed
        if (
            failed is not None
        ):  # the first attempt was made above: setting up for others costs as much as a tenth of a request
            first, failed = failed, None
            raise first
        return await call()

    return await retrying(attempt)


def _enough(policy: RetryPolicy) -> "Callable[[RetryCallState], bool]":
    silent = 0

    def enough(state: "RetryCallState") -> bool:
        nonlocal silent
        silent += isinstance(_error(state), NoReply)
        return state.attempt_number >= policy.attempts or silent >= policy.silences

    return enough


def _wait(policy: RetryPolicy) -> "Callable[[RetryCallState], float]":
    from tenacity import wait_random_exponential

    backoff = wait_random_exponential(multiplier=policy.base_s, max=policy.max_wait_s)

    def wait(state: "RetryCallState") -> float:
        error = _error(state)
        asked = error.retry_after_s if isinstance(error, EndpointError) else None
        # A server that says 0, or a date that is now, has rounded: asked at once, it uses up the attempts in no time.
        return min(asked, policy.max_wait_s) if asked else backoff(state)

    return wait


def _log(state: "RetryCallState") -> None:
    error = _error(state)
    wait_s = state.next_action.sleep if state.next_action else 0.0
    logger.warning("attempt %d failed (%s); next in %.1f s", state.attempt_number, error, wait_s)


def _error(state: "RetryCallState") -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
