"""A judge that stays open between requests: one task opens it when it is first needed, and the same task closes it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from judge.pipeline.bench import OpenJudge

OpenIt = Callable[[AsyncExitStack], Awaitable[OpenJudge]]
"""Reaches or serves the judge; the stack keeps it open."""


class KeptJudge:
    """Opens a judge once for all who ask. A request that is given up while a model loads leaves it loading for the next one."""

    def __init__(self, open_it: OpenIt) -> None:
        self._open_it = open_it
        self._keeper: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[OpenJudge]
        self._closing: asyncio.Event

    def begin(self) -> asyncio.Task[None]:
        """Begin to open it, unless it is open, or being opened. One that could not be opened is tried again."""
        if self._keeper is None or self._keeper.done():
            self._ready = asyncio.get_running_loop().create_future()
            self._closing = asyncio.Event()
            self._keeper = asyncio.create_task(self._keep(self._ready, self._closing))
        return self._keeper

    async def get(self) -> OpenJudge:
        """Return the open judge. Raises whatever opening it raised."""
        keeper, ready = self.begin(), self._ready
        either: set[asyncio.Future[Any]] = {keeper, ready}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)  # they are not cancelled with who waits
        if not ready.done():
            keeper.result()
        return ready.result()

    async def close(self) -> None:
        """Close it, and wait until it is closed; the next who asks opens it anew."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        self._closing.set()
        if not self._ready.done():
            keeper.cancel()  # it loads, and nobody will need it
        await asyncio.gather(keeper, return_exceptions=True)

    async def _keep(self, ready: asyncio.Future[OpenJudge], closing: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            ready.set_result(await self._open_it(stack))
            await closing.wait()
