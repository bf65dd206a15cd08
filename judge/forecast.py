"""The time that a run still takes, from its plan and from what has happened: the plan's arithmetic, fed by events."""

import time
from collections.abc import Callable, Sequence

from judge.events import Answered, Event, Examined, ExamMarked, ExamUnfinished, Loaded, Loading, Scored, ScoringFailed
from judge.plan import Estimate, seconds_left


class Forecast:
    """Follows a run through its plan. A model that is not in the plan, or not yet loaded, adds nothing."""

    def __init__(self, plan: Sequence[Estimate], clock: Callable[[], float] = time.monotonic) -> None:
        self._plan = list(plan)
        self._clock = clock
        self._at = -1
        """Place in the plan of the model that works now; -1 before the first one."""
        self._since_s = 0.0
        self._done = 0

    def see(self, event: Event) -> None:
        """Take in what happened."""
        match event:
            case Loading(model=model, phase=phase):
                self._begin(model, ("exam", "score") if phase == "score" else (phase,))
            case Loaded():
                self._since_s = self._clock()
            case Examined(exam=exam):
                self._go_on_to_score(exam.judge)
            case ExamUnfinished(judge=judge):
                self._go_on_to_score(judge)
            case Answered() | ExamMarked() | Scored() | ScoringFailed():
                self._done += 1

    def left_s(self) -> float | None:
        """Return the seconds that are left of the whole run; ``None`` as long as nothing is known about some part of it."""
        parts = [part.seconds for part in self._plan[self._at + 1 :] if part.owed]
        if self._at >= 0:
            now = self._plan[self._at]
            parts.append(seconds_left(now.seconds, now.owed, self._done, self._clock() - self._since_s))
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None

    def _go_on_to_score(self, judge: str) -> None:
        """Leave the exam of a judge, whether or not all of it was asked: it is not held again when the run goes on."""
        self._plan = [part for part in self._plan if (part.arm, part.phase) != (judge, "exam")]
        self._begin(judge, ("score",))

    def _begin(self, model: str, phases: Sequence[str]) -> None:
        """Begin the first of these phases of a model that is in the plan."""
        places = [i for i, part in enumerate(self._plan) if part.arm == model and part.phase in phases]
        if places:
            self._at, self._done, self._since_s = places[0], 0, self._clock()
