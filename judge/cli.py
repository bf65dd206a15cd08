"""The command line: parse, call, print. Heavy modules are imported inside the commands, so that ``--help`` is quick.

Data goes to stdout, talk to stderr. Exit codes: 0 done; 1 something broke; 2 wrong use or bad input; 3 incomplete, the next run
owes the rest; 4 a gate failed; 130 interrupted.
"""

import json
import os
import sys
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from judge.errors import Interrupted, JudgeError, UserError
from judge.options import (
    Asked,
    Candidates,
    Carried,
    DryRun,
    Executed,
    Judged,
    Served,
    Unsafe,
    parts,
    policy_named,
    run_choice,
    takes,
    warn_if_unsafe,
)
from runner.errors import ModelFileError, RunnerError, UsageError

if TYPE_CHECKING:
    from judge.app import Conduct, Places
    from judge.request import RunChoice
    from judge.results import Results


class Exit(IntEnum):
    """What the exit code of a command means."""

    OK = 0
    ERROR = 1
    USAGE = 2
    INCOMPLETE = 3
    GATE_FAILED = 4
    INTERRUPTED = 130


app = typer.Typer(
    name="judge",
    help="Serve local coder models, prove how they run, time and judge their answers, and decide their roles.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to stdout")]
RunId = Annotated[str, typer.Argument(help="Run id, or latest")]


@app.callback()
def common(
    context: typer.Context,
    store: Annotated[
        str | None, typer.Option(envvar="JUDGE_STORE", help="Database: a path or URL [default: RESULTS/judge.db]")
    ] = None,
    results: Annotated[Path, typer.Option(envvar="JUDGE_RESULTS", help="Folder for what runs leave")] = Path("results"),
    models: Annotated[
        Path | None, typer.Option(envvar="JUDGE_MODELS", help="Models file [default: the shipped models.yaml]")
    ] = None,
) -> None:
    """Options of every command."""
    context.obj = (store, results, models)


def _places(context: typer.Context) -> "Places":
    from judge.app import Places

    store, results, models = context.obj
    return Places(store=store, results=results, models=models)


# --- runs -----------------------------------------------------------------------------------------------------------


@app.command()
@takes(who=Candidates, asked=Asked, served=Served, judged=Judged, executed=Executed, carried=Carried)
def run(
    context: typer.Context,
    who: Candidates,
    asked: Asked,
    served: Served,
    judged: Judged,
    executed: Executed,
    carried: Carried,
    dry_run: DryRun = False,
) -> None:
    """Serve candidates, prove and time them, collect, execute and judge their answers, and write the results.

    The same command again asks for nothing that is stored: it goes on where the last one stopped.
    """
    places = _places(context)
    choice = run_choice(
        asked,
        who.names(),
        extra=who.extra(places),
        configs=parts(who.configs),
        judge=judged.choice(),
        **served.choices(),
        **executed.choices(),
    )
    conduct = carried.conduct(concurrency=judged.max_concurrency, unsafe=executed.unsafe_no_sandbox)
    _carry_out(places, choice, conduct, dry_run=dry_run, as_json=carried.as_json)


@app.command("run-all")
@takes(asked=Asked, judged=Judged, executed=Executed, carried=Carried)
def run_all(
    context: typer.Context, asked: Asked, judged: Judged, executed: Executed, carried: Carried, dry_run: DryRun = False
) -> None:
    """Run every ready model whose file is there, in the configs of its architecture. A judge does not score its own arms."""
    places = _places(context)
    choice = run_choice(asked, _ready(places), judge=judged.choice(otherwise="skip"), **executed.choices())
    conduct = carried.conduct(concurrency=judged.max_concurrency, unsafe=executed.unsafe_no_sandbox)
    _carry_out(places, choice, conduct, dry_run=dry_run, as_json=carried.as_json)


@app.command()
@takes(who=Candidates, asked=Asked, served=Served, carried=Carried)
def collect(
    context: typer.Context, who: Candidates, asked: Asked, served: Served, carried: Carried, dry_run: DryRun = False
) -> None:
    """Collect and time answers only; ``judge check`` executes and ``judge score`` scores them later."""
    places = _places(context)
    choice = run_choice(
        asked,
        who.names(),
        extra=who.extra(places),
        configs=parts(who.configs),
        execute=False,
        **served.choices(),
    )
    _carry_out(places, choice, carried.conduct(), dry_run=dry_run, as_json=carried.as_json)


@app.command()
@takes(judged=Judged, carried=Carried)
def score(
    context: typer.Context,
    judged: Judged,
    carried: Carried,
    run_id: RunId = "latest",
    policy: Annotated[str | None, typer.Option(help="grounded or judge [default: that of the run]")] = None,
) -> None:
    """Score the stored answers of a run, with its own judge or another one."""
    from judge.app import execute, rescore

    places = _places(context)
    choice = judged.choice() if judged.named else None
    record = rescore(places, run_id, choice, policy_named(policy) if policy else None, _command())
    results = execute(places, record, carried.conduct(concurrency=judged.max_concurrency), ["score"])
    _print_results(places, results, as_json=carried.as_json)
    _end(complete=results.owed_scorings == 0)


@app.command()
def check(
    context: typer.Context,
    run_id: RunId = "latest",
    unsafe_no_sandbox: Unsafe = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress")] = False,
) -> None:
    """Execute the stored answers of a run in the sandbox; --json prints one line an answer."""
    from judge.app import Conduct, execute, recheck
    from judge.evidence_lines import evidence_lines, print_evidence

    warn_if_unsafe(unsafe_no_sandbox)
    places = _places(context)
    record = recheck(places, run_id, _command())
    results = execute(places, record, Conduct(quiet=quiet, unsafe=unsafe_no_sandbox), ["check"])
    lines = evidence_lines(places, record)
    if as_json:
        for line in lines:
            sys.stdout.write(line.model_dump_json() + "\n")
    else:
        print_evidence(lines)
    _end(complete=results.owed_checks == 0)


# --- what is there ---------------------------------------------------------------------------------------------------


@app.command()
def checks(
    score: Annotated[
        bool,
        typer.Option("--score", help="Execute answers whose truth is known"),
    ] = False,
    questions: Annotated[str | None, typer.Option(help="Question ids or test names, by commas [default: all]")] = None,
    as_json: AsJson = False,
) -> None:
    """List the checks of each question, or score them on answers whose truth is known."""
    from judge.check_listing import COLUMNS, check_rows, exam_of_checks
    from judge.mutation import render_scores
    from judge.terminal import print_table

    if not score:
        print_table("", list(COLUMNS), check_rows(parts(questions)))
        return
    scores = exam_of_checks(parts(questions))
    if as_json:
        _print_json([one.model_dump(mode="json") for one in scores])
    else:
        sys.stdout.write(render_scores(scores))
    raise typer.Exit(Exit.OK if all(one.good for one in scores) else Exit.GATE_FAILED)


@app.command("import")
def import_answers(
    context: typer.Context,
    source: Annotated[
        Path, typer.Argument(help="Folder of {model}_{config}_{test}.txt files, one such file, or a .jsonl file")
    ],
) -> None:
    """Take answers from elsewhere: ``judge check latest`` executes them, ``judge score latest --judge NAME`` scores them."""
    from judge.importing import import_source

    places = _places(context)
    record, notes = import_source(places, source, _command())
    for note in notes:
        sys.stderr.write(f"{note}\n")
    sys.stdout.write(f"{record.id}\n")


@app.command()
def report(context: typer.Context, run_id: RunId = "latest", as_json: AsJson = False) -> None:
    """Print the tables of a stored run and write its files anew."""
    from judge.app import load_results

    places = _places(context)
    _, results = load_results(places, run_id)
    _print_results(places, results, as_json=as_json)
    _end(complete=results.complete)


@app.command()
def show(
    context: typer.Context, what: Annotated[str, typer.Argument(help="Run id, latest, or an answer id (or its start)")]
) -> None:
    """Show a run's answers with their ids, or one answer with everything that was said of it."""
    from judge.show import show_answer_or_run

    sys.stdout.write(show_answer_or_run(_places(context), what))


@app.command("list")
def list_runs(context: typer.Context, as_json: AsJson = False) -> None:
    """List the stored runs, newest first."""
    from judge.show import run_rows
    from judge.terminal import print_table

    columns, rows = run_rows(_places(context))
    if as_json:
        _print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table("", columns, rows)


@app.command()
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models: role, quantisation, architecture, experts, what acceleration fits, and whether the file is there."""
    from judge.inventory import COLUMNS, inventory, row
    from judge.terminal import print_table

    lines = inventory(_places(context).load_models(), os.environ)
    if as_json:
        _print_json([line.model_dump(mode="json") for line in lines])
    else:
        print_table("", list(COLUMNS), [row(line) for line in lines])


@app.command()
def validate(
    context: typer.Context,
    prompts: Annotated[Path | None, typer.Option(help="Folder with questions/ [default: the shipped one]")] = None,
    rubrics: Annotated[Path | None, typer.Option(help="Folder with coder.yaml [default: the shipped one]")] = None,
) -> None:
    """Check models.yaml, the questions and the rubric; every problem is named with file, line and field."""
    from judge.library import check_all

    problems, summary = check_all(_places(context).models, prompts, rubrics)
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    if problems:
        sys.stderr.write(f"{len(problems)} problem(s)\n")
        raise typer.Exit(Exit.USAGE)
    counts = ", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in summary.model_dump().items())
    sys.stdout.write(f"ok: {counts}\n")


@app.command()
def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Check what a run needs on this machine, and say how to get what is missing."""
    from judge.doctor import COLUMNS, examine, row
    from judge.terminal import print_table

    findings = examine(_places(context), os.environ)
    if as_json:
        _print_json([finding.model_dump(mode="json") for finding in findings])
    else:
        print_table("", list(COLUMNS), [row(finding) for finding in findings])
    raise typer.Exit(Exit.OK if all(finding.ok or not finding.needed for finding in findings) else Exit.ERROR)


# --- underneath -----------------------------------------------------------------------------------------------------


def _ready(places: "Places") -> tuple[str, ...]:
    """Return the ready models whose file is there; the others are named on stderr."""
    from judge.library import MissingFile, find_file

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


def _carry_out(places: "Places", choice: "RunChoice", conduct: "Conduct", *, dry_run: bool, as_json: bool) -> None:
    from judge import app as work

    record = work.prepare(places, choice, _command())
    if dry_run:
        plan = work.dry_run(places, record)
        if as_json:
            _print_json(plan.model_dump(mode="json"))
        else:
            work.print_plan(plan)
        return
    results = work.execute(places, record, conduct)
    _print_results(places, results, as_json=as_json)
    _end(complete=results.complete)


def _print_results(places: "Places", results: "Results", *, as_json: bool) -> None:
    from judge.app import print_results, run_folder

    if as_json:
        sys.stdout.write(results.model_dump_json(indent=2) + "\n")
    else:
        print_results(results, run_folder(places, results.run_id))


def _end(*, complete: bool) -> None:
    if not complete:
        raise typer.Exit(Exit.INCOMPLETE)


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _command() -> tuple[str, ...]:
    return ("judge", *sys.argv[1:])


# --- the way in -----------------------------------------------------------------------------------------------------


def main() -> NoReturn:
    """Run the command line; every expected error becomes one line on stderr and an exit code."""
    try:
        app(standalone_mode=True)
    except (UserError, UsageError, ModelFileError) as error:
        _fail(error, Exit.USAGE)
    except Interrupted as error:
        _fail(error, Exit.INTERRUPTED)
    except (JudgeError, RunnerError) as error:
        _fail(error, Exit.ERROR)
    except OSError as error:
        _fail(f"{error.filename or ''}: {error.strerror or error}; nothing that was stored is lost", Exit.ERROR)
    sys.exit(Exit.OK)


def _fail(message: object, code: Exit) -> NoReturn:
    sys.stderr.write(f"error: {message}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
