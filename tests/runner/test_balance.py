"""One judge behind several endpoints: who gets the next request."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from fakes import (
    Fault,
    Handler,
    Request,
    Response,
    completion,
    error_response,
    html_response,
    json_response,
    serving,
    until,
)

from runner.balance import Balanced
from runner.client import ModelClient, Timeouts
from runner.engines.local import run_bounded
from runner.errors import EndpointError
from runner.pace import START
from runner.retry import RetryPolicy, retried
from runner.standing import LONGEST_COOLING_S, USELESS_IN_A_ROW
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
}


@pytest.mark.parametrize("fault", OF_THE_REQUEST)
async def test_what_is_wrong_with_a_request_is_not_held_against_the_endpoint(fault: str) -> None:
    tries = 2 * USELESS_IN_A_ROW
    with serving(lambda _: OF_THE_REQUEST[fault]) as strict, serving(lambda _: GOOD) as other:
        async with balanced(strict.endpoint(), other.endpoint()) as both:
            for _ in range(tries):
                with pytest.raises(EndpointError):
                    await both.complete(HELLO, Sampling())
        assert len(strict.asked()) == tries


# --- an endpoint whose replies are of no use ---------------------------------------------------------------------------------

USELESS = {
    "page": html_response(),
    "empty body": Response(headers={"content-type": "application/json"}),
    "nothing said": json_response({}),
    "half of an object": Response((b'{"choices": [',), headers={"content-type": "application/json"}),
    "no finish reason": completion("x", finish=None),
    "given up": completion("x", finish="error"),
}


@pytest.mark.parametrize("fixed", [8, None])
@pytest.mark.parametrize("reply", USELESS)
async def test_an_endpoint_that_has_only_replies_of_no_use_among_several_costs_no_unit(
    reply: str, fixed: int | None
) -> None:
    with serving(lambda _: SLOW) as good, serving(lambda _: USELESS[reply]) as bad:
        async with balanced(bad.endpoint(), good.endpoint(), fixed=fixed) as both:
            assert await failed_of(both, UNITS) == 0
        assert len(good.asked()) == UNITS
        assert USELESS_IN_A_ROW <= len(bad.asked()) < UNITS / 4


@pytest.mark.parametrize("reply", USELESS)
async def test_one_that_has_useful_replies_again_gets_work_again(reply: str) -> None:
    fails, now_s = [True], [0.0]
    with serving(lambda _: SLOW) as good, serving(lambda _: USELESS[reply] if fails[0] else SLOW) as other:
        async with ModelClient(good.endpoint()) as one, ModelClient(other.endpoint()) as two:
            both = Balanced([two, one], fixed=4, clock=lambda: now_s[0])
            assert await failed_of(both, 20) == 0
            fails[0], before = False, len(other.asked())
            assert await failed_of(both, 10) == 0
            assert len(other.asked()) == before, "the time to leave it alone is not over"
            now_s[0] += LONGEST_COOLING_S
            assert await failed_of(both, 40) == 0
            assert len(other.asked()) - before > 40 / 4


@pytest.mark.parametrize("reply", USELESS)
async def test_a_reply_of_no_use_among_good_ones_is_held_against_nobody(reply: str) -> None:
    asked = itertools.count()

    def hiccups(_: Request) -> Response:
        return USELESS[reply] if next(asked) % 3 == 1 else GOOD

    with serving(hiccups) as one, serving(lambda _: GOOD) as other:
        async with balanced(one.endpoint(), other.endpoint(), fixed=1) as both:
            for _ in range(UNITS):  # one after the other, so that no unit meets the hiccups of all others
                await retried(lambda: both.complete(HELLO, Sampling()), RetryPolicy(base_s=0.001))
        assert len(one.asked()) >= UNITS, "it is the first, and nothing is ever held against it"


@pytest.mark.parametrize("reply", USELESS)
async def test_a_single_endpoint_whose_replies_are_of_no_use_is_asked_as_before(reply: str) -> None:
    policy = RetryPolicy(attempts=3, base_s=0.001)
    with serving(lambda _: USELESS[reply]) as server:
        async with balanced(server.endpoint(), fixed=4) as only:
            for _ in range(2 * USELESS_IN_A_ROW):
                with pytest.raises(EndpointError) as caught:
                    await retried(lambda: only.complete(HELLO, Sampling()), policy)
            assert only.limit() == 4
        asked = policy.attempts if caught.value.transient else 1
        assert len(server.asked()) == 2 * USELESS_IN_A_ROW * asked


@pytest.mark.parametrize("reply", USELESS)
async def test_where_all_have_only_replies_of_no_use_none_is_better_and_what_is_asked_fails(reply: str) -> None:
    with serving(lambda _: USELESS[reply]) as one, serving(lambda _: USELESS[reply]) as other:
        async with balanced(one.endpoint(), other.endpoint(), fixed=4) as both:
            assert await failed_of(both, 12) == 12
            assert both.limit() == 4
        assert one.asked() and other.asked()
        assert len(one.asked()) + len(other.asked()) <= 12 * RetryPolicy().attempts


# --- how many at a time -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lost", [error_response(503, "no backend"), html_response(), None], ids=["503", "page", "refused"]
)
async def test_a_number_of_requests_falls_on_the_endpoints_that_are_left(lost: Response | None) -> None:
    at_once = 6
    held = Response((Fault.HANG,), headerless=True)
    with serving(lambda _: lost or GOOD) as bad, serving(lambda _: held) as left:
        endpoint = bad.endpoint() if lost else Endpoint(base_url="http://127.0.0.1:9/v1", model="m")
        async with balanced(endpoint, left.endpoint(), fixed=at_once) as both:
            policy = RetryPolicy(base_s=0.001)
            units = [
                asyncio.ensure_future(retried(lambda: both.complete(HELLO, Sampling()), policy)) for _ in range(20)
            ]
            await until(lambda: len(left.asked()) >= at_once)
            await asyncio.sleep(0.1)
            assert len(left.asked()) == at_once == both.limit()
            for unit in units:
                unit.cancel()
            await asyncio.gather(*units, return_exceptions=True)
