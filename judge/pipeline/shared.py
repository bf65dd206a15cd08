"""What the phases of a run share."""

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import quote

from judge.events import Noticed
from judge.exam.result import ExamSize
from judge.records import Launch
from judge.store import Store
from runner.identity import digest
from runner.machine_load import MachineLoad
from runner.retry import RetryPolicy
from runner.serve import RunningServer, ServeOptions
from runner.supervise import Supervised
from runner.types import Arm, Value

if TYPE_CHECKING:
    from runner.isolation import Isolation

MAX_NAME_CHARS = 120
"""Longest name of a candidate in a file name; file systems take 255 bytes for the whole."""
T = TypeVar("T")


class Budget(Value):
    """How long a run may begin new units."""

    ends_s: float = math.inf
    """On the monotonic clock."""

    @classmethod
    def of_hours(cls, hours: float | None, *, now_s: float) -> Self:
        """Return the budget that begins now; ``None`` never ends."""
        return cls() if hours is None else cls(ends_s=now_s + hours * 3600)

    def spent(self, clock: Callable[[], float] = time.monotonic) -> bool:
        """True once nothing new is to be begun."""
        return clock() >= self.ends_s

    def left_s(self, clock: Callable[[], float] = time.monotonic) -> float:
        """Return the seconds in which something new may be begun; infinite without a limit."""
        return max(0.0, self.ends_s - clock())

    def within(self, units: Iterable[T], clock: Callable[[], float] = time.monotonic) -> Iterator[T]:
        """Yield ``units`` as long as the budget lasts."""
        return itertools.takewhile(lambda _: not self.spent(clock), units)


@dataclass(frozen=True, kw_only=True, eq=False)
class Machinery:
    """How a run is carried out; none of it changes what is measured or scored.

    Not a ``Value``, which has to know what an isolation is: most runs of a judge never execute anything.
    """

    folder: Path
    """Where the run leaves its files."""
    api_key: str | None = field(default=None, repr=False)
    """For the judge's endpoint; from the environment, never stored."""
    serve: ServeOptions = field(default_factory=ServeOptions)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    isolation: "Isolation | None" = None
    """How answers are executed; ``None``: as the machine allows."""
    budget: Budget = field(default_factory=Budget)
    executions: int = 2
    """Answers that are executed at the same time."""
    concurrency: int | None = None
    """Requests in flight at a judge's endpoints, all together; ``None``: as many as they take, and one at a time at a
    llama-cpp-python server. A judge that is served here gets one at a time."""
    exam: ExamSize | None = None
    """Exam that a judge takes before its first scores, once; ``None``: none."""


def launch_of(server: RunningServer, load: MachineLoad | None = None) -> Launch:
    """Return the record of how ``server`` was started, what its log proved and what else the machine did before."""
    return Launch(
        arm_id=server.arm.id,
        command=tuple(server.command),
        log=str(server.log.path),
        overrides=server.proof.overrides,
        experts_used=server.proof.experts_used,
        n_ctx=server.proof.n_ctx,
        proof_lines=server.proof.lines,
        busy_cores=None if load is None else load.busy_cores,
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


class Restarts:
    """Tells of every restart of a server once."""

    def __init__(self, kept: Supervised) -> None:
        self._kept = kept
        self._told = 0

    def news(self) -> Iterator[Noticed]:
        """Yield what has not been told yet."""
        for death in self._kept.deaths[self._told :]:
            self._told += 1
            yield Noticed(
                model=self._kept.server.arm.id, message=f"started again, with the same proof, because {death}"
            )


class Counter:
    """Units done of those that were owed."""

    def __init__(self, owed: int) -> None:
        self.owed = owed
        self._done = 0

    @property
    def left(self) -> int:
        """Units that are still owed."""
        return self.owed - self._done

    def step(self) -> int:
        """Count one more, and return how many that makes."""
        self._done += 1
        return self._done
