"""Commands that set arms, judges and roles against each other."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from judge.commands.choices import judged_choice, whole_conduct
from judge.commands.options.arms import Asked, Candidates, Served
from judge.commands.options.carrying import Carried, Executed
from judge.commands.options.judges import FirstExam, Judged
from judge.commands.options.taking import parts, takes
from judge.commands.shared import AsJson, RunId, command_line, commands, end, places_of, print_json, print_results
from judge.errors import UserError

if TYPE_CHECKING:
    from judge.wanted import JudgeChoice

app = commands()

Margin = Annotated[float, typer.Option(min=0.01, max=4, help="Points on the 1-5 scale that still count as no worse")]


@app.command()
def compare(
    context: typer.Context,
    arm_a: Annotated[
        str, typer.Argument(help="The arm compared with: coder_primary/baseline, or RUN:coder_primary/baseline")
    ],
    arm_b: Annotated[str, typer.Argument(help="The arm in question: coder_primary/moe4, or RUN:...")],
    run_id: Annotated[str, typer.Option("--run", help="Run of arms named without one")] = "latest",
    margin: Margin = 0.25,
    as_json: AsJson = False,
) -> None:
    """Compare two arms on the same questions: speed, score with an interval, each criterion, and a verdict within a margin."""
    from judge.comparing import COMPARISON_COLUMNS, compare_arms, comparison_lines, comparison_rows
    from judge.printed import print_table

    found = compare_arms(places_of(context), arm_a, arm_b, run_id, margin)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    sys.stdout.writelines(f"{line}\n" for line in comparison_lines(found))
    print_table("", list(COMPARISON_COLUMNS), comparison_rows(found))


@app.command()
@takes(who=Candidates, asked=Asked, served=Served, judged=Judged, exam=FirstExam, executed=Executed, carried=Carried)
def sweep(
    context: typer.Context,
    who: Candidates,
    asked: Asked,
    served: Served,
    judged: Judged,
    exam: FirstExam,
    executed: Executed,
    carried: Carried,
    experts: Annotated[str, typer.Option(help="Expert counts to run, by commas: 8,6,4,2")] = "",
    margin: Margin = 0.25,
) -> None:
    """Run a mixture of experts at several expert counts and say which one to take: the curve, and a recommendation."""
    from judge import app as work
    from judge.comparing import SWEEP_COLUMNS, sweep_configs, sweep_results, sweep_rows
    from judge.printed import print_table

    places = places_of(context)
    configs = sweep_configs(places, who.names(), who.extra(places), parts(experts))
    choice = judged_choice(places, who, asked, served, judged, executed, configs=configs)
    conduct = whole_conduct(carried, judged, exam, executed)
    results = work.execute(places, work.prepare(places, choice, command_line()), conduct)
    found = sweep_results(places, results.run_id, margin)
    if carried.as_json:
        print_json(found.model_dump(mode="json"))
    else:
        print_table(f"Expert counts of {found.candidate}", list(SWEEP_COLUMNS), sweep_rows(results, found))
        sys.stdout.write(f"take {found.recommended}: {found.reason}\n")
    end(complete=results.complete)


@app.command()
@takes(who=Candidates, asked=Asked, served=Served, judged=Judged, exam=FirstExam, executed=Executed, carried=Carried)
def cross(
    context: typer.Context,
    who: Candidates,
    asked: Asked,
    served: Served,
    judged: Judged,
    exam: FirstExam,
    executed: Executed,
    carried: Carried,
    escalate_to: Annotated[
        str | None, typer.Option(help="Model of models.yaml that is asked about answers on which the judges differ")
    ] = None,
    spread: Annotated[
        int, typer.Option(min=1, max=4, help="Points on one criterion from which judges differ, for --escalate-to")
    ] = 2,
) -> None:
    """Have every judge score every candidate: --candidate A B C --judge A B C. Nobody judges itself, families are marked."""
    from judge import app as work
    from judge.conduct import Further

    places = places_of(context)
    choice = judged_choice(places, who, asked, served, judged, executed, otherwise="skip")
    if len(choice.judges) < 2:
        raise UserError(
            "cross-judging needs at least two judges; name them: --judge A B, or --judge A and --judge-url URL --judge-model MODEL"
        )
    if escalate_to and escalate_to in [judge.name or judge.model for judge in choice.judges]:
        raise UserError(
            f"--escalate-to {escalate_to} is one of the judges that differ; name a model that is not asked yet"
        )
    record = work.prepare(places, choice, command_line())
    higher = work.prepare_judge(places, _escalation(choice.judges[0], escalate_to), choice) if escalate_to else None
    conduct = whole_conduct(carried, judged, exam, executed, Further(escalate_to=higher, spread=spread))
    results = work.execute(places, record, conduct)
    print_results(places, results, as_json=carried.as_json)
    end(complete=results.complete)


def _escalation(asked: "JudgeChoice", name: str) -> "JudgeChoice":
    """Return the judge up the ladder, asked in the same way as the others."""
    return asked.model_copy(update={"name": name, "urls": (), "model": None, "family": None})


@app.command()
def roles(
    context: typer.Context,
    run_id: RunId = "latest",
    export: Annotated[
        Path | None, typer.Option(help="Write who fills each role to this file: .yaml or .json, for a router")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say who fills each role of the escalation ladder, which rung is empty, and what the next one up gains and costs."""
    from judge.comparing import ROLE_COLUMNS, export_roles, role_rows, roles_of
    from judge.printed import print_table

    results, rungs = roles_of(places_of(context), run_id)
    if export is not None:
        export_roles(rungs, results, export)
        sys.stderr.write(f"written: {export}\n")
    if as_json:
        sys.stdout.write(json.dumps([rung.model_dump(mode="json") for rung in rungs], indent=2) + "\n")
    else:
        print_table("", list(ROLE_COLUMNS), role_rows(rungs))
        for arm in results.arms:
            for decision in arm.decisions:
                sys.stdout.write(f"{arm.id}: {decision.role}: {decision.outcome}: {decision.reason}\n")
