"""Calls from many real threads at once, shaken so that a missing lock shows."""

from __future__ import annotations

import sys
import time

TYPE_CHECKING = False  # not imported: see the package
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

_SWITCH_INTERVAL_S = 1e-6
_YIELD_SHARE = 0.1
"""Share of the instructions after which a thread lets the others run: often enough to split ``x -= 1`` within a few
calls."""
_real_sleep = time.sleep


def hammer(function: Callable[[], Any], *, threads: int, calls: int, seed: int, filename: str) -> list[list[Any]]:
    """Call ``function`` ``calls`` times from each of ``threads`` threads that start together; one list of results a
    thread.

    Between instructions of ``filename`` threads yield at random (``seed``): the interpreter alone switches so rarely
    that most races never happen in a test. Raises the first exception of any thread.
    """
    import threading  # here, because few answers are called from threads

    results: list[list[Any]] = [[] for _ in range(threads)]
    errors: list[BaseException] = []
    barrier = threading.Barrier(threads)

    def work(number: int) -> None:
        try:
            barrier.wait()
            sys.settrace(_shaker(seed * 1009 + number, filename))
            results[number].extend(function() for _ in range(calls))
        except BaseException as error:  # noqa: BLE001 - recorded, and raised again in the calling thread
            errors.append(error)
        finally:
            sys.settrace(None)

    _run([threading.Thread(target=work, args=(number,), daemon=True) for number in range(threads)])
    if errors:
        raise errors[0]
    return results


def _run(workers: list[threading.Thread]) -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        sys.setswitchinterval(before)


def _shaker(state: int, filename: str) -> Callable[[FrameType, str, Any], Any]:
    def local(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal state
        if event == "opcode":
            # A linear congruential generator: importing random costs every start several milliseconds.
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            if state >> 32 < _YIELD_SHARE * 2**32:
                _real_sleep(0)
        return local

    def trace(frame: FrameType, _event: str, _argument: Any) -> Any:
        if frame.f_code.co_filename != filename:
            return None
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        return local

    return trace
