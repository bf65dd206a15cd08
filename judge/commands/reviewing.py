"""``judge review``: people rate answers blind, and what that says of the judges."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from judge.commands.shared import AsJson, RunId, commands, places_of, print_json
from judge.errors import UserError

if TYPE_CHECKING:
    from judge.ratings import Item
    from judge.records import RunRecord
    from judge.store import Store
    from judge.types import Grade

app = commands()
review = commands()
app.add_typer(review, name="review")

AUDIT_SEED = 20_260_301
CANNOT = "cannot_assess"

Rater = Annotated[str, typer.Option("--rater", envvar=["JUDGE_RATER", "USER"], help="Who rates", show_default=False)]
ItemId = Annotated[str, typer.Argument(help="Item, as shown by judge review next")]
NoEvidence = Annotated[bool, typer.Option("--no-evidence", help="Do not show what executing the answer showed")]
Comment = Annotated[str, typer.Option("--comment", help="Why, in a few words")]


@review.callback(invoke_without_command=True)
def rate_on(
    context: typer.Context,
    run_id: Annotated[str, typer.Option("--run", help="Run id, or latest")] = "latest",
    rater: Rater = "",
    no_evidence: NoEvidence = False,
) -> None:
    """Rate answers blind, one criterion of one answer at a time; without a command: one after the other, at a terminal."""
    if context.invoked_subcommand is not None:
        _refuse_options(context, ("run_id", "rater", "no_evidence"))
        return
    if not sys.stdin.isatty():
        raise UserError("judge review without a command asks at a terminal; elsewhere use judge review next and rate")
    from judge.commands.review_dialogue import dialogue

    with _opened(context, run_id) as (store, run):
        dialogue(store, run, _named(rater), evidence=not no_evidence)


@review.command()
def queue(
    context: typer.Context,
    run_id: RunId = "latest",
    per_model: Annotated[
        int, typer.Option("--per-model", min=15, help="Audit units an arm: 15 at least, 30 advised")
    ] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw; later draws keep it")] = AUDIT_SEED,
    as_json: AsJson = False,
) -> None:
    """Draw the audit queue at random, then pick what looks wrong for the repair queue. Again: tops both up."""
    from judge.results.standing import standings_of
    from judge.review.desk import make_queues

    with _opened(context, run_id) as (store, run):
        made = make_queues(run, store, per_arm=per_model, seed=seed, standings=standings_of(run, store))
    if as_json:
        print_json(made.model_dump(mode="json"))
        return
    sys.stdout.write(
        f"audit: {made.audit} of {made.units} units, {made.audit_added} new, drawn at random\n"
        f"repair: {made.repair} units, {made.repair_added} new, picked since their scores look wrong\n"
    )


@review.command("next")
def next_(
    context: typer.Context,
    run_id: RunId = "latest",
    rater: Rater = "",
    no_evidence: NoEvidence = False,
    as_json: AsJson = False,
) -> None:
    """Show the next item to rate: question, criterion, scale, code and test evidence; no model, judge, speed or score."""
    from judge.review.desk import next_item, queues_of
    from judge.review.sheet import sheet_lines, sheet_of

    with _opened(context, run_id) as (store, run):
        item = next_item(queues_of(run, store), _named(rater))
        sheet = sheet_of(store, run, item, evidence=not no_evidence) if item else None
    if as_json:
        print_json(sheet.model_dump(mode="json") if sheet else None)
    elif sheet is None:
        sys.stderr.write("nothing is left to rate; judge review queue tops the queues up\n")
    else:
        sys.stdout.write("\n".join(sheet_lines(sheet)) + "\n")
        sys.stderr.write(f"rate it with: judge review rate {sheet.item} --score {sheet.criterion}=1..5 (or {CANNOT})\n")


@review.command()
def rate(
    context: typer.Context,
    item_id: ItemId,
    score: Annotated[str, typer.Option("--score", help="CRITERION=N or N, 1-5; or cannot_assess")],
    rater: Rater = "",
    comment: Comment = "",
    run_id: Annotated[
        str | None, typer.Option("--run", help="Whose judges are shown afterwards [default: the run it was queued for]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rate an item, or change the rating: the latest counts, all are kept. Then the judges' scores are shown."""
    from judge.results.standing import standings_of
    from judge.review.desk import revealed, say
    from judge.review.sheet import revealed_lines
    from judge.store import utc_now

    with _at_item(context, item_id) as (store, run, item):
        say(store, item, _named(rater), utc_now(), score=_grade(score, item), comment=comment)
        shown = store.run(run_id)[0] if run_id else run
        found = revealed(store, shown, item, _named(rater), standings_of(shown, store))
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        sys.stdout.write("\n".join(revealed_lines(found)) + "\n")


@review.command()
def skip(context: typer.Context, item_id: ItemId, rater: Rater = "", comment: Comment = "") -> None:
    """Leave an item for later: it is offered again when nothing else is left."""
    from judge.review.desk import say
    from judge.store import utc_now

    with _at_item(context, item_id) as (store, _, item):
        say(store, item, _named(rater), utc_now(), state="skipped", comment=comment)


@review.command()
def undo(context: typer.Context, run_id: RunId = "latest", rater: Rater = "") -> None:
    """Take back your last rating; its history stays."""
    from judge.review.desk import queues_of
    from judge.review.desk import undo as take_back
    from judge.store import utc_now

    with _opened(context, run_id) as (store, run):
        item = take_back(store, queues_of(run, store), _named(rater), utc_now())
    sys.stdout.write(f"taken back: {item.id}\n")


@review.command()
def status(context: typer.Context, run_id: RunId = "latest", rater: Rater = "", as_json: AsJson = False) -> None:
    """Show how far you and the other raters are."""
    from judge.printed import print_table
    from judge.review.desk import progress, queues_of

    with _opened(context, run_id) as (store, run):
        queues = queues_of(run, store)
    names = dict.fromkeys([_named(rater), *sorted({rating.rater for rating in queues.ratings})])
    found = [progress(queues, name) for name in names]
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    columns = ["Rater", "Audit rated", "Repair rated", "Cannot assess", "Skipped", "Left"]
    rows = [[str(value) for value in one.model_dump().values()] for one in found]
    print_table(f"{len(queues.audit)} audit and {len(queues.repair)} repair items", columns, rows)


@review.command()
def report(context: typer.Context, run_id: RunId = "latest", as_json: AsJson = False) -> None:
    """Print what people's labels say of the judges, and what they change: agreement, bias, scores, decisions."""
    from judge.printed import print_table
    from judge.results import read_coverages
    from judge.results.standing import standings_of
    from judge.review import summary
    from judge.review.effect import effect
    from judge.review.reading import labelled_of

    with _opened(context, run_id) as (store, run):
        found = effect(labelled_of(run, store, standings_of(run, store)), run.suite)
        coverages = read_coverages(run, store)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    sys.stdout.write("\n".join(summary.audit_lines(found.audit)) + "\n")
    tables = {
        "Judges against people, audited units only": (summary.AGREEMENT_COLUMNS, summary.agreement_rows(found.audit)),
        "Correction by the audit": (summary.BIAS_COLUMNS, summary.bias_rows(found.audit, coverages)),
        "Tier scores": (summary.CHANGE_COLUMNS, summary.change_rows(found, coverages)),
    }
    for title, (columns, rows) in tables.items():
        if rows:
            print_table(title, list(columns), rows)
    sys.stdout.writelines(f"{line}\n" for line in summary.decision_lines(found))


@review.command()
def export(
    context: typer.Context,
    run_id: RunId = "latest",
    open_items: Annotated[
        bool, typer.Option("--open", help="What is left for --rater, with code and scale, to be filled in offline")
    ] = False,
    rater: Rater = "",
    no_evidence: NoEvidence = False,
) -> None:
    """Print ratings as JSON lines, history included; or with --open the items that are left, to be rated offline."""
    from judge.review.exchange import blank_lines, rating_lines

    with _opened(context, run_id) as (store, run):
        lines = (
            blank_lines(run, store, _named(rater), evidence=not no_evidence) if open_items else rating_lines(run, store)
        )
        sys.stdout.writelines(f"{line.model_dump_json(exclude_none=not open_items)}\n" for line in lines)


@review.command("import")
def import_(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="JSON lines made by judge review export")]
) -> None:
    """Take in ratings from a file; what the store has already is left as it is."""
    from judge.review.exchange import import_lines
    from judge.store import utc_now

    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: is not UTF-8 text; give a file made by judge review export") from error
    store = places_of(context).open_store()
    try:
        done = import_lines(store, lines, str(file), utc_now())
    finally:
        store.close()
    sys.stdout.write(f"{done.ratings} ratings taken in, {done.empty} lines not filled in\n")


def _refuse_options(context: typer.Context, names: tuple[str, ...]) -> None:
    """Options before a command of ``judge review`` would be passed over, and a rating be taken for somebody else's."""
    given = [
        source for name in names if (source := context.get_parameter_source(name)) and source.name == "COMMANDLINE"
    ]
    if given:
        command = context.invoked_subcommand
        raise UserError(f"options were given before {command}; put them after it: judge review {command} ...")


# --- what they share ------------------------------------------------------------------------------------------------


@contextmanager
def _opened(context: typer.Context, run_id: str) -> "Iterator[tuple[Store, RunRecord]]":
    store = places_of(context).open_store()
    try:
        yield store, store.run(run_id)[0]
    finally:
        store.close()


@contextmanager
def _at_item(context: typer.Context, item_id: str) -> "Iterator[tuple[Store, RunRecord, Item]]":
    from judge.review.desk import item_named

    store = places_of(context).open_store()
    try:
        item = item_named(store, item_id)
        yield store, store.run(item.run_id)[0], item
    finally:
        store.close()


def _named(rater: str) -> str:
    from judge.ratings import LONGEST_NAME

    if not rater.strip():
        raise UserError("it is not known who rates; use --rater NAME, or set JUDGE_RATER")
    if len(rater.strip()) > LONGEST_NAME:
        raise UserError(f"the name of the rater has {len(rater.strip())} characters; use at most {LONGEST_NAME}")
    return rater.strip()


def _grade(score: str, item: "Item") -> "Grade | None":
    """Return the grade; ``None``: cannot assess. Raises UserError for anything else."""
    criterion, separator, value = score.rpartition("=")
    if separator and criterion != item.criterion:
        raise UserError(f"item {item.id} is about {item.criterion}, not {criterion!r}; use --score {item.criterion}=N")
    match value:
        case "1" | "2" | "3" | "4" | "5":
            grades: dict[str, Grade] = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
            return grades[value]
        case "cannot_assess":
            return None
    raise UserError(f"--score {score!r} is no score; use {item.criterion}=1 to {item.criterion}=5, or {CANNOT}")
