"""The judge that this service has: opened once, asked by a few requests at a time, closed at the end."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

from judge.conduct import api_key
from judge.judge_prompts import JudgePrompts, load_judge_prompts
from judge.judges import build_judge
from judge.library import load_suite
from judge.pipeline import Machinery
from judge.pipeline.bench import EndpointJudge, OpenJudge, reach_judge, serve_judge
from judge.places import Places
from judge.records import JudgeRecord, Launch
from judge.types import Suite
from judge.wanted import JudgeChoice, RunChoice
from judge.web.kept_judge import KeptJudge
from judge.web.problems import Refusal
from runner.types import Arm

logger = logging.getLogger("uvicorn.error")

AT_ONCE = 4
"""Requests that are worked on at a time, unless the user said how many the judge takes."""
WAITING = 8
"""Further requests that wait for their turn."""
RETRY_AFTER_S = 10
WITHIN_S = 600.0
"""How long a request may take, waiting included: most programs and proxies give up before."""
EXAMINED_AT_ONCE = 1
"""Answers that are executed at a time: each may take the processor for seconds."""
SERVICE = "service"
"""Folder beside those of the runs, for the log of a judge that is served."""
NO_JUDGE = (
    "this service has no judge; start it with judge serve --judge NAME, or with --judge-url URL --judge-model MODEL where a "
    "server has one"
)


class Judging:
    """One judge that is asked about single answers. An async context manager: leaving it closes the judge."""

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
        self._kept = KeptJudge(self._open)
        # A server here works on one request at a time.
        self._asking = Turns(1 if judge.model else machinery.concurrency or AT_ONCE, waiting)
        self.examining = asyncio.Semaphore(EXAMINED_AT_ONCE)

    async def __aenter__(self) -> Self:
        if self.judge.model is not None:
            self._kept.begin()  # loading takes minutes
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._kept.close()

    def check_name(self, name: str | None) -> None:
        """Raise Refusal for another judge than the one that is here; ``None`` takes what there is."""
        if name in (None, self.judge.name):
            return
        if name in self._known:
            raise Refusal(
                409,
                f"that judge would have to be served here first; this service was started with {self.judge.name}",
            )
        raise Refusal(422, f"judge: there is none of this name here; this service has {self.judge.name}")

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn. Raises Refusal when too many wait already."""
        async with self._asking.turn():
            yield

    async def bench(self) -> OpenJudge:
        """Return the judge, served or reached. Raises ServerError or EndpointError when it cannot be."""
        bench = await self._kept.get()
        if isinstance(bench, EndpointJudge):  # restarts of a server here are logged where they are made
            for notice in bench.news():
                logger.warning("%s: %s", notice.model, notice.message)
        return bench

    async def give_up(self) -> None:
        """Close a judge whose server died too often: the next request has it started anew."""
        await self._kept.close()

    async def _open(self, stack: AsyncExitStack) -> OpenJudge:
        asked = self.judge, self.suite.scale, self._prompts.templates, self._machinery, stack
        if self.judge.model is None:
            return await reach_judge(*asked)
        return await serve_judge(*asked, keep=_told)


def _told(arm: Arm, launch: Launch) -> None:
    logger.info("%s is served: %s", arm.id, launch.log)


def judging_at(places: Places, choice: JudgeChoice, concurrency: int | None) -> Judging:
    """Return the judge, not opened yet; ``concurrency`` at its endpoints None: AT_ONCE. Raises UserError in one line."""
    models, prompts = places.load_models(), load_judge_prompts()
    return Judging(
        build_judge(choice, RunChoice(candidates=()), models, prompts, os.environ),
        load_suite(),
        prompts,
        Machinery(folder=places.results / SERVICE, api_key=api_key(), concurrency=concurrency),
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
