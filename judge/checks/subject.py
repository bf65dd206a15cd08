"""The answer that is examined: its text, its program, and the sandboxes in which it is called.

A sandbox ends with the first call that hangs or kills it. So whatever is asked of an answer comes in batches of calls
that stand for themselves, and after an end the next batch gets a fresh sandbox.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from judge.checks.cases import Batch, Case, Results, ended, kind_of, reason_of
from judge.checks.checking import Check, EvidenceState
from judge.checks.hints import with_type_comments
from judge.checks.lacking import absent_module, lacking, lacking_while_loading
from judge.checks.lanes import Lanes
from judge.checks.recording import Record
from judge.checks.showing import shown, shown_result
from judge.extract.remainder import without_statement
from judge.extract.values import Program
from judge.types import Question
from runner.isolation import Isolation
from runner.outcomes import CallResult, Inventory, Limits, Loaded
from runner.protocol import Call, Clock
from runner.sandbox import Network, Sandbox

MAX_ENDS = 3
"""Confirmed hangs and deaths after which an answer is not called any more: each costs seconds."""

MAX_LEFT_OUT = 8
"""Statements of the module that are left out one by one so that the rest can be loaded."""

NOT_TRIED = "not tried: the answer hung or died before"


class CannotExamine(Exception):
    """The answer cannot be called; ``state`` and the message become its evidence."""

    def __init__(self, state: EvidenceState, message: str) -> None:
        super().__init__(message)
        self.state = state


@dataclass(frozen=True)
class Place:
    """Where an answer runs."""

    isolation: Isolation
    answer_env: Path | None = None
    """Packages that answers may import; ``None``: the standard library only."""
    clock: Clock = "real"
    network: Network = "none"
    limits: Limits = field(default_factory=lambda: Limits(call_wall_s=2.0))


class Subject(Record):
    """One answer under examination. Check modules call it through ``run_each`` and record with ``passed``/``failed``."""

    def __init__(
        self, question: Question, answer: str, code: str, program: Program, place: Place, lanes: Lanes | None = None
    ) -> None:
        super().__init__()
        self.question = question
        self.answer = answer
        """The whole answer as the model wrote it."""
        self.code = code
        """Its code, usage included."""
        self.program = program
        """Its code as it is loaded."""
        self.place = place
        self.tree = with_type_comments(program.code)
        self.inventory = Inventory()
        self.entry_point: str | None = None
        self.notes: list[str] = []
        self.reduced: CannotExamine | None = None
        """Why a statement of the program was left out, the first one; ``None``: it was loaded whole."""
        self._gone = frozenset(program.gone)
        self._lanes = lanes or Lanes()
        self._glue: list[str] = []
        self._sandbox: Sandbox | None = None
        self._exits = contextlib.AsyncExitStack()
        self._ends = 0
        self._tampered: str | None = None

    # --- recording -----------------------------------------------------------------------------------------------

    def failed_call(self, check: Check, result: CallResult, *, input: str, expected: str) -> None:
        """Record a failure that one call shows; one of this machine's says nothing about the answer."""
        if (reason := self.lacking(result)) is not None:
            self.not_run(check, reason)
            return
        self.failed(
            check, reason_of(result), kind=kind_of(result), input=input, expected=expected, got=shown_result(result)
        )

    def lacking(self, result: CallResult) -> str | None:
        """Return what this machine lacks that a call needed, ``None`` when it is not that.

        Raises CannotExamine when it is a part of the answer's own that cannot be loaded.
        """
        reason = lacking(result.error, self._gone) if result.error is not None else None
        if reason is not None and self.reduced is not None and self.reduced.state != "not_run":
            raise self.reduced
        return reason

    def require_possible(self, result: CallResult) -> None:
        """Raise CannotExamine when plain use needs something that this machine lacks."""
        if (reason := self.lacking(result)) is not None:
            raise CannotExamine("not_run", reason)

    # --- calling -------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Load the answer. Raises CannotExamine when that fails."""
        loaded = await self._open()
        if loaded.state in ("timeout", "died"):
            loaded = await self._open(alone=True)
        if not loaded.ok:
            loaded = await self._load_the_rest(loaded)
        if not loaded.ok:
            raise _cannot_load(loaded, self._gone)
        self.inventory = loaded.inventory

    async def _load_the_rest(self, loaded: Loaded) -> Loaded:
        """Leave out statements that this machine cannot run, and statements that fail and that nothing else needs."""
        for _ in range(MAX_LEFT_OUT):
            if loaded.ok or loaded.error is None or not self._leave_out(loaded):
                break
            loaded = await self._open()
        return loaded

    def _leave_out(self, loaded: Loaded) -> bool:
        error = loaded.error
        if error is None or error.line is None:
            return False
        rest = without_statement(self.program.code, error.line, absent_module(error))
        reason = _cannot_load(loaded, self._gone)
        # Whether a module that is not here exists elsewhere cannot be told.
        is_ours = reason.state == "not_run" or error.is_a("ModuleNotFoundError")
        if rest is None or not (is_ours or not (rest.is_needed or rest.is_function)):
            return False
        self.reduced = self.reduced or reason
        self.notes.append(f"left out: {rest.left_out} ({reason})")
        self._gone |= rest.gone
        self.program = self.program.model_copy(update={"code": rest.code})
        self.tree = with_type_comments(rest.code)
        return True

    async def install(self, glue: str) -> None:
        """Add definitions of ours to the answer's module, in this and all further sandboxes of this answer."""
        self._glue.append(glue)
        if self._sandbox is not None and self._sandbox.end is None:
            await self._sandbox.load(glue)

    async def check_cases(self, target: str, cases: Mapping[Check, Sequence[Case]], name: str) -> None:
        """Make the calls of all checks in one go and record each check: it passes when all its cases do.

        ``name`` is how the call is shown: ``factorial``.
        """
        flat = [(check, case) for check, some in cases.items() for case in some]
        batches = [[Call(target=target, args=case.args, count=case.count)] for _, case in flat]
        groups = [check.id for check, _ in flat]
        for (check, case), results in zip(flat, await self.run_each(batches, groups), strict=True):
            if results is None:
                self.not_run(check, NOT_TRIED)
            elif case.accepted(results[0]):
                self.passed(check)
            else:
                shown_call = f"{name}({', '.join(map(shown, case.args))})"
                self.failed_call(check, results[0], input=shown_call, expected=case.shown_expected())

    async def run(self, calls: Batch) -> Results | None:
        """Make one batch of calls; see ``run_each``."""
        return (await self.run_each([calls]))[0]

    async def run_each(self, batches: Sequence[Batch], groups: Sequence[str] = ()) -> list[Results | None]:
        """Make batches of calls, each of which stands for itself: it uses no object of another one.

        ``None`` for a batch that was not tried, because the answer has hung or died too often before, or once in this
        batch's group (``groups`` has one name a batch; none puts each into its own).
        """
        done: dict[int, Results] = {}
        owed = list(range(len(batches)))
        while owed and self._ends < MAX_ENDS:
            results = await self._run_until_end([batches[index] for index in owed])
            done |= zip(owed, results, strict=False)
            last, owed = owed[len(results) - 1], owed[len(results) :]
            if groups and ended(done[last]):
                owed = [index for index in owed if groups[index] != groups[last]]
        return [done.get(index) for index in range(len(batches))]

    @contextlib.asynccontextmanager
    async def fresh(
        self, *, clock: Clock | None = None, network: Network | None = None, call_wall_s: float | None = None
    ) -> AsyncIterator[Sandbox]:
        """A further sandbox with the answer loaded, for checks that hold on to one. Raises CannotExamine."""
        place = self.place
        limits = place.limits.model_copy(update={"call_wall_s": call_wall_s or place.limits.call_wall_s})
        sandbox = Sandbox(
            limits=limits,
            clock=clock or place.clock,
            network=network or place.network,
            answer_env=place.answer_env,
            isolation=place.isolation,
        )
        try:
            async with sandbox:
                async with self._lanes.shared():
                    loaded = await self._load(sandbox)
                if not loaded.ok:
                    raise _cannot_load(loaded)
                yield sandbox
        finally:
            self._note_tampering(sandbox)

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Have the machine to oneself, for a second attempt; not to be held around ``run`` or ``fresh``."""
        async with self._lanes.alone():
            yield

    async def close(self) -> None:
        """End the sandbox. Raises CannotExamine when the answer tampered with the protocol at any time."""
        await self._close()
        if self._tampered is not None:
            raise CannotExamine("tampered", self._tampered)

    async def _run_until_end(self, batches: Sequence[Batch]) -> list[Results]:
        results = await self._run_flat(batches)
        for index, batch_results in enumerate(results):
            if ended(batch_results):
                self._raise_if_tampered()
                again = (await self._run_flat([batches[index]], alone=True))[0]
                self._raise_if_tampered()
                self._ends += ended(again)
                return [*results[:index], again]
        return results

    async def _run_flat(self, batches: Sequence[Batch], *, alone: bool = False) -> list[Results]:
        if alone or self._sandbox is None or self._sandbox.end is not None:
            loaded = await self._open()
            if not loaded.ok:
                raise _cannot_load(loaded)
        sandbox = self._opened()
        async with self._lanes.alone() if alone else self._lanes.shared():
            flat = iter(await sandbox.run([call for batch in batches for call in batch]))
        return [tuple(next(flat) for _ in batch) for batch in batches]

    async def _open(self, *, alone: bool = False) -> Loaded:
        await self._close()
        place = self.place
        sandbox = Sandbox(
            limits=place.limits,
            clock=place.clock,
            network=place.network,
            answer_env=place.answer_env,
            isolation=place.isolation,
        )
        async with self._lanes.alone() if alone else self._lanes.shared():
            self._sandbox = await self._exits.enter_async_context(sandbox)
            return await self._load(sandbox)

    async def _load(self, sandbox: Sandbox) -> Loaded:
        loaded = await sandbox.load(self.program.code)
        for glue in self._glue if loaded.ok else ():
            glued = await sandbox.load(glue)
            loaded = loaded if glued.ok else glued
        return loaded

    async def _close(self) -> None:
        await self._exits.aclose()
        if self._sandbox is not None:
            self._note_tampering(self._sandbox)
        self._sandbox = None

    def _opened(self) -> Sandbox:
        if self._sandbox is None:
            raise CannotExamine("not_run", "the answer was never loaded")
        return self._sandbox

    def _note_tampering(self, sandbox: Sandbox) -> None:
        if sandbox.end is not None and sandbox.end[0] == "tampered":
            self._tampered = self._tampered or sandbox.end[1]

    def _raise_if_tampered(self) -> None:
        if self._sandbox is not None:
            self._note_tampering(self._sandbox)
        if self._tampered is not None:
            raise CannotExamine("tampered", self._tampered)


def _cannot_load(loaded: Loaded, gone: frozenset[str] = frozenset()) -> CannotExamine:
    if loaded.error is not None:
        if (reason := lacking_while_loading(loaded.error, gone)) is not None:
            return CannotExamine("not_run", reason)
        state: EvidenceState = "syntax_error" if loaded.error.is_a("SyntaxError") else "load_error"
        line = f" in line {loaded.error.line}" if loaded.error.line is not None else ""
        return CannotExamine(state, f"{loaded.error.type}{line}: {loaded.error.message}")
    states: dict[str, EvidenceState] = {"timeout": "timeout", "died": "died", "tampered": "tampered"}
    return CannotExamine(states[loaded.state], f"while it was loaded: {loaded.message}")
