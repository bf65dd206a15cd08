"""Endpoints that were away when the others of their judge were met: when they are met again, and what becomes of them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from fakes import (
    FakeServer,
    Fault,
    Handler,
    Request,
    Response,
    ScriptedJudge,
    completion,
    error_response,
    html_response,
    json_response,
    lenient,
    serving,
    until,
)

from runner.client import ModelClient
from runner.dialects import Dialect
from runner.handshake import meet
from runner.latecomers import awaited
from runner.retry import RetryPolicy
from runner.types import Endpoint

ONCE = RetryPolicy(attempts=1)
JUDGE = ScriptedJudge(lenient)
LOADING = error_response(503, "Loading model", code="503")


class Turning:
    """A handler that is another one from some moment on."""

    def __init__(self, handler: Handler) -> None:
        self.now = handler

    def __call__(self, request: Request) -> Response:
        return self.now(request)


class Watch:
    """What was told and who was admitted, and how long was waited between, without waiting."""

    def __init__(self) -> None:
        self.admitted: list[Endpoint] = []
        self.told: list[str] = []
        self.pauses: list[float] = []
        self.before_try: Callable[[int], None] = lambda tries: None
        """Is told how many tries there were, before the next one."""

    def admit(self, client: ModelClient) -> None:
        self.admitted.append(client.endpoint)

    async def sleep(self, seconds: float) -> None:
        self.before_try(len(self.pauses))
        self.pauses.append(seconds)
        await asyncio.sleep(0.001)


@asynccontextmanager
async def watched(watch: Watch, *endpoints: Endpoint, retry: RetryPolicy = ONCE) -> AsyncIterator[None]:
    """Meet these endpoints, and those that are away again for the length of the block."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(ModelClient(endpoint)) for endpoint in endpoints]
        met = await meet(clients, retry=retry, load_timeout_s=60.0)
        assert met.absent, "otherwise there is nobody to be waited for"
        later = awaited(met, admit=watch.admit, tell=watch.told.append, retry=retry, sleep=watch.sleep)
        await stack.enter_async_context(later)
        yield


def gone() -> FakeServer:
    """A server that was there; its port is free."""
    server = FakeServer(JUDGE)
    server.close()
    return server


def listing(**told: object) -> Handler:
    """A judge that says more about its model than the name."""
    entry = {"id": "m", "object": "model", **told}
    return lambda r: json_response({"object": "list", "data": [entry]}) if r.path == "/v1/models" else JUDGE(r)


def at_chat(response: Response) -> Handler:
    """A judge that lists its model and answers every question like this."""
    return lambda request: response if request.path == "/v1/chat/completions" else JUDGE(request)


DOWN = error_response(503, "no backend")
AWAY: dict[str, Handler] = {
    "503": lambda _: DOWN,
    "502": lambda _: html_response(502),
    "loads": lambda _: LOADING,
    "loads at the first question": at_chat(LOADING),
    "500 to everything": at_chat(error_response(500, "engine dead")),
    "throttles": lambda _: error_response(429, "slow down"),
}


@pytest.mark.parametrize("away", AWAY)
async def test_one_that_can_be_asked_at_last_is_admitted_and_told_of_once(
    away: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="runner.latecomers")
    turning, watch = Turning(AWAY[away]), Watch()
    with serving(JUDGE) as good, serving(turning) as late:
        async with watched(watch, late.endpoint(), good.endpoint()):
            await until(lambda: len(watch.pauses) > 3)
            assert (watch.admitted, watch.told) == ([], [])
            turning.now = JUDGE
            await until(lambda: bool(watch.told))
            asked = len(late.requests)
            await asyncio.sleep(0.05)
            assert len(late.requests) == asked, "nobody looks for it any more"
    assert watch.admitted == [late.endpoint()]
    assert watch.told == [f"{late.base_url} can be asked now, and does its share of the work"]
    (record,) = [record for record in caplog.records if record.name == "runner.latecomers"]
    fields: dict[str, Any] = record.__dict__["fields"]
    assert (fields["event"], fields["endpoint"], fields["model"]) == ("joined", late.base_url, "m")
    assert fields["after_s"] > 0


async def test_one_where_nobody_listened_is_admitted_once_a_server_is_there() -> None:
    late, watch = gone(), Watch()
    with serving(JUDGE) as good:
        async with watched(watch, late.endpoint(), good.endpoint()):
            await until(lambda: len(watch.pauses) > 3)
            with serving(JUDGE, int(late.base_url.rpartition(":")[2].removesuffix("/v1"))):
                await until(lambda: bool(watch.admitted))
    assert watch.admitted == [late.endpoint()]


async def test_the_pauses_double_up_to_a_minute_while_nobody_says_that_it_loads() -> None:
    watch, policy = Watch(), RetryPolicy(attempts=1)
    with serving(JUDGE) as good:
        async with watched(watch, gone().endpoint(), good.endpoint(), retry=policy):
            await until(lambda: len(watch.pauses) > 6)
    assert watch.pauses[:7] == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0]


async def test_one_that_loads_is_looked_for_as_often_as_at_first() -> None:
    watch = Watch()
    with serving(JUDGE) as good, serving(lambda _: LOADING) as loads:
        async with watched(watch, loads.endpoint(), good.endpoint()):
            await until(lambda: len(watch.pauses) > 4)
    assert set(watch.pauses) == {5.0}


# --- those that are not what was asked for ----------------------------------------------------------------------------------

OTHERS: dict[str, tuple[Handler, str]] = {
    "name": (ScriptedJudge(lenient, name="other"), "asked for model 'm', the endpoint lists 'other'"),
    "file": (listing(root="q8.gguf"), "found {'root': 'q8.gguf'}"),
    "dialect": (
        lambda r: (
            listing(root="q4.gguf")(r)
            if r.path == "/v1/models"
            else ScriptedJudge(lenient, enforces=Dialect.GRAMMAR)(r)
        ),
        "grammar instead of",
    ),
    "tokenizer": (
        lambda r: json_response({"count": 2}) if "tokenize" in r.path else listing(root="q4.gguf")(r),
        "a llama-cpp-python server instead of",
    ),
}


@pytest.mark.parametrize("other", OTHERS)
async def test_one_that_serves_another_model_is_not_used_and_told_of_once_and_admitted_when_that_is_put_right(
    other: str,
) -> None:
    handler, said = OTHERS[other]
    turning, watch = Turning(lambda _: DOWN), Watch()
    with serving(listing(root="q4.gguf")) as good, serving(turning) as late:
        async with watched(watch, good.endpoint(), late.endpoint()):
            turning.now = handler
            await until(lambda: bool(watch.told))
            before = len(watch.pauses)
            await until(lambda: len(watch.pauses) > before + 2)
            assert watch.admitted == []
            (line,) = watch.told
            assert line.startswith(f"not used, the others do its work: {late.base_url}")
            assert said in line
            assert set(watch.pauses[before:]) == {60.0}, "once a minute"
            turning.now = listing(root="q4.gguf")
            await until(lambda: bool(watch.admitted))
    assert len(watch.told) == 2


async def test_two_that_come_later_are_compared_with_each_other_too() -> None:
    """The one that was there says nothing of whether it counts tokens, so that neither of them differs from it."""
    busy: Handler = lambda r: error_response(429, "busy") if "tokenize" in r.path else JUDGE(r)  # noqa: E731
    counts: Handler = lambda r: json_response({"count": 2}) if "tokenize" in r.path else JUDGE(r)  # noqa: E731
    first, second, watch = Turning(lambda _: DOWN), Turning(lambda _: DOWN), Watch()
    with serving(busy) as good, serving(first) as one, serving(second) as two:
        async with watched(watch, good.endpoint(), one.endpoint(), two.endpoint()):
            first.now = counts
            await until(lambda: bool(watch.admitted))
            second.now = JUDGE
            await until(lambda: len(watch.told) == 2)
    assert watch.admitted == [one.endpoint()]
    assert "does not serve 'm' as" in watch.told[1]


@pytest.mark.parametrize("status", [401, 403])
async def test_one_that_refuses_the_key_is_told_of_and_asked_no_more(status: int) -> None:
    turning, watch = Turning(lambda _: DOWN), Watch()
    with serving(JUDGE) as good, serving(turning) as late:
        async with watched(watch, good.endpoint(), late.endpoint()):
            turning.now = lambda _: error_response(status, "no")
            await until(lambda: bool(watch.told))
            asked, tries = len(late.requests), len(watch.pauses)
            await asyncio.sleep(0.05)
            assert (len(late.requests), len(watch.pauses)) == (asked, tries)
    assert watch.admitted == []
    (line,) = watch.told
    assert line.startswith(f"not used in this run: {late.base_url}")
    assert f"HTTP {status}" in line


STARTING_UP: dict[str, Handler] = {
    "page": lambda _: html_response(),
    "no listing yet": lambda _: json_response({}),
    "no finish reason": at_chat(completion("x", finish=None)),
    "500 at the first question": at_chat(error_response(500, "not ready")),
    "empty": lambda _: Response(headers={"content-type": "application/json"}),
}


@pytest.mark.parametrize("reply", STARTING_UP)
async def test_what_a_server_says_that_is_only_coming_up_is_neither_told_nor_the_end(
    reply: str, caplog: pytest.LogCaptureFixture
) -> None:
    turning, watch = Turning(lambda _: DOWN), Watch()
    with serving(JUDGE) as good, serving(turning) as late:
        async with watched(watch, good.endpoint(), late.endpoint()):
            turning.now = STARTING_UP[reply]
            asked = len(late.requests)
            await until(lambda: len(late.requests) > asked + 12)
            assert watch.told == []
            turning.now = JUDGE
            await until(lambda: bool(watch.admitted))
    assert [record.message for record in caplog.records] == []


# --- the end ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/models", "/extras/tokenize/count", "/v1/chat/completions"])
async def test_it_ends_at_once_with_the_run_in_the_middle_of_a_try(path: str) -> None:
    turning, watch, hung = Turning(lambda _: DOWN), Watch(), list[Request]()
    before = asyncio.all_tasks()

    def hangs(request: Request) -> Response:
        if request.path != path:
            return JUDGE(request)
        hung.append(request)
        return Response((Fault.HANG,), headerless=True)

    with serving(JUDGE) as good, serving(turning) as late:
        async with watched(watch, good.endpoint(), late.endpoint()):
            turning.now = hangs
            await until(lambda: bool(hung))
            began_s = time.monotonic()
        assert time.monotonic() - began_s < 5, "a try may take longer, and nobody waits for it"
        await until(late.hung_up.is_set)
    assert len(hung) == 1
    assert asyncio.all_tasks() == before
    assert watch.told == []


async def test_it_ends_with_a_run_that_is_cancelled() -> None:
    watch, before = Watch(), asyncio.all_tasks()
    with serving(JUDGE) as good:

        async def run() -> None:
            async with watched(watch, good.endpoint(), gone().endpoint()):
                await asyncio.Event().wait()

        task = asyncio.create_task(run())
        await until(lambda: len(watch.pauses) > 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert asyncio.all_tasks() == before


async def test_a_fault_of_ours_in_waiting_is_not_swallowed() -> None:
    watch = Watch()

    def fault(_: int) -> None:
        raise ZeroDivisionError

    watch.before_try = fault
    with serving(JUDGE) as good, pytest.raises(ZeroDivisionError):
        async with watched(watch, good.endpoint(), gone().endpoint()):
            await asyncio.sleep(0.05)
