"""Functions with a script that are passed to an answer, and the clock by which it waits."""

import asyncio
import time
from typing import Any

import pytest
from sandboxes import behind_every_wall

from runner.errors import UsageError
from runner.protocol import Raise, Return, Scripted
from runner.sandbox import Sandbox

RETRY = """
import asyncio, functools, time

def retry(max_attempts=3, delay=1.0, backoff=2.0):
    def decorate(function):
        if asyncio.iscoroutinefunction(function):
            @functools.wraps(function)
            async def again(*args, **kwargs):
                wait = delay
                for attempt in range(max_attempts):
                    try:
                        return await function(*args, **kwargs)
                    except Exception:
                        if attempt == max_attempts - 1:
                            raise
                        await asyncio.sleep(wait)
                        wait *= backoff
        else:
            @functools.wraps(function)
            def again(*args, **kwargs):
                wait = delay
                for attempt in range(max_attempts):
                    try:
                        return function(*args, **kwargs)
                    except Exception:
                        if attempt == max_attempts - 1:
                            raise
                        time.sleep(wait)
                        wait *= backoff
        return again
    return decorate
"""


@behind_every_wall
@pytest.mark.parametrize("is_async", [False, True])
async def test_a_decorator_is_applied_to_a_scripted_function_on_the_fake_clock(is_async: bool) -> None:
    steps = (Raise(type="ValueError", message="x"), Raise(type="Custom"), Return(value={"ok": 1}))
    function = Scripted(name="fetch", is_async=is_async, docstring="Fetch it.", script=steps)
    async with Sandbox(clock="fake") as sandbox:
        await sandbox.load(RETRY)
        decorate = (await sandbox.call("retry", max_attempts=3, delay=1.0, backoff=2.0)).value
        wrapped = (await sandbox.call(decorate, function)).value
        started = time.monotonic()
        result = await sandbox.call(wrapped, 1, key="two")
        names = [(await sandbox.get(wrapped, name)).value for name in ("__name__", "__doc__")]
        original = (await sandbox.get(wrapped, "__wrapped__")).value
        calls = await sandbox.calls_of(function)
        sleeps = await sandbox.sleeps()
        assert await sandbox.elapsed_s() == pytest.approx(3.0)
    assert (result.value, result.awaited) == ({"ok": 1}, is_async)
    assert names == ["fetch", "Fetch it."]
    assert original.type_name == "function"
    assert [(call.args, call.kwargs) for call in calls] == [((1,), {"key": "two"})] * 3
    assert [call.at_s for call in calls] == pytest.approx([0.0, 1.0, 3.0])
    assert [sleep.seconds for sleep in sleeps] == [1.0, 2.0]
    assert {sleep.by for sleep in sleeps} == {"asyncio.sleep" if is_async else "time.sleep"}
    assert time.monotonic() - started < 2


async def test_the_last_exception_of_a_script_comes_through() -> None:
    failing = Scripted(script=(Raise(type="KeyError", message="a"), Raise(type="OSError", message="last")))
    async with Sandbox(clock="fake") as sandbox:
        await sandbox.load(RETRY)
        decorate = (await sandbox.call("retry", 4, 0.5)).value
        result = await sandbox.call((await sandbox.call(decorate, failing)).value)
        assert len(await sandbox.calls_of(failing)) == 4
    assert (result.error.type, result.error.message) == ("OSError", "last")


async def test_a_scripted_function_that_was_never_passed_has_no_calls() -> None:
    async with Sandbox() as sandbox:
        assert await sandbox.calls_of(Scripted(script=(Return(),))) == ()


CLOCKS = """
import asyncio, datetime, threading, time
from time import monotonic, sleep, time as now
from asyncio import sleep as nap

def readings():
    return [time.time(), now(), time.time_ns() / 1e9, datetime.datetime.now(datetime.timezone.utc).timestamp(),
            time.mktime(time.localtime())], [monotonic(), time.perf_counter(), time.perf_counter_ns() / 1e9]
def doze(): sleep(30)
def wait(): return threading.Event().wait(7.5)
def timer():
    rang = []
    alarm = threading.Timer(3600, rang.append, [1])
    alarm.start()
    alarm.join()
    return rang
async def gathered():
    await asyncio.gather(nap(5), asyncio.sleep(3), asyncio.sleep(10))
async def timed_out():
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 60)
    except asyncio.TimeoutError:
        return "timeout"
async def blocking(): time.sleep(2)
def is_datetime(): return isinstance(datetime.datetime.now(), datetime.datetime)
def negative(): time.sleep(-1)
"""


async def fake_call(name: str) -> tuple[Any, float, tuple[Any, ...]]:
    async with Sandbox(clock="fake") as sandbox:
        await sandbox.load(CLOCKS)
        result = await sandbox.call(name)
        return result, await sandbox.elapsed_s(), await sandbox.sleeps()


@pytest.mark.parametrize(
    ("name", "elapsed", "value", "by"),
    [
        ("doze", 30, None, ["time.sleep"]),
        ("wait", 7.5, False, ["threading.wait"]),
        ("timer", 3600, [1], ["threading.wait"]),
        ("gathered", 10, None, ["asyncio.sleep"] * 3),
        ("timed_out", 60, "timeout", []),
        ("blocking", 2, None, ["time.sleep"]),
        ("is_datetime", 0, True, []),
    ],
)
async def test_waiting_takes_no_time_and_moves_the_clock(name: str, elapsed: float, value: Any, by: list[str]) -> None:
    result, elapsed_s, sleeps = await fake_call(name)
    assert result.value == value, result
    assert elapsed_s == pytest.approx(elapsed)
    assert [sleep.by for sleep in sleeps] == by


async def test_a_blocking_sleep_in_a_coroutine_is_seen() -> None:
    assert [sleep.in_event_loop for sleep in (await fake_call("blocking"))[2]] == [True]
    assert [sleep.in_event_loop for sleep in (await fake_call("doze"))[2]] == [False]


async def test_a_negative_sleep_is_refused_as_by_the_real_clock() -> None:
    assert (await fake_call("negative"))[0].error.type == "ValueError"


async def test_all_clocks_stand_still_together_and_move_when_told() -> None:
    async with Sandbox(clock="fake") as sandbox:
        await sandbox.load(CLOCKS)
        wall, monotonic = (await sandbox.call("readings")).value
        await asyncio.sleep(0.05)
        assert (await sandbox.call("readings")).value == (wall, monotonic)
        await sandbox.advance(90)
        later_wall, later_monotonic = (await sandbox.call("readings")).value
    assert wall == pytest.approx([wall[0]] * 5)
    assert [after - before for before, after in zip(wall, later_wall, strict=True)] == pytest.approx([90] * 5)
    assert [after - before for before, after in zip(monotonic, later_monotonic, strict=True)] == pytest.approx([90] * 3)


async def test_the_real_clock_cannot_be_moved() -> None:
    async with Sandbox() as sandbox:
        with pytest.raises(UsageError, match="clock='fake'"):
            await sandbox.advance(1)
