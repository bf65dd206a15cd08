"""Commands that serve candidates and make answers."""

import dataclasses
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from judge.commands.choices import judged_choice, run_choice, served_choice, whole_conduct
from judge.commands.gating import Gated, end_with_gate
from judge.commands.options.arms import Asked, Candidates, Onward, Served
from judge.commands.options.carrying import Carried, DryRun, Executed
from judge.commands.options.judges import FirstExam, Judged
from judge.commands.options.taking import takes
from judge.commands.shared import (
    command_line,
    commands,
    end,
    places_of,
    print_json,
    print_results,
)
from judge.errors import UserError

if TYPE_CHECKING:
    from judge.conduct import Conduct
    from judge.places import Places
    from judge.wanted import RunChoice

app = commands()


@app.command()
@takes(
    who=Candidates,
    asked=Asked,
    served=Served,
    judged=Judged,
    exam=FirstExam,
    executed=Executed,
    onward=Onward,
    carried=Carried,
    gated=Gated,
)
def run(
    context: typer.Context,
    who: Candidates,
    asked: Asked,
    served: Served,
    judged: Judged,
    exam: FirstExam,
    executed: Executed,
    onward: Onward,
    carried: Carried,
    gated: Gated,
    dry_run: DryRun = False,
    gate: Annotated[
        bool, typer.Option("--gate", help="End as judge gate does: exit code 4 when the run fails it")
    ] = False,
) -> None:
    """Serve candidates, prove and time them, collect, execute and judge their answers, and write the results.

    The same command again asks for nothing that is stored: it goes on where the last one stopped.
    """
    places = places_of(context)
    choice = judged_choice(places, who, asked, served, judged, executed)
    conduct = whole_conduct(carried, judged, exam, executed, onward.further())
    gates = _gates(places, gated, wanted=gate)
    carry_out(places, choice, conduct, dry_run=dry_run, as_json=carried.as_json, gated=gates)


@app.command("run-all")
@takes(asked=Asked, judged=Judged, exam=FirstExam, executed=Executed, onward=Onward, carried=Carried)
def run_all(
    context: typer.Context,
    asked: Asked,
    judged: Judged,
    exam: FirstExam,
    executed: Executed,
    onward: Onward,
    carried: Carried,
    dry_run: DryRun = False,
) -> None:
    """Run every ready model whose file is there, in the configs of its architecture. A judge does not score its own arms."""
    places = places_of(context)
    choice = run_choice(asked, _ready(places), judges=judged.choices(otherwise="skip"), **executed.choices())
    conduct = whole_conduct(carried, judged, exam, executed, onward.further())
    carry_out(places, choice, conduct, dry_run=dry_run, as_json=carried.as_json)


@app.command()
@takes(who=Candidates, asked=Asked, served=Served, carried=Carried)
def collect(
    context: typer.Context, who: Candidates, asked: Asked, served: Served, carried: Carried, dry_run: DryRun = False
) -> None:
    """Collect and time answers only; ``judge check`` executes and ``judge score`` scores them later."""
    places = places_of(context)
    choice = served_choice(places, who, asked, served, execute=False)
    carry_out(places, choice, carried.conduct(page=False), dry_run=dry_run, as_json=carried.as_json)


# --- underneath ---


def _ready(places: "Places") -> tuple[str, ...]:
    """Return the ready models whose file is there; the others are named on stderr."""
    from judge.model_files import MissingFile, find_file

    found = []
    for entry in places.load_models().entries:
        if entry.status != "ready":
            continue
        file = find_file(entry, os.environ)
        if isinstance(file, MissingFile):
            sys.stderr.write(f"skipped: {entry.id}: {file.reason}\n")
        else:
            found.append(entry.id)
    if not found:
        raise UserError(
            "no ready model was found; set JUDGE_MODELS_DIR to the folder of your GGUF files (see judge models)"
        )
    return tuple(found)


def _gates(places: "Places", gated: Gated, *, wanted: bool) -> Gated | None:
    """Return what is asked of the run at its end: the earlier run is found before hours are spent, so ``latest`` is the one before."""
    from judge.app import stored_run

    if not wanted:
        if gated != Gated():
            raise UserError("--against, --margin, --min-coverage, --strict and --junit are of the gate; add --gate")
        return None
    return dataclasses.replace(gated, against=stored_run(places, gated.against).id) if gated.against else gated


def carry_out(
    places: "Places",
    choice: "RunChoice",
    conduct: "Conduct",
    *,
    dry_run: bool,
    as_json: bool,
    gated: Gated | None = None,
) -> None:
    """Plan or carry out what was asked for, print it, and leave with the exit code that fits; ``gated``: what it has to hold."""
    from judge import app as work
    from judge.dry_run import dry_run as planned
    from judge.dry_run import print_plan

    record = work.prepare(places, choice, command_line())
    if dry_run:
        plan = planned(places, record, conduct)
        if as_json:
            print_json(plan.model_dump(mode="json"))
        else:
            print_plan(plan)
        return
    results = work.execute(places, record, conduct)
    print_results(places, results, as_json=as_json)
    if gated is not None:
        end_with_gate(places, results, gated, talk=True)
    end(complete=results.complete)
