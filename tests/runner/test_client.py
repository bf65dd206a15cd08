"""The client over real HTTP: what a good reply becomes, and which error every bad one becomes."""

import asyncio
import email.utils
import gc
import json
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

import pytest
from fakes import (
    DONE,
    PING,
    Fault,
    Handler,
    Response,
    completion,
    delta,
    error_response,
    event,
    html_response,
    json_response,
    models_response,
    script,
    serving,
    sse,
    streamed,
    usage_event,
)
from hypothesis import given
from hypothesis import strategies as st

from runner.client import ModelClient, Timeouts
from runner.errors import AccessDenied, ContextExceeded, EndpointError, NoReply, StreamCut
from runner.statuses import SHOWN_CHARS, retry_after, status_error
from runner.types import Endpoint, Reply, Sampling

HELLO = ({"role": "user", "content": "hello"},)
GREEDY = Sampling(temperature=0, max_tokens=16)
QUICK = Timeouts(connect_s=2, first_token_s=0.3, idle_s=0.2, after_finish_s=0.2, reply_s=0.3, control_s=0.3)
PATIENT = Timeouts(connect_s=5, first_token_s=20, idle_s=20, reply_s=20, control_s=20)

Work = Callable[[ModelClient], Coroutine[Any, Any, Any]]


async def ask(handler: Handler, work: Work, timeouts: Timeouts = PATIENT, **options: Any) -> Any:
    """Return what ``work`` makes of a client of a server with this handler."""
    with serving(handler) as server:
        async with ModelClient(server.endpoint(), timeouts=timeouts, **options) as client:
            return await work(client)


async def stream(*responses: Response, timeouts: Timeouts = PATIENT) -> Reply:
    reply: Reply = await ask(script(*responses), lambda client: client.stream(HELLO, GREEDY), timeouts)
    return reply


async def complete(*responses: Response, timeouts: Timeouts = PATIENT) -> Reply:
    reply: Reply = await ask(script(*responses), lambda client: client.complete(HELLO, GREEDY), timeouts)
    return reply


async def failure(response: Response, timeouts: Timeouts = PATIENT) -> EndpointError:
    """Return the error of a whole and of a streamed request, which must be the same."""
    errors = []
    for way in (complete, stream):
        with pytest.raises(EndpointError) as caught:
            await way(response, timeouts=timeouts)
        errors.append(caught.value)
    assert [(type(e), e.status, e.transient) for e in errors[:1]] == [
        (type(e), e.status, e.transient) for e in errors[1:]
    ]
    assert "\n" not in str(errors[0])
    return errors[0]


# --- good replies ---------------------------------------------------------------------------------------------------


async def test_a_stream_becomes_one_text_with_its_finish_reason() -> None:
    reply = await stream(streamed("def f():\n    return 1\n"))
    assert (reply.text, reply.finish_reason) == ("def f():\n    return 1\n", "stop")


async def test_a_stream_without_usage_has_no_token_count() -> None:
    reply = await stream(streamed("five chunks are no tokens"))
    assert (reply.usage.completion_tokens, reply.usage.source) == (None, None)


async def test_five_chunks_that_carry_nine_tokens_count_nine() -> None:
    chunks = [delta("two words ") for _ in range(5)]
    reply = await stream(sse(*chunks, delta(finish="stop"), usage_event(3, 9), DONE))
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.source) == (3, 9, "usage")


async def test_a_stream_that_is_cut_at_the_token_limit_says_so() -> None:
    assert (await stream(streamed("half an", finish="length"))).finish_reason == "length"


async def test_a_stream_without_the_done_mark_is_whole_when_it_has_a_finish_reason() -> None:
    assert (await stream(sse(delta("whole"), delta(finish="stop")))).text == "whole"


@pytest.mark.parametrize("end", [(Fault.HANG,), (0.02, Fault.RESET)], ids=["held open", "reset"])
async def test_a_stream_that_has_its_finish_reason_is_whole_and_waits_for_nothing_but_counts(
    end: tuple[float | Fault, ...],
) -> None:
    limits = Timeouts(after_finish_s=0.5)
    reply = await stream(sse(delta("whole"), delta(finish="stop"), 0.05, usage_event(3, 9), *end), timeouts=limits)
    assert (reply.text, reply.finish_reason, reply.usage.completion_tokens) == ("whole", "stop", 9)
    assert reply.stamps.last_token_s is not None
    waited_s = reply.stamps.ended_s - reply.stamps.last_token_s
    assert waited_s < limits.after_finish_s, "waiting for nothing is no time of the model's"


@pytest.mark.parametrize("early", ["null", "", "stop"])
async def test_text_after_a_finish_reason_that_was_none_is_waited_for(early: str) -> None:
    limits = Timeouts(after_finish_s=0.3)
    late = sse(delta("one ", finish=early), delta("two "), 0.5, delta("three", finish="stop"), DONE)
    assert (await stream(late, timeouts=limits)).text == "one two three"


async def test_a_finished_stream_without_text_is_not_waited_for_either() -> None:
    reply = await stream(sse(delta(role="assistant"), delta(finish="stop"), Fault.HANG), timeouts=QUICK)
    assert (reply.text, reply.finish_reason) == ("", "stop")


async def test_an_error_that_a_server_tells_after_the_finish_reason_is_heard() -> None:
    with pytest.raises(StreamCut, match="withdrawn"):
        await stream(sse(delta("whole", finish="stop"), event({"error": {"message": "withdrawn"}})))


async def test_comments_in_a_stream_are_no_text() -> None:
    assert (await stream(sse(PING, delta("a"), PING, PING, delta("b", finish="stop"), PING, DONE))).text == "ab"


EVENTS = PING + delta("größer ") + delta("🦙") + delta("!", finish="stop") + DONE


@pytest.mark.parametrize(
    "pieces",
    [
        [EVENTS],
        [EVENTS[:-1], EVENTS[-1:]],
        [EVENTS[at : at + 7] for at in range(0, len(EVENTS), 7)],
        [EVENTS.replace(b"\n", b"\r\n")],
    ],
    ids=["all at once", "end apart", "seven bytes each", "line ends of Windows"],
)
async def test_however_the_bytes_of_a_stream_are_cut_its_text_is_the_same(pieces: list[bytes]) -> None:
    assert (await stream(sse(*pieces))).text == "größer 🦙!"


@pytest.mark.parametrize(
    ("response", "said", "transient"),
    [
        (html_response(), "found a body of type 'text/html' instead of a stream of events", False),
        (completion("whole"), "found a body of type 'application/json' instead of a stream of events", False),
        (sse(), "the stream ended without a finish reason", True),
        (sse(PING, DONE), "the stream ended without a finish reason", True),
    ],
    ids=["html", "whole completion", "empty", "nothing but a ping"],
)
async def test_a_stream_that_is_none_says_what_came_instead(response: Response, said: str, transient: bool) -> None:
    with pytest.raises(EndpointError, match=said) as caught:
        await stream(response)
    assert caught.value.transient is transient


@pytest.mark.parametrize(
    "response", [Response(), Response((), headers={"content-type": "application/json"})], ids=["bare", "json"]
)
async def test_a_reply_without_a_byte_may_be_asked_for_again(response: Response) -> None:
    with pytest.raises(EndpointError, match=r"found (''|an empty body) instead of") as caught:
        await complete(response)
    assert caught.value.transient


async def test_what_a_server_says_in_place_of_a_completion_is_shown() -> None:
    with pytest.raises(EndpointError, match=r"found .*model is overloaded.* instead of a chat completion"):
        await complete(json_response({"error": {"message": "model is overloaded"}}))


@pytest.mark.parametrize(
    ("code", "transient"), [(429, True), (502, True), (400, False), ("rate_limited", False), (7, False)]
)
async def test_a_status_that_a_router_tells_within_a_reply_counts_as_one(code: int | str, transient: bool) -> None:
    said = {"message": "provider returned an error", "code": code}
    with pytest.raises(EndpointError, match="provider returned an error") as caught:
        await complete(json_response({"id": "gen-1", "error": said}))
    assert caught.value.transient is transient
    assert caught.value.status == (code if code in (429, 502, 400) else None)


async def test_a_router_that_tells_of_a_refused_key_is_access_denied() -> None:
    with pytest.raises(AccessDenied, match=r"the endpoint refused the key \(HTTP 401\): no such user 401"):
        await complete(json_response({"error": {"message": "no such user", "code": 401}}))


async def test_a_character_that_is_split_between_two_chunks_is_joined() -> None:
    reply = await stream(sse(delta("\ud83e"), delta("\udd99"), delta(finish="stop"), DONE))
    assert reply.text == "🦙"


async def test_half_a_character_becomes_the_replacement_mark_and_can_be_stored() -> None:
    reply = await stream(sse(delta("a\ud83e"), delta("b"), delta(finish="stop"), DONE))
    assert reply.text == "a\ufffdb"
    assert json.loads(reply.model_dump_json())["text"] == "a\ufffdb"


async def test_half_a_character_in_a_whole_reply_becomes_the_replacement_mark() -> None:
    assert (await complete(completion("a\ud83e"))).text == "a\ufffd"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_reasoning_is_kept_apart_and_starts_the_clock(field: str) -> None:
    reply = await stream(sse(delta(**{field: "hm "}), 0.05, delta(**{field: "yes"}), delta("42", finish="stop"), DONE))
    assert (reply.text, reply.reasoning) == ("42", "hm yes")
    assert reply.stamps.first_token_s is not None and reply.stamps.last_token_s is not None
    assert reply.stamps.last_token_s - reply.stamps.first_token_s >= 0.04


async def test_the_clock_of_the_first_token_starts_at_text_and_not_at_the_role() -> None:
    reply = await stream(sse(delta(role="assistant", content=""), 0.1, delta("a", finish="stop"), DONE))
    assert reply.stamps.first_token_s is not None
    assert reply.stamps.first_token_s - reply.stamps.sent_s >= 0.1


async def test_a_whole_reply_has_text_usage_and_no_token_times() -> None:
    reply = await complete(completion("hi", usage=(11, 2), reasoning_content="greet"))
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("hi", "greet", "stop")
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (11, 2)
    assert reply.stamps.first_token_s is None


async def test_a_reply_without_any_text_is_empty_and_no_error() -> None:
    assert (await complete(completion(None))).text == ""  # type: ignore[arg-type]


@pytest.mark.parametrize("finish", [None, ""])
async def test_a_whole_reply_without_a_finish_reason_may_be_cut_and_be_asked_for_again(finish: str | None) -> None:
    with pytest.raises(EndpointError, match=r"the reply came without a finish reason, so it may be cut") as caught:
        await complete(completion("half an", finish=finish))
    assert caught.value.transient


@pytest.mark.parametrize(
    ("finish", "said", "transient"),
    [
        ("content_filter", "finish reason 'content_filter': a filter of the endpoint withheld the reply", False),
        ("SAFETY", "finish reason 'SAFETY': a filter of the endpoint withheld the reply", False),
        ("error", "finish reason 'error': the server gave up within the reply", True),
        ("abort", "finish reason 'abort': the server gave up within the reply", True),
    ],
)
async def test_what_the_endpoint_ended_itself_is_no_reply_whole_or_streamed(
    finish: str, said: str, transient: bool
) -> None:
    for reply in (complete(completion("half", finish=finish)), stream(streamed("half", finish=finish))):
        with pytest.raises(EndpointError, match=said) as caught:
            await reply
        assert caught.value.transient is transient


async def test_sampling_is_sent_and_what_is_not_set_is_left_to_the_server() -> None:
    with serving(script(completion("ok"))) as server:
        async with ModelClient(server.endpoint("qwen"), api_key="sk-1") as client:
            await client.complete(
                HELLO, Sampling(temperature=0.5, top_k=20, max_tokens=9, seed=3), grammar="root ::= x"
            )
        (request,) = server.asked()
    assert request.headers["authorization"] == "Bearer sk-1"
    assert request.body == {
        "model": "qwen",
        "messages": list(HELLO),
        "temperature": 0.5,
        "top_k": 20,
        "max_tokens": 9,
        "seed": 3,
        "grammar": "root ::= x",
    }


async def test_the_client_itself_never_asks_twice() -> None:
    with serving(script(error_response(503, "busy"))) as server:
        async with ModelClient(server.endpoint()) as client:
            with pytest.raises(EndpointError):
                await client.complete(HELLO, GREEDY)
        assert len(server.asked()) == 1


# --- statuses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_access_denied(status: int) -> None:
    error = await failure(error_response(status, "Incorrect API key provided"))
    assert isinstance(error, AccessDenied)
    assert (error.status, error.transient) == (status, False)
    assert "the endpoint refused the key" in str(error)


async def test_a_prompt_over_the_context_is_its_own_error_and_permanent() -> None:
    text = "This model's maximum context length is 64 tokens. However, you requested 90 tokens"
    error = await failure(error_response(400, text, code="context_length_exceeded"))
    assert isinstance(error, ContextExceeded)
    assert not error.transient


async def test_a_500_that_is_a_validation_error_is_permanent() -> None:
    text = "[{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), 'msg': 'Input should be ...'}]"
    assert not (await failure(error_response(500, text))).transient


async def test_any_other_500_may_pass() -> None:
    assert (await failure(error_response(500, "llama_decode returned -1"))).transient


@pytest.mark.parametrize("status", [408, 409, 425, 429, 502, 503, 504])
async def test_a_busy_or_absent_server_may_come_back(status: int) -> None:
    error = await failure(error_response(status, "later"))
    assert (error.status, error.transient) == (status, True)


@pytest.mark.parametrize("status", [400, 404, 405, 413, 422, 501])
async def test_a_wrong_request_is_permanent(status: int) -> None:
    error = await failure(error_response(status, "no such thing"))
    assert (error.status, error.transient, type(error)) == (status, False, EndpointError)


async def test_retry_after_in_seconds_is_kept() -> None:
    assert (await failure(error_response(429, "slow down", retry_after="2.5"))).retry_after_s == 2.5


async def test_retry_after_as_a_date_becomes_seconds() -> None:
    soon = email.utils.formatdate(time.time() + 30, usegmt=True)
    seconds = (await failure(error_response(503, "maintenance", retry_after=soon))).retry_after_s
    assert seconds is not None and 25 < seconds <= 30


async def test_an_html_error_page_is_shown_on_one_short_line() -> None:
    error = await failure(html_response(502))
    assert error.transient
    assert "HTTP 502: <html><head><title>Bad Gateway</title></head> <body>nginx" in str(error)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", 0.0), ("-3", 0.0), ("1.5", 1.5), ("soon", None), ("", None), ("nan", None), ("inf", None), (None, None)],
)
def test_a_retry_after_header_is_a_number_of_seconds_or_nothing(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


def test_a_retry_after_date_in_the_past_is_now() -> None:
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT", now=lambda: 1.9e9) == 0.0


@given(st.text(max_size=60) | st.from_regex(r"\w{3}, \d{1,9} \w{3} \d{1,9} \d+:\d+:\d+ GMT", fullmatch=True))
def test_no_retry_after_header_is_an_error(header: str) -> None:
    seconds = retry_after(header)
    assert seconds is None or 0 <= seconds < float("inf")


@given(st.integers(400, 599), st.text(max_size=80))
def test_only_busy_absent_and_broken_servers_are_asked_again(status: int, detail: str) -> None:
    error = status_error("http://x (m)", status, detail, {})
    assert not error.transient or status in {408, 409, 425, 429, 500, 502, 503, 504}


@pytest.mark.parametrize("before", [0, SHOWN_CHARS - 8, SHOWN_CHARS + 50, 40_000])
async def test_what_an_error_means_is_read_from_all_that_the_server_said_and_what_is_shown_is_short(
    before: int,
) -> None:
    said = f"in your request {'x' * before}"
    late = await failure(error_response(400, said, code="context_length_exceeded"))
    assert isinstance(late, ContextExceeded)
    unnamed = await failure(error_response(500, f"{said}: 1 validation error for Request"))
    assert (unnamed.status, unnamed.transient) == (500, False)
    page = await failure(Response((f"{said}: maximum context length".encode(),), 400))
    assert isinstance(page, ContextExceeded)
    assert all(len(str(error)) < SHOWN_CHARS + 100 for error in (late, unnamed, page))


# --- broken bodies ----------------------------------------------------------------------------------------------------


async def test_a_page_of_a_proxy_instead_of_a_completion_cannot_be_read() -> None:
    with pytest.raises(EndpointError, match="instead of a chat completion") as caught:
        await complete(html_response())
    assert not caught.value.transient
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "overloaded", "code": 502}},
        {"object": "error", "message": "no"},
        {},
        [],
        None,
        "text",
        {"choices": []},
        {"choices": None},
        {"choices": [None]},
        {"choices": [{}]},
        {"choices": [{"message": None, "finish_reason": "stop"}]},
        {"choices": [{"message": {"role": "assistant", "content": {"a": 1}}, "finish_reason": "stop"}]},
    ],
    ids=lambda body: json.dumps(body)[:40],
)
async def test_json_that_is_no_completion_is_an_endpoint_error(body: Any) -> None:
    with pytest.raises(EndpointError) as caught:
        await complete(json_response(body))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "usage", [{}, {"prompt_tokens": None, "completion_tokens": None}, "none", {"prompt_tokens": "x"}]
)
async def test_usage_that_says_nothing_is_no_usage(usage: Any) -> None:
    body = {"choices": [{"message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}], "usage": usage}
    reply = await complete(json_response(body))
    assert (reply.text, reply.usage.completion_tokens, reply.usage.source) == ("ok", None, None)


async def test_half_a_json_body_is_an_endpoint_error() -> None:
    broken = Response((b'{"choices": [{"mess',), headers={"content-type": "application/json"})
    with pytest.raises(EndpointError):
        await complete(broken)


async def test_bytes_that_are_no_utf8_are_an_endpoint_error() -> None:
    broken = Response((b'{"choices": "\xff\xfe"}',), headers={"content-type": "application/json"})
    with pytest.raises(EndpointError):
        await complete(broken)


@pytest.mark.parametrize(
    "bad",
    [b"data: {broken\n\n", b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n'],
    ids=["json", "utf-8"],
)
async def test_a_chunk_that_cannot_be_read_cuts_the_stream(bad: bytes) -> None:
    with pytest.raises(StreamCut, match="cannot be read") as caught:
        await stream(sse(delta("so far"), bad, delta("more", finish="stop"), DONE))
    assert caught.value.reply.text == "so far"


@pytest.mark.parametrize(
    "odd",
    [
        {"choices": None},
        {},
        {"choices": [{"index": 0}]},
        {"choices": [{"delta": None}]},
        [],
        None,
        "x",
        {"choices": ["x"]},
    ],
    ids=json.dumps,
)
async def test_a_chunk_of_an_unknown_form_is_passed_over(odd: Any) -> None:
    reply = await stream(sse(delta("a"), event(odd), delta("b", finish="stop"), DONE))
    assert reply.text == "ab"


async def test_an_error_inside_a_stream_cuts_it_and_says_why() -> None:
    with pytest.raises(StreamCut, match="out of memory") as caught:
        await stream(sse(delta("so far"), event({"error": {"message": "out of memory"}}), DONE))
    assert caught.value.reply.text == "so far"


async def test_an_error_before_the_first_chunk_is_no_cut_stream() -> None:
    with pytest.raises(EndpointError, match="out of memory") as caught:
        await stream(sse(event({"error": {"message": "out of memory"}})))
    assert not isinstance(caught.value, StreamCut)


DEEP = b"[" * 100_000
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("body", [DEEP, b"[" * 500 + b"]" * 500], ids=["beyond Python", "beyond any reply"])
async def test_json_that_is_nested_too_deeply_cannot_be_read(body: bytes) -> None:
    with pytest.raises(EndpointError, match=r"\(m\): the reply cannot be read: it is nested too deeply$") as caught:
        await complete(Response((body,), headers=JSON))
    assert not caught.value.transient
    with pytest.raises(EndpointError, match=r"found '\[\[.*\[' instead of a chat completion"):
        await complete(Response((body,), headers={"content-type": "text/plain"}))
    with pytest.raises(EndpointError, match="it is nested too deeply"):
        await ask(lambda _: Response((body,), headers=JSON), lambda client: client.listing())


async def test_an_error_whose_body_is_nested_too_deeply_is_what_its_status_says() -> None:
    error = await failure(Response((DEEP,), 500, JSON))
    assert (error.status, error.transient) == (500, True)
    assert len(str(error)) < SHOWN_CHARS + 100


async def test_a_chunk_that_is_nested_too_deeply_cuts_the_stream() -> None:
    with pytest.raises(StreamCut, match="cannot be read: it is nested too deeply") as caught:
        await stream(sse(delta("so far"), b"data: " + DEEP + b"\n\n", DONE))
    assert caught.value.reply.text == "so far"


async def test_half_a_character_in_an_error_becomes_the_replacement_mark() -> None:
    error = await failure(error_response(400, "bad \ud83e"))
    assert str(error).endswith("HTTP 400: bad \ufffd")
    with pytest.raises(StreamCut, match="bad \ufffd"):
        await stream(sse(delta("so far"), event({"error": {"message": "bad \ud83e"}}), DONE))
    with pytest.raises(EndpointError, match="bad \ufffd"):
        await complete(json_response({"error": {"message": "bad \ud83e"}}))
    assert await ask(lambda _: models_response("m\ud83e"), lambda client: client.models()) == ["m\ufffd"]


async def test_half_a_character_in_a_finish_reason_becomes_the_replacement_mark() -> None:
    whole, streamed = (
        await complete(completion("a", finish="\ud83e")),
        await stream(sse(delta("a", finish="\ud83e"), DONE)),
    )
    assert whole.finish_reason == streamed.finish_reason == "\ufffd"


# --- a server that quotes the key ---------------------------------------------------------------------------------------

KEY = "sk-0123456789-never-written"
PIECES = [KEY[at : at + 8] for at in range(len(KEY) - 7)]


async def outcome(asked: Coroutine[Any, Any, Any]) -> str:
    """Return what the error or the reply says."""
    try:
        return str(await asked)
    except EndpointError as error:
        return str(error)


async def told(response: Response, call: Work) -> str:
    return await outcome(ask(lambda _: response, call, api_key=KEY))


def whole(client: ModelClient) -> Coroutine[Any, Any, Any]:
    return client.complete(HELLO, GREEDY)


def in_stream(client: ModelClient) -> Coroutine[Any, Any, Any]:
    return client.stream(HELLO, GREEDY)


def listed(client: ModelClient) -> Coroutine[Any, Any, Any]:
    return client.listing()


QUOTING: dict[str, Callable[[str], Response]] = {
    "an error": lambda said: error_response(401, said),
    "a page": lambda said: Response((said.encode(),), 500, {"content-type": "text/plain"}),
    "no completion": lambda said: json_response({"error": {"message": said}}),
    "no json": lambda said: Response((said.encode(),), headers={"content-type": "text/html"}),
    "an event": lambda said: sse(event({"error": {"message": said}})),
    "escaped": lambda said: Response((json.dumps({"message": said}).replace("0", "\\u0030").encode(),), 400, JSON),
}


@pytest.mark.parametrize("call", [whole, in_stream, listed])
@pytest.mark.parametrize("form", QUOTING)
async def test_wherever_a_message_is_cut_no_piece_of_the_key_is_left_in_it(form: str, call: Work) -> None:
    cuts = (0, *range(80 - len(KEY), 81, 2), *range(SHOWN_CHARS - len(KEY), SHOWN_CHARS + 1, 2))
    responses = iter([QUOTING[form]("x" * before + KEY) for before in cuts])
    with serving(lambda _: next(responses)) as server:
        async with ModelClient(server.endpoint(), api_key=KEY) as client:
            said = [await outcome(call(client)) for _ in cuts]
    assert [(before, text) for before, text in zip(cuts, said, strict=True) if any(p in text for p in PIECES)] == []


@pytest.mark.parametrize("length", [8, 15, len(KEY) - 1])
async def test_a_key_that_the_server_has_cut_is_not_shown_either(length: int) -> None:
    said = await told(error_response(500, f"refused: {KEY[:length]}..."), whole)
    assert said.endswith("refused: [key]...")


async def test_a_key_in_many_chunks_is_not_kept_nor_what_had_arrived_of_it() -> None:
    assert "[key]" in await told(sse(*[delta(part) for part in KEY], delta(finish="stop"), DONE), in_stream)
    with pytest.raises(StreamCut) as caught:
        await ask(lambda _: sse(delta("you sent "), delta(KEY[:15]), Fault.RESET), in_stream, api_key=KEY)
    assert caught.value.reply.text == "you sent [key]"
    loop = sse(*[delta(f"{KEY}, ") for _ in range(200)], Fault.HANG)
    assert [piece for piece in PIECES if piece in await told(loop, in_stream)] == []


async def test_the_form_with_stars_that_an_endpoint_shows_is_shown() -> None:
    said = "Incorrect API key provided: sk-012***ten."
    assert said in await told(error_response(401, said), whole)


# --- breaks and silence -----------------------------------------------------------------------------------------------


async def test_a_stream_without_a_finish_reason_is_cut_and_keeps_what_arrived() -> None:
    with pytest.raises(StreamCut, match="without a finish reason") as caught:
        await stream(sse(delta("half "), delta("an answer"), DONE))
    assert caught.value.transient
    assert (caught.value.reply.text, caught.value.reply.finish_reason) == ("half an answer", None)


async def test_a_reset_in_a_stream_is_a_cut_that_keeps_what_arrived() -> None:
    with pytest.raises(StreamCut, match="broke off after 7 characters") as caught:
        await stream(sse(delta("half an"), 0.05, Fault.RESET))
    assert caught.value.reply.text == "half an"
    assert caught.value.transient


async def test_a_stream_that_ends_in_the_middle_of_a_chunk_is_cut() -> None:
    with pytest.raises(StreamCut):
        await stream(sse(delta("half"), delta("lost")[:20]))


async def test_a_reset_before_anything_was_said_may_be_tried_again() -> None:
    error = await failure(Response((Fault.RESET,), headerless=True))
    assert (error.transient, error.status, type(error)) == (True, None, EndpointError)


async def test_a_reset_between_head_and_first_chunk_may_be_tried_again() -> None:
    with pytest.raises(EndpointError) as caught:
        await stream(sse(0.05, Fault.RESET))
    assert (caught.value.transient, type(caught.value)) == (True, EndpointError)


async def test_nobody_listening_may_be_tried_again() -> None:
    with serving(script(completion("ok"))) as server:
        gone = server.endpoint()
    async with ModelClient(gone) as client:
        for call in (client.complete, client.stream):
            with pytest.raises(EndpointError) as caught:
                await call(HELLO, GREEDY)
            assert caught.value.transient


async def test_a_server_that_says_nothing_at_all_is_given_up() -> None:
    error = await failure(Response((Fault.HANG,), headerless=True), QUICK)
    assert isinstance(error, NoReply) and error.transient
    assert "nothing arrived in time" in str(error)


async def test_a_stream_that_falls_silent_is_cut() -> None:
    with pytest.raises(StreamCut, match="nothing arrived in time") as caught:
        await stream(sse(delta("half"), Fault.HANG), timeouts=QUICK)
    assert caught.value.reply.text == "half"


async def test_a_slow_stream_that_lives_is_never_cut() -> None:
    limits = Timeouts(first_token_s=0.5, idle_s=0.5)
    chunks = [step for _ in range(6) for step in (delta("a"), 0.2)]
    reply = await stream(sse(*chunks, delta(finish="stop"), DONE), timeouts=limits)
    assert reply.text == "a" * 6
    assert reply.stamps.ended_s - reply.stamps.sent_s > limits.first_token_s + limits.idle_s


async def test_pings_alone_are_no_life() -> None:
    pings = [step for _ in range(20) for step in (PING, 0.05)]
    with pytest.raises(StreamCut):
        await stream(sse(delta("a"), *pings, delta("b", finish="stop"), DONE), timeouts=QUICK)


async def test_an_early_role_chunk_does_not_shorten_the_patience_for_the_first_token() -> None:
    limits = Timeouts(first_token_s=10, idle_s=0.1)
    reply = await stream(sse(delta(role="assistant"), 0.3, delta("a", finish="stop"), DONE), timeouts=limits)
    assert reply.text == "a"


async def test_a_given_up_stream_is_closed_so_that_the_server_can_stop() -> None:
    with serving(script(sse(delta("a"), Fault.HANG))) as server:
        async with ModelClient(server.endpoint(), timeouts=QUICK) as client:
            with pytest.raises(StreamCut):
                await client.stream(HELLO, GREEDY)
            assert await asyncio.to_thread(server.hung_up.wait, 5)


async def test_cancelling_a_request_is_no_error_of_the_endpoint() -> None:
    with serving(script(sse(delta("a"), Fault.HANG))) as server:
        async with ModelClient(server.endpoint()) as client:
            task = asyncio.create_task(client.stream(HELLO, GREEDY))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


def test_a_fake_server_that_is_closed_while_clients_arrive_leaves_no_socket_open() -> None:
    """Or a warning about it fails whichever test runs when it is collected, such as the one above on a loaded machine."""
    for _ in range(100):
        with serving(script(completion("x"))) as server:
            at = urlsplit(server.base_url)
            clients = [socket.create_connection((at.hostname, at.port)) for _ in range(3)]
        for client in clients:
            client.close()
    gc.collect()


# --- the control plane --------------------------------------------------------------------------------------------------


async def test_models_are_listed_by_name() -> None:
    assert await ask(lambda _: models_response("a", "b"), lambda client: client.models()) == ["a", "b"]


@pytest.mark.parametrize("body", [{}, [], None, {"data": 3}, "x"], ids=json.dumps)
async def test_a_listing_of_another_form_is_an_endpoint_error(body: Any) -> None:
    with pytest.raises(EndpointError, match="instead of a list of models"):
        await ask(lambda _: json_response(body), lambda client: client.models())


@pytest.mark.parametrize(
    "response",
    [html_response(), Response((b"\xff\xfe",)), Response((b'{"data": ',)), Response((Fault.HANG,)), html_response(502)],
    ids=["html", "bytes", "half", "hang", "502"],
)
async def test_a_listing_that_cannot_be_read_is_an_endpoint_error(response: Response) -> None:
    with pytest.raises(EndpointError) as caught:
        await ask(lambda _: response, lambda client: client.models(), QUICK)
    assert "\n" not in str(caught.value)


async def test_a_listing_behind_a_busy_proxy_may_be_tried_again() -> None:
    with pytest.raises(EndpointError) as caught:
        await ask(lambda _: error_response(503, "loading"), lambda client: client.models())
    assert caught.value.transient


async def test_a_refused_key_is_seen_at_the_listing() -> None:
    with pytest.raises(AccessDenied):
        await ask(lambda _: error_response(401, "no"), lambda client: client.models())


async def test_tokens_are_counted_where_the_server_can() -> None:
    handler = script(completion(""), counts_tokens=True)
    assert await ask(handler, lambda client: client.count_tokens("one two three")) == 3


async def test_the_mark_that_a_tokenizer_puts_in_front_of_every_text_is_no_generated_token() -> None:
    handler = script(completion(""), counts_tokens=True, bos_tokens=1)
    assert await ask(handler, lambda client: client.count_tokens("one two three")) == 3


@pytest.mark.parametrize(
    "response",
    [
        html_response(),
        html_response(404),
        json_response([]),
        json_response({"count": "3"}),
        json_response({"count": True}),
        Response((b"\xff\xfe",)),
    ],
    ids=["html", "404", "list", "text", "bool", "bytes"],
)
async def test_where_tokens_cannot_be_counted_the_count_is_unknown(response: Response) -> None:
    assert await ask(lambda _: response, lambda client: client.count_tokens("one"), QUICK) is None


@pytest.mark.parametrize(
    "response",
    [error_response(503, "busy"), Response((Fault.RESET,)), Response((Fault.HANG,))],
    ids=["503", "reset", "hang"],
)
async def test_where_tokens_could_not_be_counted_just_now_that_may_be_tried_again(response: Response) -> None:
    with pytest.raises(EndpointError) as caught:
        await ask(lambda _: response, lambda client: client.count_tokens("one"), QUICK)
    assert caught.value.transient


async def test_the_control_plane_is_beside_the_api_and_not_under_it() -> None:
    with serving(script(completion(""), counts_tokens=True)) as server:
        slashed = Endpoint(base_url=f"{server.base_url}/", model="m")
        async with ModelClient(slashed) as client:
            assert await client.count_tokens("a b") == 2
            assert await client.models() == ["m"]
