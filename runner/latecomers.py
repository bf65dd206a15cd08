"""Endpoints that were down, or still loading, when the others of one judge were met: they are met again while work goes on.

Decision: each has a task of its own that has the first words with it again after 5 s, 10 s, 20 s and so on up to a minute
(``RetryPolicy.absent_s``, ``max_wait_s``), and every 5 s while it says that it loads. Most tries are one refused connection. Nobody who
asks the judge waits for any of it; where all endpoints are there, nothing of this is imported. What was found to be wrong with an
endpoint is told once: one that serves another model is met again once a minute, since whoever reads that may put it right; one that
refuses the key is not, because some lock out who comes again with it. All else (a page of a proxy, a listing that breaks) is what
servers do that are only coming up, and is not told. Cost: an endpoint that is back idles for up to a minute.
``tests/runner/test_latecomers.py`` has each of these.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from runner.client import ModelClient
from runner.errors import AccessDenied, EndpointError, ServerError
from runner.handshake import Absent, Greeted, Met, meet_again
from runner.journal import note
from runner.loading import is_loading
from runner.retry import RetryPolicy, Sleep

logger = logging.getLogger(__name__)

Admit = Callable[[ModelClient], None]
"""Gives an endpoint its share of the work from now on."""
Tell = Callable[[str], None]
"""Takes one line that whoever reads the results should know."""


@asynccontextmanager
async def awaited(
    met: Met, *, admit: Admit, tell: Tell, retry: RetryPolicy | None = None, sleep: Sleep = asyncio.sleep
) -> AsyncIterator[None]:
    """Meet the absent endpoints again for the length of the block, which must end before their clients do."""
    waiting = _Waiting(list(met.greeted), admit, tell, retry or RetryPolicy(), sleep)
    tasks = [asyncio.create_task(waiting.for_one(absent)) for absent in met.absent]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.result()  # nothing is raised on purpose


class _Waiting:
    """Waits for endpoints; those that come are compared with all that came before."""

    def __init__(self, greeted: list[Greeted], admit: Admit, tell: Tell, policy: RetryPolicy, sleep: Sleep) -> None:
        self._greeted = greeted
        self._admit = admit
        self._tell = tell
        self._policy = policy
        self._sleep = sleep

    async def for_one(self, absent: Absent) -> None:
        """Return once the endpoint is admitted, or is known not to be worth asking."""
        client, pause_s, wrong, since_s = absent.client, self._policy.absent_s, False, time.monotonic()
        while True:
            await self._sleep(pause_s)
            try:
                late = await meet_again(client, self._greeted)
            except AccessDenied as error:
                self._say("refused", client, f"not used in this run: {error}")
                return
            except ServerError as error:
                if not wrong:
                    self._say("another_model", client, f"not used, the others do its work: {error}")
                wrong, pause_s = True, self._policy.max_wait_s
            except EndpointError as error:
                pause_s = self._policy.absent_s if is_loading(error) else min(2 * pause_s, self._policy.max_wait_s)
            else:
                self._greeted.append(late)
                self._admit(client)
                told = f"{client.endpoint.base_url} can be asked now, and does its share of the work"
                self._say("joined", client, told, after_s=round(time.monotonic() - since_s, 3))
                return

    def _say(self, event: str, client: ModelClient, message: str, **figures: float) -> None:
        note(logger, event, endpoint=client.endpoint.base_url, model=client.endpoint.model, message=message, **figures)
        self._tell(message)
