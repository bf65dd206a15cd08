"""``judge serve``: look at runs, review answers and start runs in a browser, and the same over JSON."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from judge import garbage
from judge.commands.options.judges import OneJudge
from judge.commands.options.taking import takes
from judge.commands.shared import commands, places_of
from judge.errors import Interrupted

app = commands()

PORT = 8765


@app.command()
@takes(asked=OneJudge)
def serve(
    context: typer.Context,
    asked: OneJudge,
    host: Annotated[str, typer.Option(help="Address to listen on; any but loopback needs a token")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one")] = PORT,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the token that lets people in [default: made up beyond loopback]")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="Further name that the service is called by; repeat")
    ] = None,
    allow_judge_url: Annotated[
        list[str] | None,
        typer.Option("--allow-judge-url", help="Endpoint that a request may name as a judge; repeat [default: none]"),
    ] = None,
) -> None:
    """Serve the store: runs and answers, blind review and starting runs in a browser, and JSON under /api/v1; Ctrl-C ends it.

    With --judge, or --judge-url and --judge-model, it also judges single answers for other programs: POST /api/v1/judge.
    """
    from judge.jobs.worker import Worker
    from judge.web.access import access_to
    from judge.web.judging import judging_at
    from judge.web.service import Service
    from judge.web.serving import listening
    from judge.web.serving import serve as answer_requests

    garbage.settle()
    access, made_up = access_to(host, allow_host or (), token_file)
    places = places_of(context)
    choice = asked.choice()
    judging = judging_at(places, choice, asked.concurrency) if choice else None
    listener = listening(host, port)
    store = places.open_store()
    shown = f"[{host}]" if ":" in host else host
    sys.stderr.write(f"serving http://{shown}:{listener.getsockname()[1]}/ until Ctrl-C\n")
    if made_up:
        sys.stderr.write(f"token, shown this once: {access.token}\n")
    try:
        urls = frozenset([*(allow_judge_url or ()), *(choice.urls if choice else ())])
        worker = Worker(places, store)
        service = Service(
            store, access, judging=judging, places=places, judge_urls=urls, worker=worker, works_ahead=True
        )
        answer_requests(service, listener)
    except KeyboardInterrupt as error:
        raise Interrupted("the service was stopped; everything that was rated is stored") from error
    finally:
        store.close()
