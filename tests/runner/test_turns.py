"""Calls that take turns: never more at a time than allowed, no place empty while somebody waits, and nothing left behind."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from runner.journal import about, unit_of_now
from runner.turns import Turns


class Desk:
    """A call that waits until it is let go, and what was seen of all of them."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.at_work: set[str] = set()
        self.ended: list[str] = []
        self.doors: dict[str, asyncio.Event] = {}

    def __call__(self, name: str) -> Callable[[], Awaitable[str]]:
        self.doors[name] = asyncio.Event()

        async def work() -> str:
            self.began.append(name)
            self.at_work.add(name)
            try:
                await self.doors[name].wait()
                return name.upper()
            finally:
                self.at_work.discard(name)
                self.ended.append(name)

        return work


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def asked(turns: Turns, desk: Desk, names: str) -> dict[str, asyncio.Task[str]]:
    return {name: asyncio.ensure_future(turns.take(desk(name))) for name in names}


async def test_calls_have_their_turn_in_the_order_in_which_they_came_and_never_more_than_allowed_at_a_time() -> None:
    desk = Desk()
    tasks = asked(Turns(lambda: 2), desk, "abcd")
    await settle()
    assert desk.began == ["a", "b"]
    for name in "badc":
        desk.doors[name].set()
    assert await asyncio.gather(*tasks.values()) == ["A", "B", "C", "D"]
    assert desk.began == ["a", "b", "c", "d"]


async def test_a_place_is_taken_in_the_step_in_which_it_is_left() -> None:
    turns, desk, seen = Turns(lambda: 1), Desk(), list[list[str]]()
    first = asyncio.ensure_future(turns.take(desk("a")))
    second = asyncio.ensure_future(turns.take(desk("b")))
    first.add_done_callback(lambda _: seen.append(list(desk.began)))
    await settle()
    desk.doors["a"].set()
    assert await first == "A"
    assert seen == [["a", "b"]], "b began before anybody looked at what came of a"
    desk.doors["b"].set()
    await second


async def test_a_limit_that_grows_lets_in_whoever_waits_at_the_next_end_and_one_that_falls_nobody() -> None:
    limit, desk = [1], Desk()
    tasks = asked(Turns(lambda: limit[0]), desk, "abcdef")
    await settle()
    limit[0] = 3
    desk.doors["a"].set()
    await settle()
    assert desk.at_work == {"b", "c", "d"}
    limit[0] = 1
    desk.doors["b"].set()
    desk.doors["c"].set()
    await settle()
    assert desk.at_work == {"d"}
    for door in desk.doors.values():
        door.set()
    await asyncio.gather(*tasks.values())


async def test_an_error_is_its_callers_and_the_next_call_has_its_turn() -> None:
    turns, desk = Turns(lambda: 1), Desk()

    async def broken() -> str:
        raise LookupError("nobody here")

    failed, after = asyncio.ensure_future(turns.take(broken)), asyncio.ensure_future(turns.take(desk("b")))
    with pytest.raises(LookupError, match="nobody here"):
        await failed
    desk.doors["b"].set()
    assert await after == "B"


async def test_whoever_is_cancelled_has_ended_what_was_begun_and_the_next_call_has_its_turn() -> None:
    desk = Desk()
    tasks = asked(Turns(lambda: 1), desk, "abc")
    await settle()
    tasks["b"].cancel()
    tasks["a"].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks["a"]
    assert desk.ended == ["a"]
    desk.doors["c"].set()
    assert await tasks["c"] == "C"
    assert desk.began == ["a", "c"], "b was given up before its turn"


async def test_a_call_is_made_in_the_name_of_whoever_asked_for_it() -> None:
    turns, gate = Turns(lambda: 1), asyncio.Event()

    async def unit() -> str | None:
        await gate.wait()
        return unit_of_now()

    async def ask(name: str) -> str | None:
        with about(name):
            return await turns.take(unit)

    tasks = [asyncio.ensure_future(ask(name)) for name in ("one", "two", "three")]
    await settle()
    gate.set()
    assert await asyncio.gather(*tasks) == ["one", "two", "three"]


async def test_calls_that_wait_begin_when_the_limit_has_grown_and_that_is_said() -> None:
    desk, limits = Desk(), [1]
    turns = Turns(lambda: limits[0])
    tasks = asked(turns, desk, "abcd")
    await settle()
    limits[0] = 3
    turns.look_again()
    await settle()
    assert desk.began == ["a", "b", "c"]
    for name in "abcd":
        desk.doors[name].set()
    assert await asyncio.gather(*tasks.values()) == ["A", "B", "C", "D"]
