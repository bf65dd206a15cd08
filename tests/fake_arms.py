"""Served arms for tests: a scripted server on loopback beside a real process that can be killed."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fakes import FakeServer, Fault, Handler, Request, Response, delta, script, serving, sse, streamed

from runner.client import ModelClient, Timeouts
from runner.proof import Proof
from runner.serve import RunningServer, ServerLog
from runner.supervise import Prepare, Start, Supervised
from runner.types import Arm, Config, Endpoint, Serving

QUICK = Timeouts(connect_s=2, first_token_s=10, idle_s=0.5, after_finish_s=0.3)
PROOF = Proof(overrides={"llama.expert_used_count": 2}, experts_used=2, n_ctx=2048, lines=("at 0x7f00",))


def logging(log: Path, handler: Handler, text: str) -> Handler:
    """Write ``text`` to the log with every chat request, as the server does."""

    def logged(request: Request) -> Response:
        if request.path == "/v1/chat/completions":
            with log.open("a") as file:
                file.write(text)
        return handler(request)

    return logged


def quick_client(endpoint: Endpoint) -> ModelClient:
    """A client that gives up soon."""
    return ModelClient(endpoint, timeouts=QUICK)


@asynccontextmanager
async def fake_arm(
    handler: Handler, log: Path, config: str = "baseline", proof: Proof = PROOF
) -> AsyncIterator[tuple[RunningServer, FakeServer, asyncio.subprocess.Process]]:
    """A server of ``handler`` whose process is a real one that does nothing; its death takes the connections along."""
    serving_ = Serving(n_ctx=2048, n_threads=1)
    arm = Arm(candidate="m", config=Config.parse(config), model_fingerprint="f", serving=serving_)
    process = await asyncio.create_subprocess_exec(sys.executable, "-S", "-c", "input()", stdin=asyncio.subprocess.PIPE)
    try:
        with serving(handler) as server:
            running = RunningServer(arm, server.endpoint(local=True), proof, ["python"], ServerLog(log), process)
            yield running, server, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


Life = Callable[[int], Handler]
"""What a server does, given the id of its process, from its start to its death."""


def living(handler: Handler) -> Life:
    """Never dies."""
    return lambda _pid: handler


def dying(deadly: str = "", *, handler: Handler | None = None, after_s: float = 0.0) -> Life:
    """Dies in the middle of its answer to a question with ``deadly`` in it; its connections break ``after_s`` before it is gone."""
    otherwise = handler or script(streamed("fine"))

    def life(pid: int) -> Handler:
        def handle(request: Request) -> Response:
            if request.path != "/v1/chat/completions" or deadly not in request.body["messages"][-1]["content"]:
                return otherwise(request)
            threading.Timer(after_s, _kill, (pid,)).start()
            return sse(delta("half"), 0.02, Fault.RESET)

        return handle

    return life


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # several requests may have died of it
        os.kill(pid, signal.SIGKILL)


class Lives:
    """Starts for ``Supervised``: one life after the other, the last one as often as needed; proofs likewise."""

    def __init__(self, log: Path, *lives: Life, proofs: Sequence[Proof] = (PROOF,), says: str = "") -> None:
        self.servers: list[FakeServer] = []
        self._log = log
        self._lives = lives
        self._proofs = proofs
        self._says = says

    @asynccontextmanager
    async def __call__(self, before: int) -> AsyncIterator[RunningServer]:
        life = self._lives[min(before, len(self._lives) - 1)]
        proof = self._proofs[min(before, len(self._proofs) - 1)]
        handlers: list[Handler] = []
        async with fake_arm(lambda request: handlers[0](request), self._log, proof=proof) as (running, server, process):
            handlers.append(logging(self._log, life(process.pid), self._says))
            self.servers.append(server)
            yield running

    @property
    def asked(self) -> list[str]:
        """What users asked, over all lives."""
        return [request.body["messages"][-1]["content"] for server in self.servers for request in server.asked()]


async def nothing(_server: RunningServer, _client: ModelClient) -> None:
    """No preparation."""


def supervising(start: Start, *, prepare: Prepare = nothing, restarts: int = 3) -> Supervised:
    """``start`` kept up, asked by an impatient client."""
    return Supervised(start, prepare=prepare, restarts=restarts, connect=quick_client)
