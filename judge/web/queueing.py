"""Asking for a job and having one stopped: what pages and programs share."""

from collections.abc import Callable

from judge.errors import LibraryError, UserError
from judge.job_record import Job, JobKind, JobState
from judge.jobs.admission import admit_run, admit_scoring
from judge.jobs.options import RunOptions, ScoreOptions, ScoreWish
from judge.request import new_run_id
from judge.store import Store
from judge.web.problems import Refusal
from judge.web.service import Service, run_named
from runner.types import Value

MOST_WAITING = 20
"""Jobs that wait at once."""
PAGE = 50
LARGEST_PAGE = 200


class JobPage(Value):
    """Some jobs, newest first."""

    jobs: tuple[Job, ...]
    next: str | None
    """What to give as ``after`` for the next page; ``None``: this is the last."""


def ask_for_run(here: Service, options: RunOptions) -> Job:
    """Queue a run. Raises Refusal for what would not be begun, and when too much waits."""
    _refuse_when_full(here.store)
    _admitted(lambda: admit_run(options, here.places, here.judge_urls))
    return _queued(here.store, "run", options)


def ask_for_scoring(here: Service, run_id: str, wish: ScoreWish) -> Job:
    """Queue the scoring of a run. Raises Refusal for what would not be begun, and when too much waits."""
    run, _ = run_named(here.store, run_id)
    _refuse_when_full(here.store)
    options = ScoreOptions(run_id=run.id, **dict(wish))
    _admitted(lambda: admit_scoring(options, here.places, here.judge_urls))
    return _queued(here.store, "score", options)


def _refuse_when_full(store: Store) -> None:
    """Say so before model files are read for it; who comes in between is counted when the job is stored."""
    if len(store.jobs(state="queued", at_most=MOST_WAITING)) >= MOST_WAITING:
        raise _full()


def _full() -> Refusal:
    said = f"{MOST_WAITING} jobs wait already; ask again when one has begun, or cancel one"
    return Refusal(429, said, {"Retry-After": "60"})


def _admitted(admit: Callable[[], None]) -> None:
    try:
        admit()
    except LibraryError:  # files of the operator; whoever asked did nothing wrong
        raise
    except UserError as error:
        raise Refusal(422, str(error)) from error


def _queued(store: Store, kind: JobKind, options: RunOptions | ScoreOptions) -> Job:
    job_id, created_at = new_run_id()
    job = Job(id=f"job-{job_id}", kind=kind, options=options.model_dump(mode="json"), created_at=created_at)
    if not store.add_job(job, most_waiting=MOST_WAITING):
        raise _full()
    return job


def job_named(store: Store, job_id: str) -> Job:
    """Return a job. Raises Refusal when there is none with this id."""
    job = store.find_job(job_id)
    if job is None:
        raise Refusal(404, "there is no such job; the page of jobs lists all")
    return job


def cancel(store: Store, job_id: str) -> Job:
    """Cancel a job that waits, or have one stopped that is carried out. Raises Refusal for one that has ended."""
    job = job_named(store, job_id)
    if not store.cancel_job(job_id):
        raise Refusal(409, f"the job is {job.state} already; there is nothing to cancel")
    return store.job(job_id)


def job_page(store: Store, state: JobState | None = None, after: str | None = None, size: int = PAGE) -> JobPage:
    """Return one page. Jobs that come in meanwhile move nothing: a page begins after a job, not at a number."""
    before = job_named(store, after) if after else None
    found = store.jobs(state=state, before=before, at_most=size + 1)
    return JobPage(jobs=tuple(found[:size]), next=found[size - 1].id if len(found) > size else None)
