"""The judge that this service has: reached when it is first needed, asked by a few requests at a time, closed at the end.

Only a judge at endpoints is offered: serving one here would take the machine from the runs.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

from judge.app import Places, api_key
from judge.library import JudgePrompts, load_judge_prompts, load_suite
from judge.pipeline import Machinery
from judge.pipeline.bench import EndpointJudge, reach_judge
from judge.records import JudgeRecord
from judge.request import JudgeChoice, RunChoice, build_judge
from judge.types import Suite
from judge.web.problems import Refusal

AT_ONCE = 4
"""Requests that are worked on at a time, unless the user said how many the judge takes."""
WAITING = 8
"""Further requests that wait for their turn."""
RETRY_AFTER_S = 10
WITHIN_S = 600.0
"""How long a request may take, waiting included: most programs and proxies give up before."""
EXAMINED_AT_ONCE = 1
"""Answers that are executed at a time: each may take the processor for seconds."""
NO_JUDGE = (
    "this service has no judge; start it with judge serve --judge-url URL --judge-model MODEL, where an "
    "OpenAI-compatible server has one"
)


class Judging:
    """One judge, ready to be asked. An async context manager: leaving it closes the judge's connections."""

    def __init__(
        self,
        judge: JudgeRecord,
        suite: Suite,
        prompts: JudgePrompts,
        machinery: Machinery,
        *,
        known: Collection[str] = (),
        waiting: int = WAITING,
        within_s: float = WITHIN_S,
    ) -> None:
        """``known``: models of models.yaml, which could be judges if they were served."""
        self.judge = judge
        self.suite = suite
        self.within_s = within_s
        self._prompts = prompts
        self._machinery = machinery
        self._known = frozenset(known)
        self._bench: EndpointJudge | None = None
        self._opening = asyncio.Lock()
        self._connections = AsyncExitStack()
        self._asking = Turns(machinery.concurrency or AT_ONCE, waiting)
        self.examining = asyncio.Semaphore(EXAMINED_AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connections.aclose()

    def check_name(self, name: str | None) -> None:
        """Raise Refusal for another judge than the one that is here; ``None`` takes what there is."""
        if name in (None, self.judge.name):
            return
        if name in self._known:
            raise Refusal(
                409,
                f"that judge would have to be served here first; this service asks {self.judge.name} at an endpoint",
            )
        raise Refusal(422, f"judge: there is none of this name here; this service has {self.judge.name}")

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn. Raises Refusal when too many wait already."""
        async with self._asking.turn():
            yield

    async def bench(self) -> EndpointJudge:
        """Return the judge, reached at its endpoints. Raises ServerError or EndpointError when it is not there."""
        async with self._opening:
            if self._bench is None:
                async with AsyncExitStack() as stack:
                    self._bench = await reach_judge(
                        self.judge, self.suite.scale, self._prompts.templates, self._machinery, stack
                    )
                    self._connections.push_async_callback(stack.pop_all().aclose)
            return self._bench


def judging_at(places: Places, choice: JudgeChoice, concurrency: int | None) -> Judging:
    """Return the judge at an endpoint, not reached yet; ``concurrency`` None: AT_ONCE. Raises UserError in one line."""
    models, prompts = places.load_models(), load_judge_prompts()
    return Judging(
        build_judge(choice, RunChoice(candidates=()), models, prompts, os.environ),
        load_suite(),
        prompts,
        Machinery(folder=places.results, api_key=api_key(), concurrency=concurrency),
        known=[entry.id for entry in models.entries],
    )


class Turns:
    """So many at once, so many more that wait; the next is told to come again."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._most = at_once + waiting
        self._inside = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn. Raises Refusal when too many do."""
        if self._inside >= self._most:
            detail = f"{self._inside} answers are being judged or wait for it; ask again in {RETRY_AFTER_S} s"
            raise Refusal(429, detail, {"Retry-After": str(RETRY_AFTER_S)})
        self._inside += 1
        try:
            async with self._free:
                yield
        finally:
            self._inside -= 1
