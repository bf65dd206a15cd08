"""How a run looks on a terminal: a live line with an ETA where there is one, plain lines elsewhere. Everything goes to stderr."""

import datetime
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

from judge.events import (
    Answered,
    ArmFailed,
    BudgetSpent,
    Checked,
    Compared,
    ComparisonFailed,
    Event,
    Examined,
    ExamMarked,
    ExamUnfinished,
    JudgeUnusable,
    Loaded,
    Loading,
    Noticed,
    Scored,
    ScoringFailed,
)
from judge.forecast import Forecast
from judge.plan import Estimate

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID


def is_interactive() -> bool:
    """True when a live display makes sense: a real terminal that did not ask for plain text."""
    plain = os.environ.get("TERM") == "dumb" or any(os.environ.get(name) for name in ("NO_COLOR", "CI"))
    return sys.stderr.isatty() and not plain


class PlainScreen:
    """One line an event, for logs and pipes."""

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._started_s = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, event: Event) -> None:
        """Write what happened."""
        self._write(f"{self._clock() - self._started_s:7.1f}s {describe(event)}\n")


class LiveScreen:
    """A progress line with phase, arm, question, speed, done/owed and ETA; failures stay above it."""

    def __init__(self, console: "Console | None" = None, forecast: Forecast | None = None) -> None:
        # Imported here because only people at a terminal see it.
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.table import Column

        said = Column(ratio=1, no_wrap=True, overflow="ellipsis")  # what happened gives way, the figures do not
        columns = (
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            TextColumn("{task.description}", markup=False, table_column=said),
        )
        self._progress = Progress(*columns, console=console or Console(stderr=True), expand=True)
        self._task: TaskID | None = None
        self._phase = ""
        self._forecast = forecast or Forecast(())

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, event: Event) -> None:
        """Move the line, and keep failures."""
        self._forecast.see(event)
        match event:
            case Loading(phase=phase):
                self._line(phase, describe(event))
            case Checked(done=done, owed=owed):
                self._line("check", describe(event), done=done, owed=owed)
            case ExamMarked(done=done, owed=owed):
                self._line("exam", describe(event), done=done, owed=owed)
            case Scored(done=done, owed=owed) | ScoringFailed(done=done, owed=owed):
                self._line("score", describe(event), done=done, owed=owed)  # a judge's exam came between
            case Compared(done=done, owed=owed) | ComparisonFailed(done=done, owed=owed):
                self._line("rank", describe(event), done=done, owed=owed)
            case Answered(done=done, owed=owed):
                self._line(self._phase or "work", describe(event), done=done, owed=owed)
            case _:
                self._line(self._phase or "work", describe(event))
        kept = ArmFailed | JudgeUnusable | ScoringFailed | ComparisonFailed | Noticed | Examined | ExamUnfinished
        if isinstance(event, kept) or (isinstance(event, Answered) and not event.answer.settled):
            said = describe(event)
            shown = said.splitlines()[0] if isinstance(event, JudgeUnusable) else said  # others go on meanwhile
            self._progress.console.print(shown, markup=False)

    def _line(self, phase: str, text: str, *, done: int | None = None, owed: int | None = None) -> None:
        text = text.splitlines()[0]
        if self._task is None or phase != self._phase:
            self._task = self._progress.add_task(text, total=owed, left="")
            self._phase = phase
        left = time_left(self._forecast.left_s())
        self._progress.update(self._task, description=text, completed=done, total=owed, left=left)


def time_left(seconds: float | None) -> str:
    """Return the time that is left as ``1:02:03 left``; empty when it is not known."""
    return "" if seconds is None else f"{datetime.timedelta(seconds=round(seconds))} left"


def describe(event: Event) -> str:
    """Return the event as one line; that of an arm or a judge that failed may go on with its command and the end of its log."""
    match event:
        case Loading():
            return f"{event.phase}: loading {event.model}"
        case Loaded():
            experts = f", {event.experts_used} experts used (proven)" if event.experts_used else ""
            return f"loaded {event.model} in {event.seconds:.1f} s{experts}"
        case Noticed():
            return f"{event.model}: {event.message}"
        case Answered():
            tps = f"{event.timing.decode_tps:.1f} t/s" if event.timing.decode_tps else "- t/s"
            trouble = f": {event.answer.message}" if event.answer.message else ""
            return f"[{event.done}/{event.owed}] {event.arm_id} {event.question_id} {event.answer.state} {tps}{trouble}"
        case Checked():
            found = event.evidence
            known = [check for check in found.checks if check.outcome != "not_run"]
            passed = sum(check.outcome == "pass" for check in known)
            said = f"{passed} of {len(known)} checks" if found.state == "ok" else f"{found.state}: {found.message}"
            return f"[{event.done}/{event.owed}] executed {event.arm_id} {event.question_id}: {said}"
        case Scored():
            score = f"{event.score:.2f}" if event.score is not None else "cannot assess"
            return f"[{event.done}/{event.owed}] {event.judge} on {event.arm_id} {event.question_id}: {score}"
        case ScoringFailed():
            return f"[{event.done}/{event.owed}] {event.judge} on {event.arm_id} {event.question_id}: failed: {event.message}"
        case Compared() | ComparisonFailed():
            said = f"failed: {event.message}" if isinstance(event, ComparisonFailed) else event.winner
            place = f"{event.question_id} sample {event.sample}, {event.first} | {event.second}"
            return f"[{event.done}/{event.owed}] {event.judge} on {place}: {said}"
        case ExamMarked():
            return f"[{event.done}/{event.owed}] exam of {event.judge}: {event.question_id} {event.kind}"
        case Examined():
            return f"exam of {event.exam.judge}: {event.exam.qualification.reason}"
        case ExamUnfinished():
            return f"exam of {event.judge}: unfinished, {event.owed} scorings stay owed: {event.message}"
        case ArmFailed():
            return f"failed, left owed: {event.message}"
        case JudgeUnusable():
            left = f", {event.owed} {event.unit} stay owed" if event.owed else ""
            return f"{event.judge} cannot be used{left}: {event.message}"
        case BudgetSpent():
            return f"the budget of {event.hours:g} hours is spent: nothing new is begun"


def screen(plan: Callable[[], Sequence[Estimate]], *, quiet: bool) -> PlainScreen | LiveScreen:
    """Return the display that fits where stderr goes; ``plan`` is asked for only where the time that is left is shown."""
    if quiet:
        return PlainScreen(lambda _line: None)
    return LiveScreen(forecast=Forecast(plan())) if is_interactive() else PlainScreen(sys.stderr.write)
