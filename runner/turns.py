"""Calls that take turns: as many at a time as are allowed, and the next one begins in the very step in which one ends.

A semaphore wakes whoever waits a turn of the loop later, behind all else that is ready: with 64 requests in flight and a judgement's
worth of work for each, places stood empty a fifth of the time. Here a hand that has a reply takes the next call before anybody
looks at that reply.
"""

import asyncio
import collections
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from runner.journal import about, unit_of_now

T = TypeVar("T")


class _Call:
    """A call that waits for its turn, or has it."""

    def __init__(self, make: Callable[[], Awaitable[Any]]) -> None:
        self.make = make
        self.unit = unit_of_now()
        self.result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.hand: asyncio.Task[None] | None = None
        """Who is at it; ``None`` before and after its turn."""


class Turns:
    """Calls in the order in which they came, at most ``limit()`` at a time, and at least one."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._waiting: collections.deque[_Call] = collections.deque()
        self._hands: set[asyncio.Task[None]] = set()

    async def take(self, make: Callable[[], Awaitable[T]]) -> T:
        """Return ``await make()`` once it is this call's turn. Cancelled, it ends whatever it had begun before it returns."""
        call = _Call(make)
        self._waiting.append(call)
        self._hire()
        try:
            result: T = await call.result
        except asyncio.CancelledError:
            if call.hand is not None:
                call.hand.cancel()
                await asyncio.wait([call.hand])
            raise
        return result

    def look_again(self) -> None:
        """Begin what waits and may begin: the limit has grown, and no call has come or ended."""
        self._hire()

    def _hire(self) -> None:
        for _ in range(min(len(self._waiting), max(1, self._limit()) - len(self._hands))):
            hand = asyncio.ensure_future(self._work())
            self._hands.add(hand)
            hand.add_done_callback(self._leave)

    def _leave(self, hand: asyncio.Task[None]) -> None:
        self._hands.discard(hand)
        self._hire()

    async def _work(self) -> None:
        while self._waiting and len(self._hands) <= max(1, self._limit()):
            call = self._waiting.popleft()
            if not call.result.done():  # nobody gave it up while it waited
                await _carry_out(call)
            self._hire()  # the limit may have grown


async def _carry_out(call: _Call) -> None:
    call.hand = asyncio.current_task()
    with about(call.unit):
        try:
            result = await call.make()
        except Exception as error:  # noqa: BLE001 - it is the caller's, whatever it is
            if not call.result.done():
                call.result.set_exception(error)
        else:
            if not call.result.done():
                call.result.set_result(result)
    call.hand = None
