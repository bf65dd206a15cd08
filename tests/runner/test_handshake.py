"""The first words with the endpoints of one judge: who is there, what makes them one judge, and who is waited for."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest
from fakes import (
    Fault,
    Handler,
    Response,
    ScriptedJudge,
    completion,
    error_response,
    html_response,
    json_response,
    lenient,
    models_response,
    serving,
)

from runner.client import ModelClient, Timeouts
from runner.dialects import Dialect
from runner.errors import AccessDenied, BadReply, EndpointError, ServerError
from runner.handshake import Met, meet
from runner.retry import RetryPolicy
from runner.types import Endpoint

ONCE = RetryPolicy(attempts=1)
QUICKLY = RetryPolicy(attempts=3, base_s=0.001)
KEY = "sk-0123456789-never-written"
NOBODY = Endpoint(base_url="http://127.0.0.1:9/v1", model="m")


def listing(**told: object):
    """A judge that says more about its model than the name."""
    entry = {"id": "m", "object": "model", "created": 7, **told}
    judge = ScriptedJudge(lenient)
    return lambda r: json_response({"object": "list", "data": [entry]}) if r.path == "/v1/models" else judge(r)


async def met(
    *endpoints: Endpoint,
    retry: RetryPolicy = ONCE,
    load_timeout_s: float = 60.0,
    api_key: str | None = None,
    timeouts: Timeouts | None = None,
) -> Met:
    async with AsyncExitStack() as stack:
        made = [ModelClient(one, api_key=api_key, timeouts=timeouts) for one in endpoints]
        clients = [await stack.enter_async_context(client) for client in made]
        return await meet(clients, retry=retry, load_timeout_s=load_timeout_s)


@pytest.mark.parametrize("told", [{"root": f"served with {KEY}"}, {"meta": {"deep": [KEY]}}, {"id": KEY}], ids=str)
async def test_a_listing_that_quotes_the_key_does_not_make_us_show_it(told: dict[str, object]) -> None:
    with (
        serving(listing(root="q4")) as one,
        serving(listing(**told)) as other,
        pytest.raises(ServerError, match=r"\[key\]") as caught,
    ):
        await met(one.endpoint(), other.endpoint(), api_key=KEY)
    assert "0123" not in str(caught.value)


async def checked(handler: Handler, name: str = "coder", retry: RetryPolicy = ONCE) -> Met:
    with serving(handler) as server:
        return await met(server.endpoint(name), retry=retry)


def at_first(*faults: Response, path: str = "/v1/models") -> Handler:
    """A judge at which the first requests for ``path`` go wrong like this."""
    left, judge = list(faults), ScriptedJudge(lenient)
    return lambda request: left.pop(0) if left and request.path == path else judge(request)


# --- one model ----------------------------------------------------------------------------------------------------------


async def test_endpoints_that_list_the_same_model_are_one_judge() -> None:
    with serving(listing(root="/models/q4.gguf")) as one, serving(listing(root="/models/q4.gguf", created=8)) as other:
        found = await met(one.endpoint(), other.endpoint())
    assert len(found.clients) == 2
    assert found.capabilities.dialect is Dialect.JSON_SCHEMA


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"root": "/models/q8.gguf"}, "q8.gguf.* instead of .*q4.gguf"),
        ({}, "found nothing said, json_schema instead of .*q4.gguf"),
    ],
)
async def test_endpoints_that_say_different_things_of_the_model_are_refused(told: dict[str, str], message: str) -> None:
    with (
        serving(listing(root="/models/q4.gguf")) as one,
        serving(listing(**told)) as other,
        pytest.raises(ServerError, match=message),
    ):
        await met(one.endpoint(), other.endpoint())


async def test_an_endpoint_without_the_model_is_refused() -> None:
    with (
        serving(ScriptedJudge(lenient)) as one,
        serving(ScriptedJudge(lenient, name="other")) as other,
        pytest.raises(ServerError, match="asked for model 'm', the endpoint lists 'other'"),
    ):
        await met(one.endpoint(), other.endpoint())


def counting(response: Response) -> Handler:
    """A judge whose tokenizer answers like this."""
    judge = ScriptedJudge(lenient)
    return lambda request: response if request.path == "/extras/tokenize/count" else judge(request)


PLAIN = ScriptedJudge(lenient)
BUSY = counting(error_response(429, "slow down"))
COUNTS = counting(json_response({"count": 2}))


@pytest.mark.parametrize("handlers", [(BUSY, PLAIN), (PLAIN, BUSY), (BUSY, COUNTS)], ids=["first", "last", "counts"])
async def test_an_endpoint_that_could_not_say_whether_it_counts_tokens_is_not_taken_for_another(
    handlers: tuple[Handler, Handler],
) -> None:
    with serving(handlers[0]) as first, serving(handlers[1]) as second:
        found = await met(first.endpoint(), second.endpoint())
    assert len(found.clients) == 2
    assert found.capabilities.counts_tokens is None, "of all of them that is not known"


async def test_of_three_endpoints_two_that_are_known_to_differ_are_refused() -> None:
    with (
        serving(BUSY) as busy,
        serving(COUNTS) as counts,
        serving(PLAIN) as other,
        pytest.raises(ServerError, match="instead of nothing said, json_schema, a llama-cpp-python server"),
    ):
        await met(busy.endpoint(), counts.endpoint(), other.endpoint())


# --- the model ----------------------------------------------------------------------------------------------------------


async def test_a_model_that_is_listed_is_accepted() -> None:
    assert (await checked(ScriptedJudge(lenient, name="coder"))).left_out == ()


async def test_a_model_that_is_not_listed_is_refused_with_those_that_are() -> None:
    with pytest.raises(ServerError) as caught:
        await checked(lambda _: models_response("llama", "qwen"), "qwen3")
    assert str(caught.value).partition("/v1: ")[2] == (
        "asked for model 'qwen3', the endpoint lists 'llama', 'qwen'; give one of these names"
    )


async def test_an_endpoint_that_lists_nothing_says_so() -> None:
    with pytest.raises(ServerError, match="the endpoint lists none"):
        await checked(lambda _: models_response())


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_an_endpoint_without_a_listing_is_left_to_refuse_the_name_itself(status: int) -> None:
    judge = ScriptedJudge(lenient)
    await checked(lambda r: error_response(status, "Not Found") if r.path == "/v1/models" else judge(r))


async def test_a_listing_that_breaks_is_no_missing_listing() -> None:
    with pytest.raises(EndpointError, match="HTTP 500"):
        await checked(lambda _: error_response(500, "oops"))


# --- endpoints that are not there yet ---------------------------------------------------------------------------------------

LOADING = error_response(503, "Loading model", code="503")


@pytest.mark.parametrize("fault", [error_response(503, "no backend"), html_response(502)], ids=["503", "502"])
async def test_a_listing_that_fails_once_is_asked_for_again(fault: Response) -> None:
    assert (await checked(at_first(fault), "m", QUICKLY)).capabilities.dialect is Dialect.JSON_SCHEMA


@pytest.mark.parametrize("path", ["/v1/models", "/extras/tokenize/count", "/v1/chat/completions"])
async def test_an_endpoint_that_loads_its_model_is_waited_for_and_that_is_said_once(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = await checked(at_first(LOADING, LOADING, path=path), "m", ONCE)  # nothing is tried again
    assert found.capabilities.counts_tokens is False
    assert [record.message.partition("HTTP ")[2] for record in caplog.records] == [
        "503: Loading model 503; waiting for it, 60 s at most"
    ]


async def test_an_endpoint_that_loads_for_too_long_is_given_up_with_what_to_do() -> None:
    said = r"Loading model.*; still so after \d s; wait until .* --load-timeout"
    with serving(lambda _: LOADING) as server, pytest.raises(EndpointError, match=said) as caught:
        await met(server.endpoint(), retry=QUICKLY, load_timeout_s=0.1)
    assert not caught.value.transient


async def test_an_endpoint_where_nobody_listens_fails_after_the_usual_attempts() -> None:
    began_s = time.monotonic()
    with pytest.raises(EndpointError, match=r"127.0.0.1:9/v1/models: the connection failed .*; see whether .* is up"):
        await met(NOBODY, retry=QUICKLY, load_timeout_s=3600)
    assert time.monotonic() - began_s < 5


def at_chat(response: Response) -> Handler:
    """A judge that lists its model and answers every question like this."""
    judge = ScriptedJudge(lenient)
    return lambda request: response if request.path == "/v1/chat/completions" else judge(request)


@pytest.mark.parametrize(
    "handler", [at_chat(error_response(500, "engine dead")), lambda _: error_response(500, "oops")]
)
async def test_of_several_endpoints_the_one_that_always_fails_is_left_out_with_what_it_says(handler: Handler) -> None:
    with serving(ScriptedJudge(lenient)) as good, serving(handler) as bad:
        found = await met(bad.endpoint(), good.endpoint(), retry=QUICKLY)
        assert [client.endpoint for client in found.clients] == [good.endpoint()]
    (line,) = found.left_out
    assert "HTTP 500" in line


async def test_of_several_endpoints_the_one_that_never_answers_is_left_out_after_one_question() -> None:
    hung = at_chat(Response((Fault.HANG,), headerless=True))
    with serving(ScriptedJudge(lenient)) as good, serving(hung) as bad:
        found = await met(bad.endpoint(), good.endpoint(), retry=QUICKLY, timeouts=Timeouts(probe_s=2))
        assert [client.endpoint for client in found.clients] == [good.endpoint()]
        assert len(bad.asked()) == 1
    (line,) = found.left_out
    assert line.endswith("(m): no reply to a short question within 2 s")


async def test_a_single_endpoint_has_as_long_as_any_reply_for_its_first() -> None:
    said = completion('{"fruit": "kiwi-7"}')
    with serving(at_chat(Response((0.4, *said.steps), said.status, said.headers))) as server:
        found = await met(server.endpoint(), timeouts=Timeouts(probe_s=0.05))
    assert found.capabilities.dialect is Dialect.JSON_SCHEMA


@pytest.mark.parametrize("path", ["/v1/models", "/extras/tokenize/count", "/v1/chat/completions"])
async def test_nobody_waits_for_an_endpoint_that_loads_when_another_one_is_there(path: str) -> None:
    judge = ScriptedJudge(lenient)
    with serving(judge) as good, serving(lambda r: LOADING if r.path == path else judge(r)) as bad:
        found = await asyncio.wait_for(
            met(bad.endpoint(), good.endpoint(), retry=QUICKLY, load_timeout_s=3600), timeout=30
        )
        assert [client.endpoint for client in found.clients] == [good.endpoint()]
    (line,) = found.left_out
    assert line.endswith("Loading model 503; not waited for")


async def test_nobody_waits_for_an_endpoint_that_loads_when_another_one_refuses_the_key() -> None:
    with (
        serving(lambda _: LOADING) as loads,
        serving(lambda _: error_response(401, "no")) as bad,
        pytest.raises(AccessDenied),
    ):
        await asyncio.wait_for(met(loads.endpoint(), bad.endpoint(), load_timeout_s=3600), timeout=30)


ODD = {
    "no finish reason": completion("x", finish=None),
    "given up": completion("x", finish="error"),
    "empty": Response((b" ",)),
}


@pytest.mark.parametrize("odd", ODD)
async def test_a_reply_that_cannot_be_used_is_no_endpoint_that_is_down(odd: str) -> None:
    judge = ScriptedJudge(lenient)
    with serving(judge) as good, serving(lambda r: ODD[odd] if "chat" in r.path else judge(r)) as bad:
        for endpoints in ([bad.endpoint()], [good.endpoint(), bad.endpoint()]):
            with pytest.raises(BadReply) as caught:
                await met(*endpoints, retry=QUICKLY)
            assert "see whether the server there is up" not in str(caught.value)
        assert len(bad.asked()) == 2 * QUICKLY.attempts, "it may pass"


@pytest.mark.parametrize("response", [LOADING, error_response(429, "quota exceeded")], ids=["loading", "429"])
async def test_an_endpoint_that_answers_is_not_said_to_be_down(response: Response) -> None:
    with serving(lambda _: response) as server, pytest.raises(EndpointError) as caught:
        await met(server.endpoint(), retry=QUICKLY, load_timeout_s=0.1)
    assert "see whether" not in str(caught.value)


@pytest.mark.parametrize("down", ["refused", "502", "loads for ever"])
async def test_of_several_endpoints_the_one_that_cannot_be_reached_is_left_out_and_named(down: str) -> None:
    response = {"refused": None, "502": html_response(502), "loads for ever": LOADING}[down]
    with serving(ScriptedJudge(lenient)) as good, serving(lambda _: response or LOADING) as bad:
        endpoint = bad.endpoint() if response else NOBODY
        found = await met(endpoint, good.endpoint(), retry=QUICKLY, load_timeout_s=0.1)
        assert [client.endpoint for client in found.clients] == [good.endpoint()]
        (line,) = found.left_out
        assert line.startswith(f"left out until it can be asked, the others do its work: {endpoint.base_url}")


@pytest.mark.parametrize("status", [401, 403])
async def test_an_endpoint_that_refuses_the_key_is_no_endpoint_that_is_down(status: int) -> None:
    with (
        serving(ScriptedJudge(lenient)) as good,
        serving(lambda _: error_response(status, "no")) as bad,
        pytest.raises(AccessDenied, match=f"refused the key .HTTP {status}."),
    ):
        await met(good.endpoint(), bad.endpoint())


async def test_when_no_endpoint_can_be_reached_the_first_one_is_named() -> None:
    other = NOBODY.model_copy(update={"base_url": "http://127.0.0.1:7/v1"})
    with pytest.raises(EndpointError, match=r"127.0.0.1:9/v1"):
        await met(NOBODY, other)
