"""A clock that stands still until somebody sleeps: time for checks of waiting code, exact and without waiting.

Installed before the answer is loaded, so ``from time import monotonic`` gets the fake. Sleeping moves the clock at
once and is recorded. An answer can find the real clock; checks that matter are confirmed once in real time.
"""

import asyncio
import datetime
import operator
import selectors
import threading
import time
from collections.abc import Callable
from typing import Any, SupportsIndex

WALL_START_NS = 1_700_000_000 * 10**9
MONOTONIC_START_NS = 1_000 * 10**9
GRACE_S = 0.02
"""Real seconds that a wait gives other threads to end it before the clock jumps over it."""

_real_sleep = time.sleep
_real_wait = threading.Condition.wait
_real_asyncio_sleep = asyncio.sleep
_real_datetime = datetime.datetime


class FakeClock:
    """Nanoseconds since the start, and every sleep with who slept and when."""

    def __init__(self) -> None:
        self.elapsed_ns = 0
        self.sleeps: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def advance(self, seconds: float) -> None:
        """Move the clock; at least one nanosecond when ``seconds`` is positive, so that a waiting loop gets on."""
        step = max(round(seconds * 1e9), 1 if seconds > 0 else 0)
        with self._lock:
            self.elapsed_ns += step

    def record(self, by: str, seconds: float) -> None:
        """Note a sleep that starts now."""
        entry = {
            "by": by,
            "seconds": float(seconds),
            "at_s": self.elapsed_ns / 1e9,
            "in_event_loop": asyncio._get_running_loop() is not None,
        }
        with self._lock:
            self.sleeps.append(entry)

    def sleep(self, seconds: float | SupportsIndex) -> None:
        """Stand in for ``time.sleep``: refuses what it refuses, then jumps. Other threads get their turn."""
        seconds = seconds if isinstance(seconds, float) else operator.index(seconds)
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self.record("time.sleep", seconds)
        self.advance(seconds)
        _real_sleep(0)

    def wall_ns(self) -> int:
        """Nanoseconds since 1970 on this clock."""
        return WALL_START_NS + self.elapsed_ns

    def monotonic_ns(self) -> int:
        """Nanoseconds since an arbitrary start."""
        return MONOTONIC_START_NS + self.elapsed_ns


def install(clock: FakeClock) -> None:
    """Replace the clocks and sleeps of time, asyncio, threading and datetime by ``clock``."""
    _install_time(clock)
    _install_threading(clock)
    _install_asyncio(clock)
    _install_datetime(clock)


def _install_time(clock: FakeClock) -> None:
    for name, read_ns in {
        "time": clock.wall_ns,
        "monotonic": clock.monotonic_ns,
        "perf_counter": clock.monotonic_ns,
    }.items():
        setattr(time, name, _seconds(read_ns))
        setattr(time, f"{name}_ns", read_ns)
    time.sleep = clock.sleep
    time.localtime = _at(time.localtime, clock)
    time.gmtime = _at(time.gmtime, clock)


def _seconds(read_ns: Callable[[], int]) -> Callable[[], float]:
    return lambda: read_ns() / 1e9


def _at(convert: Callable[[float], time.struct_time], clock: FakeClock) -> Callable[..., time.struct_time]:
    return lambda secs=None: convert(clock.wall_ns() / 1e9 if secs is None else secs)


def _install_threading(clock: FakeClock) -> None:
    def wait(self: threading.Condition, timeout: float | None = None) -> bool:
        if timeout is None or timeout <= 0:
            return _real_wait(self, timeout)
        clock.record("threading.wait", timeout)
        if _real_wait(self, GRACE_S if threading.active_count() > 1 else 0):
            return True
        clock.advance(timeout)
        return False

    setattr(threading.Condition, "wait", wait)  # noqa: B010 - mypy rejects assigning to a method
    setattr(threading, "_time", time.monotonic)  # noqa: B010 - private name, absent from the stubs


def _install_asyncio(clock: FakeClock) -> None:
    async def sleep(delay: float, result: Any = None) -> Any:
        clock.record("asyncio.sleep", delay)
        return await _real_asyncio_sleep(delay, result)

    class ClockSelector(selectors.DefaultSelector):
        """Where an event loop would wait for its next timer, the clock jumps to it."""

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            if timeout is None or timeout <= 0:
                return super().select(timeout)
            ready = super().select(GRACE_S if threading.active_count() > 1 else 0)
            if not ready:
                clock.advance(timeout)
            return ready

    setattr(asyncio, "sleep", sleep)  # noqa: B010 - the stubs know another signature
    setattr(asyncio.tasks, "sleep", sleep)  # noqa: B010
    setattr(selectors, "DefaultSelector", ClockSelector)  # noqa: B010


def _install_datetime(clock: FakeClock) -> None:
    class _AnyDatetime(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, _real_datetime)

    class FakeDatetime(_real_datetime, metaclass=_AnyDatetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return _real_datetime.fromtimestamp(clock.wall_ns() / 1e9, tz)

        @classmethod
        def utcnow(cls) -> Any:
            return _real_datetime.fromtimestamp(clock.wall_ns() / 1e9, datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Any:
            return cls.now()

    FakeDatetime.__name__ = FakeDatetime.__qualname__ = "datetime"
    setattr(datetime, "datetime", FakeDatetime)  # noqa: B010
