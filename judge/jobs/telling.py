"""What happens in a job -> its events in the store. Counts that come in quick succession are told by the last of them."""

import asyncio
import re
import time
from collections.abc import Callable, Collection

from judge.events import (
    Answered,
    Checked,
    Event,
    ExamMarked,
    Scored,
    ScoringFailed,
)
from judge.job_record import Progress
from judge.store import Store
from judge.terminal import describe
from runner.foreign_text import NO_SECRETS, Blackout

INTERVAL_S = 0.5
"""At most so often counts are written: a judge may give 150 scores a second, and who watches reads two lines."""
LONGEST_TEXT = 500
"""Characters; the rest of a line is in the log."""
COUNTS = frozenset({"answered", "checked", "exam_marked", "scored"})
"""Kinds of which the last one says all."""


def progress_of(event: Event, hidden: Blackout = NO_SECRETS) -> Progress:
    """Return the event as who watches is told it, without what is hidden."""
    text = hidden.whole(describe(event).splitlines()[0])[:LONGEST_TEXT]
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(event).__name__).lower()
    match event:
        case Answered(done=done, owed=owed):
            return Progress(kind=kind, phase="collect", text=text, done=done, owed=owed)
        case Checked(done=done, owed=owed):
            return Progress(kind=kind, phase="check", text=text, done=done, owed=owed)
        case ExamMarked(done=done, owed=owed):
            return Progress(kind=kind, phase="exam", text=text, done=done, owed=owed)
        case Scored(done=done, owed=owed) | ScoringFailed(done=done, owed=owed):
            return Progress(kind=kind, phase="score", text=text, done=done, owed=owed)
        case _:
            return Progress(kind=kind, text=text)


class Telling:
    """Writes down what happens in one job; the last of it when it is closed."""

    def __init__(
        self, store: Store, job_id: str, secrets: Collection[str] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._job_id = job_id
        self._hidden = Blackout(secrets)
        self._clock = clock
        self._held: list[Progress] = []
        self._written_s = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    def see(self, event: Event) -> None:
        """Write an event now or, when one was written just before, a little later with what comes until then."""
        progress = progress_of(event, self._hidden)
        if self._held and self._held[-1].kind == progress.kind and progress.kind in COUNTS:
            self._held.pop()
        self._held.append(progress)
        left_s = self._written_s + INTERVAL_S - self._clock()
        if left_s <= 0:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(left_s, self.flush)

    def flush(self) -> None:
        """Write what is held."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        held, self._held = self._held, []
        if held:
            self._store.add_job_events(self._job_id, held)
            self._written_s = self._clock()
