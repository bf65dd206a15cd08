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


async def in_turn(
    shares: Sequence[Share], unit: Literal["scorings", "comparisons"], *, all_owed_is_seen: bool = True
) -> AsyncIterator[Event]:
    """Do every share. A judge that cannot be used is reported and left owed; the next one goes on.

    Raises ServerError or EndpointError when no judge could be used, that of the first one. Also, unless ``all_owed_is_seen``, when
    one could not be used that owes no unit: what was wanted of it, such as an exam, would not be missed.
    """
    failed: list[ServerError | EndpointError] = []
    unseen: list[ServerError | EndpointError] = []
    for share in shares:
        try:
            async for event in share.work:
                yield event
        except (ServerError, EndpointError) as error:
            if len(shares) == 1:
                raise
            owed = share.owed()
            failed.append(error)
            unseen += [] if owed or all_owed_is_seen else [error]
            yield JudgeUnusable(judge=share.judge, unit=unit, owed=owed, message=str(error))
    if unseen or (failed and len(failed) == len(shares)):
        raise (unseen or failed)[0]
