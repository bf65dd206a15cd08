"""Runs, their arms, and how their servers were started."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from judge.errors import StoreError
from judge.records import ArmRecord, Launch, RunRecord, RunState
from judge.store.at_work import held, was_left
from judge.store.database import Database, utc_now
from judge.store.tables import ARMS, CHANGES, LAUNCHES, RUNS
from runner.identity import digest
from runner.types import Arm


class Runs(Database):
    """Everything about runs but their answers and judgements."""

    def add_run(self, run: RunRecord) -> None:
        """Store a run that starts now, and its arms."""
        with self._writing() as db:
            db.execute(
                RUNS.insert().values(id=run.id, created_at=run.created_at, state="running", doc=run.model_dump_json())
            )
            for record in run.arms:
                self._insert_once(db, ARMS, **_arm_row(record))

    def extend_run(self, run: RunRecord) -> None:
        """Write down that a run wants more than it did: more samples, or another judge."""
        with self._writing() as db:
            db.execute(RUNS.update().where(RUNS.c.id == run.id).values(doc=run.model_dump_json()))

    def set_run_state(self, run_id: str, state: RunState) -> None:
        """Say how a run ended."""
        with self._writing() as db:
            db.execute(RUNS.update().where(RUNS.c.id == run_id).values(state=state))

    def run(self, run_id: str) -> tuple[RunRecord, RunState]:
        """Return a run by its exact id, or the newest by ``latest``; one whose process died is ``interrupted``.

        Raises StoreError when there is none.
        """
        newest = sa.select(RUNS.c.doc, RUNS.c.state).order_by(RUNS.c.created_at.desc(), RUNS.c.id.desc()).limit(1)
        query = newest if run_id == "latest" else newest.where(RUNS.c.id == run_id)
        rows = self._rows(query)
        if not rows:
            raise StoreError(f"no run {run_id!r} in the store; known: {', '.join(self.run_ids()[:8]) or 'none'}")
        run, state = self._parsed(RunRecord, rows[0].doc), rows[0].state
        return run, "interrupted" if state == "running" and was_left(self._lock(run.id)) else state

    @contextmanager
    def at_work(self, run_id: str) -> Iterator[None]:
        """Say for the length of the block that this process carries the run out; known on this machine only."""
        with held(self._lock(run_id)):
            yield

    def _lock(self, run_id: str) -> Path | None:
        file = self._file()
        return file.with_name(f"{file.name}-running") / run_id if file else None

    def has_run(self, run_id: str) -> bool:
        """True when there is a run with exactly this id."""
        return bool(self._rows(sa.select(RUNS.c.id).where(RUNS.c.id == run_id)))

    def stamp(self, run: RunRecord, state: RunState) -> str:
        """Return the identity of everything that the report of a run is computed from: while it stays, so does the report."""
        judges = (*run.judges, *(ranking.judge for ranking in run.rankings))
        scopes = {record.arm.fingerprint for record in run.arms} | {judge.fingerprint for judge in judges}
        return digest([run.model_dump_json(), state, self.changes(scopes)])

    def pulse(self) -> tuple[object, ...]:
        """Return something small that is another as soon as a stamp is another, or a run begins or ends."""
        states = [(row.id, row.state) for row in self._rows(sa.select(RUNS.c.id, RUNS.c.state))]
        return (*self._rows(sa.select(sa.func.sum(CHANGES.c.number))), *sorted(states))

    def run_ids(self) -> list[str]:
        """Return all run ids, newest first."""
        return [row.id for row in self._rows(sa.select(RUNS.c.id).order_by(RUNS.c.created_at.desc(), RUNS.c.id.desc()))]

    def add_launch(self, run_id: str, arm: Arm, launch: Launch) -> None:
        """Store how a server was started and what its log proved."""
        row = {"run_id": run_id, "arm": arm.fingerprint, "created_at": utc_now(), "doc": launch.model_dump_json()}
        with self._writing() as db:
            db.execute(LAUNCHES.insert().values(**row))
            self._changed(db, arm.fingerprint)

    def launches(self, arm: Arm) -> list[Launch]:
        """Return every start of ``arm``, oldest first."""
        query = sa.select(LAUNCHES.c.doc).where(LAUNCHES.c.arm == arm.fingerprint).order_by(LAUNCHES.c.id)
        return [self._parsed(Launch, row.doc) for row in self._rows(query)]


def _arm_row(record: ArmRecord) -> dict[str, str]:
    arm, model = record.arm, record.model
    description = model.model_dump_json() if model else "null"
    return {"fingerprint": arm.fingerprint, "arm": arm.model_dump_json(), "model": description}
