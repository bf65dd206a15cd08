"""One judge behind several endpoints: who gets the next request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from fakes import Fault, Handler, Request, Response, completion, error_response, html_response, serving

from runner.balance import Balanced
from runner.client import ModelClient, Timeouts
from runner.engines.local import run_bounded
from runner.errors import EndpointError
from runner.pace import START
from runner.retry import RetryPolicy, retried
from runner.standing import LONGEST_COOLING_S
from runner.types import Endpoint, Sampling

HELLO = [{"role": "user", "content": "hello"}]


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


# --- an endpoint that fails -----------------------------------------------------------------------------------------------

UNITS = 60
AT_ONCE = 16
GOOD = completion("x")
SLOW = type(GOOD)((0.02, *GOOD.steps), GOOD.status, GOOD.headers)
FAULTS = {
    "refused": None,
    "502": html_response(502),
    "500": error_response(500, "engine dead"),
    "404": error_response(404, "Not Found"),
    "405": error_response(405, "Method Not Allowed"),
    "503": error_response(503, "no backend"),
    "429": error_response(429, "slow down"),
    "429 with a wait": error_response(429, "slow down", retry_after="30"),
    "reset": Response((Fault.RESET,), headerless=True),
}


@asynccontextmanager
async def balanced(*endpoints: Endpoint, fixed: int | None = 8) -> AsyncIterator[Balanced]:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(ModelClient(endpoint)) for endpoint in endpoints]
        yield Balanced(clients, fixed=fixed)


async def failed_of(asked: Balanced, units: int) -> int:
    """How many of so many units, 16 at a time, failed in spite of all their attempts."""

    async def soon(seconds: float) -> None:
        assert seconds < 1, "nobody waits for as long as one endpoint asks while another one can be asked"
        await asyncio.sleep(seconds)

    async def unit(_: int) -> bool:
        try:
            await retried(lambda: asked.complete(HELLO, Sampling()), RetryPolicy(base_s=0.01), sleep=soon)
        except EndpointError:
            return False
        return True

    return [done async for done in run_bounded(range(units), unit, limit=AT_ONCE)].count(False)


@pytest.mark.parametrize("fixed", [8, None])
@pytest.mark.parametrize("fault", FAULTS)
async def test_an_endpoint_that_fails_among_several_costs_no_unit(fault: str, fixed: int | None) -> None:
    response = FAULTS[fault]
    with serving(lambda _: SLOW) as good, serving(lambda _: response or GOOD) as bad:
        endpoint = bad.endpoint()
        if response is None:
            endpoint = endpoint.model_copy(update={"base_url": "http://127.0.0.1:9/v1"})
        async with balanced(endpoint, good.endpoint(), fixed=fixed) as both:
            assert await failed_of(both, UNITS) == 0
        assert len(good.asked()) == UNITS
        assert len(bad.asked()) < UNITS / 4


async def test_an_endpoint_that_comes_back_gets_work_again() -> None:
    down = [True]
    with (
        serving(lambda _: SLOW) as good,
        serving(lambda _: error_response(503, "down") if down[0] else SLOW) as other,
    ):
        now_s = [0.0]
        async with ModelClient(good.endpoint()) as one, ModelClient(other.endpoint()) as two:
            both = Balanced([two, one], fixed=4, clock=lambda: now_s[0])
            assert await failed_of(both, 20) == 0
            down[0] = False
            before = len(other.asked())
            assert await failed_of(both, 20) == 0
            assert len(other.asked()) == before, "the time to leave it alone is not over"
            now_s[0] += LONGEST_COOLING_S
            assert await failed_of(both, 40) == 0
            assert len(other.asked()) - before > 40 / 4


async def test_a_single_endpoint_that_fails_is_asked_as_before() -> None:
    """Whatever it did: there is nobody else, so every attempt is made, and its wish to wait is heard."""
    with serving(lambda _: error_response(429, "slow down", retry_after="7")) as server:
        async with balanced(server.endpoint()) as only:
            waits: list[float] = []

            async def sleep(seconds: float) -> None:
                waits.append(seconds)

            with pytest.raises(EndpointError):
                await retried(lambda: only.complete(HELLO, Sampling()), RetryPolicy(attempts=3), sleep=sleep)
        assert len(server.asked()) == 3
        assert waits == [7.0, 7.0]


async def test_where_nobody_has_what_is_asked_for_each_is_asked_once() -> None:
    with serving(lambda _: error_response(404, "one")) as one, serving(lambda _: error_response(404, "two")) as two:
        async with balanced(one.endpoint(), two.endpoint()) as both:
            with pytest.raises(EndpointError, match="two"):
                await both.complete(HELLO, Sampling())
        assert (len(one.asked()), len(two.asked())) == (1, 1)


async def test_an_endpoint_that_keeps_a_request_waiting_does_not_take_the_only_turn_again_and_again() -> None:
    """Of a clock on which a silence takes 900 s and a reply 10 s, as in a quarter of an hour of work."""
    now_s = [0.0]

    def takes(seconds: float, response: Response) -> Handler:
        def handler(_: Request) -> Response:
            now_s[0] += seconds
            return response

        return handler

    silence = Response((Fault.HANG,), headerless=True)
    with serving(takes(900.0, silence)) as hung, serving(takes(10.0, GOOD)) as good:
        hasty = Timeouts(reply_s=0.3)
        async with ModelClient(hung.endpoint(), timeouts=hasty) as one, ModelClient(good.endpoint()) as two:
            both = Balanced([one, two], fixed=1, clock=lambda: now_s[0])
            assert await failed_of(both, UNITS) == 0
        assert (len(hung.asked()), len(good.asked())) == (1, UNITS)


OF_THE_REQUEST = {
    "400": error_response(400, "no such field"),
    "422": error_response(422, "no such field"),
    "context": error_response(400, "too long", code="context_length_exceeded"),
    "withheld": completion("", finish="content_filter"),
    "no finish reason": completion("x", finish=None),
}


@pytest.mark.parametrize("fault", OF_THE_REQUEST)
async def test_what_is_wrong_with_a_request_or_its_reply_is_not_held_against_the_endpoint(fault: str) -> None:
    with serving(lambda _: OF_THE_REQUEST[fault]) as strict, serving(lambda _: GOOD) as other:
        async with balanced(strict.endpoint(), other.endpoint()) as both:
            for _ in range(3):
                with pytest.raises(EndpointError):
                    await both.complete(HELLO, Sampling())
        assert len(strict.asked()) == 3
