"""Jobs, the states that they go through, and what happened in them."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from judge.errors import StoreError
from judge.job_record import UNFINISHED, Job, JobEvent, JobState, Progress
from judge.store.database import Database, utc_now
from judge.store.tables import JOB_EVENTS, JOBS

WAITING: tuple[JobState, ...] = ("queued",)
STARTABLE: tuple[JobState, ...] = ("queued", "running", "interrupted")


class Jobs(Database):
    """What was asked for over HTTP, and how far it is. Every change of state says from which states it may be made."""

    def add_job(self, job: Job, *, most_waiting: int) -> bool:
        """Store a job that waits to be carried out; False when so many wait already, and nothing is stored.

        Counting and storing are one statement, so that two who come at once are both counted.
        """
        waiting = sa.select(sa.func.count()).where(JOBS.c.state.in_(WAITING)).scalar_subquery()
        row = _row(job)
        values = sa.select(*map(sa.literal, row.values()))
        with self._writing() as db:
            added = db.execute(JOBS.insert().from_select(list(row), values.where(waiting < most_waiting)))
            return bool(added.rowcount)

    def job(self, job_id: str) -> Job:
        """Return a job. Raises StoreError when there is none; ``find_job`` does not."""
        found = self.find_job(job_id)
        if found is None:
            raise StoreError(f"no job {job_id!r} in the store")
        return found

    def find_job(self, job_id: str) -> Job | None:
        """Return a job; ``None`` when there is none."""
        return self._first(sa.select(JOBS).where(JOBS.c.id == job_id))

    def job_of_run(self, run_id: str) -> Job | None:
        """Return the newest job that makes, or made, a run; ``None`` for a run that no job made."""
        newest = sa.select(JOBS).where(JOBS.c.run_id == run_id).order_by(JOBS.c.created_at.desc(), JOBS.c.id.desc())
        return self._first(newest.limit(1))

    def jobs(self, *, state: JobState | None = None, before: Job | None = None, at_most: int = 50) -> list[Job]:
        """Return jobs, newest first: all, or those in a state, or those older than ``before``."""
        query = sa.select(JOBS).order_by(JOBS.c.created_at.desc(), JOBS.c.id.desc()).limit(at_most)
        if state is not None:
            query = query.where(JOBS.c.state == state)
        if before is not None:
            query = query.where(sa.tuple_(JOBS.c.created_at, JOBS.c.id) < (before.created_at, before.id))
        return [self._job(row) for row in self._rows(query)]

    def due_job(self) -> Job | None:
        """Return what is to be carried out next: what was begun before what waits, the oldest first; ``None``: nothing."""
        waits = sa.case((JOBS.c.state.in_(WAITING), 1), else_=0)
        query = sa.select(JOBS).where(JOBS.c.state.in_(UNFINISHED)).order_by(waits, JOBS.c.created_at, JOBS.c.id)
        return self._first(query.limit(1))

    def start_job(self, job_id: str) -> bool:
        """Say that a job is carried out from now on; False when it was cancelled or has ended meanwhile."""
        begun = JOBS.c.started_at.is_not(None)
        changes = {
            "state": "running",
            "started_at": sa.func.coalesce(JOBS.c.started_at, utc_now()),
            "resumes": JOBS.c.resumes + sa.case((begun, 1), else_=0),
        }
        return self._change(job_id, STARTABLE, changes)

    def set_job_run(self, job_id: str, run_id: str) -> None:
        """Say which run a job makes."""
        self._change(job_id, UNFINISHED, {"run_id": run_id})

    def cancel_job(self, job_id: str) -> bool:
        """Cancel a job that waits, or have the one that is carried out stopped; False when it has ended."""
        if self._change(job_id, ["queued", "interrupted"], {"state": "cancelled", "ended_at": utc_now()}):
            return True
        return self._change(job_id, ["running", "cancelling"], {"state": "cancelling"})

    def pause_job(self, job_id: str) -> bool:
        """Say that a job stopped with the service; False when it was not being carried out."""
        return self._change(job_id, ["running"], {"state": "interrupted"})

    def end_job(self, job_id: str, state: JobState, *, error: str | None = None, exit_code: int | None = None) -> bool:
        """Say how a job ended; False when it had ended before."""
        changes = {"state": state, "ended_at": utc_now(), "error": error, "exit_code": exit_code}
        return self._change(job_id, UNFINISHED, changes)

    def add_job_events(self, job_id: str, events: Sequence[Progress]) -> None:
        """Store what happened in a job, in this order."""
        documents = [progress.model_dump_json() for progress in events]
        rows = [{"job": job_id, "created_at": utc_now(), "doc": document} for document in documents]
        with self._writing() as db:
            for row in rows:  # one by one: the ids grow in the order of what happened
                db.execute(JOB_EVENTS.insert().values(**row))
            db.execute(JOBS.update().where(JOBS.c.id == job_id).values(progress=documents[-1]))

    def job_events(self, job_id: str, *, after: int = 0, at_most: int = 100) -> list[JobEvent]:
        """Return what happened in a job after the event ``after``, oldest first."""
        query = sa.select(JOB_EVENTS).where(JOB_EVENTS.c.job == job_id, JOB_EVENTS.c.id > after)
        return [self._event(row) for row in self._rows(query.order_by(JOB_EVENTS.c.id).limit(at_most))]

    def last_job_events(self, job_id: str, at_most: int) -> list[JobEvent]:
        """Return the last things that happened in a job, oldest first."""
        query = sa.select(JOB_EVENTS).where(JOB_EVENTS.c.job == job_id).order_by(JOB_EVENTS.c.id.desc()).limit(at_most)
        return [self._event(row) for row in reversed(self._rows(query))]

    def lock_file(self, name: str, otherwise: Path) -> Path:
        """Return where a lock on this store lies: beside a database that is a file, else in the folder ``otherwise``."""
        url = self._engine.url
        if url.get_backend_name() == "sqlite" and url.database:
            path = Path(url.database).resolve()
            return path.with_name(f"{path.name}.{name}.lock")
        return otherwise / f"{name}.lock"

    # --- underneath ---

    def _change(self, job_id: str, states: Collection[JobState], changes: dict[str, Any]) -> bool:
        with self._writing() as db:
            done = db.execute(JOBS.update().where(JOBS.c.id == job_id, JOBS.c.state.in_(states)).values(**changes))
            return bool(done.rowcount)

    def _first(self, query: sa.Select[Any]) -> Job | None:
        rows = self._rows(query)
        return self._job(rows[0]) if rows else None

    def _job(self, row: sa.Row[Any]) -> Job:
        fields = dict(row._mapping)
        fields["options"] = json.loads(fields["options"])
        if fields["progress"] is not None:
            fields["progress"] = json.loads(fields["progress"])
        return self._parsed(Job, json.dumps(fields))

    def _event(self, row: sa.Row[Any]) -> JobEvent:
        return JobEvent(id=row.id, at=row.created_at, progress=self._parsed(Progress, row.doc))


def _row(job: Job) -> dict[str, Any]:
    """Return the columns of a job that have a value; documents are JSON."""
    fields = job.model_dump(mode="json")
    fields["options"] = json.dumps(fields["options"], ensure_ascii=False)
    fields["progress"] = None if job.progress is None else job.progress.model_dump_json()
    return {name: value for name, value in fields.items() if value is not None}
