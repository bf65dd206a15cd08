"""Every fault of a model server, over real HTTP: the state it ends as, the one line it is told in, and how often it is asked again."""

import asyncio
import email.utils
import re
import time
from pathlib import Path

import pytest
from fake_arms import fake_arm, logging, quick_client
from fake_log import perf
from fakes import (
    DONE,
    PING,
    Fault,
    Handler,
    Response,
    delta,
    error_response,
    html_response,
    script,
    serving,
    sse,
    streamed,
)

from runner.client import ModelClient, Timeouts
from runner.collect import ask
from runner.retry import RetryPolicy
from runner.types import Answer, AnswerState, Prompt, Sampling

REQUEST = (Prompt(id="C-T1-Q1", user="Write a factorial."), 0, Sampling(max_tokens=32, seed=7))
RETRY = RetryPolicy(attempts=2, base_s=0.001)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


async def one(handler: Handler, log: Path) -> Answer:
    async with fake_arm(logging(log, handler, perf()), log) as (server, _, _), quick_client(server.endpoint) as client:
        return await ask(server, client, REQUEST, RETRY)


NO_SUCH_FIELD = "[{'type': 'literal_error', 'loc': ('body', 'n'), 'msg': 'Input should be 1'}]"
LOOP = sse(delta("x = [\n"), *[delta("    0,\n") for _ in range(400)], Fault.HANG)
BITS = delta("whole ") + delta("text", finish="stop") + DONE


@pytest.mark.parametrize(
    ("response", "state", "requests", "said"),
    [
        (Response((Fault.RESET,), headerless=True), "error", 2, r"the connection failed \(.*\)"),
        (sse(delta("half"), 0.02, Fault.RESET), "truncated", 2, "the stream broke off after 4 characters: .*"),
        (Response((Fault.HANG,), headerless=True), "error", 2, "nothing arrived in time"),
        (sse(delta("half"), Fault.HANG), "truncated", 2, ".* after 4 characters: .* nothing arrived in time"),
        (error_response(429, "slow down"), "error", 2, "HTTP 429: slow down"),
        (error_response(500, "llama_decode returned -1"), "error", 2, "HTTP 500: llama_decode returned -1"),
        (error_response(500, NO_SUCH_FIELD), "error", 1, r"HTTP 500: \[\{'type': 'literal_error'.*"),
        (error_response(502, "bad gateway"), "error", 2, "HTTP 502: bad gateway"),
        (error_response(503, "loading"), "error", 2, "HTTP 503: loading"),
        (error_response(504, "timed out"), "error", 2, "HTTP 504: timed out"),
        (error_response(404, "The model 'm' does not exist"), "error", 1, "HTTP 404: The model 'm' does not exist"),
        (error_response(400, "too long", code="context_length_exceeded"), "context_exceeded", 1, "HTTP 400: too long .*"),
        (sse(), "truncated", 2, "the stream ended without a finish reason"),
        (html_response(), "error", 1, "found a body of type 'text/html' instead of a stream of events"),
        (html_response(502), "error", 2, "HTTP 502: <html>.*"),
        (sse(delta("half"), b"data: \xff\xfe\n\n"), "truncated", 2, ".* after 4 characters: .* cannot be read: .*utf-8.*"),
        (sse(delta("half"), delta(" done"), DONE), "truncated", 2, "the stream ended without a finish reason"),
        (sse(PING, BITS[:30], 0.02, BITS[30:] + PING), "ok", 1, None),
        (sse(delta("whole", finish="stop")), "ok", 1, None),
        (sse(delta("whole", finish="stop"), Fault.HANG), "ok", 1, None),
        (sse(delta("whole", finish="stop"), 0.02, Fault.RESET), "ok", 1, None),
        (streamed("as far", finish="error"), "truncated", 2, "finish reason 'error': the server gave up within the reply"),
        (streamed("as far", finish="content_filter"), "error", 1, ".*: a filter of the endpoint withheld the reply"),
        (streamed("as far as it", finish="length"), "length", 1, None),
        (sse(delta(reasoning_content="hm"), delta(finish="stop"), DONE), "empty", 1, None),
        (sse(delta(reasoning_content="hm"), delta(finish="length"), DONE), "length", 1, None),
        (LOOP, "loop", 1, r"the model wrote the same 7 characters \d+ times in a row \('    0,\\n'\)"),
    ],
    ids=[
        "reset before", "reset within", "hang before", "hang within", "429", "500", "500 validation", "502", "503", "504",
        "404 model", "400 context", "empty body", "html", "html 502", "no utf-8", "no finish reason", "comments and splits",
        "no done mark", "held open", "reset after the end", "finish error", "filtered",
        "length", "only reasoning", "only reasoning, cut", "loop",
    ],
)  # fmt: skip
async def test_a_fault_ends_as_its_state_with_one_line_and_is_scored_only_if_it_is_the_models_own(
    response: Response, state: str, requests: int, said: str | None, log: Path
) -> None:
    async with fake_arm(logging(log, script(response), perf()), log) as (server, fake, _):
        hasty = Timeouts(connect_s=2, first_token_s=0.3, idle_s=0.3)
        async with ModelClient(server.endpoint, timeouts=hasty) as client:
            answer = await ask(server, client, REQUEST, RETRY)
        asked = len(fake.asked())
    assert (answer.state, asked) == (state, requests)
    assert answer.scorable == (state in {"ok", "length", "empty", "loop"})
    assert answer.settled == (answer.scorable or state == "context_exceeded")
    where = rf"({re.escape(server.endpoint.base_url)} \(m\): )?"
    assert (answer.message is None) == (said is None)
    assert said is None or re.fullmatch(where + said, answer.message or ""), answer.message


async def test_nobody_listening_is_an_error_that_names_the_endpoint(log: Path) -> None:
    async with fake_arm(script(streamed("x")), log) as (server, _, _):
        with serving(script(streamed("x"))) as gone:
            endpoint = gone.endpoint()
        async with quick_client(endpoint) as client:
            answer = await ask(server, client, REQUEST, RETRY)
    assert (answer.state, answer.settled) == (AnswerState.ERROR, False)
    assert answer.message is not None and answer.message.startswith(f"{endpoint.base_url} (m): ")
    assert "\n" not in answer.message


@pytest.mark.parametrize(
    "fault",
    [
        Response((Fault.RESET,), headerless=True),
        sse(delta("half"), 0.02, Fault.RESET),
        sse(delta("half"), DONE),
        error_response(429, "slow down", retry_after="0"),
        error_response(429, "slow down", retry_after=email.utils.formatdate(time.time(), usegmt=True)),
        error_response(500, "llama_decode returned -1"),
        error_response(503, "loading"),
        sse(),
    ],
    ids=["reset before", "reset within", "no finish", "429 seconds", "429 date", "500", "503", "empty"],
)
async def test_a_fault_that_passes_leaves_no_trace_in_the_answer(fault: Response, log: Path) -> None:
    answer = await one(script(fault, streamed("whole")), log)
    assert (answer.state, answer.text, answer.message) == (AnswerState.OK, "whole", None)


async def test_a_loop_is_cut_while_the_server_would_go_on_and_keeps_what_arrived(log: Path) -> None:
    async with fake_arm(script(LOOP), log) as (server, fake, _), quick_client(server.endpoint) as client:
        answer = await ask(server, client, REQUEST, RETRY)
        assert await asyncio.to_thread(fake.hung_up.wait, 5), "the stream was closed, so the server can stop"
    assert answer.state is AnswerState.LOOP
    assert answer.text.startswith("x = [\n    0,\n") and len(answer.text) < 2_000
    assert answer.finish_reason is None


async def test_a_loop_in_the_reasoning_is_cut_too(log: Path) -> None:
    answer = await one(script(sse(*[delta(reasoning_content="Wait, no. ") for _ in range(200)], Fault.HANG)), log)
    assert (answer.state, answer.text, answer.scorable) == (AnswerState.LOOP, "", True)


async def test_a_model_that_ends_its_long_repetition_itself_has_answered(log: Path) -> None:
    answer = await one(script(sse(delta("0, " * 1_000, finish="stop"), DONE)), log)
    assert (answer.state, len(answer.text)) == (AnswerState.OK, 3_000)
