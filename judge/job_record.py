"""A job: a run, or the scoring of a run, that was asked for over HTTP and is carried out in the background."""

from typing import Literal

from pydantic import Field, JsonValue

from runner.types import Value

JobKind = Literal["run", "score"]
JobState = Literal["queued", "running", "cancelling", "cancelled", "done", "failed", "interrupted"]
"""``interrupted``: the service was stopped, and goes on with it at its next start."""

UNFINISHED: tuple[JobState, ...] = ("queued", "running", "cancelling", "interrupted")
"""States from which a job goes on. It stays in all others."""


class Progress(Value):
    """One thing that happened in a job."""

    kind: str
    """``loading``, ``loaded``, ``noticed``, ``answered``, ``checked``, ``exam_marked``, ``examined``, ``exam_unfinished``,
    ``scored``, ``scoring_failed``, ``arm_failed``, ``judge_unusable`` or ``budget_spent``."""
    phase: Literal["collect", "check", "exam", "score"] | None = None
    """What the counts are of; ``None`` without counts."""
    text: str
    """One line, as a terminal shows it. Text of models may be in it."""
    done: int | None = None
    """Units of this phase that are done; ``None``: this says nothing of units."""
    owed: int | None = None
    """Units of this phase that were owed at its start."""


class JobEvent(Value):
    """One thing that happened in a job, and its place among all others."""

    id: int
    """Grows with every event of a job; not by one."""
    at: str
    """UTC, ISO 8601."""
    progress: Progress


class Job(Value):
    """One job. It holds no key: those are in the environment of the service."""

    id: str
    kind: JobKind
    options: dict[str, JsonValue]
    """What was asked for: RunOptions or ScoreOptions."""
    state: JobState = "queued"
    run_id: str | None = None
    """The run that it makes; ``None`` until that is known."""
    created_at: str
    """UTC, ISO 8601."""
    started_at: str | None = None
    """First start."""
    ended_at: str | None = None
    error: str | None = None
    """One line: why it failed, or what is still owed; ``None``: nothing to say."""
    exit_code: int | None = None
    """As of the command line: 0 done, 3 done but for what is owed; ``None`` before the end, and of a process that was killed."""
    resumes: int = Field(default=0, ge=0)
    """How often it was begun again after the service had stopped in the middle of it."""
    progress: Progress | None = None
    """What happened last; ``None``: nothing yet."""

    @property
    def unfinished(self) -> bool:
        """True while it is carried out, or waits for it."""
        return self.state in UNFINISHED
