"""LRU caches in many shapes: the checks accept each that is right, and count what is copied inside of C code."""

import pytest
from examined import failures

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
