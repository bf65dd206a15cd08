"""The checks accept what the questions leave open, and say what is wrong with the rest."""

from textwrap import dedent

import pytest

from judge.checks.checking import Evidence
from judge.checks.evidence import examine_answer
from judge.library import load_suite
from runner.isolation import isolation

SUITE = load_suite()


async def examined(question_id: str, code: str) -> Evidence:
    found = await isolation()
    found.required()
    evidence = await examine_answer(SUITE.question(question_id), f"```python\n{dedent(code)}\n```")
    assert evidence is not None
    return evidence


async def failures(question_id: str, code: str) -> dict[str, str]:
    """Return the failed checks with what came."""
    evidence = await examined(question_id, code)
    assert evidence.state == "ok", evidence.message
    return {check.id: str(check.got or check.reason) for check in evidence.failures}


# --- LRU cache ----------------------------------------------------------------------------------------------------

CACHES = {
    "an own exception for a miss": """
        from collections import OrderedDict

        class CacheMiss(Exception):
            pass

        class Cache:
            def __init__(self, n):
                self.n, self.items = n, OrderedDict()

            def get(self, key):
                if key not in self.items:
                    raise CacheMiss(key)
                self.items.move_to_end(key)
                return self.items[key]

            def put(self, key, value):
                self.items[key] = value
                self.items.move_to_end(key)
                while len(self.items) > self.n:
                    self.items.popitem(last=False)
        """,
    "a sentinel for a miss": """
        class LruCache:
            MISSING = object()

            def __init__(self, *, capacity: int = 128):
                self.capacity, self.data = capacity, {}

            def get(self, key, default=MISSING):
                if key in self.data:
                    self.data[key] = self.data.pop(key)
                    return self.data[key]
                return default

            def put(self, key, value):
                self.data.pop(key, None)
                self.data[key] = value
                if len(self.data) > self.capacity:
                    del self.data[next(iter(self.data))]
        """,
    "subscripts behind get and put": """
        class LRU(dict):
            def __init__(self, maxsize):
                super().__init__()
                self.maxsize = maxsize

            def __getitem__(self, key):
                value = super().pop(key)
                super().__setitem__(key, value)
                return value

            def __setitem__(self, key, value):
                super().pop(key, None)
                super().__setitem__(key, value)
                if len(self) > self.maxsize:
                    super().pop(next(iter(self)))

            def get(self, key):
                return self[key] if key in self else None

            def put(self, key, value):
                self[key] = value
        """,
    "a queue of uses, cleaned up in time": """
        from collections import Counter, deque

        class LRUCache:
            def __init__(self, capacity):
                self.capacity, self.data, self.uses, self.pending = capacity, {}, deque(), Counter()

            def _use(self, key):
                self.uses.append(key)
                self.pending[key] += 1
                if len(self.uses) > 5 * self.capacity:
                    latest = dict.fromkeys(reversed(self.uses))
                    self.uses = deque(reversed(latest))
                    self.pending = Counter(self.uses)

            def get(self, key):
                if key not in self.data:
                    return -1
                self._use(key)
                return self.data[key]

            def put(self, key, value):
                if key not in self.data and len(self.data) >= self.capacity:
                    self._evict()
                self.data[key] = value
                self._use(key)

            def _evict(self):
                while True:
                    oldest = self.uses.popleft()
                    self.pending[oldest] -= 1
                    if not self.pending[oldest]:
                        del self.pending[oldest], self.data[oldest]
                        return
        """,
}


@pytest.mark.parametrize("shape", CACHES)
async def test_every_shape_of_a_right_cache_passes(shape: str) -> None:
    assert await failures("C-T2-Q3", CACHES[shape]) == {}


async def test_a_copy_made_inside_of_c_code_is_counted() -> None:
    code = CACHES["a sentinel for a miss"].replace("next(iter(self.data))", "[*self.data][0]")
    listed = CACHES["a sentinel for a miss"].replace("next(iter(self.data))", "list(self.data)[0]")

    assert list(await failures("C-T2-Q3", listed)) == ["put_cost"]
    assert list(await failures("C-T2-Q3", code)) == ["put_cost"]


# --- IP addresses -------------------------------------------------------------------------------------------------

_PARTS = "lambda s: [s[:k] for k in (1, 2, 3) if len(s) >= k and s[:k] == str(int(s[:k])) and int(s[:k]) < 256]"
ADDRESSES = {
    "a set": f"""
        parts = {_PARTS}

        def ip_addresses(digits, left=4):
            if left == 0:
                return {{""}} if not digits else set()
            return {{
                (p + "." + rest).rstrip(".") for p in parts(digits) for rest in ip_addresses(digits[len(p):], left - 1)
            }}
        """,
    "the standard library as validator": """
        import ipaddress
        from itertools import combinations

        def all_ips(digits: str) -> tuple:
            if not 4 <= len(digits) <= 12:
                raise ValueError("an address has 4 to 12 digits")
            found = []
            for i, j, k in combinations(range(1, len(digits)), 3):
                text = f"{digits[:i]}.{digits[i:j]}.{digits[j:k]}.{digits[k:]}"
                try:
                    ipaddress.IPv4Address(text)
                except ValueError:
                    continue
                found.append(text)
            return tuple(found)
        """,
    "a generator method": f"""
        class IpFinder:
            parts = staticmethod({_PARTS})

            def find(self, digits):
                yield from self._search(digits, [])

            def _search(self, rest, path):
                if len(path) == 4:
                    if not rest:
                        yield ".".join(path)
                    return
                if not len(rest) or len(rest) > 3 * (4 - len(path)):
                    return
                for part in self.parts(rest):
                    yield from self._search(rest[len(part):], [*path, part])
        """,
}


@pytest.mark.parametrize("shape", ADDRESSES)
async def test_every_shape_of_a_right_search_passes(shape: str) -> None:
    assert await failures("C-T3-Q1", ADDRESSES[shape]) == {}


# --- bug fix ------------------------------------------------------------------------------------------------------

_ORIGINAL = """
        def merge_intervals(intervals):
            intervals.sort(key=lambda x: x[0])
            merged = [intervals[0]]
            for i in range(1, len(intervals)):
                if intervals[i][0] <= merged[-1][1]:
                    merged[-1][1] = intervals[i][1]
                else:
                    merged.append(intervals[i])
            return merged
        """
FIXES = {
    "beside the original": _ORIGINAL
    + _ORIGINAL.replace("merge_intervals", "merge_intervals_fixed").replace(
        "= intervals[i][1]", "= max(merged[-1][1], intervals[i][1])"
    ),
    "in place": """
        def merge_intervals(intervals):
            intervals.sort()
            i = 0
            while i + 1 < len(intervals):
                if intervals[i + 1][0] <= intervals[i][1]:
                    intervals[i][1] = max(intervals[i][1], intervals.pop(i + 1)[1])
                else:
                    i += 1
        """,
    "a generator": """
        def merge(intervals):
            start, end = None, None
            for a, b in sorted(map(tuple, intervals)):
                if start is None:
                    start, end = a, b
                elif a <= end:
                    end = max(end, b)
                else:
                    yield start, end
                    start, end = a, b
            yield [start, end]
        """,
}


@pytest.mark.parametrize("shape", FIXES)
async def test_every_shape_of_a_right_fix_passes(shape: str) -> None:
    assert await failures("C-T3-Q3", FIXES[shape]) == {}


async def test_the_original_code_fails_where_one_interval_contains_another() -> None:
    evidence = await examined("C-T3-Q3", _ORIGINAL.replace("merge_intervals", "merge_all_intervals"))

    first = next(check for check in evidence.checks if check.id == "contained")
    assert (first.input, first.expected, first.got) == (
        "merge_all_intervals([[1, 10], [2, 5]])",
        "[[1, 10]]",
        "[[1, 5]]",
    )


# --- retry --------------------------------------------------------------------------------------------------------

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
