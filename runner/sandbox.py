"""Untrusted code behind values: load an answer, call it, get outcomes. One sandbox serves one answer and is thrown
away.

Expected values, comparison and verdict never enter the sandbox: what comes out is only ever a value, so there is
nothing to forge. Every way to fail is a state of the outcome; SandboxError means that the sandbox itself broke or is
not to be had.

    async with Sandbox() as sandbox:
        loaded = await sandbox.load(code)
        result = await sandbox.call("factorial", 5)      # result.state, result.value
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from runner.cell import Cell, Died, Replies
from runner.errors import SandboxError, UsageError
from runner.isolation import Isolation, Level, isolation
from runner.jail import Jail
from runner.loopback import LoopbackServer, Route
from runner.outcomes import CallResult, ClockState, Limits, Loaded, ScriptedCall, Sleep
from runner.protocol import (
    Builtin,
    Call,
    Clock,
    Handle,
    Scripted,
    Target,
    clock_request,
    load_request,
    script_request,
    setup_request,
)
from runner.replies import Reply, Tampered

Network = Literal["none", "loopback"]
Ending = Literal["timeout", "died", "tampered"]
_T = TypeVar("_T")
_CLOCK_STATE = TypeAdapter(ClockState)
_SCRIPTED_CALLS = TypeAdapter(tuple[ScriptedCall, ...])


class Sandbox:
    """An async context manager around one fresh sandbox. Not for use by several tasks at once; many sandboxes may
    be."""

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        clock: Clock = "real",
        network: Network = "none",
        answer_env: Path | None = None,
        isolation: Isolation | None = None,
    ) -> None:
        """Nothing starts yet.

        ``answer_env`` is a folder of packages that the answer may import; ``isolation`` None takes what the machine
        has.
        """
        self.limits = limits or Limits()
        self._clock = clock
        self._network = network
        self._answer_env = answer_env
        self._isolation = isolation
        self._cell: Cell | None = None
        self._until_s = 0.0
        self._end: tuple[Ending, str] | None = None

    async def __aenter__(self) -> Self:
        found = self._isolation or await isolation()
        self._isolation = found
        jail = found.required()
        self._check_network(jail)
        self._until_s = time.monotonic() + self.limits.answer_wall_s
        cell = Cell.start(jail, self.limits, network=self._network == "loopback", answer_env=self._answer_env)
        try:
            await self._set_up(cell, jail)
        except BaseException:
            await cell.close()
            raise
        self._cell = cell
        return self

    def _check_network(self, jail: Jail) -> None:
        if self._network != "none" and not jail.has_namespaces:
            raise SandboxError(
                f"the answer needs a network of its own, and with {jail.wall!r} it has none: "
                "install bubblewrap, see `judge doctor`"
            )

    async def _set_up(self, cell: Cell, jail: Jail) -> None:
        path = (jail.packages_at(self._answer_env),) if self._answer_env is not None else ()
        request = setup_request(self.limits, clock=self._clock, path=path, confinement=cell.confinement)
        try:
            await cell.ask([request], self.limits.answer_wall_s, self._until_s).next()
        except (Died, Tampered, TimeoutError) as failure:
            ending = await cell.ending()
            raise SandboxError(f"the sandbox did not start ({ending}): {cell.take_output()[-500:]!r}") from failure
        cell.learn_inner_pid()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cell = self._alive()
        if self._end is None and cell.unasked_reply():
            self._end = ("tampered", "a reply while none was due")
        await cell.close()

    @property
    def level(self) -> Level:
        """What isolates the answer; a result obtained at ``unsafe`` must say so."""
        return self._isolation.level if self._isolation is not None else "none"

    @property
    def end(self) -> tuple[Ending, str] | None:
        """How the sandbox ended before its time and one line about it, ``None`` if it did not.

        Final only after the block: an answer may still send replies that nobody asked for.
        """
        return self._end

    # --- operations ----------------------------------------------------------------------------------------------

    async def load(self, code: str) -> Loaded:
        """Run ``code`` as a module that is not ``__main__`` and report what it defines."""
        reply = await self._next(self._ask([load_request(code)]))
        stdout = self._alive().take_output()
        if reply is None:
            state, message = self._ended()
            return Loaded(state=state, message=message, stdout=stdout)
        if reply.inventory is None:
            return Loaded(state="error", error=reply.error, stdout=stdout)
        return Loaded(state="ok", inventory=reply.inventory, stdout=stdout)

    async def call(self, target: Target, *args: Any, **kwargs: Any) -> CallResult:
        """Call a function of the answer, or a method or handle; what it returns is awaited if it can be."""
        return (await self.run([Call(target=target, args=args, kwargs=kwargs)]))[0]

    async def get(self, handle: Handle, name: str) -> CallResult:
        """Read an attribute or property of an object."""
        return await self.call(Builtin(name="getattr"), handle, name)

    async def run(self, calls: Sequence[Call]) -> tuple[CallResult, ...]:
        """Make several calls in one round trip. After one that ended the sandbox the others have the same end."""
        replies = self._ask([call.request() for call in calls])
        return tuple([await self._result(call, replies) for call in calls])

    async def calls_of(self, scripted: Scripted) -> tuple[ScriptedCall, ...]:
        """Return the calls that a scripted callable received. Empty once the sandbox has ended."""
        return await self._read(script_request(scripted), _SCRIPTED_CALLS) or ()

    async def advance(self, seconds: float) -> None:
        """Move the fake clock forward."""
        await self._read_clock(seconds)

    async def elapsed_s(self) -> float:
        """Return the seconds that the fake clock has moved so far. 0.0 once the sandbox has ended."""
        state = await self._read_clock()
        return state.elapsed_s if state is not None else 0.0

    async def sleeps(self) -> tuple[Sleep, ...]:
        """Return every sleep on the fake clock so far. Empty once the sandbox has ended."""
        state = await self._read_clock()
        return state.sleeps if state is not None else ()

    def http_server(self, routes: Mapping[str, Route]) -> LoopbackServer:
        """Return an HTTP server on the sandbox's own loopback, to be entered with ``async with``."""
        inside = self._alive().inner_pid
        if self._network != "loopback" or inside is None or self._isolation is None:
            raise UsageError(f"an HTTP server needs an isolated Sandbox(network='loopback'), not {self._network!r}")
        return LoopbackServer(routes, inside_pid=inside, jail=self._isolation.required())

    # --- replies -------------------------------------------------------------------------------------------------

    def _alive(self) -> Cell:
        if self._cell is None:
            raise UsageError("the sandbox is not started: use `async with Sandbox() as sandbox`")
        return self._cell

    async def _read_clock(self, advance_s: float = 0.0) -> ClockState | None:
        if self._clock == "real":
            raise UsageError("the clock can be read and moved only in a Sandbox(clock='fake')")
        return await self._read(clock_request(advance_s), _CLOCK_STATE)

    async def _read(self, request: dict[str, Any], form: TypeAdapter[_T]) -> _T | None:
        """Ask for something of ours; the answer shares the process, so the reply has to be checked all the same."""
        reply = await self._next(self._ask([request]))
        if reply is None:
            return None
        try:
            return form.validate_python(reply.value())
        except (Tampered, ValidationError) as error:
            await self._finish("tampered", str(error).partition("\n")[0])
            return None

    async def _result(self, call: Call, replies: Replies | None) -> CallResult:
        reply = await self._next(replies)
        stdout = self._alive().take_output()
        if reply is not None:
            try:
                return CallResult(
                    state=reply.state,
                    value=reply.value(),
                    args_after=reply.args_after(call.args),
                    stdout=stdout,
                    awaited=reply.awaited,
                    message=reply.message,
                    error=reply.error,
                    work=reply.work,
                )
            except Tampered as error:
                await self._finish("tampered", str(error))
        state, message = self._ended()
        return CallResult(state=state, message=message, stdout=stdout)

    def _ask(self, requests: Sequence[dict[str, Any]]) -> Replies | None:
        """``None`` once the sandbox has ended."""
        cell = self._alive()
        return cell.ask(requests, self.limits.call_wall_s, self._until_s) if self._end is None else None

    async def _next(self, replies: Replies | None) -> Reply | None:
        if replies is None or self._end is not None:
            return None
        try:
            return await replies.next()
        except TimeoutError:
            await self._finish("timeout", f"no result within {self.limits.call_wall_s:g} s")
        except Tampered as failure:
            await self._finish("tampered", str(failure))
        except Died:
            await self._finish("died", await self._alive().ending())
        return None

    async def _finish(self, state: Ending, message: str) -> None:
        """The first ending stays; whatever still runs inside is killed now, not at the end of the block."""
        self._end = self._end or (state, message)
        await self._alive().kill()

    def _ended(self) -> tuple[Ending, str]:
        if self._end is None:
            raise SandboxError("the sandbox gave no reply and has not ended")
        return self._end
