"""What the phases of a run share."""

from pathlib import Path
from urllib.parse import quote

from judge.records import Launch
from judge.store import Store
from runner.identity import digest
from runner.isolation import Isolation
from runner.retry import RetryPolicy
from runner.serve import RunningServer, ServeOptions
from runner.types import Arm, Value

MAX_NAME_CHARS = 120
"""Longest name of a candidate in a file name; file systems take 255 bytes for the whole."""


class Machinery(Value):
    """How a run is carried out; none of it changes what is measured or scored."""

    folder: Path
    """Where the run leaves its files."""
    api_key: str | None = None
    """For the judge's endpoint; from the environment, never stored."""
    serve: ServeOptions = ServeOptions()
    retry: RetryPolicy = RetryPolicy()
    isolation: Isolation | None = None
    """How answers are executed; ``None``: as the machine allows."""
    executions: int = 2
    """Answers that are executed at the same time."""
    concurrency: int = 4
    """Requests in flight at a judge's endpoint; a judge that is served here gets one at a time."""


def launch_of(server: RunningServer) -> Launch:
    """Return the record of how ``server`` was started and what its log proved."""
    return Launch(
        arm_id=server.arm.id,
        command=tuple(server.command),
        log=str(server.log.path),
        overrides=server.proof.overrides,
        experts_used=server.proof.experts_used,
        n_ctx=server.proof.n_ctx,
        proof_lines=server.proof.lines,
    )


def file_name(arm: Arm) -> str:
    """Return the arm's id as part of a file name: ``coder_primary_moe4``. No two arms share one.

    Names of models.yaml are kept as they are; whatever else is in the name of an imported one is written as in URLs.
    """
    name = quote(arm.candidate, safe=" +@,()[]=")
    short = name if len(name) <= MAX_NAME_CHARS else f"{name[:MAX_NAME_CHARS]}~{digest(arm.candidate)}"
    return f"{short}_{arm.config.name}"


def text_of(store: Store, answer_key: str) -> str:
    """Read the answer when it is needed: a night's answers are not held in memory."""
    return next(answer.text for _, answer in store.answers([answer_key]))


class Counter:
    """Units done of those that were owed."""

    def __init__(self, owed: int) -> None:
        self.owed = owed
        self._done = 0

    def step(self) -> int:
        """Count one more, and return how many that makes."""
        self._done += 1
        return self._done
