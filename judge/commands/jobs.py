"""``judge job``: carry out what was asked for over HTTP. The service starts it for every job; by hand it needs no service."""

import os
from typing import Annotated

import typer

from judge.commands.shared import commands, end, places_of, secrets

app = commands()


@app.command()
def job(
    context: typer.Context,
    job_id: Annotated[str, typer.Argument(help="Id of the job, as the page of jobs and /api/v1/jobs list it")],
    by_worker: Annotated[bool, typer.Option("--by-worker", hidden=True)] = False,
) -> None:
    """Carry out a job that was asked for over HTTP, from where it stopped; ``judge serve`` does so by itself."""
    from judge.jobs.carrying import BY_HAND, BY_WORKER, carry_out
    from runner.child import end_with_starter

    if by_worker:
        end_with_starter()
    places = places_of(context)
    hidden = secrets(os.environ, places.store)
    end(complete=carry_out(places, job_id, secrets=hidden, by=BY_WORKER if by_worker else BY_HAND))
