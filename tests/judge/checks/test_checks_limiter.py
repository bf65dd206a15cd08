"""Rate limiters in many shapes: how each is made for N requests a minute, and what the checks say of it."""

from textwrap import dedent, indent

import pytest

from judge.checks.evidence import examine_answer
from judge.checks.limiter_entry import arguments
from judge.checks.locking import uncovered_stores
from judge.extract.program import runnable
from judge.library import load_suite
from runner.isolation import isolation
from runner.outcomes import Parameter

QUESTION = load_suite().question("C-T3-Q2")


def parameter(text: str) -> Parameter:
    name, _, default = text.partition("=")
    name, _, hint = name.partition(":")
    kind = "keyword_only" if name.startswith("*") else "positional_or_keyword"
    return Parameter.model_validate(
        {
            "name": name.lstrip("*"),
            "kind": kind,
            "has_default": bool(default),
            "default": default or None,
            "annotation": hint or None,
        }
    )


CONSTRUCTORS = {
    "n": ["n"],
    "requests_per_minute": ["n"],
    "requests_per_minute=60": ["n"],
    "*requests_per_minute": ["requests_per_minute=n"],
    "rate per": ["n, 60"],
    "rate per=60.0": ["n"],
    "max_requests window_seconds": ["n, 60"],
    "max_requests time_window=60": ["n"],
    "limit interval": ["n, 60", "n, 60 / n"],
    "calls period_minutes": ["n, 1"],
    "limit window:timedelta": ["n, __import__('datetime').timedelta(seconds=60)"],
    "capacity refill_rate": ["n, n / 60", "n, n"],
    "capacity=10 refill_rate=1.0": ["n, n / 60", "n, n"],
    "capacity tokens_per_second": ["n, n / 60"],
    "refill_rate capacity": ["n / 60, n", "n, n"],
    "tokens_per_minute bucket_size": ["n, n"],
    "requests_per_minute burst=None": ["n"],
    "max_requests_per_minute": ["n"],
    "rpm": ["n"],
    "limit *clock=<function>": ["n"],
    "requests_per_minute clock": ["n, _time_now"],
    "": [""],
}


@pytest.mark.parametrize("written", CONSTRUCTORS)
def test_parameters_are_read_by_their_names(written: str) -> None:
    parameters = [parameter(text) for text in written.split()]

    assert list(dict.fromkeys(arguments(parameters))) == CONSTRUCTORS[written]


TAKE = """
    def _take(self):
        now = time.monotonic()
        self.tokens = min(self.cap, self.tokens + (now - self.then) * self.per_s)
        self.then = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def _fill(self):
        self.tokens, self.then = float(self.cap), time.monotonic()
"""
METHODS = """
    def allow_request(self):
        with self.lock:
            return self._take()

    def reset(self):
        with self.lock:
            self._fill()
"""


def limiter(constructor: str, *, methods: str = METHODS, lock: str = "threading.Lock()") -> str:
    parameters, _, body = constructor.partition(":")
    made = indent(f"{body.strip()}\nself.lock = {lock}\nself._fill()", " " * 8)
    return f"import threading, time\nclass Limiter:\n    def __init__(self, {parameters}):\n{made}\n{TAKE}{methods}"


RIGHT = {
    "capacity and a rate a second": limiter("capacity, refill_rate: self.cap, self.per_s = capacity, refill_rate"),
    "capacity and a rate a minute": limiter("capacity, refill_rate: self.cap, self.per_s = capacity, refill_rate / 60"),
    "defaults that fit each other": limiter(
        "capacity=10, refill_rate=1/6: self.cap, self.per_s = capacity, refill_rate"
    ),
    "keyword only": limiter("*, rate_limit, window=60: self.cap, self.per_s = rate_limit, rate_limit / window"),
    "names that say nothing": limiter("alpha, beta: self.cap, self.per_s = alpha, alpha / beta"),
    "a window in minutes": limiter("calls, minutes: self.cap, self.per_s = calls, calls / (60 * minutes)"),
    "camel case": limiter(
        "maxRequests: self.cap, self.per_s = maxRequests, maxRequests / 60",
        methods=METHODS.replace("allow_request", "allowRequest"),
    ),
    "a lock for all limiters": limiter("n: self.cap, self.per_s = n, n / 60", lock="_LOCK").replace(
        "class Limiter", "_LOCK = threading.RLock()\nclass Limiter"
    ),
    "a semaphore": limiter("n: self.cap, self.per_s = n, n / 60", lock="threading.BoundedSemaphore(1)"),
    "answers 1 or 0": limiter(
        "n: self.cap, self.per_s = n, n / 60",
        methods=METHODS.replace("return self._take()", "return int(self._take())"),
    ),
    "datetime": limiter("n: self.cap, self.per_s = n, n / 60")
    .replace("time.monotonic()", "datetime.datetime.now()")
    .replace("(now - self.then)", "(now - self.then).total_seconds()")
    .replace("import threading, time", "import threading, datetime"),
    "the wall clock": limiter("n: self.cap, self.per_s = n, n / 60").replace("monotonic", "time"),
}


@pytest.mark.parametrize("shape", RIGHT)
async def test_every_shape_of_a_right_limiter_passes(shape: str) -> None:
    assert await failures(RIGHT[shape]) == {}


async def failures(code: str) -> dict[str, str]:
    """Return the failed checks with what came."""
    found = await isolation()
    found.required()
    evidence = await examine_answer(QUESTION, f"```python\n{dedent(code)}\n```")
    assert evidence is not None
    assert evidence.state == "ok", evidence.message
    return {check.id: str(check.got or check.reason) for check in evidence.failures}


async def test_a_rate_a_second_that_is_called_a_minute_is_no_matter_of_taste() -> None:
    failed = await failures(limiter("requests_per_minute: self.cap = self.per_s = requests_per_minute"))

    assert "rate" in failed
    assert "refill" in failed


async def test_a_limiter_that_refills_from_its_own_thread_is_looked_at_in_real_time() -> None:
    code = """
        import threading, time

        class RateLimiter:
            def __init__(self, n):
                self.n = self.tokens = n
                self.lock = threading.Lock()
                threading.Thread(target=self._refill, daemon=True).start()

            def _refill(self):
                while True:
                    time.sleep(60 / self.n)
                    with self.lock:
                        self.tokens = min(self.n, self.tokens + 1)

            def allow_request(self):
                with self.lock:
                    if self.tokens > 0:
                        self.tokens -= 1
                        return True
                    return False

            def reset(self):
                with self.lock:
                    self.tokens = self.n
    """

    assert await failures(code) == {}
    assert {"burst", "reset"} <= set(await failures(code.replace("self.tokens > 0", "self.tokens > 1")))


UNLOCKED = {
    "no lock": (METHODS.replace("with self.lock:", "if True:"), ["_take", "_fill"]),
    "a new lock each time": (METHODS.replace("self.lock", "threading.Lock()"), ["_take", "_fill"]),
    "a lock for one method": (
        METHODS.replace("with self.lock:\n            self._fill", "if True:\n            self._fill"),
        ["_fill"],
    ),
}


@pytest.mark.parametrize("how", UNLOCKED)
def test_stores_without_a_shared_lock_are_found(how: str) -> None:
    methods, expected = UNLOCKED[how]
    code = limiter("n: self.cap, self.per_s = n, n / 60", methods=methods)

    stores = uncovered_stores(runnable(code).code, "Limiter", ("allow_request", "reset"))

    assert {store.method for store in stores} == set(expected)


def test_a_lock_that_is_acquired_covers_what_follows() -> None:
    methods = """
    def allow_request(self):
        self.lock.acquire()
        try:
            return self._take()
        finally:
            self.lock.release()

    def reset(self):
        self.tokens = self.cap
        with self.lock:
            self._fill()
    """
    code = limiter("n: self.cap, self.per_s = n, n / 60", methods=methods)

    (store,) = uncovered_stores(code, "Limiter", ("allow_request", "reset"))

    assert (store.method, store.target) == ("reset", "self.tokens")
