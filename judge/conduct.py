"""How a command is carried out: what the words of the command line say about it, and what the pipeline makes of that."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from judge.machine import cores
from judge.pipeline import Budget, Machinery
from judge.records import JudgeRecord
from judge.wanted import Terms
from runner.serve import ServeOptions
from runner.types import Value

if TYPE_CHECKING:
    from runner.isolation import Isolation


class Further(Value):
    """When a run goes on by itself."""

    max_samples: int | None = None
    """Sample on until every role is decided, up to this many answers a question; ``None``: only what was asked for."""
    escalate_to: JudgeRecord | None = None
    """Who is asked about answers on which the judges differ."""
    spread: int = 2
    """By how many points on one criterion."""


class Conduct(Terms):
    """How a command is carried out and what it prints."""

    quiet: bool = False
    port: int | None = None
    unsafe: bool = False
    """True executes answers without a sandbox."""
    further: Further = Further()
    page: bool = True
    """False leaves out report.html, whose figures take longer to draw than everything else to compute."""


def api_key() -> str | None:
    """Return the key for the judge's endpoint: JUDGE_API_KEY, else OPENAI_API_KEY."""
    return os.environ.get("JUDGE_API_KEY") or os.environ.get("OPENAI_API_KEY")


def machinery_of(conduct: Conduct, folder: Path, *, isolation: "Isolation | None" = None) -> Machinery:
    """Return how a command is carried out that leaves its files in ``folder``; its budget begins now."""
    return Machinery(
        folder=folder,
        api_key=api_key(),
        serve=ServeOptions(load_timeout_s=conduct.load_timeout_s, port=conduct.port),
        concurrency=conduct.concurrency,
        isolation=isolation,
        executions=cores(),
        budget=Budget.of_hours(conduct.budget_hours, now_s=time.monotonic()),
        exam=conduct.exam,
    )
