"""Several judges one after the other: one that cannot be used does not keep the others from being asked."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Literal, NamedTuple

from judge.events import Event, JudgeUnusable
from runner.errors import EndpointError, ServerError


class Share(NamedTuple):
    """What one judge is to do."""

    judge: str
    work: AsyncIterator[Event]
    """Does it; raises ServerError or EndpointError when the judge cannot be used at all."""
    owed: Callable[[], int]
    """Units that are owed by it now."""


async def in_turn(shares: Sequence[Share], unit: Literal["scorings", "comparisons"]) -> AsyncIterator[Event]:
    """Do every share. A judge that cannot be used is reported and left owed; the next one goes on.

    Raises ServerError or EndpointError when no judge could be used: that of the only one, or one line with the first cause.
    """
    failed: list[ServerError | EndpointError] = []
    for share in shares:
        try:
            async for event in share.work:
                yield event
        except (ServerError, EndpointError) as error:
            if len(shares) == 1:
                raise
            failed.append(error)
            yield JudgeUnusable(judge=share.judge, unit=unit, owed=share.owed(), message=str(error))
    if failed and len(failed) == len(shares):
        raise _none_of(failed) from failed[0]


def _none_of(failed: Sequence[ServerError | EndpointError]) -> ServerError | EndpointError:
    """Return what is wrong with all of them in one line; all that each of them said was told as it failed."""
    first = failed[0]
    # The command and the end of a server's log come after the line that says what is wrong.
    message = f"none of the {len(failed)} judges could be used; the first: {str(first).splitlines()[0]}"
    if isinstance(first, ServerError):
        return ServerError(message)
    return EndpointError(message, status=first.status, transient=first.transient)
