"""One judge behind several endpoints: who gets the next request, and what makes them one judge."""

import asyncio

import pytest
from fakes import FakeServer, ScriptedJudge, completion, error_response, json_response, lenient, serving

from runner.balance import Balanced, same_model
from runner.client import ModelClient
from runner.dialects import Dialect
from runner.errors import EndpointError, ServerError
from runner.pace import START
from runner.retry import RetryPolicy
from runner.types import Sampling

HELLO = [{"role": "user", "content": "hello"}]
ONCE = RetryPolicy(attempts=1)
KEY = "sk-0123456789-never-written"


def listing(**told: object):
    """A judge that says more about its model than the name."""
    entry = {"id": "m", "object": "model", "created": 7, **told}
    judge = ScriptedJudge(lenient)
    return lambda r: json_response({"object": "list", "data": [entry]}) if r.path == "/v1/models" else judge(r)


async def found_in(*servers: FakeServer, api_key: str | None = None):
    clients = [ModelClient(server.endpoint(), api_key=api_key) for server in servers]
    try:
        return await same_model(clients, retry=ONCE)
    finally:
        for client in clients:
            await client.__aexit__()


async def test_the_slow_endpoint_gets_fewer_requests_than_the_fast_one() -> None:
    slow = completion("x")
    slow = type(slow)((0.05, *slow.steps), slow.status, slow.headers)
    with serving(lambda _: slow) as one, serving(lambda _: completion("x")) as other:
        async with ModelClient(one.endpoint()) as first, ModelClient(other.endpoint()) as second:
            both = Balanced([first, second], fixed=2)
            for _ in range(10):
                await asyncio.gather(*(both.complete(HELLO, Sampling()) for _ in range(2)))
            assert len(one.asked()) == len(other.asked()) == 10, "together they take turns"
            waiting = asyncio.ensure_future(both.complete(HELLO, Sampling()))
            await asyncio.sleep(0.01)
            for _ in range(3):
                await both.complete(HELLO, Sampling())
            await waiting
            assert abs(len(one.asked()) - len(other.asked())) == 2


async def test_a_number_of_requests_holds_for_all_endpoints_together_and_auto_for_each() -> None:
    with serving(lambda _: completion("x")) as server:
        async with ModelClient(server.endpoint()) as client:
            assert Balanced([client, client], fixed=3).limit() == 3
            assert Balanced([client, client], fixed=None).limit() == 2 * START


async def test_an_endpoint_that_is_overloaded_is_given_less() -> None:
    with serving(lambda _: error_response(429, "slow down")) as server:
        async with ModelClient(server.endpoint()) as client:
            asked = Balanced([client], fixed=None)
            with pytest.raises(EndpointError):
                await asked.complete(HELLO, Sampling())
            assert asked.limit() == START / 2


async def test_endpoints_that_list_the_same_model_are_one_judge() -> None:
    with serving(listing(root="/models/q4.gguf")) as one, serving(listing(root="/models/q4.gguf", created=8)) as other:
        found = await found_in(one, other)
    assert found.dialect is Dialect.JSON_SCHEMA


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
        await found_in(one, other)


@pytest.mark.parametrize("told", [{"root": f"served with {KEY}"}, {"meta": {"deep": [KEY]}}, {"id": KEY}], ids=str)
async def test_a_listing_that_quotes_the_key_does_not_make_us_show_it(told: dict[str, object]) -> None:
    with (
        serving(listing(root="q4")) as one,
        serving(listing(**told)) as other,
        pytest.raises(ServerError, match=r"\[key\]") as caught,
    ):
        await found_in(one, other, api_key=KEY)
    assert "0123" not in str(caught.value)


async def test_an_endpoint_without_the_model_is_refused() -> None:
    with (
        serving(ScriptedJudge(lenient)) as one,
        serving(ScriptedJudge(lenient, name="other")) as other,
        pytest.raises(ServerError, match="asked for model 'm', the endpoint lists 'other'"),
    ):
        await found_in(one, other)
