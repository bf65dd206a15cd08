"""Jobs for programs, under ``/api/v1``: asking for a run or a scoring, following it, and having it stopped."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response

from judge.job_record import Job, JobState
from judge.jobs.options import RunOptions, ScoreWish
from judge.web.api import PREFIX, REFUSALS, Problem
from judge.web.queueing import LARGEST_PAGE, PAGE, JobPage, ask_for_run, ask_for_scoring, cancel, job_named, job_page
from judge.web.service import Here
from judge.web.streams import EventStream, Streams

LAST_EVENT = 2**53
"""No id of an event is larger, nor any whole number that every reader of JSON can tell from its neighbours."""
FULL: dict[int | str, dict[str, object]] = {
    429: {"model": Problem, "description": "Too much waits already", "content": {"application/problem+json": {}}}
}
ENDED: dict[int | str, dict[str, object]] = {
    409: {"model": Problem, "description": "It has ended", "content": {"application/problem+json": {}}}
}
EVENT = {
    "description": "One event of the stream",
    "type": "object",
    "properties": {
        "event": {"enum": ["progress", "job", "end"]},
        "id": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["data"],
}
STREAM: dict[int | str, dict[str, object]] = {
    200: {
        "description": (
            "Server-sent events. `progress` has an id, and as data `{id, at, progress}` with a Progress; `job` has the Job, "
            "when its state or run changed; `end` has the Job when it has ended, and is the last. Counts that come in quick "
            "succession are told by the last of them. A comment is sent when nothing else is for a while."
        ),
        "content": {"text/event-stream": {"schema": EVENT}},
    }
}
router = APIRouter(prefix=PREFIX, responses=REFUSALS)
JobId = Annotated[str, Path(max_length=64)]


@router.post("/runs", status_code=202, responses=FULL)
def start_run(here: Here, options: RunOptions, response: Response) -> Job:
    """Ask for a run, with the choices of `judge run`. It is carried out in the background, after what was asked for before.

    Models are named as in models.yaml; a judge may be at `urls` only if the service was started with `--allow-judge-url` for them.
    """
    return _accepted(ask_for_run(here, options), response)


@router.post("/runs/{run_id}/score", status_code=202, responses=FULL)
def start_scoring(here: Here, run_id: str, wish: ScoreWish, response: Response) -> Job:
    """Ask for the stored answers of a run (id, or `latest`) to be scored, with the choices of `judge score`: another run is made."""
    return _accepted(ask_for_scoring(here, run_id, wish), response)


def _accepted(job: Job, response: Response) -> Job:
    response.headers["Location"] = f"{PREFIX}/jobs/{job.id}"
    return job


@router.get("/jobs")
def jobs(
    here: Here,
    state: JobState | None = None,
    after: Annotated[str | None, Query(max_length=64)] = None,
    size: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = PAGE,
) -> JobPage:
    """List jobs, newest first; `after` is the `next` of the page before."""
    return job_page(here.store, state, after, size)


@router.get("/jobs/{job_id}")
def job(here: Here, job_id: JobId) -> Job:
    """Return a job: what was asked for, and how far it is."""
    return job_named(here.store, job_id)


@router.post("/jobs/{job_id}/cancel", status_code=202, responses=ENDED)
def cancel_job(here: Here, job_id: JobId) -> Job:
    """Cancel a job that waits, or have one stopped that is carried out; what it has stored stays."""
    return cancel(here.store, job_id)


@router.get("/jobs/{job_id}/events", response_class=EventStream, responses={**STREAM, **FULL})
async def job_events(
    request: Request,
    here: Here,
    job_id: JobId,
    after: Annotated[int, Query(ge=0, le=LAST_EVENT, description="Id of the last event that is known")] = 0,
    last_event_id: Annotated[int | None, Header(ge=0, le=LAST_EVENT)] = None,
) -> EventStream:
    """Follow a job: what happened after the event `Last-Event-ID` (or `after`), and then what happens, until it has ended."""
    streams = request.app.state.streams
    assert isinstance(streams, Streams)
    streams.admit()
    await streams.read(lambda: job_named(here.store, job_id))
    known = after if last_event_id is None else last_event_id
    return EventStream(streams.follow(here.store, job_id, known, request.is_disconnected))
