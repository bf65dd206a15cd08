"""The only file that knows the database: SQLAlchemy Core, SQLite in WAL mode by default, PostgreSQL by URL.

The store appends: a settled unit is written once, in one transaction, as it completes; failures are listed and leave the unit
owed. In WAL mode with ``synchronous=NORMAL`` a killed process loses nothing that was written, and a power cut may lose the last
moments but never the file.
"""

import datetime
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from judge.errors import StoreError
from judge.records import ArmRecord, Launch, RunRecord, RunState
from judge.types import JudgeFailure, Judgement
from judge.units import AnswerUnit, judgement_key
from runner.types import Answer, Arm

HEAD = "0001"
"""Revision of the newest migration; a test holds it to the folder."""
BUSY_TIMEOUT_MS = 30_000
LOOKUP_BATCH = 500

_meta = sa.MetaData()


def _table(name: str, *columns: str) -> sa.Table:
    return sa.Table(name, _meta, *(sa.Column(column) for column in columns))


_runs = _table("runs", "id", "created_at", "state", "doc")
_arms = _table("arms", "fingerprint", "arm", "model")
_launches = _table("launches", "id", "run_id", "arm", "created_at", "doc")
_answers = _table("answers", "unit", "run_id", "arm", "question_id", "sample", "state", "created_at", "doc")
_answer_failures = _table("answer_failures", "id", "unit", "run_id", "state", "created_at", "doc")
_judgements = _table("judgements", "unit", "run_id", "answer_unit", "judge_fingerprint", "created_at", "doc")
_judge_failures = _table("judge_failures", "id", "unit", "run_id", "kind", "created_at", "doc")


class Store:
    """Runs, answers and judgements on disk. Every method raises StoreError when the database cannot be used."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, where: str | Path) -> Self:
        """Open, and create or migrate, the store at a path or a database URL."""
        url = str(where) if "://" in str(where) else _sqlite_url(Path(where))
        engine = sa.create_engine(url)
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _configure_sqlite)
        store = cls(engine)
        store._migrate(url)
        return store

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    # --- runs ---

    def add_run(self, run: RunRecord) -> None:
        """Store a run that starts now, and its arms."""
        with self._writing() as db:
            db.execute(
                _runs.insert().values(id=run.id, created_at=run.created_at, state="running", doc=run.model_dump_json())
            )
            for record in run.arms:
                self._insert_once(db, _arms, **_arm_row(record))

    def set_run_state(self, run_id: str, state: RunState) -> None:
        """Say how a run ended."""
        with self._writing() as db:
            db.execute(_runs.update().where(_runs.c.id == run_id).values(state=state))

    def run(self, run_id: str) -> tuple[RunRecord, RunState]:
        """Return a run by its exact id, or the newest by ``latest``. Raises StoreError when there is none."""
        newest = sa.select(_runs.c.doc, _runs.c.state).order_by(_runs.c.created_at.desc(), _runs.c.id.desc()).limit(1)
        query = newest if run_id == "latest" else newest.where(_runs.c.id == run_id)
        rows = self._rows(query)
        if not rows:
            raise StoreError(f"no run {run_id!r} in the store; known: {', '.join(self.run_ids()[:8]) or 'none'}")
        return RunRecord.model_validate_json(rows[0].doc), rows[0].state

    def run_ids(self) -> list[str]:
        """Return all run ids, newest first."""
        return [
            row.id for row in self._rows(sa.select(_runs.c.id).order_by(_runs.c.created_at.desc(), _runs.c.id.desc()))
        ]

    def add_launch(self, run_id: str, arm: Arm, launch: Launch) -> None:
        """Store how a server was started and what its log proved."""
        row = {"run_id": run_id, "arm": arm.fingerprint, "created_at": utc_now(), "doc": launch.model_dump_json()}
        with self._writing() as db:
            db.execute(_launches.insert().values(**row))

    def launches(self, arm: Arm) -> list[Launch]:
        """Return every start of ``arm``, oldest first."""
        query = sa.select(_launches.c.doc).where(_launches.c.arm == arm.fingerprint).order_by(_launches.c.id)
        return [Launch.model_validate_json(row.doc) for row in self._rows(query)]

    # --- answers ---

    def add_answer(self, run_id: str, unit: AnswerUnit, answer: Answer) -> None:
        """Store a settled answer once, or list the failed attempt."""
        common = {"unit": unit.key, "run_id": run_id, "state": answer.state.value, "created_at": utc_now()}
        document = answer.model_dump_json()
        with self._writing() as db:
            if answer.settled:
                place = {"arm": unit.arm, "question_id": unit.question_id, "sample": unit.sample}
                self._insert_once(db, _answers, **common, **place, doc=document)
            else:
                db.execute(_answer_failures.insert().values(**common, doc=document))

    def stored_answers(self, keys: Iterable[str]) -> set[str]:
        """Return which of these units have a settled answer."""
        return {
            row.unit
            for batch in _batches(keys)
            for row in self._rows(sa.select(_answers.c.unit).where(_in(_answers, batch)))
        }

    def answers(self, keys: Iterable[str]) -> Iterator[tuple[str, Answer]]:
        """Yield (unit key, answer) for those of ``keys`` that are stored, batch by batch in the order of ``keys``."""
        for batch in _batches(keys):
            found = {
                row.unit: row.doc
                for row in self._rows(sa.select(_answers.c.unit, _answers.c.doc).where(_in(_answers, batch)))
            }
            yield from ((key, Answer.model_validate_json(found[key])) for key in batch if key in found)

    def answer_failures(self, keys: Iterable[str]) -> list[tuple[str, Answer]]:
        """Return the failed attempts at these units, oldest first."""
        query = sa.select(_answer_failures.c.unit, _answer_failures.c.doc).order_by(_answer_failures.c.id)
        rows = [row for batch in _batches(keys) for row in self._rows(query.where(_in(_answer_failures, batch)))]
        return [(row.unit, Answer.model_validate_json(row.doc)) for row in rows]

    # --- judgements ---

    def add_judgement(self, run_id: str, judgement: Judgement) -> None:
        """Store a judgement once."""
        with self._writing() as db:
            self._insert_once(
                db,
                _judgements,
                unit=judgement_key(judgement.answer_unit, judgement.call),
                run_id=run_id,
                answer_unit=judgement.answer_unit,
                judge_fingerprint=judgement.call.judge_fingerprint,
                created_at=utc_now(),
                doc=judgement.model_dump_json(),
            )

    def add_judge_failure(self, run_id: str, failure: JudgeFailure) -> None:
        """List a scoring that gave no scores; its unit stays owed."""
        unit = judgement_key(failure.answer_unit, failure.call)
        row = {
            "unit": unit,
            "run_id": run_id,
            "kind": failure.kind,
            "created_at": utc_now(),
            "doc": failure.model_dump_json(),
        }
        with self._writing() as db:
            db.execute(_judge_failures.insert().values(**row))

    def stored_judgements(self, keys: Iterable[str]) -> set[str]:
        """Return which of these units are stored."""
        rows = (self._rows(sa.select(_judgements.c.unit).where(_in(_judgements, batch))) for batch in _batches(keys))
        return {row.unit for batch_rows in rows for row in batch_rows}

    def judgements(self, keys: Iterable[str]) -> Iterator[tuple[str, Judgement]]:
        """Yield (unit key, judgement) for those of ``keys`` that are stored."""
        for batch in _batches(keys):
            for row in self._rows(sa.select(_judgements.c.unit, _judgements.c.doc).where(_in(_judgements, batch))):
                yield row.unit, Judgement.model_validate_json(row.doc)

    def judgements_of(self, answer_key: str) -> list[Judgement]:
        """Return everything that judges said of one answer, oldest first."""
        query = (
            sa.select(_judgements.c.doc)
            .where(_judgements.c.answer_unit == answer_key)
            .order_by(_judgements.c.created_at)
        )
        return [Judgement.model_validate_json(row.doc) for row in self._rows(query)]

    def judge_failures(self, keys: Iterable[str]) -> list[JudgeFailure]:
        """Return the failed scorings of these units, oldest first."""
        query = sa.select(_judge_failures.c.doc).order_by(_judge_failures.c.id)
        rows = [row for batch in _batches(keys) for row in self._rows(query.where(_in(_judge_failures, batch)))]
        return [JudgeFailure.model_validate_json(row.doc) for row in rows]

    # --- underneath ---

    def _rows(self, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        with self._mapped(), self._engine.connect() as db:
            return list(db.execute(query))

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._mapped(), self._engine.begin() as db:
            yield db

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise StoreError(f"{self._place()}: {_explain(error)}") from error

    def _insert_once(self, db: sa.Connection, table: sa.Table, **row: Any) -> None:
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        db.execute(insert(table).values(**row).on_conflict_do_nothing())

    def _place(self) -> str:
        return self._engine.url.render_as_string(hide_password=True).removeprefix("sqlite:///")

    def _migrate(self, url: str) -> None:
        with self._mapped():
            found = self._revision()
            if found == HEAD:
                return
            if found is not None and found > HEAD:
                raise StoreError(
                    f"{self._place()}: written by a newer version (revision {found}, this one knows {HEAD}); update coder-judge"
                )
            _upgrade(self._engine)

    def _revision(self) -> str | None:
        with self._engine.connect() as db:
            if not sa.inspect(db).has_table("alembic_version"):
                return None
            return db.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def utc_now() -> str:
    """Return the time as it is stored: UTC, ISO 8601, microseconds."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")


def _upgrade(engine: sa.Engine) -> None:
    # Imported here because only a new or old store needs it, and it costs every other command a tenth of a second.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _sqlite_url(path: Path) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{path.parent}: cannot be created ({error.strerror}); name a folder that can be written"
        ) from error
    return f"sqlite:///{path}"


def _configure_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _explain(error: SQLAlchemyError) -> str:
    """Return what the database said on one line, and what to do where that is known."""
    text = " ".join(str(getattr(error, "orig", None) or error).split())
    advice = {
        "readonly": "make the file and its folder writable",
        "disk is full": "free some space; everything stored so far is safe",
        "disk I/O": "check the disk; everything stored so far is safe",
        "locked": "another program holds the store; wait for it or name another store",
        "unable to open": "check the path and its permissions",
        "not a database": "the file is damaged or something else; move it away or restore a copy",
        "malformed": "the file is damaged; restore a copy, or salvage it with sqlite3's .recover",
    }
    hint = next((what for mark, what in advice.items() if mark in text), None)
    kind = "" if isinstance(error, (OperationalError, DatabaseError)) else f"{type(error).__name__}: "
    return f"{kind}{text[:200]}" + (f"; {hint}" if hint else "")


def _arm_row(record: ArmRecord) -> dict[str, str]:
    arm, model = record.arm, record.model
    return {"fingerprint": arm.fingerprint, "arm": arm.model_dump_json(), "model": model.model_dump_json()}


def _in(table: sa.Table, keys: list[str]) -> sa.ColumnElement[bool]:
    return table.c.unit.in_(keys)


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    """Split ``keys``, which may be endless, into lists short enough for one query."""
    batch: list[str] = []
    for key in keys:
        batch.append(key)
        if len(batch) == LOOKUP_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
