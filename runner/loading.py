"""An endpoint that answers, and says that it is still loading its model, is waited for: that takes minutes and is no failure."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from runner.errors import EndpointError
from runner.retry import Sleep

logger = logging.getLogger(__name__)

T = TypeVar("T")
UNAVAILABLE = 503
POLL_S = 0.5


def is_loading(error: EndpointError) -> bool:
    """True for what llama-server answers while it loads: 503, ``Loading model``. Another 503 says nothing of when it will end."""
    said = str(error).partition(f"HTTP {UNAVAILABLE}:")[2]
    return error.status == UNAVAILABLE and "loading" in said.lower()


async def when_loaded(
    call: Callable[[], Awaitable[T]],
    *,
    within_s: float,
    needed: Callable[[], bool] = lambda: True,
    sleep: Sleep = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """Return ``await call()`` once the endpoint has loaded its model; that it is waited for is logged once.

    Raises whatever else the call raises, and EndpointError, not transient, when the endpoint is still loading after ``within_s``, or
    when it is not ``needed`` any more; 0 does not wait.
    """
    began_s, told = clock(), False
    while True:
        try:
            return await call()
        except EndpointError as error:
            if not is_loading(error) or within_s <= 0:
                raise
            if not needed():
                raise EndpointError(f"{error}; not waited for", status=error.status) from error
            waited_s = clock() - began_s
            if waited_s >= within_s:
                raise EndpointError(
                    f"{error}; still so after {waited_s:.0f} s; wait until it has loaded, or wait longer with --load-timeout",
                    status=error.status,
                ) from error
            if not told:
                logger.warning("%s; waiting for it, %.0f s at most", error, within_s)
                told = True
        await sleep(min(POLL_S, max(0.0, within_s - waited_s)))
