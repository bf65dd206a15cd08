"""The database underneath the store: opening, migrating, transactions, and what its errors mean to a user."""

import datetime
import functools
import re
import sqlite3
import time
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError, SQLAlchemyError

from judge.errors import StoreError
from judge.passwords import has_password_setting, is_host, passwords, without_password
from judge.store.tables import ANSWERS, CHANGES
from runner.foreign_text import Blackout

HEAD = "0008"
"""Revision of the newest migration; a test holds it to the folder."""
REVISION = re.compile(r"000[1-9]|00[1-9]\d")
"""What migrations are called; a test holds it to the folder."""
_NOT_OURS = "it is damaged, or belongs to something else; restore a copy or name another store"
BUSY_TIMEOUT_MS = 30_000
BUSY_POLL_S = 0.01
LOOKUP_BATCH = 500
SAID_CHARS = 200
"""Of what a database said, in a message."""
UNITS: sa.BindParameter[Any] = sa.bindparam("units", expanding=True)
"""In a condition: the keys that are given when the query is sent. Conditions refer to themselves, so keys that stood in them would
stay in memory until garbage is looked for, 20 MB in a run over 100,000 answers."""

Stored = TypeVar("Stored")
"""A value, or a dataclass of what is read of one by the hundred thousand."""


class Database:
    """One open database. Every method raises StoreError when it cannot be used."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, where: str | Path) -> Self:
        """Open, and create or migrate, the store at a path or a database URL."""
        if has_password_setting(str(where)):
            raise StoreError("the store was named by settings with a password; name a path or a URL with --store")
        engine = _engine(str(where)) if "://" in str(where) else sa.create_engine(_sqlite_url(Path(where)))
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _configure_sqlite)
        store = cls(engine)
        store._migrate()
        return store

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @property
    def where(self) -> str:
        """What ``open`` takes to open the same store elsewhere. A password may be in it: it is for processes of ours only."""
        url = self._engine.url
        if url.get_backend_name() == "sqlite" and url.database:
            return url.database
        return url.render_as_string(hide_password=False)

    # --- underneath ---

    def _rows(self, query: sa.Select[Any], **values: Sequence[str]) -> list[sa.Row[Any]]:
        with self._mapped(), self._engine.connect() as db:
            return list(db.execute(query, values).all())  # fetched together: one by one takes twice the time

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._mapped(), self._engine.begin() as db:
            yield db

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise StoreError(f"{self._place()}: {_explain(error, self._hidden())}") from error

    def _parsed(self, kind: type[Stored], document: str) -> Stored:
        try:
            return cast(Stored, _reader(cast(Hashable, kind)).validate_json(document))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise StoreError(
                f"{self._place()}: a stored {kind.__name__} cannot be read ({where}: {first['msg']}); "
                "it was changed by hand or written by another version"
            ) from error

    def _insert_once(self, db: sa.Connection, table: sa.Table, **row: Any) -> None:
        self._insert_all_once(db, table, [row])

    def _insert_all_once(self, db: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        db.execute(self._insert(table).on_conflict_do_nothing(), rows)

    def _insert(self, table: sa.Table) -> Any:
        """Return an insert that can say what becomes of a row that is there."""
        if self._engine.dialect.name == "postgresql":
            # Imported here because it costs every start with the default store a twentieth of a second.
            from sqlalchemy.dialects.postgresql import insert
        else:
            from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
        return insert(table)

    # --- changes ---

    def _changed(self, db: sa.Connection, scope: str) -> None:
        """Count a change of an arm or a judge, by its fingerprint, in the transaction that makes it."""
        # The condition tells SQLite where the selection ends.
        self._count_changes(db, sa.select(sa.literal(scope), sa.literal(1)).where(sa.true()))

    def _changed_answers(self, db: sa.Connection, keys: Iterable[str]) -> None:
        """Count a change of the arms of these answers; of answers that are not stored nothing is shown anywhere."""
        for batch in batches(dict.fromkeys(keys)):
            arms = sa.select(ANSWERS.c.arm, sa.literal(1)).where(ANSWERS.c.unit.in_(batch)).distinct()
            # In order, so that two writers do not wait for each other.
            self._count_changes(db, arms.order_by(ANSWERS.c.arm))

    def _count_changes(self, db: sa.Connection, scopes: sa.Select[*tuple[Any, ...]]) -> None:
        insert = self._insert(CHANGES).from_select(["scope", "number"], scopes)
        more = {"number": CHANGES.c.number + 1}
        db.execute(insert.on_conflict_do_update(index_elements=["scope"], set_=more))

    def changes(self, scopes: Iterable[str]) -> dict[str, int]:
        """Return fingerprint of an arm or a judge -> how often something of it was written; left out: never since this is counted."""
        query = sa.select(CHANGES.c.scope, CHANGES.c.number)
        rows = (row for batch in batches(scopes) for row in self._rows(query.where(CHANGES.c.scope.in_(batch))))
        return {row.scope: row.number for row in rows}

    def _place(self) -> str:
        return str(self._file() or without_password(self._engine.url.render_as_string(hide_password=False)))

    def _hidden(self) -> Blackout:
        return Blackout(passwords(self._engine.url.render_as_string(hide_password=False)))

    def _file(self) -> Path | None:
        """Return where an SQLite store is; ``None`` for another database, and for one in memory."""
        url = self._engine.url
        is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
        return Path(str(url.database)) if is_file else None

    def _migrate(self) -> None:
        with self._mapped():
            found = self._revision()
            if found == HEAD:
                return
            if found is not None and found > HEAD:
                raise StoreError(
                    f"{self._place()}: written by a newer version (revision {found}, this one knows {HEAD}); update coder-judge"
                )
            if found is not None and not REVISION.fullmatch(found):
                raise StoreError(
                    f"{self._place()}: no version of coder-judge is {found!r}, which it says wrote it; {_NOT_OURS}"
                )
            _upgrade(self._engine)

    def _revision(self) -> str | None:
        """Return which version wrote the store: empty when it lost that, ``None`` for one that is new."""
        with self._engine.connect() as db:
            if not sa.inspect(db).has_table("alembic_version"):
                return None
            return str(db.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() or "")


@functools.cache
def _reader(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, kind))


def utc_now() -> str:
    """Return the time as it is stored: UTC, ISO 8601, microseconds."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")


def _upgrade(engine: sa.Engine) -> None:
    # Imported here because only a new or old store needs it, and it costs every other command a tenth of a second.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":  # two programs that open a new store at once: the second finds it made
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _engine(url: str) -> sa.Engine:
    shown = f"{url.partition('://')[0]}://..."  # never the rest: a password may be in it
    try:
        engine = sa.create_engine(url)
        if not is_host(engine.url.host or ""):
            raise StoreError(
                f"{shown}: the name of the host is none; write @ as %40 in a user or password, and / as %2F"
            )
        return engine
    except ImportError as error:
        raise StoreError(
            f"{shown}: needs the Python package {error.name}, which is not installed; install it"
        ) from error
    except (ArgumentError, ValueError) as error:
        raise StoreError(
            f"{shown}: not a kind of store that is known; name a path, or a URL that begins with sqlite:/// or postgresql+psycopg://"
        ) from error


def _sqlite_url(path: Path) -> sa.URL:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{path.parent}: cannot be created ({error.strerror}); name a folder that can be written"
        ) from error
    return sa.URL.create("sqlite", database=str(path))


def _configure_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    _switch_to_wal(cursor)
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")  # SQLite leaves them unchecked unless each connection asks
    cursor.close()


def _switch_to_wal(cursor: sqlite3.Cursor) -> None:
    """Switch as soon as nobody else is switching: for this one thing SQLite does not wait by itself."""
    deadline_s = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                raise
            time.sleep(BUSY_POLL_S)
        else:
            return


def _explain(error: SQLAlchemyError, hidden: Blackout) -> str:
    """Return what the database said on one line, and what to do where that is known."""
    text = " ".join(hidden.pieces(str(getattr(error, "orig", None) or error)).split())
    advice = {
        "readonly": "make the file and its folder writable",
        "disk is full": "free some space; everything stored so far is safe",
        "disk I/O": "check the disk, and whether it is full; everything stored so far is safe",
        "locked": "another program holds the store; wait for it or name another store",
        "unable to open": "check the path and its permissions",
        "not a database": "the file is damaged or something else; move it away or restore a copy",
        "malformed": "the file is damaged; restore a copy, or salvage it with sqlite3's .recover",
        "already exists": _NOT_OURS,
        "no such table": _NOT_OURS,
        "no such column": _NOT_OURS,
    }
    hint = next((what for mark, what in advice.items() if mark in text), None)
    kind = "" if isinstance(error, (OperationalError, DatabaseError)) else f"{type(error).__name__}: "
    return f"{kind}{text[:SAID_CHARS]}" + (f"; {hint}" if hint else "")


@functools.cache
def of_units(table: sa.Table) -> sa.ColumnElement[bool]:
    """Return the condition that a row belongs to one of UNITS."""
    return table.c.unit.in_(UNITS)


def batches(keys: Iterable[str]) -> Iterator[list[str]]:
    """Split ``keys``, which may be endless, into lists short enough for one query."""
    batch: list[str] = []
    for key in keys:
        batch.append(key)
        if len(batch) == LOOKUP_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
