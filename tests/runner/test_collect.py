"""Collecting over real HTTP beside a real process: which state every outcome gets, and whose figures an answer carries."""

import asyncio
from pathlib import Path

import pytest
from fake_arms import Lives, fake_arm, living, logging, quick_client, supervising
from fake_log import perf
from fakes import (
    DONE,
    Fault,
    Handler,
    delta,
    error_response,
    script,
    sse,
    streamed,
    usage_event,
)

from runner.collect import ask, classify, collect, warm_up
from runner.errors import AccessDenied, EndpointError, ProofError
from runner.retry import RetryPolicy
from runner.types import Answer, AnswerState, Prompt, Reply, Sampling, Stamps

PROMPT = Prompt(id="C-T1-Q1", user="Write a factorial.")
SAMPLING = Sampling(max_tokens=32, seed=7)
RETRY = RetryPolicy(attempts=2, base_s=0.001)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "server.log"
    path.write_text("loading\n" + perf(reused=0))
    return path


async def collected(handler: Handler, log: Path, samples: int = 1) -> list[Answer]:
    requests = [(PROMPT, g, SAMPLING.for_sample(g)) for g in range(samples)]
    async with supervising(Lives(log, living(handler))) as supervised:
        return [answer async for answer in collect(supervised, requests, retry=RETRY)]


async def one(handler: Handler, log: Path) -> Answer:
    (answer,) = await collected(logging(log, handler, perf()), log)
    return answer


# --- states -------------------------------------------------------------------------------------------------------------


async def test_a_good_answer_is_kept_with_its_text_prompt_sample_and_seed(log: Path) -> None:
    answer = await one(script(streamed("def f(): pass")), log)
    assert (answer.state, answer.text, answer.finish_reason) == (AnswerState.OK, "def f(): pass", "stop")
    assert (answer.prompt_id, answer.sample, answer.sampling.seed, answer.message) == ("C-T1-Q1", 0, 7, None)


async def test_answers_come_one_by_one_in_the_order_they_were_asked_for(log: Path) -> None:
    answers = await collected(logging(log, script(streamed("a"), streamed("b"), streamed("c")), perf()), log, samples=3)
    assert [(a.text, a.sample, a.sampling.seed) for a in answers] == [("a", 0, 7), ("b", 1, 8), ("c", 2, 9)]


@pytest.mark.parametrize(
    ("text", "finish", "state"),
    [
        ("x", "stop", "ok"),
        ("x", "length", "length"),
        ("x", "max_tokens", "length"),
        ("x", "eos", "ok"),
        ("", "stop", "empty"),
        (" \n", "stop", "empty"),
        ("", "length", "length"),
    ],
)
def test_a_finished_reply_is_classified_by_its_text_and_finish_reason(text: str, finish: str, state: str) -> None:
    stamps = Stamps(sent_s=0, first_token_s=1, last_token_s=2, ended_s=3)
    assert classify(Reply(text=text, finish_reason=finish, stamps=stamps)) == state


async def test_a_refused_key_stops_the_collection(log: Path) -> None:
    with pytest.raises(AccessDenied):
        await one(script(error_response(401, "no")), log)


async def test_any_other_failure_is_an_error_with_its_message_and_the_next_question_is_asked(log: Path) -> None:
    handler = script(error_response(422, "what?"), streamed("fine"))
    first, second = await collected(logging(log, handler, perf()), log, samples=2)
    assert (first.state, first.settled, first.stamps) == (AnswerState.ERROR, False, None)
    assert first.message is not None and "HTTP 422: what?" in first.message
    assert second.state is AnswerState.OK


async def test_a_server_that_died_is_known_from_one_that_failed_and_says_how(log: Path) -> None:
    async with fake_arm(script(streamed("never")), log) as (server, _, process):
        process.kill()
        await process.wait()
        async with quick_client(server.endpoint) as client:
            answer = await ask(server, client, (PROMPT, 0, SAMPLING), RETRY)
    assert (answer.state, answer.settled) == (AnswerState.SERVER_DIED, False)
    assert answer.message is not None
    assert answer.message.startswith("the server ended with code -9")
    assert "\n" not in answer.message


async def test_a_server_that_dies_in_an_answer_leaves_it_owed(log: Path) -> None:
    async with fake_arm(script(sse(delta("half"), Fault.HANG)), log) as (server, _, process):
        asyncio.get_running_loop().call_later(0.05, process.kill)
        async with quick_client(server.endpoint) as client:
            answer = await ask(server, client, (PROMPT, 0, SAMPLING), RETRY)
    assert (answer.state, answer.settled) == (AnswerState.SERVER_DIED, False)


# --- counts and figures -------------------------------------------------------------------------------------------------


async def test_an_answer_whose_tokens_cannot_be_counted_just_now_is_kept_without_their_number(log: Path) -> None:
    answers = script(streamed("one two three four"))
    busy = error_response(503, "busy")
    found = await one(lambda r: busy if r.path == "/extras/tokenize/count" else answers(r), log)
    assert (found.text, found.state) == ("one two three four", AnswerState.OK)
    assert (found.usage.completion_tokens, found.usage.source) == (None, None)


async def test_without_usage_the_whole_text_is_counted_by_the_servers_tokenizer(log: Path) -> None:
    answer = await one(script(streamed("one two three four"), counts_tokens=True, bos_tokens=1), log)
    assert (answer.usage.completion_tokens, answer.usage.source) == (4, "tokenize")


async def test_reasoning_counts_as_generated(log: Path) -> None:
    thought = sse(delta(reasoning_content="let me see "), delta("done now", finish="stop"), DONE)
    answer = await one(script(thought, counts_tokens=True), log)
    assert (answer.usage.completion_tokens, answer.reasoning) == (5, "let me see ")


async def test_usage_of_the_reply_is_believed_before_a_count(log: Path) -> None:
    answer = await one(script(sse(delta("a b", finish="stop"), usage_event(9, 7), DONE), counts_tokens=True), log)
    assert (answer.usage.completion_tokens, answer.usage.source) == (7, "usage")


async def test_where_a_finished_stream_breaks_before_its_counts_the_text_is_counted(log: Path) -> None:
    answer = await one(script(sse(delta("a b c", finish="stop"), 0.02, Fault.RESET), counts_tokens=True), log)
    assert (answer.state, answer.usage.completion_tokens, answer.usage.source) == (AnswerState.OK, 3, "tokenize")
    assert answer.server_timing is not None


async def test_a_server_that_dies_after_the_end_of_an_answer_leaves_it_whole(log: Path) -> None:
    async with fake_arm(script(sse(delta("whole", finish="stop"), Fault.HANG)), log) as (server, _, process):
        asyncio.get_running_loop().call_later(0.05, process.kill)
        async with quick_client(server.endpoint) as client:
            answer = await ask(server, client, (PROMPT, 0, SAMPLING), RETRY)
    assert (answer.state, answer.text, answer.usage.completion_tokens) == (AnswerState.OK, "whole", None)


async def test_where_nobody_counts_the_count_is_unknown(log: Path) -> None:
    answer = await one(script(streamed("one two")), log)
    assert (answer.usage.completion_tokens, answer.usage.source) == (None, None)


async def test_the_servers_figures_are_those_of_this_request(log: Path) -> None:
    timing = (await one(script(streamed("a")), log)).server_timing
    assert timing is not None
    assert (timing.reused_tokens, timing.prompt_tokens, timing.eval_ms, timing.eval_steps) == (5, 20, 500.0, 50)


async def test_figures_of_two_requests_at_once_belong_to_neither(log: Path) -> None:
    (answer,) = await collected(logging(log, script(streamed("a")), perf() + perf()), log)
    assert answer.server_timing is None


async def test_a_log_that_says_nothing_is_waited_for_and_then_left(log: Path) -> None:
    (answer,) = await collected(script(streamed("a")), log)
    assert (answer.state, answer.server_timing) == (AnswerState.OK, None)


async def test_the_figures_of_an_attempt_that_broke_off_are_not_the_answers(log: Path) -> None:
    handler = logging(log, script(sse(delta("half"), Fault.RESET), streamed("whole")), perf())
    (answer,) = await collected(handler, log)
    assert answer.text == "whole"
    assert answer.server_timing is not None


# --- warm-up ------------------------------------------------------------------------------------------------------------


async def test_the_warm_up_is_thrown_away(log: Path) -> None:
    async with (
        fake_arm(logging(log, script(streamed("red green")), perf()), log) as (server, _, _),
        quick_client(server.endpoint) as client,
    ):
        await warm_up(server, client)


async def test_a_fault_that_passes_in_the_warm_up_costs_no_arm(log: Path) -> None:
    first, *second = error_response(500, "out of memory"), sse(delta("red"), Fault.RESET), error_response(503, "busy")
    handler = logging(log, script(first, streamed("red"), *second, streamed("green")), perf())
    async with fake_arm(handler, log) as (server, asked, _), quick_client(server.endpoint) as client:
        await warm_up(server, client, retry=RetryPolicy(attempts=3, base_s=0.001))
        assert len(asked.asked()) == 5


async def test_a_warm_up_is_not_asked_through_a_fault_that_stays_nor_through_the_death_of_its_server(log: Path) -> None:
    faulty = error_response(400, "no such field"), error_response(503, "busy")
    for response, requests, said in zip(faulty, (1, 2), ("no such field", "busy"), strict=True):
        async with fake_arm(script(response), log) as (server, asked, _), quick_client(server.endpoint) as client:
            with pytest.raises(EndpointError, match=said):
                await warm_up(server, client, retry=RETRY)
            assert len(asked.asked()) == requests
    async with fake_arm(script(faulty[1]), log) as (server, asked, process), quick_client(server.endpoint) as client:
        process.kill()
        await process.wait()
        with pytest.raises(EndpointError):
            await warm_up(server, client, retry=RETRY)
        assert asked.asked() == []


async def test_speculation_that_drafts_is_proven_by_the_log(log: Path) -> None:
    handler = logging(log, script(streamed("red green")), perf(announced=1, evaluated=9))
    async with fake_arm(handler, log, "spec_k8") as (server, _, _), quick_client(server.endpoint) as client:
        await warm_up(server, client)


async def test_speculation_that_never_drafts_is_no_speculative_arm(log: Path) -> None:
    handler = logging(log, script(streamed("red green")), perf(announced=20, evaluated=20))
    async with fake_arm(handler, log, "spec_k8") as (server, _, _), quick_client(server.endpoint) as client:
        with pytest.raises(ProofError, match="m/spec_k8: the log shows no draft batch, so speculation does not run"):
            await warm_up(server, client)
