"""How a command is carried out, and what is executed in it."""

import dataclasses
import math
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from judge.errors import UserError

if TYPE_CHECKING:
    from judge.conduct import Conduct, Further
    from judge.exam.result import ExamSize
    from judge.grounding import Policy

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be done and how long it may take")]
Unsafe = Annotated[
    bool, typer.Option("--unsafe-no-sandbox", help="Execute answers WITHOUT a sandbox: they can do all that you can")
]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Executed:
    """Whether answers are executed, and what that does to scores."""

    policy: Annotated[str, typer.Option(help="grounded: checks bound the scores; judge: they do not")] = "grounded"
    no_execute: Annotated[bool, typer.Option("--no-execute", help="Do not execute the answers")] = False
    unsafe_no_sandbox: Unsafe = False

    def choices(self) -> dict[str, object]:
        """Return these as fields of a RunChoice."""
        return {"execute": not self.no_execute, "policy": policy_named(self.policy)}


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Carried:
    """How a command is carried out."""

    load_timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for a server to load")] = 3600
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port for the model servers [default: a free one]")
    ] = None
    budget_hours: Annotated[
        float | None, typer.Option(min=0, help="Begin nothing new after so many hours; the same command goes on later")
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to stdout")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress")] = False

    def conduct(
        self,
        *,
        concurrency: int | None = None,
        unsafe: bool = False,
        exam: "ExamSize | None" = None,
        further: "Further | None" = None,
        page: bool = True,
    ) -> "Conduct":
        """Return how to go about it; says loudly what is unsafe. Raises UserError for a time without end."""
        from judge.conduct import Conduct, Further

        _check_finite("--budget-hours", self.budget_hours)
        _check_finite("--load-timeout", self.load_timeout)
        warn_if_unsafe(unsafe)
        return Conduct(
            further=further or Further(),
            quiet=self.quiet,
            concurrency=concurrency,
            load_timeout_s=self.load_timeout,
            port=self.port,
            unsafe=unsafe,
            budget_hours=self.budget_hours,
            exam=exam,
            page=page,
        )


def _check_finite(option: str, number: float | None) -> None:
    if number is not None and not math.isfinite(number):
        raise UserError(f"{option} {number} is no time that ends; give a number, or leave {option} out")


def policy_named(name: str) -> "Policy":
    """Return the policy. Raises UserError for another word."""
    match name:
        case "grounded" | "judge":
            return name
    raise UserError(f"--policy {name!r} is not known; use grounded or judge")


def warn_if_unsafe(unsafe: bool) -> None:
    """Say on stderr that answers run without a sandbox."""
    if unsafe:
        sys.stderr.write(
            "WARNING: answers are executed WITHOUT a sandbox; they can read, change and send whatever you can\n"
        )
