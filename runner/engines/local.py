"""Run many small async jobs on this machine, a bounded number at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def run_bounded(
    items: Iterable[Item], work: Callable[[Item], Awaitable[Result]], *, limit: int
) -> AsyncIterator[Result]:
    """Yield ``await work(item)`` for every item as each completes, at most ``limit`` at a time.

    ``items`` is consumed only as places become free, so it may be a stream. The first error cancels what is running and is raised.
    """
    pending: set[asyncio.Task[Result]] = set()
    source = iter(items)
    try:
        while True:
            for item in _take(source, limit - len(pending)):
                pending.add(asyncio.ensure_future(work(item)))
            if not pending:
                return
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


def _take(source: Iterable[Item], count: int) -> Iterable[Item]:
    for _, item in zip(range(count), source, strict=False):
        yield item
