"""The command that examines judges."""

from typing import Annotated

import typer

from judge.commands.options.carrying import Carried
from judge.commands.options.judges import Examination, Judged
from judge.commands.options.taking import parts, takes
from judge.commands.shared import Exit, command_line, commands, end, places_of, print_json

app = commands()


@app.command()
@takes(judged=Judged, examination=Examination, carried=Carried)
def exam(
    context: typer.Context,
    judged: Judged,
    examination: Examination,
    carried: Carried,
    questions: Annotated[str | None, typer.Option(help="Question ids or test names, by commas [default: all]")] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the stored exams; nobody is asked")] = False,
    gate: Annotated[bool, typer.Option("--gate", help="Exit 4 when a judge is not qualified for logic")] = False,
) -> None:
    """Examine judges on answers whose truth is known: do they tell right from wrong, and what moves them?

    Each is loaded once, and what is stored is not asked again. --json prints a list, one exam a judge. Exit code 3: an endpoint
    failed, and the same command again asks for the rest.
    """
    from judge.examinations import examine_judges, print_exam, print_exams, print_owed, stored_exams

    places = places_of(context)
    if show:
        exams = stored_exams(places, judged.names() or parts(judged.judge_model))
        if carried.as_json:
            print_json([one.model_dump(mode="json") for one in exams])
        else:
            print_exams(exams)
        return
    conduct = carried.conduct(concurrency=judged.concurrency)
    choices = judged.choices()
    exams = examine_judges(places, choices, parts(questions), examination.size(), conduct, command_line())
    if carried.as_json:
        print_json([one.model_dump(mode="json") for one in exams])
    else:
        for one in exams:
            print_exam(one)
    print_owed(len(choices) - len(exams), len(choices))
    end(complete=len(exams) == len(choices))
    if gate and not all(one.qualification.logic for one in exams):
        raise typer.Exit(Exit.GATE_FAILED)
