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
    async for batch in run_batches(items, work, limit=lambda: limit):
        for result in batch:
            yield result


async def run_batches(
    items: Iterable[Item], work: Callable[[Item], Awaitable[Result]], *, limit: Callable[[], int]
) -> AsyncIterator[list[Result]]:
    """Yield what has completed since the last time, at least one result; as many run at a time as ``limit()`` says, at least one.

    Free places are filled before the results are handed over, so whoever takes them may be slow without the work standing still.
    """
    running: set[asyncio.Task[Result]] = set()
    ended: list[asyncio.Task[Result]] = []
    woken = asyncio.Event()

    def end(task: asyncio.Task[Result]) -> None:
        running.discard(task)
        ended.append(task)
        woken.set()

    source = iter(items)
    try:
        while True:
            for _, item in zip(range(max(1, limit()) - len(running)), source, strict=False):
                task = asyncio.ensure_future(work(item))
                running.add(task)
                task.add_done_callback(end)
            if not running and not ended:
                return
            await (asyncio.sleep(0) if ended else woken.wait())  # what was just started gets its turn first
            woken.clear()
            taken, ended[:] = list(ended), []
            if taken:
                yield [task.result() for task in taken]
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
