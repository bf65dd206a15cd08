"""The file of a store: who may write to it, and in plain words what is wrong with it."""

import os
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from examples import answer, call, judgement, run_record
from new_store import FORKS, path, store, unit

import judge.store
from judge.errors import StoreError
from judge.store import HEAD, Store
from judge.store.database import REVISION
from judge.store.tables import METADATA
from judge.units import judgement_key

__all__ = ["path", "store"]

NOBODY = 65534
"""An ordinary user: root may write everywhere."""


def refusal(where: str | Path) -> str:
    with pytest.raises(StoreError) as caught:
        Store.open(where).close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_newest_migration_is_the_one_that_the_store_expects() -> None:
    folder = Path(judge.store.__file__).parent.parent / "migrations" / "versions"
    revisions = [file.name.partition("_")[0] for file in folder.glob("[0-9]*.py")]
    assert max(revisions) == HEAD
    assert all(REVISION.fullmatch(revision) for revision in revisions)


def test_every_table_of_the_migrations_is_known_to_the_store_column_by_column(store: Store, path: Path) -> None:
    with sqlite3.connect(path) as db:
        made = {
            table: {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
    db.close()
    known = {table.name: set(table.columns.keys()) for table in METADATA.tables.values()}
    assert {name: columns for name, columns in made.items() if name != "alembic_version"} == known


def test_a_power_cut_cannot_ruin_the_file(store: Store, path: Path) -> None:
    store.add_run(run_record())
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def test_two_programs_may_write_to_one_store(path: Path) -> None:
    one, other = Store.open(path), Store.open(path)
    for g in range(5):
        one.add_answer("run-1", unit(2 * g), answer(str(g)))
        other.add_answer("run-2", unit(2 * g + 1), answer(str(g)))
        other.add_answer("run-2", unit(2 * g), answer("too late"))
    keys = [unit(g).key for g in range(10)]
    assert one.stored_answers(keys) == other.stored_answers(keys) == set(keys)
    assert "too late" not in {a.text for _, a in one.answers(keys)}
    one.close()
    other.close()


def test_many_programs_may_open_a_new_store_at_once(path: Path) -> None:
    start, problems = threading.Barrier(6), list[BaseException]()

    def open_and_write(sample: int) -> None:
        start.wait()
        try:
            opened = Store.open(path)
            opened.add_answer("run-1", unit(sample), answer())
            opened.close()
        except StoreError as error:
            problems.append(error)

    threads = [threading.Thread(target=open_and_write, args=(g,)) for g in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    opened = Store.open(path)
    assert len(opened.stored_answers(unit(g).key for g in range(6))) == 6
    opened.close()


def test_a_store_of_a_newer_version_is_refused_and_left_alone(store: Store, path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    db.close()
    assert (
        refusal(path)
        == f"{path}: written by a newer version (revision 9999, this one knows {HEAD}); update coder-judge"
    )


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ("DELETE FROM alembic_version", "no version of coder-judge is '', which it says wrote it"),
        ("UPDATE alembic_version SET version_num = ''", "no version of coder-judge is '', which it says wrote it"),
        (
            "UPDATE alembic_version SET version_num = '0000'",
            "no version of coder-judge is '0000', which it says wrote it",
        ),
        ("DROP TABLE alembic_version", "table runs already exists"),
        ("UPDATE alembic_version SET version_num = '0007'", "table comparisons already exists"),
    ],
    ids=["no version", "empty version", "no such version", "not versioned", "not what its version has"],
)
def test_a_store_that_is_not_what_its_version_says_is_refused_and_left_alone(
    store: Store, path: Path, damage: str, why: str
) -> None:
    store.add_run(run_record())
    store.close()
    with sqlite3.connect(path) as db:
        db.execute(damage)
    db.close()
    before = dump(path)
    assert (
        refusal(path)
        == f"{path}: {why}; it is damaged, or belongs to something else; restore a copy or name another store"
    )
    assert dump(path) == before


def test_a_table_that_is_gone_is_told_as_damage(store: Store, path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE judgements")
    db.close()
    with pytest.raises(StoreError, match="no such table: judgements; it is damaged, or belongs to something else;"):
        store.stored_judgements(["unit"])


def dump(path: Path) -> list[str]:
    """Return everything that is in a database."""
    with sqlite3.connect(path) as db:
        lines = list(db.iterdump())
    db.close()
    return lines


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "judge.db"
    path.write_bytes(b"this is a letter, not a database\n" * 200)
    assert refusal(path) == (
        f"{path}: file is not a database; the file is damaged or something else; move it away or restore a copy"
    )
    assert path.read_bytes().startswith(b"this is a letter")


def test_a_damaged_database_is_reported_with_what_to_do(path: Path) -> None:
    whole = Store.open(path)
    for g in range(60):
        whole.add_answer("run-1", unit(g), answer("x" * 2_000))
    whole.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) // 2 - 4096) + content[len(content) // 2 :])
    with pytest.raises(StoreError, match="malformed; the file is damaged; restore a copy") as caught:
        damaged = Store.open(path)
        try:
            list(damaged.answers(unit(g).key for g in range(60)))
        finally:
            damaged.close()
    assert "\n" not in str(caught.value)


def test_a_row_that_this_program_cannot_read_is_said_by_its_key(store: Store, path: Path) -> None:
    store.add_answer("run-1", unit(), answer())
    with sqlite3.connect(path) as db:
        db.execute("UPDATE answers SET doc = '{\"text\": 3}'")
    db.close()
    with pytest.raises(StoreError, match=f"{path}: a stored Answer cannot be read") as caught:
        list(store.answers([unit().key]))
    assert "\n" not in str(caught.value)


def test_a_judgement_whose_numbers_cannot_be_read_is_said_in_one_line(store: Store, path: Path) -> None:
    store.add_judgement("run-1", judgement(5, 4))
    with sqlite3.connect(path) as db:
        db.execute("UPDATE judgements SET doc = replace(doc, '\"score\":4', '\"score\":6')")
    db.close()
    with pytest.raises(StoreError, match=f"{path}: a stored Grading cannot be read .verdicts.1.score: ") as caught:
        list(store.gradings([judgement_key("answer", call())]))
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert refusal(tmp_path / "file" / "judge.db").startswith(f"{tmp_path / 'file'}: cannot be created (")


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path}: unable to open database file; check the path and its permissions"


@pytest.mark.parametrize("name", ["a?b.db", "a%20b.db", "a#b.db", "a b.db", "ü.db"])
def test_a_path_is_a_path_and_never_read_as_a_url(tmp_path: Path, name: str) -> None:
    Store.open(tmp_path / name).close()
    assert (tmp_path / name).is_file()


@pytest.mark.parametrize(
    "url", ["nosuch://host/db", "postgresql+nosuch://host/db", "sqlite+nosuch:///x", "://", "what://"]
)
def test_a_url_of_an_unknown_kind_is_refused_with_what_is_known(url: str) -> None:
    assert "name a path, or a URL that begins with sqlite:/// or postgresql+psycopg://" in refusal(url)


def test_a_driver_that_is_not_installed_is_named() -> None:
    assert (
        refusal("mysql://me@host/db")
        == "mysql://...: needs the Python package MySQLdb, which is not installed; install it"
    )


def test_the_password_of_a_database_is_never_shown() -> None:
    assert "s3cret" not in refusal("postgresql+nosuch://me:s3cret@host/db")


@FORKS
@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="needs root, to become an ordinary user")
@pytest.mark.parametrize("there_already", [True, False], ids=["old", "new"])
def test_a_folder_that_cannot_be_written_is_said_to_an_ordinary_user(there_already: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "judge.db"
        if there_already:
            Store.open(path).close()
            path.chmod(0o444)
        path.parent.chmod(0o555)
        said = _as_nobody(lambda: refusal_of_a_write(path))
    assert said.startswith(f"{path}: ")
    assert said.endswith(("; make the file and its folder writable", "; check the path and its permissions"))


def refusal_of_a_write(path: Path) -> str:
    try:
        Store.open(path).add_answer("run-1", unit(), answer())
    except StoreError as error:
        return str(error)
    return "it was written"


def _as_nobody(work: Callable[[], str]) -> str:
    """Return what ``work`` returns in a process of an ordinary user."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # the child never returns into the test run
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            os.write(writing, work().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said
