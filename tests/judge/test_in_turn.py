"""Several judges one after the other, as plain iterators: who goes on, what is told, and what is an error in the end."""

from collections.abc import AsyncIterator

import pytest

from judge.events import Event, JudgeUnusable, Loading
from judge.pipeline.in_turn import Share, in_turn
from runner.errors import EndpointError, ServerError

BROKEN = ServerError("it died four times")
GONE = EndpointError("nobody listens", transient=True)


async def work(judge: str, error: Exception | None) -> AsyncIterator[Event]:
    yield Loading(model=judge, phase="score")
    if error is not None:
        raise error


def share(judge: str, error: Exception | None = None, *, owed: int = 3) -> Share:
    return Share(judge, work(judge, error), lambda: owed)


async def told(*shares: Share, all_owed_is_seen: bool = True) -> list[str]:
    """Who began, and who could not be used."""
    events: list[str] = []
    try:
        async for event in in_turn(shares, "scorings", all_owed_is_seen=all_owed_is_seen):
            events.append(f"{event.judge} failed" if isinstance(event, JudgeUnusable) else event.model)
    except (ServerError, EndpointError) as error:
        events.append(str(error))
    return events


async def test_whoever_can_be_used_is_whatever_becomes_of_the_others() -> None:
    assert await told(share("a", GONE), share("b"), share("c", BROKEN), share("d")) == [
        *("a", "a failed", "b", "c", "c failed", "d")
    ]


async def test_when_nobody_can_be_used_the_first_error_is_raised_after_all_were_tried() -> None:
    assert await told(share("a", GONE), share("b", BROKEN)) == ["a", "a failed", "b", "b failed", "nobody listens"]


async def test_an_error_of_the_only_judge_is_raised_as_it_is() -> None:
    assert await told(share("a", GONE)) == ["a", "nobody listens"]


async def test_a_judge_that_owes_nothing_but_its_exam_is_missed_as_well() -> None:
    shares = share("a", GONE, owed=0), share("b")
    assert await told(*shares, all_owed_is_seen=False) == ["a", "a failed", "b", "nobody listens"]


async def test_what_is_no_failure_of_a_judge_ends_everything() -> None:
    with pytest.raises(ZeroDivisionError):
        await told(share("a", ZeroDivisionError()), share("b"))
