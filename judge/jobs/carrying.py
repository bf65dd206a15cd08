"""Carry out one job: in a process of its own, started by the worker or by hand (``judge job ID``)."""

import contextlib
from collections.abc import Collection, Iterator

from judge.app import Phase, execute, prepare, rescore
from judge.errors import Interrupted, JudgeError, LibraryError, StoreError, UserError
from judge.job_record import Job
from judge.jobs.locks import Lock, held
from judge.jobs.options import RunOptions, ScoreOptions
from judge.jobs.telling import Telling
from judge.places import Places
from judge.records import RunRecord
from judge.results import Results
from judge.store import Store
from runner.errors import RunnerError
from runner.foreign_text import Blackout

INCOMPLETE = 3
"""Exit code of a job after which something is owed."""
BY_HAND, BY_WORKER = "hand", "worker"


def job_lock(places: Places, store: Store) -> Lock:
    """Return the lock that whoever carries out a job of this store holds meanwhile."""
    return Lock(store.lock_file("job", places.results / "jobs"))


def carry_out(places: Places, job_id: str, *, secrets: Collection[str] = (), by: str = BY_HAND) -> bool:
    """Carry out a job from where it is, and say in the store how it ended. Returns False when something is still owed.

    Raises UserError when it has ended, is not there, or another one is being carried out; what breaks in it is raised, too.
    """
    store = places.open_store()
    try:
        with held(job_lock(places, store), by) as free:
            if not free:
                raise UserError("another job of this store is being carried out; wait until it has ended")
            return _carry_out(places, store, job_id, secrets)
    finally:
        store.close()


def _carry_out(places: Places, store: Store, job_id: str, secrets: Collection[str]) -> bool:
    job = store.find_job(job_id)
    if job is None:
        raise UserError(f"there is no job {job_id!r} in the store")
    if not store.start_job(job_id):
        if store.job(job_id).state == "cancelling":  # by somebody who did not see that nobody carried it out
            store.end_job(job_id, "cancelled")
        raise UserError(f"job {job_id} is {store.job(job_id).state}; there is nothing to carry out")
    with _settled(store, job_id, secrets):
        owed = _work(places, store, job, secrets)
        store.end_job(job_id, "done", error=owed, exit_code=INCOMPLETE if owed else 0)
    return owed is None


@contextlib.contextmanager
def _settled(store: Store, job_id: str, secrets: Collection[str]) -> Iterator[None]:
    """Say in the store how the block ended when it did not end well; what nobody expected is left to the worker to say."""
    try:
        yield
    except (KeyboardInterrupt, Interrupted):
        if not store.pause_job(job_id) and store.job(job_id).state == "cancelling":
            store.end_job(job_id, "cancelled", exit_code=130)
        raise
    except (JudgeError, RunnerError) as error:
        code = 2 if isinstance(error, UserError) else 1
        store.end_job(job_id, "failed", error=Blackout(secrets).pieces(_one_line(error)), exit_code=code)
        raise


def _one_line(error: JudgeError | RunnerError) -> str:
    """Return what went wrong as whoever asked may read it; where things lie on this machine is in the log."""
    if isinstance(error, StoreError | LibraryError):
        return "the store, or a file of questions, rubrics or models, cannot be used; the log of the job says why"
    return str(error).splitlines()[0]


def _work(places: Places, store: Store, job: Job, secrets: Collection[str]) -> str | None:
    """Carry out the run of a job; return what is still owed, in one line, or ``None``."""
    run, again = _run_of(places, store, job)
    telling = Telling(store, job.id, secrets)
    phases: tuple[Phase, ...] = ("collect", "check", "score") if job.kind == "run" else ("score",)
    try:
        results = execute(places, run, _options(job).conduct(), phases, see=telling.see, again=again)
    finally:
        telling.flush()
    return _owed(results, job)


def _options(job: Job) -> RunOptions | ScoreOptions:
    return RunOptions.model_validate(job.options) if job.kind == "run" else ScoreOptions.model_validate(job.options)


def _run_of(places: Places, store: Store, job: Job) -> tuple[RunRecord, bool]:
    """Return the run that a job makes, and whether it is stored already and goes on.

    The id is written down first: a job that is killed in between finds no run by it, and makes another.
    """
    if job.run_id is not None and store.has_run(job.run_id):
        return store.run(job.run_id)[0], True
    run = _new_run(places, _options(job), ("judge", "job", job.id))
    store.set_job_run(job.id, run.id)
    return run, False


def _new_run(places: Places, options: RunOptions | ScoreOptions, command: tuple[str, ...]) -> RunRecord:
    if isinstance(options, RunOptions):
        return prepare(places, options.choice(), command)
    return rescore(places, options.run_id, options.judges, options.policy, command)


def _owed(results: Results, job: Job) -> str | None:
    complete = results.complete if job.kind == "run" else results.owed_scorings == results.owed_exams == 0
    return None if complete else f"{results.owed_text} are owed; a job with the same options asks for exactly these"
