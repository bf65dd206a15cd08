"""Several judges one after the other, as plain iterators: who goes on, what is told, and what is an error in the end."""

from collections.abc import AsyncIterator

import pytest

from judge.events import Event, JudgeUnusable, Loading
from judge.pipeline.in_turn import Share, in_turn
from runner.errors import EndpointError, ServerError

BROKEN = ServerError("it died four times\nits log: out of memory")
GONE = EndpointError("nobody listens", transient=True)


async def work(judge: str, error: Exception | None) -> AsyncIterator[Event]:
    yield Loading(model=judge, phase="score")
    if error is not None:
        raise error


def share(judge: str, error: Exception | None = None) -> Share:
    return Share(judge, work(judge, error), lambda: 3)


async def told(*shares: Share) -> list[str]:
    """Who began, and who could not be used."""
    events: list[str] = []
    try:
        async for event in in_turn(shares, "scorings"):
            events.append(f"{event.judge} failed" if isinstance(event, JudgeUnusable) else event.model)
    except (ServerError, EndpointError) as error:
        events.append(str(error))
    return events


async def test_whoever_can_be_used_is_whatever_becomes_of_the_others() -> None:
    assert await told(share("a", GONE), share("b"), share("c", BROKEN), share("d")) == [
        *("a", "a failed", "b", "c", "c failed", "d")
    ]


@pytest.mark.parametrize(
    ("first", "second", "cause"), [(GONE, BROKEN, "nobody listens"), (BROKEN, GONE, "it died four times")]
)
async def test_when_nobody_can_be_used_all_were_tried_and_one_line_says_it(
    first: Exception, second: Exception, cause: str
) -> None:
    said = f"none of the 2 judges could be used; the first: {cause}"
    assert await told(share("a", first), share("b", second)) == ["a", "a failed", "b", "b failed", said]


async def test_an_error_of_the_only_judge_is_raised_as_it_is() -> None:
    assert await told(share("a", GONE)) == ["a", "nobody listens"]


async def test_what_is_no_failure_of_a_judge_ends_everything() -> None:
    with pytest.raises(ZeroDivisionError):
        await told(share("a", ZeroDivisionError()), share("b"))
