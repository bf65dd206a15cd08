"""Commands that make answers, execute them or have them scored."""

import dataclasses
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from judge.commands.choices import judged_choice, run_choice, served_choice, whole_conduct
from judge.commands.gating import Gated, end_with_gate
from judge.commands.options import (
    Asked,
    Candidates,
    Carried,
    DryRun,
    Executed,
    FirstExam,
    Judged,
    Onward,
    Served,
    Unsafe,
    policy_named,
    takes,
    warn_if_unsafe,
)
from judge.commands.shared import (
    AsJson,
    RunId,
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
    from judge.request import RunChoice

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


@app.command()
@takes(judged=Judged, exam=FirstExam, carried=Carried)
def score(
    context: typer.Context,
    judged: Judged,
    exam: FirstExam,
    carried: Carried,
    run_id: RunId = "latest",
    policy: Annotated[str | None, typer.Option(help="grounded or judge [default: that of the run]")] = None,
) -> None:
    """Score the stored answers of a run, with its own judge or another one."""
    from judge.app import execute, rescore

    places = places_of(context)
    choices = judged.choices() if judged.named else ()
    record = rescore(places, run_id, choices, policy_named(policy) if policy else None, command_line())
    conduct = carried.conduct(concurrency=judged.concurrency, exam=exam.wanted(), page=False)
    results = execute(places, record, conduct, ["score"])
    print_results(places, results, as_json=carried.as_json)
    end(complete=results.owed_scorings == 0 and results.owed_exams == 0)


@app.command()
def check(
    context: typer.Context,
    run_id: RunId = "latest",
    unsafe_no_sandbox: Unsafe = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress")] = False,
) -> None:
    """Execute the stored answers of a run in the sandbox; --json prints one line an answer."""
    from judge.app import execute, recheck
    from judge.conduct import Conduct
    from judge.evidence_lines import evidence_lines, print_evidence

    warn_if_unsafe(unsafe_no_sandbox)
    places = places_of(context)
    record = recheck(places, run_id, command_line())
    results = execute(places, record, Conduct(quiet=quiet, unsafe=unsafe_no_sandbox, page=False), ["check"])
    lines = evidence_lines(places, record)
    if as_json:
        for line in lines:
            sys.stdout.write(line.model_dump_json() + "\n")
    else:
        print_evidence(lines)
    end(complete=results.owed_checks == 0)


@app.command("import")
def import_answers(
    context: typer.Context,
    source: Annotated[
        Path, typer.Argument(help="Folder of {model}_{config}_{test}.txt files, one such file, or a .jsonl file")
    ],
) -> None:
    """Take answers from elsewhere: ``judge check latest`` executes them, ``judge score latest --judge NAME`` scores them."""
    from judge.importing import import_source

    places = places_of(context)
    record, notes = import_source(places, source, command_line())
    for note in notes:
        sys.stderr.write(f"{note}\n")
    sys.stdout.write(f"{record.id}\n")


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

    record = work.prepare(places, choice, command_line())
    if dry_run:
        plan = work.dry_run(places, record, conduct)
        if as_json:
            print_json(plan.model_dump(mode="json"))
        else:
            work.print_plan(plan)
        return
    results = work.execute(places, record, conduct)
    print_results(places, results, as_json=as_json)
    if gated is not None:
        end_with_gate(places, results, gated, talk=True)
    end(complete=results.complete)
