"""The gate: a command of its own, and the end of ``judge run --gate``."""

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from judge.commands.options.taking import takes
from judge.commands.shared import AsJson, Exit, RunId, commands, places_of, print_json

if TYPE_CHECKING:
    from judge.places import Places
    from judge.results import Results

app = commands()


@dataclasses.dataclass(frozen=True)
class Gated:
    """What a run has to hold."""

    against: Annotated[
        str | None, typer.Option(help="Earlier run whose scores must not be fallen behind [default: none]")
    ] = None
    margin: Annotated[float, typer.Option(min=0, max=4, help="Points that a tier score may fall by")] = 0.25
    min_coverage: Annotated[
        float, typer.Option(min=0, max=1, help="Least share of an arm's answers that have a score")
    ] = 0.95
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail what is undecided, and a judge that was not examined")
    ] = False
    junit: Annotated[Path | None, typer.Option(dir_okay=False, help="Write JUnit XML to this file")] = None


@app.command()
@takes(gated=Gated)
def gate(context: typer.Context, gated: Gated, run_id: RunId = "latest", as_json: AsJson = False) -> None:
    """Fail (exit code 4) when a role's incumbent no longer passes, a score fell, the judge failed its exam, or scores are missing.

    UNDECIDED keeps the incumbent: it fails a --strict gate only.
    """
    from judge.gating import stored_results

    places = places_of(context)
    end_with_gate(places, stored_results(places, run_id), gated, as_json=as_json)


def end_with_gate(
    places: "Places", results: "Results", gated: Gated, *, as_json: bool = False, talk: bool = False
) -> None:
    """Print what the gate says, and leave with its exit code when it failed; ``talk`` prints to stderr."""
    from judge.gate import GateRules
    from judge.gating import gate_lines
    from judge.gating import gated as ask

    rules = GateRules(margin=gated.margin, min_coverage=gated.min_coverage, strict=gated.strict)
    report = ask(places, results, rules, gated.against, gated.junit)
    if as_json:
        print_json({**report.model_dump(mode="json"), "passed": report.passed})
    else:
        (sys.stderr if talk else sys.stdout).write("".join(f"{line}\n" for line in gate_lines(report)))
    if not report.passed:
        raise typer.Exit(Exit.GATE_FAILED)
