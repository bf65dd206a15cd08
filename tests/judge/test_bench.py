"""A judge at its endpoints, as it is opened for a run: how much it is given at a time, and what is said of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from examples import SCALE, call, judge_record, question
from fakes import (
    FakeServer,
    Fault,
    Handler,
    Request,
    Response,
    ScriptedJudge,
    error_response,
    json_response,
    lenient,
    serving,
    until,
)

from judge.judge_prompts import load_judge_prompts
from judge.pipeline import Machinery
from judge.pipeline.bench import EndpointJudge, reach_judge
from judge.types import Judgement
from runner.pace import START
from runner.retry import RetryPolicy

RETRY = RetryPolicy(attempts=3, base_s=0.001, absent_s=0.01)


def counting(*faults: Response) -> Handler:
    """A judge on a llama-cpp-python server, as far as that can be seen; its tokenizer is at first like this."""
    left, judge = list(faults), ScriptedJudge(lenient)

    def handler(request: Request) -> Response:
        if request.path != "/extras/tokenize/count":
            return judge(request)
        return left.pop(0) if left else json_response({"count": len(request.body["input"].split())})

    return handler


@asynccontextmanager
async def opened(folder: Path, *servers: FakeServer, concurrency: int | None = None) -> AsyncIterator[EndpointJudge]:
    endpoints = [server.endpoint() for server in servers]
    judge = judge_record(endpoint=endpoints[0], more_endpoints=tuple(endpoints[1:]))
    machinery = Machinery(folder=folder, retry=RETRY, concurrency=concurrency)
    async with AsyncExitStack() as stack:
        yield await reach_judge(judge, SCALE, load_judge_prompts().templates, machinery, stack)


async def grade(bench: EndpointJudge, answers: int) -> None:
    """Have so many answers scored at once."""
    asked = (bench.grade(question(), f"answer {n}", "def f(): ...", call()) for n in range(answers))
    assert all(isinstance(outcome, Judgement) for outcome in await asyncio.gather(*asked))


async def test_a_llama_cpp_python_server_is_given_one_request_at_a_time_however_it_does(tmp_path: Path) -> None:
    with serving(counting()) as server:
        async with opened(tmp_path, server) as bench:
            assert (bench.limit(), bench.at_work()) == (1, 1)
            await grade(bench, 12)
            assert bench.limit() == 1


@pytest.mark.parametrize("busy", [error_response(503, "busy"), error_response(429, "slow down", retry_after="0")])
async def test_one_whose_tokenizer_was_busy_is_no_other_server(tmp_path: Path, busy: Response) -> None:
    with serving(counting(busy)) as server:
        async with opened(tmp_path, server) as bench:
            assert bench.limit() == 1


async def test_two_llama_cpp_python_servers_are_given_one_request_each(tmp_path: Path) -> None:
    with serving(counting()) as one, serving(counting()) as other:
        async with opened(tmp_path, one, other) as bench:
            assert bench.limit() == 2


async def test_another_server_is_given_as_many_as_it_takes(tmp_path: Path) -> None:
    with serving(ScriptedJudge(lenient)) as server:
        async with opened(tmp_path, server) as bench:
            assert bench.limit() == START
            await grade(bench, 24)
            assert bench.limit() > START


@pytest.mark.parametrize("handler", [counting(), ScriptedJudge(lenient)], ids=["llama-cpp-python", "another"])
async def test_a_number_that_the_user_gives_holds_for_every_server(tmp_path: Path, handler: Handler) -> None:
    with serving(handler) as server:
        async with opened(tmp_path, server, concurrency=5) as bench:
            await grade(bench, 12)
            assert bench.limit() == 5


async def test_an_endpoint_that_is_down_is_named_and_the_other_one_does_the_work(tmp_path: Path) -> None:
    gone = FakeServer(ScriptedJudge(lenient))
    gone.close()
    with serving(ScriptedJudge(lenient)) as server:
        async with opened(tmp_path, gone, server) as bench:
            (notice,) = bench.news()
            assert notice.model == "j"
            assert notice.message.startswith(f"left out until it can be asked, the others do its work: {gone.base_url}")
            await grade(bench, 8)


# --- an endpoint that comes later --------------------------------------------------------------------------------------------


class Late:
    """An endpoint that is away until it is told to be there."""

    def __init__(self, handler: Handler) -> None:
        self.is_there = False
        self._handler = handler

    def __call__(self, request: Request) -> Response:
        return self._handler(request) if self.is_there else error_response(503, "no backend")


def scorings(server: FakeServer) -> int:
    return sum("<<<ANSWER" in str(request.body) for request in server.asked())


async def joined(bench: EndpointJudge) -> str:
    """Wait until one is there, and return what is told of it."""
    told: list[str] = []
    await until(lambda: bool(told.extend(notice.message for notice in bench.news()) or told))
    (line,) = told
    return line


async def test_one_that_comes_later_takes_its_share_from_then_on(tmp_path: Path) -> None:
    late = Late(ScriptedJudge(lenient))
    with serving(ScriptedJudge(lenient)) as here, serving(late) as there:
        async with opened(tmp_path, there, here) as bench:
            assert len([*bench.news()]) == 1
            await grade(bench, 8)
            assert (scorings(here), scorings(there)) == (8, 0)
            late.is_there = True
            assert await joined(bench) == f"{there.base_url} can be asked now, and does its share of the work"
            await grade(bench, 40)
            assert scorings(here) + scorings(there) == 48
            assert 10 <= scorings(there) <= 30
            assert [*bench.news()] == [], "it is told once"


@pytest.mark.parametrize(
    ("handler", "concurrency", "limits"),
    [(counting(), None, (1, 2)), (ScriptedJudge(lenient), None, (START, 2 * START)), (counting(), 5, (5, 5))],
    ids=["one each", "as many as they take", "so many together"],
)
async def test_what_may_be_in_flight_grows_with_one_that_comes_later_unless_the_user_said_how_many(
    tmp_path: Path, handler: Handler, concurrency: int | None, limits: tuple[int, int]
) -> None:
    late = Late(handler)
    with serving(handler) as here, serving(late) as there:
        async with opened(tmp_path, here, there, concurrency=concurrency) as bench:
            before = bench.limit()
            late.is_there, _ = True, [*bench.news()]
            await joined(bench)
            assert (before, bench.limit()) == limits


async def test_whoever_waits_for_a_turn_is_let_in_when_one_comes_though_nothing_ends(tmp_path: Path) -> None:
    hangs = Response((Fault.HANG,), headerless=True)
    judge = counting()
    late = Late(judge)
    with serving(lambda r: hangs if "<<<ANSWER" in str(r.body) else judge(r)) as stuck, serving(late) as there:
        async with opened(tmp_path, stuck, there) as bench:
            stuck_one = asyncio.ensure_future(grade(bench, 1))
            await until(lambda: scorings(stuck) == 1)
            waiting = asyncio.ensure_future(grade(bench, 3))
            await asyncio.sleep(0.05)
            assert scorings(there) == 0
            late.is_there = True
            async with asyncio.timeout(20):
                await waiting
            assert (scorings(stuck), scorings(there)) == (1, 3)
            assert bench.grown.is_set()
            stuck_one.cancel()
            await asyncio.gather(stuck_one, return_exceptions=True)


async def test_nobody_is_waited_for_where_all_are_there(tmp_path: Path) -> None:
    with serving(ScriptedJudge(lenient)) as one, serving(ScriptedJudge(lenient)) as other:
        before = asyncio.all_tasks()
        async with opened(tmp_path, one, other) as bench:
            assert asyncio.all_tasks() == before
            asked = len(one.requests), len(other.requests)
            await asyncio.sleep(5 * RETRY.absent_s)
            assert (len(one.requests), len(other.requests)) == asked
            assert [*bench.news()] == []


async def test_an_endpoint_that_breaks_while_another_comes_is_made_up_for(tmp_path: Path) -> None:
    first, late = ScriptedJudge(lenient), Late(ScriptedJudge(lenient))
    broken = [False]
    with serving(lambda r: error_response(502, "down") if broken[0] else first(r)) as here, serving(late) as there:
        async with opened(tmp_path, here, there) as bench:
            late.is_there, _ = True, [*bench.news()]
            await joined(bench)
            broken[0] = True
            await grade(bench, 20)
