"""Commands that take stored answers further, or take them in: have them scored, execute them, import them."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from judge.commands.options.carrying import Carried, Unsafe, policy_named, warn_if_unsafe
from judge.commands.options.judges import FirstExam, Judged
from judge.commands.options.taking import takes
from judge.commands.shared import AsJson, RunId, command_line, commands, end, places_of, print_results

app = commands()


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
