"""Commands that show what is there: runs, answers, models, checks, and this machine."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from judge.commands.options.taking import parts
from judge.commands.shared import AsJson, Exit, RunId, commands, end, places_of, print_json, print_results

app = commands()


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
    from judge.checks.mutation import render_scores
    from judge.commands.check_listing import COLUMNS, check_rows, exam_of_checks
    from judge.printed import print_table

    if not score:
        print_table("", list(COLUMNS), check_rows(parts(questions)))
        return
    scores = exam_of_checks(parts(questions))
    if as_json:
        print_json([one.model_dump(mode="json") for one in scores])
    else:
        sys.stdout.write(render_scores(scores))
    raise typer.Exit(Exit.OK if all(one.good for one in scores) else Exit.GATE_FAILED)


@app.command()
def report(
    context: typer.Context,
    run_id: RunId = "latest",
    as_json: AsJson = False,
    junit: Annotated[Path | None, typer.Option(dir_okay=False, help="Also write JUnit XML to this file")] = None,
) -> None:
    """Print the tables of a stored run and write its files anew, report.html among them."""
    from judge.ending import load_results
    from judge.gating import write_junit

    places = places_of(context)
    _, results = load_results(places, run_id)
    if junit:
        write_junit(junit, results)
    print_results(places, results, as_json=as_json)
    end(complete=results.complete)


@app.command()
def show(
    context: typer.Context, what: Annotated[str, typer.Argument(help="Run id, latest, or an answer id (or its start)")]
) -> None:
    """Show a run's answers with their ids, or one answer with everything that was said of it."""
    from judge.show import show_answer_or_run

    sys.stdout.write(show_answer_or_run(places_of(context), what))


@app.command("list")
def list_runs(context: typer.Context, as_json: AsJson = False) -> None:
    """List the stored runs, newest first."""
    from judge.printed import print_table
    from judge.show import run_rows

    columns, rows = run_rows(places_of(context))
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table("", columns, rows)


@app.command()
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models: role, quantisation, architecture, experts, what acceleration fits, and whether the file is there."""
    from judge.inventory import COLUMNS, inventory, row
    from judge.printed import print_table

    lines = inventory(places_of(context).load_models(), os.environ)
    if as_json:
        print_json([line.model_dump(mode="json") for line in lines])
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

    problems, summary = check_all(places_of(context).models, prompts, rubrics)
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
    from judge.printed import print_table

    findings = examine(places_of(context), os.environ)
    if as_json:
        print_json([finding.model_dump(mode="json") for finding in findings])
    else:
        print_table("", list(COLUMNS), [row(finding) for finding in findings])
    raise typer.Exit(Exit.OK if all(finding.ok or not finding.needed for finding in findings) else Exit.ERROR)
