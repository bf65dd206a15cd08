"""A good answer: if this one does not pass, the sandbox is too strict to be of use."""

import functools
import itertools
import threading


@functools.lru_cache(maxsize=None)
def solve(n: int) -> int:
    results: list[int] = []
    worker = threading.Thread(target=lambda: results.append(sum(itertools.repeat(n, n))))
    worker.start()
    worker.join()
    return results[0]


def attack(world):
    return []
