"""Keep a model server up: one that dies is started again, a limited number of times, and only with the same proof.

What was in flight is asked once more on the new server. A request under which the server dies a second time is left owed, so that
one prompt that crashes the server does not stop all the others.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Self, TypeVar

from runner.client import ModelClient
from runner.errors import EndpointError, ProofError, ServerError
from runner.journal import about
from runner.proof import Proof
from runner.serve import RunningServer, ServeOptions, serve
from runner.types import Arm, Endpoint, ModelFile

logger = logging.getLogger(__name__)

MAX_RESTARTS = 3
"""A server that dies a fourth time has a fault that starting it does not cure."""

T = TypeVar("T")
Start = Callable[[int], AbstractAsyncContextManager[RunningServer]]
"""Starts the server for the length of a block; it is told how often that was done before."""
Prepare = Callable[[RunningServer, ModelClient], Awaitable[None]]
Work = Callable[[RunningServer, ModelClient], Awaitable[T]]


def supervised(
    arm: Arm,
    model: ModelFile,
    log_path: Path,
    *,
    prepare: Prepare,
    options: ServeOptions | None = None,
    restarts: int = MAX_RESTARTS,
) -> "Supervised":
    """Return ``arm`` as a server to be kept up; every start has a log of its own, so the death of the last one can be read."""
    return Supervised(
        lambda before: serve(arm, model, _log_of(log_path, before), options=options), prepare=prepare, restarts=restarts
    )


def _log_of(path: Path, before: int) -> Path:
    return path.with_suffix(f".restart{before}{path.suffix}") if before else path


class Supervised:
    """A server that is up, for the length of an async context. ``prepare`` is awaited after every start (records, warm-up)."""

    def __init__(
        self,
        start: Start,
        *,
        prepare: Prepare,
        restarts: int = MAX_RESTARTS,
        connect: Callable[[Endpoint], ModelClient] = ModelClient,
    ) -> None:
        self.server: RunningServer
        self.client: ModelClient
        self.deaths: list[str] = []
        """One line for each server that died and was replaced."""
        self._start = start
        self._prepare = prepare
        self._restarts = restarts
        self._connect = connect
        self._proof: Proof | None = None
        self._replacing = asyncio.Lock()
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._bring_up()
        except BaseException:
            await self._open.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    @property
    def exhausted(self) -> bool:
        """True when the server is gone and will not be started again."""
        return not self.server.alive and len(self.deaths) >= self._restarts

    async def ask(self, work: Work[T], *, good: Callable[[T], bool]) -> T:
        """Return what ``work`` makes of the server; when that is no good and the server died of it, once more on a new one.

        Raises ServerError when the server is gone and was started again as often as allowed.
        """
        result = await self._ask_once(work)
        if good(result) or await self.server.survives() or self.exhausted:
            return result
        return await self._ask_once(work)

    def given_up(self) -> ServerError:
        """Return the error that says that the server died too often, with the end of its log."""
        return ServerError(
            f"{self.server.arm.id}: the server died {len(self.deaths) + 1} times and is not started again; "
            f"what is owed stays owed: {self.server.obituary()}"
        )

    async def _ask_once(self, work: Work[T]) -> T:
        if not self.server.alive:
            await self._replace_once(self.server)
        return await work(self.server, self.client)

    async def _replace_once(self, dead: RunningServer) -> None:
        """Replace the dead server, unless another task has done so."""
        async with self._replacing:
            if self.server is dead:
                await self._replace()

    async def _replace(self) -> None:
        if self.exhausted:
            raise self.given_up()
        self.deaths.append(self.server.ending())
        told = self.server.arm.id, self.deaths[-1], len(self.deaths), self._restarts
        logger.warning("%s: %s; starting it again, %d of at most %d times", *told)
        await self._open.aclose()
        with about(None):  # warm-ups and handshakes are not about the unit of which the server died
            await self._bring_up()

    async def _bring_up(self) -> None:
        self.server = await self._open.enter_async_context(self._start(len(self.deaths)))
        self.client = await self._open.enter_async_context(self._connect(self.server.endpoint))
        self._check_proof()
        try:
            await self._prepare(self.server, self.client)
        except EndpointError:
            if await self.server.survives():
                raise
            await self._replace()

    def _check_proof(self) -> None:
        proof = self.server.proof
        self._proof = self._proof or proof
        if _settings(proof) != _settings(self._proof):
            raise ProofError(
                f"{self.server.arm.id}: started again, the log shows {_settings(proof)}, and at first "
                f"{_settings(self._proof)}; the arm is not used"
            )


def _settings(proof: Proof) -> dict[str, object]:
    """Return what must not change between two starts: not the very lines, which may hold addresses."""
    return proof.model_dump(exclude={"lines"})
