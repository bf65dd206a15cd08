"""C-T2-Q2: several URLs fetched concurrently, a dict of URL to status code, 5 seconds for each request.

Any library and any pattern counts: what is seen is what a real HTTP server received and what came back. Time is a patient
clock: it jumps over waits in which nothing arrives, so a timeout of 5 seconds takes half a second. Waits in the C code of
threads cannot be jumped over and take their real time.

Open, so accepted: what stands for a failed URL (None, a text, 0, an exception, a made-up code of 400 or more), GET or HEAD,
redirects, retries, a limit on connections, and whether the function is async or runs its own loop.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from judge.checking import Check, shown
from judge.entry import Entry, WantedFunction, find_function
from judge.subject import Case, Subject
from runner.loopback import LoopbackServer, Route
from runner.outcomes import CallResult
from runner.sandbox import Sandbox

QUESTION = "C-T2-Q2"
CLOCK = "patient"
NETWORK = "loopback"
CALL_WALL_S = 12.0

STATUS = Check(
    id="status_codes", criteria=("correct_async_pattern",), about="a dict of every URL to its status, 404 and 500 too"
)
CONCURRENT = Check(
    id="concurrent", criteria=("correct_async_pattern",), about="several requests are under way at the same time"
)
NOTHING = Check(id="no_urls", criteria=("correct_async_pattern",), about="no URLs give an empty dict")
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
REFUSED = Check(id="refused", criteria=("error_handling",), about="a refused connection spoils no other URL")
RESET = Check(id="reset", criteria=("error_handling",), about="a broken connection spoils no other URL")
BAD_HOST = Check(id="bad_host", criteria=("error_handling",), about="a host that does not exist spoils no other URL")
BAD_URL = Check(id="bad_url", criteria=("error_handling",), about="a text that is no URL spoils no other URL")

CHECKS = (STATUS, CONCURRENT, NOTHING, ENDS, FIVE, EACH, SPARES, REFUSED, RESET, BAD_HOST, BAD_URL)

_NOBODY = "http://127.0.0.1:9/"
_SLOW_S = 0.2
"""Long enough for requests to overlap, and well below the patience of the clock."""
_SHORTEST_S, _LONGEST_S = 4.0, 6.5
"""What still is "5 s" on the clock, per attempt: connection and reply may each have their own limit."""

_ROUTES = {
    "/ok": Route(status=200, body="fine"),
    "/created": Route(status=201),
    "/missing": Route(status=404, body="no"),
    "/broken": Route(status=500),
    "/hang": Route(behaviour="hang"),
    "/hang/too": Route(behaviour="hang"),
    "/reset": Route(behaviour="reset"),
    **{f"/slow/{i}": Route(status=200, delay_s=_SLOW_S) for i in range(6)},
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
    await _statuses(subject, entry)
    await _concurrency(subject, entry)
    await _timeouts(subject, entry)
    for check, bad in (
        (REFUSED, _NOBODY),
        (RESET, "/reset"),
        (BAD_HOST, "http://no-such-host.invalid/"),
        (BAD_URL, "not a url"),
    ):
        await _failure(subject, entry, check, bad)
    nothing = await _fetch(subject, entry, [])
    _record(subject, NOTHING, nothing, nothing.result.ok and nothing.result.value == {}, "[]", "{}")


async def _statuses(subject: Subject, entry: Entry) -> None:
    expected = {"/ok": 200, "/created": 201, "/missing": 404, "/broken": 500}
    fetched = await _fetch(subject, entry, list(expected))
    _record(subject, STATUS, fetched, _has(fetched, expected), list(expected), shown(expected))


async def _concurrency(subject: Subject, entry: Entry) -> None:
    paths = [f"/slow/{i}" for i in range(6)]
    fetched = await _fetch(subject, entry, paths)
    good = _has(fetched, dict.fromkeys(paths, 200))
    if good and fetched.concurrent < 2:
        subject.failed(
            CONCURRENT,
            "one request after the other",
            input=f"{len(paths)} slow URLs",
            expected="several at once",
            got="never more than 1 at once",
        )
    else:
        _record(subject, CONCURRENT, fetched, good, paths, "200 for each")


async def _timeouts(subject: Subject, entry: Entry) -> None:
    one = await _fetch(subject, entry, ["/ok", "/hang", "/missing"])
    paths = ["/ok", "/hang", "/missing"]
    if not one.result.ok and one.result.state != "raised":
        for check in (ENDS, FIVE, EACH, SPARES):
            _record(subject, check, one, False, paths, "an end after 5 s")
        return
    _record(subject, ENDS, one, _failed_url(one, "/hang"), paths, "no status for the URL that hangs")
    _record(subject, SPARES, one, _has(one, {"/ok": 200, "/missing": 404}), paths, "200 and 404 for the others")
    _took(subject, FIVE, one, paths)
    two = await _fetch(subject, entry, ["/hang", "/ok", "/hang/too"])
    good = _has(two, {"/ok": 200}) and _failed_url(two, "/hang") and _failed_url(two, "/hang/too")
    if good:
        _took(subject, EACH, two, ["/hang", "/ok", "/hang/too"])
    else:
        _record(subject, EACH, two, False, ["/hang", "/ok", "/hang/too"], "200 for /ok, no status for the others")


def _took(subject: Subject, check: Check, fetched: _Fetched, paths: Sequence[str]) -> None:
    longest_s = _LONGEST_S * max(1, fetched.attempts)
    subject.judge(
        check,
        _SHORTEST_S <= fetched.took_s <= longest_s,
        "the time until it gives up is not 5 seconds",
        input=", ".join(paths),
        expected="about 5 s",
        got=f"{fetched.took_s:.1f} s",
    )


async def _failure(subject: Subject, entry: Entry, check: Check, bad: str) -> None:
    fetched = await _fetch(subject, entry, ["/ok", bad, "/missing"])
    good = _has(fetched, {"/ok": 200, "/missing": 404}) and _failed_url(fetched, bad)
    _record(subject, check, fetched, good, ["/ok", bad, "/missing"], "200, no status, 404")


# --- one call -----------------------------------------------------------------------------------------------------


async def _fetch(subject: Subject, entry: Entry, paths: Sequence[str]) -> _Fetched:
    """Fetch paths of our server (what starts with no slash is a URL of its own); paths stand for URLs in the result."""
    async with subject.fresh() as sandbox, sandbox.http_server(_ROUTES) as server:
        return await _fetch_from(sandbox, server, entry, paths)


async def _fetch_from(sandbox: Sandbox, server: LoopbackServer, entry: Entry, paths: Sequence[str]) -> _Fetched:
    urls = {(server.url(path) if path.startswith("/") else path): path for path in paths}
    before_s, started_s = await sandbox.elapsed_s(), time.monotonic()
    result = await sandbox.call(entry.target, list(urls))
    took_s = time.monotonic() - started_s
    if result.ok or result.state == "raised":
        took_s = max(took_s, await sandbox.elapsed_s() - before_s)
    if result.ok and isinstance(result.value, dict):
        value = {urls.get(key, key): status for key, status in result.value.items()}
        result = result.model_copy(update={"value": value})
    log = server.log()
    attempts = [sum(request.path == each.path for request in log) for each in log]
    return _Fetched(result, took_s, max((request.concurrent for request in log), default=0), max(attempts, default=0))


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


def _record(
    subject: Subject, check: Check, fetched: _Fetched, good: bool, paths: Sequence[str] | str, expected: str
) -> None:
    if good:
        subject.passed(check)
    else:
        asked = paths if isinstance(paths, str) else ", ".join(paths)
        subject.failed_call(check, fetched.result, input=asked, expected=expected)
