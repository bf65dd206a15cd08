"""The command that examines judges."""

from typing import Annotated

import typer

from judge.commands.options import Carried, Examination, Judged, parts, takes
from judge.commands.shared import Exit, command_line, commands, places_of, print_json

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
    gate: Annotated[bool, typer.Option("--gate", help="Exit 4 when the judge is not qualified for logic")] = False,
) -> None:
    """Examine a judge on answers whose truth is known: does it tell right from wrong, and what moves it?

    Exit code 3: its endpoint failed, and the same command again asks for the rest.
    """
    from judge.examinations import examine_judge, print_exam, print_exams, stored_exams

    places = places_of(context)
    if show:
        exams = stored_exams(places, judged.judge or judged.judge_model)
        if carried.as_json:
            print_json([one.model_dump(mode="json") for one in exams])
        else:
            print_exams(exams)
        return
    conduct = carried.conduct(concurrency=judged.max_concurrency)
    found = examine_judge(places, judged.choice(), parts(questions), examination.size(), conduct, command_line())
    if found is None:
        raise typer.Exit(Exit.INCOMPLETE)
    if carried.as_json:
        print_json(found.model_dump(mode="json"))
    else:
        print_exam(found)
    if gate and not found.qualification.logic:
        raise typer.Exit(Exit.GATE_FAILED)
