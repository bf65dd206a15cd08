"""Retry decorators: the checks accept each that is right, and show what came of a wrong one."""

import pytest
from examined import examined, failures

RETRIES = {
    "an error of its own": """
        import asyncio, functools, inspect, time

        class RetryError(Exception):
            pass

        def retry(max_attempts=3, delay=1.0, backoff=2.0, max_delay=None, exceptions=(Exception,)):
            def decorator(func):
                def waits():
                    wait = delay
                    for _ in range(max_attempts - 1):
                        yield wait if max_delay is None else min(wait, max_delay)
                        wait *= backoff
                    yield None

                @functools.wraps(func)
                def sync(*args, **kwargs):
                    for wait in waits():
                        try:
                            return func(*args, **kwargs)
                        except exceptions as error:
                            if wait is None:
                                raise RetryError(f"failed after {max_attempts} attempts") from error
                            time.sleep(wait)

                @functools.wraps(func)
                async def asynchronous(*args, **kwargs):
                    for wait in waits():
                        try:
                            return await func(*args, **kwargs)
                        except exceptions as error:
                            if wait is None:
                                raise RetryError(f"failed after {max_attempts} attempts") from error
                            await asyncio.sleep(wait)

                return asynchronous if inspect.iscoroutinefunction(func) else sync
            return decorator
        """,
    "an event to wait for": """
        import asyncio, inspect, threading

        class Retry:
            def __init__(self, max_attempts, delay, backoff):
                self.spec = max_attempts, delay, backoff

            def __call__(self, func):
                attempts, delay, backoff = self.spec

                async def run(*args, **kwargs):
                    for attempt in range(1, attempts + 1):
                        try:
                            return await func(*args, **kwargs)
                        except Exception:
                            if attempt == attempts:
                                raise
                            done = asyncio.Event()
                            asyncio.get_running_loop().call_later(delay * backoff ** (attempt - 1), done.set)
                            await done.wait()

                def run_sync(*args, **kwargs):
                    for attempt in range(1, attempts + 1):
                        try:
                            return func(*args, **kwargs)
                        except Exception:
                            if attempt == attempts:
                                raise
                            threading.Event().wait(delay * backoff ** (attempt - 1))

                return run if inspect.iscoroutinefunction(func) else run_sync

        retry = Retry
        """,
}


@pytest.mark.parametrize("shape", RETRIES)
async def test_every_shape_of_a_right_decorator_passes(shape: str) -> None:
    assert await failures("C-T3-Q4", RETRIES[shape]) == {}


async def test_an_error_that_hides_the_last_exception_fails() -> None:
    code = RETRIES["an error of its own"].replace('attempts") from error', 'attempts") from None')

    failed = await failures("C-T3-Q4", code)

    assert failed["sync_gives_up"] == "it raises RetryError: failed after 3 attempts"


async def test_the_waits_are_shown_as_they_passed() -> None:
    code = RETRIES["an error of its own"].replace("wait *= backoff", "wait += backoff")

    evidence = await examined("C-T3-Q4", code)

    waits = next(check for check in evidence.checks if check.id == "sync_waits")
    assert (waits.expected, waits.got) == ("waits [1.0, 2.0] s", "waits [1.0, 3.0] s")
