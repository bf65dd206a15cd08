"""Pages about jobs: starting a run, scoring one again, all jobs, and one with its progress while it is carried out."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from judge.job_record import Job
from judge.library import load_suite
from judge.web.job_forms import BLANK_RUN, BLANK_SCORING, Filled, run_options, score_wish
from judge.web.job_parts import SHOWN_EVENTS, in_words, judge_choices
from judge.web.problems import Refusal
from judge.web.queueing import ask_for_run, ask_for_scoring, cancel, job_named, job_page
from judge.web.service import Chosen, Here, Sent, Service, page, run_named

router = APIRouter(include_in_schema=False)


@router.get("/start")
def start(request: Request, here: Here) -> Response:
    """Ask what to run."""
    return _start_page(request, here, Filled(BLANK_RUN))


@router.post("/start")
def start_run(request: Request, here: Here, form: Chosen) -> Response:
    """Queue a run and go to its job, or say what is wrong with what was filled in."""
    filled = Filled(form)
    return _asked(
        lambda: ask_for_run(here, run_options(filled)),
        lambda said, status: _start_page(request, here, filled, said, status),
    )


def _start_page(request: Request, here: Service, filled: Filled, problem: str = "", status: int = 200) -> Response:
    return page(
        request,
        "start.html.j2",
        status,
        suite=load_suite(),
        problem=problem,
        **judge_choices(here, filled),
    )


@router.get("/runs/{run_id}/score")
def score(request: Request, here: Here, run_id: str) -> Response:
    """Ask how to score the answers of a run again."""
    return _score_page(request, here, run_id, Filled(BLANK_SCORING))


@router.post("/runs/{run_id}/score")
def score_run(request: Request, here: Here, run_id: str, form: Chosen) -> Response:
    """Queue the scoring of a run and go to its job, or say what is wrong with what was filled in."""
    filled = Filled(form)
    return _asked(
        lambda: ask_for_scoring(here, run_id, score_wish(filled)),
        lambda said, status: _score_page(request, here, run_id, filled, said, status),
    )


def _score_page(
    request: Request, here: Service, run_id: str, filled: Filled, problem: str = "", status: int = 200
) -> Response:
    run, _ = run_named(here.store, run_id)
    return page(request, "score.html.j2", status, run=run, problem=problem, **judge_choices(here, filled))


def _asked(ask: Callable[[], Job], again: Callable[[str, int], Response]) -> Response:
    """Go to the job that was asked for; else show the form again, as it was filled in, with what is wrong."""
    try:
        job = ask()
    except Refusal as refusal:
        if refusal.status not in (422, 429):
            raise
        return again(refusal.detail, refusal.status)
    except ValueError as error:
        return again(str(error), 422)
    return _see(f"/jobs/{job.id}")


# --- jobs -------------------------------------------------------------------------------------------------------------


@router.get("/jobs")
def jobs(request: Request, here: Here, after: Annotated[str | None, Query(max_length=64)] = None) -> Response:
    """Show jobs, newest first."""
    return page(request, "jobs.html.j2", found=job_page(here.store, after=after), after=after)


@router.get("/jobs/{job_id}")
def one_job(request: Request, here: Here, job_id: str) -> Response:
    """Show a job: what was asked for, and how far it is."""
    job = job_named(here.store, job_id)
    events = here.store.last_job_events(job.id, SHOWN_EVENTS)
    return page(request, "job.html.j2", job=job, events=events, asked=list(in_words(job.options)))


@router.post("/jobs/{job_id}/cancel")
def cancel_job(here: Here, job_id: str, _form: Sent) -> Response:
    """Have a job stopped, and show it."""
    return _see(f"/jobs/{cancel(here.store, job_id).id}")


def _see(path: str) -> Response:
    return RedirectResponse(path, status_code=303)
