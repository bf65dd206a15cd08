"""What is answered while something is being computed: at once, and never with something that may be out of date."""

from fastapi import Request
from starlette.responses import JSONResponse, Response

from judge.records import RunRecord, RunState
from judge.web.service import page
from runner.types import Value

AGAIN_S = 2
"""When to look again."""
DETAIL = "it is being computed; ask again"


class Pending(Value):
    """What was asked for is being computed."""

    detail: str
    """When it is there cannot be told; the Retry-After header says when to ask again, in seconds."""


PENDING: dict[int | str, dict[str, object]] = {
    202: {
        "model": Pending,
        "description": "It is being computed of what the store holds now; ask again",
        "headers": {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}},
    }
}


def pending() -> Response:
    """Return the reply for a program."""
    return JSONResponse(Pending(detail=DETAIL).model_dump(), 202, {"Retry-After": str(AGAIN_S)})


def ready(document: str) -> Response:
    """Return JSON that is there already."""
    return Response(document, media_type="application/json")


def pending_page(request: Request, run: RunRecord, state: RunState, what: str, **about: object) -> Response:
    """Return the page for a person: it tells what the run is, and looks again by itself.

    ``about``: the ``job`` that makes the run, with its ``events``; then the page shows how far that is.
    """
    shown: dict[str, object] = {"job": None, "events": [], **about}
    return page(request, "computing.html.j2", 202, run=run, state=state, what=what, again_s=AGAIN_S, **shown)
