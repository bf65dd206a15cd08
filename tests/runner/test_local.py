"""Many small jobs, a bounded number at a time."""

import asyncio
from collections.abc import Iterator

import pytest

from runner.engines.local import run_batches, run_bounded


class Gauge:
    """Work that waits, and remembers how many were at it."""

    def __init__(self, seconds: float = 0.002) -> None:
        self.seconds = seconds
        self.now = self.most = 0

    async def __call__(self, item: int) -> int:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.seconds)
        self.now -= 1
        return item * item


async def test_every_item_is_done_once_and_never_more_than_the_limit_at_a_time() -> None:
    work = Gauge()
    assert sorted([result async for result in run_bounded(range(50), work, limit=4)]) == [n * n for n in range(50)]
    assert work.most == 4


async def test_a_limit_that_changes_holds_from_the_next_completion_on() -> None:
    work, limits = Gauge(), [8]
    done = 0
    async for batch in run_batches(range(60), work, limit=lambda: limits[0]):
        done += len(batch)
        if done > 20:
            limits[0] = 2
        if done > 40:
            assert work.now <= 2
    assert (done, work.most) == (60, 8)


async def test_a_limit_that_grows_while_nothing_completes_holds_at_once_when_that_is_said() -> None:
    gate, grown, limits, began = asyncio.Event(), asyncio.Event(), [1], list[int]()

    async def work(item: int) -> int:
        began.append(item)
        await gate.wait()
        return item

    async def all_of_them() -> list[int]:
        batches = run_batches(range(6), work, limit=lambda: limits[0], grown=grown)
        return [result async for batch in batches for result in batch]

    done = asyncio.ensure_future(all_of_them())
    await asyncio.sleep(0.01)
    assert began == [0]
    limits[0] = 4
    grown.set()
    await asyncio.sleep(0.01)
    assert began == [0, 1, 2, 3]
    gate.set()
    assert sorted(await done) == [*range(6)]


async def test_items_are_taken_only_as_places_become_free() -> None:
    taken: list[int] = []

    def stream() -> Iterator[int]:
        for n in range(1000):
            taken.append(n)
            yield n

    results = run_bounded(stream(), Gauge(), limit=3)
    await anext(results)
    assert len(taken) <= 7
    await results.aclose()


async def test_a_slow_taker_does_not_keep_the_work_waiting() -> None:
    work = Gauge()
    async for _ in run_batches(range(12), work, limit=lambda: 3):
        await asyncio.sleep(0.01)
        assert work.now in (0, 3)
    assert work.most == 3


async def test_what_completed_while_others_were_taken_is_taken_before_an_error_is_raised() -> None:
    async def work(item: int) -> int:
        await asyncio.sleep(0.01 * item)
        if item == 3:
            raise ValueError("item 3")
        return item

    taken: list[int] = []
    with pytest.raises(ValueError, match="item 3"):
        async for batch in run_batches(range(4), work, limit=lambda: 4):
            taken += batch
            await asyncio.sleep(0.05)
    assert sorted(taken) == [0, 1, 2]


async def test_the_first_error_is_raised_and_ends_what_is_running() -> None:
    ended: list[int] = []

    async def work(item: int) -> int:
        try:
            await asyncio.sleep(0.001 if item == 2 else 60)
        finally:
            ended.append(item)
        raise ValueError(item)

    with pytest.raises(ValueError, match="2"):
        async for _ in run_bounded(range(9), work, limit=4):
            pass
    assert sorted(ended) == [0, 1, 2, 3]


async def test_work_that_never_waits_lets_go_of_its_results() -> None:
    async def work(item: int) -> int:
        return item

    batches = [batch async for batch in run_batches(range(100), work, limit=lambda: 2)]
    assert sorted(n for batch in batches for n in batch) == list(range(100))
    assert max(map(len, batches)) <= 8


async def test_no_items_are_no_results() -> None:
    assert [batch async for batch in run_batches([], Gauge(), limit=lambda: 4)] == []
