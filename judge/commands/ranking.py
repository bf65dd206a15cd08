"""The command that has answers compared two at a time."""

import dataclasses
import sys
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from judge.commands.options.carrying import Carried
from judge.commands.options.judges import Judged
from judge.commands.options.taking import takes
from judge.commands.shared import RunId, command_line, commands, end, places_of, print_json

if TYPE_CHECKING:
    from judge.places import Places
    from judge.ranking import Planned

app = commands()


@dataclasses.dataclass(frozen=True)
class Comparing(Judged):
    """Who compares: named as one who scores, without the options that are about scores."""

    blind: Annotated[bool, typer.Option("--blind", help="Do not tell the judge what executing the answers showed")] = (
        False
    )
    per_criterion: ClassVar[bool] = False  # type: ignore[misc]  # a class variable is no option
    replicates: ClassVar[int] = 1  # type: ignore[misc]


@app.command()
@takes(judged=Comparing, carried=Carried)
def rank(
    context: typer.Context,
    judged: Comparing,
    carried: Carried,
    run_id: RunId = "latest",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print how many comparisons are owed; nobody is asked")
    ] = False,
) -> None:
    """Order the arms of a run whose scores overlap: a judge says of every two answers which is better, shown in both orders.

    What is stored is not asked again. Exit code 3: some comparisons are owed, and the same command again asks for these.
    """
    from judge import ranking as work

    places = places_of(context)
    choices = judged.choices() if judged.named else ()
    plan = work.planned(places, run_id, choices, blind=judged.blind, own_arms_too=judged.allow_self_judge)
    if dry_run:
        _print_owed(places, plan, as_json=carried.as_json)
        return
    found = work.by_scores(plan)
    if plan.contests:
        conduct = carried.conduct(concurrency=judged.concurrency, page=False)
        found = work.rank(places, plan, conduct, command_line())
    if carried.as_json:
        print_json(found.model_dump(mode="json"))
    else:
        work.print_ranking(found)
    end(complete=found.owed == 0)


def _print_owed(places: "Places", plan: "Planned", *, as_json: bool) -> None:
    """Print what would be asked of whom."""
    from judge.ranking import owed_comparisons
    from judge.report.rankings import order_lines

    owed = owed_comparisons(places, plan)
    if as_json:
        print_json([one.model_dump(mode="json") for one in owed])
        return
    lines = [*order_lines(plan.order), *(f"{one.judge}: {one.owed} comparisons owed" for one in owed)]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
