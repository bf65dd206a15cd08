"""What is tried again, how often, and how long is waited. The sleep is injected: nothing here waits."""

import pytest

from runner.errors import AccessDenied, ContextExceeded, EndpointError, NoReply, StreamCut
from runner.retry import RetryPolicy, retried
from runner.types import Reply, Stamps

CUT = Reply(text="half", finish_reason=None, stamps=Stamps(sent_s=0, first_token_s=1, last_token_s=1, ended_s=2))


class Calls:
    """Fails as told, then answers "done"; and sleeps without time passing."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.made = 0
        self.waits: list[float] = []

    async def __call__(self) -> str:
        self.made += 1
        if self._errors:
            raise self._errors.pop(0)
        return "done"

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def busy(retry_after_s: float | None = None) -> EndpointError:
    return EndpointError("HTTP 503", status=503, transient=True, retry_after_s=retry_after_s)


async def run(calls: Calls, **policy: float) -> str:
    return await retried(calls, RetryPolicy.model_validate(policy), sleep=calls.sleep)


async def test_a_success_is_asked_once_and_waits_for_nothing() -> None:
    calls = Calls()
    assert await run(calls) == "done"
    assert (calls.made, calls.waits) == (1, [])


async def test_a_busy_server_is_asked_again_until_it_answers() -> None:
    calls = Calls(busy(), busy())
    assert await run(calls) == "done"
    assert calls.made == 3


async def test_a_stream_that_broke_off_is_asked_again() -> None:
    assert await run(Calls(StreamCut("cut", reply=CUT))) == "done"


@pytest.mark.parametrize(
    "error",
    [
        EndpointError("HTTP 400", status=400),
        ContextExceeded("too long", status=400),
        AccessDenied("refused", status=401),
        ValueError("a bug"),
        KeyError("another"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_would_fail_for_ever_is_asked_once(error: Exception) -> None:
    calls = Calls(error)
    with pytest.raises(type(error)) as caught:
        await run(calls)
    assert caught.value is error
    assert (calls.made, calls.waits) == (1, [])


async def test_when_the_attempts_are_used_up_the_last_error_is_raised() -> None:
    last = EndpointError("HTTP 502", status=502, transient=True)
    calls = Calls(busy(), busy(), last)
    with pytest.raises(EndpointError) as caught:
        await run(calls, attempts=3)
    assert caught.value is last
    assert (calls.made, len(calls.waits)) == (3, 2)


async def test_an_endpoint_that_says_nothing_is_waited_for_twice_however_often_others_are_asked() -> None:
    calls = Calls(busy(), NoReply("nothing"), busy(), NoReply("nothing"), busy())
    with pytest.raises(NoReply):
        await run(calls, attempts=9)
    assert calls.made == 4


async def test_silence_counts_as_an_attempt_too() -> None:
    calls = Calls(NoReply("nothing"))
    with pytest.raises(NoReply):
        await run(calls, attempts=1)
    assert calls.made == 1


async def test_waits_are_random_below_a_bound_that_doubles() -> None:
    calls = Calls(*(busy() for _ in range(8)))
    await run(calls, attempts=9, base_s=0.5, max_wait_s=4)
    bounds = [0.5, 1, 2, 4, 4, 4, 4, 4]
    assert all(0 <= wait <= bound for wait, bound in zip(calls.waits, bounds, strict=True))
    assert len(set(calls.waits)) > 1


async def test_a_server_that_says_how_long_is_taken_at_its_word() -> None:
    calls = Calls(busy(7.0), busy(0.25), busy())
    await run(calls, base_s=0.5)
    assert calls.waits[:2] == [7.0, 0.25]


async def test_a_server_that_says_no_time_at_all_does_not_use_up_the_attempts_at_once() -> None:
    calls = Calls(*(busy(0.0) for _ in range(8)))
    await run(calls, attempts=9, base_s=0.5, max_wait_s=4)
    assert all(0 < wait <= bound for wait, bound in zip(calls.waits, [0.5, 1, 2, 4, 4, 4, 4, 4], strict=True))
    assert sum(calls.waits) > 1


async def test_no_server_can_ask_for_a_longer_wait_than_the_longest() -> None:
    calls = Calls(busy(86_400.0))
    await run(calls, max_wait_s=60)
    assert calls.waits == [60.0]


async def test_each_wait_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    await run(Calls(busy(2.0)))
    assert caplog.messages == ["attempt 1 failed (HTTP 503); next in 2.0 s"]


async def test_one_attempt_is_one_attempt() -> None:
    calls = Calls(busy())
    with pytest.raises(EndpointError):
        await run(calls, attempts=1)
    assert calls.made == 1
