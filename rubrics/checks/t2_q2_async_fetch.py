"""C-T2-Q2: several URLs fetched concurrently, a dict of URL to status code, 5 seconds for each request.

Any library and any pattern counts: what is seen is what a real HTTP server received and what came back. Time is a patient
clock: it jumps over waits in which nothing arrives, so a timeout of 5 seconds takes half a second. Waits in the C code of
threads cannot be jumped over and take their real time.

Open, so accepted: what stands for a failed URL (None, a text, 0, an exception, a made-up code of 400 or more), GET or HEAD,
redirects, retries, a limit on connections, an empty list, and whether the function is async or runs its own loop.
"""

import contextlib
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from judge.checks.candidates import Entry, WantedFunction
from judge.checks.cases import Case
from judge.checks.checking import Check
from judge.checks.entry import find_function
from judge.checks.showing import shown, shown_result
from judge.checks.subject import Subject
from runner.loopback import LoopbackServer, Route
from runner.outcomes import CallResult
from runner.sandbox import Sandbox

QUESTION = "C-T2-Q2"
CLOCK = "patient"
NETWORK = "loopback"
CALL_WALL_S = 8.0
"""A thread that waits 5 s in C code takes them."""
_LOOP_WALL_S = 3.0
"""Enough where only the event loop waits: it takes half a second for each of its own timeouts."""
_THREADS = re.compile(r"thread|executor|requests|urllib|http\.client|socket\.|anyio", re.IGNORECASE)

STATUS = Check(id="status_codes", criteria=("correct_async_pattern",), about="a dict of every URL to its status")
ASYNCIO = Check(
    id="asyncio", criteria=("correct_async_pattern",), about="it uses asyncio, as the question asks", static=True
)
CONCURRENT = Check(
    id="concurrent", criteria=("correct_async_pattern",), about="several requests are under way at the same time"
)
TIDY = Check(id="tidy", criteria=("correct_async_pattern",), about="no session is left open and no coroutine unawaited")
ENDS = Check(id="timeout_ends", criteria=("timeout_handling",), about="a server that never answers is given up")
FIVE = Check(id="timeout_5s", criteria=("timeout_handling",), about="it is given up after about 5 seconds")
EACH = Check(
    id="timeout_each",
    criteria=("timeout_handling",),
    about="several hanging servers take 5 seconds together, not each after the other",
)
SPARES = Check(
    id="timeout_spares", criteria=("timeout_handling",), about="the other URLs keep their status when one times out"
)
ERROR_STATUS = Check(
    id="error_status", criteria=("error_handling",), about="404 and 500 are status codes, not failures"
)
REFUSED = Check(id="refused", criteria=("error_handling",), about="a refused connection spoils no other URL")
RESET = Check(id="reset", criteria=("error_handling",), about="a broken connection spoils no other URL")
BAD_HOST = Check(id="bad_host", criteria=("error_handling",), about="a host that does not exist spoils no other URL")
BAD_URL = Check(id="bad_url", criteria=("error_handling",), about="a text that is no URL spoils no other URL")

CHECKS = (STATUS, ASYNCIO, CONCURRENT, TIDY, ENDS, FIVE, EACH, SPARES, ERROR_STATUS, REFUSED, RESET, BAD_HOST, BAD_URL)

_NOBODY = "http://127.0.0.1:9/"
_SLOW_S = 0.2
"""Long enough for requests to overlap, and well below the patience of the clock."""
_BUSY_S = 0.5
_MANY_HANGS = 4
"""Fewer than any limit on connections that people set, more than one that would be set to show a waiting line."""
_LIMIT = re.compile(r"semaphore|connector|limit|queue|batch|chunk|max_workers|max_conc", re.IGNORECASE)
"""What may make a request wait for others, so that its own 5 seconds must not run yet."""
_SHORTEST_S, _LONGEST_S = 4.0, 6.5
"""What still is "5 s" on the clock, per attempt: connection and reply may each have their own limit."""

_ROUTES = {
    "/ok": Route(status=200, body="fine"),
    "/created": Route(status=201),
    "/accepted": Route(status=202),
    "/missing": Route(status=404, body="no"),
    "/broken": Route(status=500),
    "/hang": Route(behaviour="hang"),
    "/hang/too": Route(behaviour="hang"),
    **{f"/hang/{i}": Route(behaviour="hang") for i in range(_MANY_HANGS)},
    "/reset": Route(behaviour="reset"),
    **{f"/slow/{i}": Route(status=200, delay_s=_SLOW_S) for i in range(5)},
}


def _is_dict(result: CallResult) -> bool:
    return result.ok and isinstance(result.value, dict)


_WANTED = WantedFunction(
    names=(
        "fetch_urls",
        "fetch_all",
        "fetch_all_urls",
        "fetch_multiple_urls",
        "fetch_urls_concurrently",
        "fetch_statuses",
        "fetch_status_codes",
        "get_status_codes",
        "fetch_multiple",
        "fetch_many",
    ),
    words=("fetch", "url"),
    example=Case(([_NOBODY],), accepts=_is_dict, expected_text="a dict"),
    spreads=True,
    fill=(
        ("timeout", "5"),
        ("timeout_s", "5"),
        ("timeout_seconds", "5"),
        ("timeout_sec", "5"),
        ("request_timeout", "5"),
        ("max_concurrent", "10"),
        ("max_concurrency", "10"),
        ("max_connections", "10"),
        ("concurrency", "10"),
        ("limit", "10"),
        ("max_workers", "10"),
    ),
)


@dataclass(frozen=True)
class _Fetched:
    """One call, with what the clock and the server saw."""

    result: CallResult
    took_s: float
    """On the clock, or really when that is longer."""
    concurrent: int
    """Most requests under way at once."""
    attempts: int
    """Most requests for one URL."""


async def examine(subject: Subject) -> None:
    """Record every check."""
    entry = await find_function(subject, _WANTED)
    subject.judge(ASYNCIO, bool(_ASYNCIO.search(subject.program.code)), "there is no coroutine and no event loop in it")
    async with _Laboratory(subject, entry) as laboratory:
        await _statuses(laboratory)
        await _concurrency(laboratory)
        await _timeouts(laboratory)
        for check, bad in _FAILURES.items():
            paths = ["/ok", bad, "/created"]
            await laboratory.expect(check, paths, {"/ok": 200, "/created": 201}, failing=[bad])


_FAILURES = {
    REFUSED: _NOBODY,
    RESET: "/reset",
    BAD_HOST: "http://no-such-host.invalid/",
    BAD_URL: "not a url",
}


class _Laboratory:
    """A sandbox with our server beside it; both anew after a call that ended the sandbox."""

    def __init__(self, subject: Subject, entry: Entry) -> None:
        self.subject = subject
        self._entry = entry
        self._wall_s = CALL_WALL_S if _THREADS.search(subject.program.code) else _LOOP_WALL_S
        self._exits = contextlib.AsyncExitStack()
        self._open: tuple[Sandbox, LoopbackServer] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exits.aclose()

    async def expect(
        self, check: Check, paths: Sequence[str], statuses: Mapping[str, int], *, failing: Sequence[str] = ()
    ) -> _Fetched:
        """Fetch, and record whether the result is what it should be; a bad one may be fetched once more before it counts."""

        def good(fetched: _Fetched) -> bool:
            return _has(fetched, statuses) and all(_failed_url(fetched, url) for url in failing)

        fetched = await self.fetch(paths, good)
        expected = {**statuses, **dict.fromkeys(failing, "no status")}
        self.record(check, fetched, good(fetched), paths, shown(expected))
        return fetched

    def record(self, check: Check, fetched: _Fetched, good: bool, paths: Sequence[str], expected: str) -> None:
        """Record one check about one call."""
        if good:
            self.subject.passed(check)
        else:
            self.subject.failed_call(check, fetched.result, input=", ".join(paths) or "no URLs", expected=expected)

    async def fetch(self, paths: Sequence[str], good: Callable[[_Fetched], bool]) -> _Fetched:
        """Fetch, and when the result is bad and took long, once more with nothing else going on: on a busy machine a
        reply may come after the patience of the clock."""
        fetched = await _fetch_from(*await self._ready(), self._entry, paths)
        if good(fetched) or fetched.took_s < _BUSY_S:
            return fetched
        sandbox, server = await self._ready()
        async with self.subject.alone():
            return await _fetch_from(sandbox, server, self._entry, paths)

    async def _ready(self) -> tuple[Sandbox, LoopbackServer]:
        if self._open is None or self._open[0].end is not None:
            await self._exits.aclose()
            sandbox = await self._exits.enter_async_context(self.subject.fresh(call_wall_s=self._wall_s))
            self._open = sandbox, await self._exits.enter_async_context(sandbox.http_server(_ROUTES))
        return self._open


async def _fetch_from(sandbox: Sandbox, server: LoopbackServer, entry: Entry, paths: Sequence[str]) -> _Fetched:
    """What starts with a slash is a path of our server; in the result, too, paths stand for URLs."""
    urls = {(server.url(path) if path.startswith("/") else path): path for path in paths}
    seen, before_s, started_s = len(server.log()), await sandbox.elapsed_s(), time.monotonic()
    result = await sandbox.call(entry.target, list(urls))
    took_s = time.monotonic() - started_s
    if sandbox.end is None:
        took_s = max(took_s, await sandbox.elapsed_s() - before_s)
    if result.ok and isinstance(result.value, dict):
        value = {urls.get(key, key): status for key, status in result.value.items()}
        result = replace(result, value=value)
    log = server.log()[seen:]
    attempts = Counter(request.path for request in log)
    return _Fetched(
        result, took_s, max((request.concurrent for request in log), default=0), max(attempts.values(), default=0)
    )


async def _statuses(laboratory: _Laboratory) -> None:
    expected = {"/ok": 200, "/created": 201, "/accepted": 202}
    fetched = await laboratory.expect(STATUS, list(expected), expected)
    errors = {"/missing": 404, "/ok": 200, "/broken": 500}
    await laboratory.expect(ERROR_STATUS, list(errors), errors)
    left = [warning for warning in _LEFT_OPEN if warning in fetched.result.stdout]
    laboratory.subject.judge(TIDY, not left, "something is left behind", got=", ".join(left))


_ASYNCIO = re.compile(r"\basync def\b|\b(asyncio|anyio|trio|uvloop)\.")

_LEFT_OPEN = ("Unclosed client session", "was never awaited", "Task was destroyed but it is pending")
"""What Python and aiohttp print about it; both do so when the object goes away."""


async def _concurrency(laboratory: _Laboratory) -> None:
    paths = [f"/slow/{i}" for i in range(5)]
    fetched = await laboratory.fetch(paths, lambda fetched: fetched.concurrent > 1)
    laboratory.subject.judge(
        CONCURRENT,
        fetched.concurrent > 1,
        "one request after the other",
        input=f"{len(paths)} slow URLs",
        expected="several requests at once",
        got=f"never more than {fetched.concurrent} at once; {shown_result(fetched.result)}",
    )


async def _timeouts(laboratory: _Laboratory) -> None:
    paths = ["/ok", "/hang", "/created"]

    def gives_up(fetched: _Fetched) -> bool:
        return _failed_url(fetched, "/hang")

    one = await laboratory.fetch(paths, gives_up)
    laboratory.record(ENDS, one, gives_up(one), paths, "an end after 5 s, and no status for /hang")
    laboratory.record(SPARES, one, _has(one, {"/ok": 200, "/created": 201}), paths, "200 and 201 for the others")
    _took(laboratory, FIVE, one, paths)
    if one.result.state == "timeout":
        laboratory.record(EACH, one, False, paths, "an end after 5 s")
        return
    if laboratory.subject.results[CONCURRENT.id].outcome == "fail":
        laboratory.subject.failed(EACH, "requests are made one after the other, so their timeouts add up")
        return
    two = ["/hang", "/ok", "/hang/too"]
    fetched = await laboratory.expect(EACH, two, {"/ok": 200}, failing=["/hang", "/hang/too"])
    if laboratory.subject.results[EACH.id].outcome == "pass":
        _took(laboratory, EACH, fetched, two)
    if _LIMIT.search(laboratory.subject.program.code):
        many = [*(f"/hang/{i}" for i in range(_MANY_HANGS)), "/ok"]
        waiting = await laboratory.fetch(many, lambda fetched: _has(fetched, {"/ok": 200}))
        expected = "200 for /ok: 5 s per request, not for the time that it waits for others"
        laboratory.record(SPARES, waiting, _has(waiting, {"/ok": 200}), many, expected)


def _took(laboratory: _Laboratory, check: Check, fetched: _Fetched, paths: Sequence[str]) -> None:
    if fetched.result.state == "timeout":
        laboratory.record(check, fetched, False, paths, "about 5 s")
        return
    laboratory.subject.judge(
        check,
        _SHORTEST_S <= fetched.took_s <= _LONGEST_S * max(1, fetched.attempts),
        "the time until it gives up is not 5 seconds",
        input=", ".join(paths),
        expected="about 5 s",
        got=f"{fetched.took_s:.1f} s",
    )


def _has(fetched: _Fetched, expected: Mapping[str, int]) -> bool:
    value = fetched.result.value
    return _is_dict(fetched.result) and all(_is_status(value.get(url), status) for url, status in expected.items())


def _is_status(value: object, status: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value == status


def _failed_url(fetched: _Fetched, url: str) -> bool:
    """The URL stands in the result, with nothing that can be taken for the status of a reply."""
    if not _is_dict(fetched.result) or url not in fetched.result.value:
        return False
    value = fetched.result.value[url]
    return isinstance(value, bool) or not isinstance(value, int) or not 100 <= value < 400
