"""Work that may share the machine, and work that must have it to itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Lanes:
    """Many at once, or one alone. A call that timed out is tried again alone before it counts: on a loaded machine the
    first timeout says more about the neighbours than about the answer."""

    def __init__(self) -> None:
        self._condition = asyncio.Condition()
        self._running = 0
        self._waiting_alone = 0

    @contextlib.asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Run beside others; waits while somebody runs alone or wants to."""
        async with self._condition:
            await self._condition.wait_for(lambda: self._waiting_alone == 0)
            self._running += 1
        try:
            yield
        finally:
            async with self._condition:
                self._running -= 1
                self._condition.notify_all()

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Run when nothing else does."""
        async with self._condition:
            self._waiting_alone += 1
            try:
                await self._condition.wait_for(lambda: self._running == 0)
            except BaseException:
                self._waiting_alone -= 1
                self._condition.notify_all()
                raise
            self._running += 1
        try:
            yield
        finally:
            async with self._condition:
                self._running -= 1
                self._waiting_alone -= 1
                self._condition.notify_all()
