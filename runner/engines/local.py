"""Run many small async jobs on this machine, a bounded number at a time."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def run_bounded(
    items: Iterable[Item], work: Callable[[Item], Awaitable[Result]], *, limit: int
) -> AsyncIterator[Result]:
    """Yield ``await work(item)`` for every item as each completes, at most ``limit`` at a time.

    ``items`` is consumed only as places become free, so it may be a stream. The first error cancels what is running and is raised.
    """
    async with aclosing(run_batches(items, work, limit=lambda: limit)) as batches:
        async for batch in batches:
            for result in batch:
                yield result


async def run_batches(
    items: Iterable[Item],
    work: Callable[[Item], Awaitable[Result]],
    *,
    limit: Callable[[], int],
    grown: asyncio.Event | None = None,
) -> AsyncGenerator[list[Result], None]:
    """Yield what has completed since the last time, at least one result; as many run at a time as ``limit()`` says, at least one.

    Whoever completes an item begins the next one in the same breath: a place is empty for no turn of the loop, however slow the
    taker of the results is. ``grown`` is set by whoever raises the limit while nothing completes. An error is raised once all that
    had completed is taken. A taker that may fail closes this (``aclosing``) before it closes what the work needs.
    """
    source, results, woken = iter(items), list[Result](), grown or asyncio.Event()
    workers: set[asyncio.Task[None]] = set()
    ended: list[asyncio.Task[None]] = []
    exhausted = False

    async def labour() -> None:
        nonlocal exhausted
        for item in source:
            results.append(await work(item))
            woken.set()
            if len(workers) > max(1, limit()):
                return
            if len(results) > len(workers):  # work that never waits would otherwise never let go
                await asyncio.sleep(0)
        exhausted = True

    def end(worker: asyncio.Task[None]) -> None:
        workers.discard(worker)
        ended.append(worker)
        woken.set()

    try:
        while True:
            while not exhausted and len(workers) < max(1, limit()):
                worker = asyncio.ensure_future(labour())
                workers.add(worker)
                worker.add_done_callback(end)
            await woken.wait()
            woken.clear()
            taken, results[:] = list(results), []
            if taken:
                yield taken
            failed = [worker for worker in ended if worker.exception() is not None]
            ended.clear()
            if failed:
                for worker in workers:
                    worker.cancel()
                if results:  # they came while the others were taken, and have been paid for
                    yield list(results)
                failed[0].result()
            if exhausted and not workers and not results and not ended:
                return
    finally:
        for worker in workers:
            worker.cancel()
        # Those that have ended as well: an error that nobody looks at is written to stderr.
        await asyncio.gather(*workers, *ended, return_exceptions=True)
