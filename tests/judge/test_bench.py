"""A judge at its endpoints, as it is opened for a run: how much it is given at a time, and what is said of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from examples import SCALE, call, judge_record, question
from fakes import FakeServer, Handler, Request, Response, ScriptedJudge, error_response, json_response, lenient, serving

from judge.judge_prompts import load_judge_prompts
from judge.pipeline import Machinery
from judge.pipeline.bench import EndpointJudge, reach_judge
from judge.types import Judgement
from runner.pace import START
from runner.retry import RetryPolicy

RETRY = RetryPolicy(attempts=3, base_s=0.001)


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
            (notice,) = bench.notices
            assert notice.model == "j"
            assert notice.message.startswith(f"not used in this run, the others do its work: {gone.base_url}")
            await grade(bench, 8)
