"""Many askings of one judge, as many at a time as it takes, stored together as they come."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import TypeVar

from judge.events import Event
from judge.pipeline.bench import OpenJudge
from runner.engines.local import run_batches

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


async def carried_out(
    bench: OpenJudge,
    tasks: Iterable[Task],
    ask: Callable[[Task], Awaitable[Outcome]],
    keep: Callable[[list[Outcome]], Iterable[Event]],
) -> AsyncGenerator[Event, None]:
    """Ask for every task, as many at a time as the judge takes; ``keep`` stores what has come and says what to tell of it.

    Whoever takes the events closes this before the judge, however it ends: what is in flight would go on without its client.
    """
    async with aclosing(run_batches(tasks, ask, limit=bench.at_work, grown=bench.grown)) as batches:
        async for batch in batches:
            for notice in bench.news():
                yield notice
            for event in keep(batch):
                yield event
