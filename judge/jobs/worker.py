"""The one worker of a store: a thread that starts what is due, one job after the other, each in a process of its own.

Whoever serves a store has a worker; the one that holds the lock works, and the others wait for it. What a dead service left begun
is due first. Its process stops by itself as soon as the service is gone (runner.child); until then nothing else is begun.
"""

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator

from judge.errors import StoreError
from judge.job_record import Job
from judge.jobs.carrying import BY_WORKER, job_lock
from judge.jobs.locks import Lock
from judge.places import Places
from judge.store import Store
from runner.child import Child, start_child

GRACE_S = 60.0
"""For a clean stop: requests are cut, servers stopped, and the files of the run written, plots included."""
POLL_S = 0.25
PAUSE_S = 5.0
"""After something broke that is not of one job."""
MOST_RESUMES = 20
"""A job that was interrupted more often may be what stops the service: people are asked before it is begun again."""
logger = logging.getLogger("uvicorn.error")


class Worker:
    """Carries out the jobs of one store while the service runs."""

    def __init__(self, places: Places, store: Store, *, grace_s: float = GRACE_S, poll_s: float = POLL_S) -> None:
        self._places = places
        self._store = store
        self._grace_s = grace_s
        self._poll_s = poll_s
        self._lock = Lock(store.lock_file("worker", places.results / "jobs"))
        self._job_lock = job_lock(places, store)
        self._stopping = threading.Event()
        self._told = ""

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Work for the length of the block. At its end the job that is carried out is interrupted, and goes on at the next start."""
        thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()

    def _work(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    pause_s = 0 if self._turn() else self._poll_s
                except (StoreError, OSError) as error:
                    self._tell(error)
                    pause_s = PAUSE_S
                self._stopping.wait(pause_s)
        finally:
            self._lock.release()

    def _tell(self, error: StoreError | OSError) -> None:
        """Log what is wrong, once for as long as it stays the same."""
        if str(error) != self._told:
            self._told = str(error)
            logger.error("jobs: %s; tried again every %g s", error, PAUSE_S)

    def _turn(self) -> bool:
        """Carry out the next job; False when there is none, or it is not for this worker to begin it now."""
        if not self._lock.is_held and not self._lock.take():
            return False
        if not self._others_ended():
            return False
        job = self._store.due_job()
        if job is None:
            return False
        self._begin(job)
        return True

    def _others_ended(self) -> bool:
        """Wait until no process of an earlier worker is left, and end one that does not end by itself; False: wait on."""
        deadline_s = time.monotonic() + self._grace_s
        while not self._job_lock.is_free():
            holder = self._job_lock.holder()
            if holder is None or holder[1] != BY_WORKER or self._stopping.wait(self._poll_s):
                return False
            if time.monotonic() > deadline_s:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(holder[0], signal.SIGKILL)
        return True

    def _begin(self, job: Job) -> None:
        if job.state == "cancelling":
            self._store.end_job(job.id, "cancelled")
        elif job.resumes >= MOST_RESUMES:
            error = f"the service stopped {job.resumes} times in the middle of it; ask for the same again to go on"
            self._store.end_job(job.id, "failed", error=error)
        else:
            self._carry_out(job)

    def _carry_out(self, job: Job) -> None:
        log = self._places.results / "jobs" / f"{job.id}.log"
        child = start_child("judge.cli", self._arguments(job), log, environ=self._environ())
        try:
            code = self._wait_for(child, job.id)
        except BaseException:
            child.kill()
            raise
        finally:
            child.let_go()
        self._settle(job.id, code)

    def _arguments(self, job: Job) -> list[str]:
        models = self._places.models
        where = ["--results", str(self._places.results)]
        where += ["--models", str(models)] if models is not None else []
        return [*where, "job", job.id, "--by-worker"]

    def _environ(self) -> dict[str, str]:
        """Name the store where no list of processes shows it: a password may be in its address."""
        store = self._places.store
        return {} if store is None else {"JUDGE_STORE": store}

    def _wait_for(self, child: Child, job_id: str) -> int:
        """Return the exit code; have the job stopped when it was cancelled or the service stops."""
        told_s: float | None = None
        while (code := child.wait(self._poll_s)) is None:
            if told_s is None and (self._stopping.is_set() or self._is_cancelled(job_id)):
                child.interrupt()
                told_s = time.monotonic()
            elif told_s is not None and time.monotonic() - told_s > self._grace_s:
                child.kill()
        return code

    def _is_cancelled(self, job_id: str) -> bool:
        try:
            return self._store.job(job_id).state == "cancelling"
        except StoreError as error:  # a store that is busy for a moment is no reason to stop hours of work
            self._tell(error)
            return False

    def _settle(self, job_id: str, code: int) -> None:
        """Say how a job ended whose process did not come to say it."""
        job = self._store.job(job_id)
        if not job.unfinished or job.state == "interrupted":
            return
        if job.state == "cancelling":
            self._store.end_job(job_id, "cancelled")
        elif self._stopping.is_set():
            self._store.pause_job(job_id)
        else:
            how = f"was ended by signal {-code}" if code < 0 else f"broke with exit code {code}"
            self._store.end_job(job_id, "failed", error=f"its process {how}; the log of the job says why")
