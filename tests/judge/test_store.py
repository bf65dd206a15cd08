"""The store: once only, in one transaction, readable again word for word, and plain about what is wrong."""

import dataclasses
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from examples import answer, arm, call, judgement, question, run_record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import judge.store
from judge.errors import StoreError
from judge.records import Launch
from judge.store import HEAD, Store
from judge.store.database import LOOKUP_BATCH
from judge.store.tables import METADATA
from judge.types import JudgeFailure, Verdict
from judge.units import AnswerUnit, answer_unit, judgement_key
from runner.types import Answer, AnswerState, Sampling, ServerTiming, Stamps, Usage

ARM = arm("moe4")
QUESTION = question()
FORKS = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
"""No thread of ours is alive at a fork, but numpy keeps some that newer Pythons warn of."""
NOBODY = 65534
"""An ordinary user: root may write everywhere."""


def unit(sample: int = 0) -> AnswerUnit:
    return answer_unit(ARM, QUESTION, Sampling(), sample)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results" / "judge.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store.open(path)
    yield opened
    opened.close()


def refusal(where: str | Path) -> str:
    with pytest.raises(StoreError) as caught:
        Store.open(where).close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- answers ------------------------------------------------------------------------------------------------------------


def test_an_answer_is_read_as_it_was_written(store: Store) -> None:
    written = answer("def f(): ...\n# ü 🦙 \x00 '; DROP TABLE answers; --")
    store.add_answer("run-1", unit(), written)
    assert list(store.answers([unit().key])) == [(unit().key, written)]


def test_a_settled_answer_is_stored_once_and_the_first_one_stays(store: Store) -> None:
    store.add_answer("run-1", unit(), answer("first"))
    store.add_answer("run-2", unit(), answer("second"))
    assert [a.text for _, a in store.answers([unit().key])] == ["first"]


@pytest.mark.parametrize("state", AnswerState)
def test_only_a_settled_answer_is_no_longer_owed(store: Store, state: AnswerState) -> None:
    attempt = answer("", state=state)
    store.add_answer("run-1", unit(), attempt)
    assert (unit().key in store.stored_answers([unit().key])) == attempt.settled
    assert [a for _, a in store.answer_failures([unit().key])] == ([] if attempt.settled else [attempt])


def test_every_failed_attempt_is_listed_and_an_answer_may_still_come(store: Store) -> None:
    for message in ("first", "second"):
        store.add_answer("run-1", unit(), answer("", state=AnswerState.ERROR, message=message))
    store.add_answer("run-1", unit(), answer("there"))
    assert [a.message for _, a in store.answer_failures([unit().key])] == ["first", "second"]
    assert store.stored_answers([unit().key]) == {unit().key}


def test_answers_come_in_the_order_in_which_they_are_asked_for(store: Store) -> None:
    count = LOOKUP_BATCH + 20
    keys = [unit(g).key for g in range(count)]
    for g in range(0, count, 40):
        store.add_answer("run-1", unit(g), answer(str(g)))
    found = [a.text for _, a in store.answers(reversed(keys))]
    assert found == [str(g) for g in range(count - 1, -1, -1) if g % 40 == 0]
    assert store.stored_answers(keys) == {keys[g] for g in range(0, count, 40)}


def test_nothing_is_found_of_nothing(store: Store) -> None:
    assert store.stored_answers([]) == set()
    assert list(store.answers(["no such key"])) == []


def test_what_is_stored_is_there_after_closing_and_opening_again(path: Path) -> None:
    first = Store.open(path)
    first.add_answer("run-1", unit(), answer("kept"))
    first.close()
    again = Store.open(path)
    assert [a.text for _, a in again.answers([unit().key])] == ["kept"]
    again.close()


@FORKS
def test_what_was_written_is_there_when_the_process_is_killed(path: Path) -> None:
    child = os.fork()
    if child == 0:  # the child never returns into the test run
        Store.open(path).add_answer("run-1", unit(), answer("kept"))
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    opened = Store.open(path)
    assert [a.text for _, a in opened.answers([unit().key])] == ["kept"]
    opened.close()


SECONDS = st.floats(0, 1e9)
STAMPS = st.builds(
    Stamps, sent_s=SECONDS, first_token_s=st.none() | SECONDS, last_token_s=st.none() | SECONDS, ended_s=SECONDS
)
TIMINGS = st.builds(
    ServerTiming,
    prompt_ms=SECONDS,
    prompt_tokens=st.integers(0),
    reused_tokens=st.integers(0),
    eval_ms=SECONDS,
    eval_steps=st.integers(0),
)
ANSWERS = st.builds(
    Answer,
    prompt_id=st.text(),
    sample=st.integers(0, 99),
    sampling=st.builds(Sampling, temperature=st.floats(0, 2), seed=st.integers(0, 2**31)),
    state=st.sampled_from(sorted(AnswerState)),
    text=st.text(),
    reasoning=st.text(),
    finish_reason=st.none() | st.text(),
    message=st.none() | st.text(),
    stamps=st.none() | STAMPS,
    usage=st.builds(Usage, completion_tokens=st.none() | st.integers(0), source=st.none() | st.just("usage")),
    server_timing=st.none() | TIMINGS,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANSWERS)
def test_any_answer_survives_the_store(store: Store, written: Answer) -> None:
    key = answer_unit(ARM, question(prompt=written.model_dump_json()), Sampling(), 0)
    store.add_answer("run-1", key, written)
    found = [a for _, a in store.answers([key.key])] or [a for _, a in store.answer_failures([key.key])]
    assert found[-1] == written
    for _, numbers in store.answer_numbers([key.key]):
        kept = {field.name: getattr(numbers, field.name) for field in dataclasses.fields(numbers)}
        assert kept == {name: value for name, value in written if name in kept}
        assert numbers.scorable == written.scorable


VERDICTS = st.builds(
    Verdict, criterion=st.text(), score=st.sampled_from([None, 1, 2, 3, 4, 5]), evidence=st.text(), reasoning=st.text()
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(VERDICTS).map(tuple), st.lists(st.text()).map(tuple), st.text())
def test_any_judgement_survives_the_store(
    store: Store, verdicts: tuple[Verdict, ...], replies: tuple[str, ...], key: str
) -> None:
    written = judgement(verdicts=verdicts, replies=replies, of=f"{key}{hash((verdicts, replies))}")
    store.add_judgement("run-1", written)
    assert store.judgements_of(written.answer_unit) == [written]
    unit = judgement_key(written.answer_unit, written.call)
    [(found, numbers)] = store.gradings([unit, "other"])
    assert found == unit
    assert [(v.criterion, v.score) for v in numbers.verdicts] == [(v.criterion, v.score) for v in verdicts]
    assert (numbers.prompt_tokens, numbers.reused_tokens) == (written.prompt_tokens, written.reused_tokens)


# --- judgements ---------------------------------------------------------------------------------------------------------


def test_a_judgement_is_stored_once_and_found_by_unit_and_by_answer(store: Store) -> None:
    store.add_judgement("run-1", judgement(5, 4))
    store.add_judgement("run-2", judgement(1, 1))
    key = judgement_key("answer", call())
    assert store.stored_judgements([key, "other"]) == {key}
    assert list(store.judgements([key])) == [(key, judgement(5, 4))]
    assert store.judgements_of("answer") == [judgement(5, 4)]


def test_judging_again_with_another_rubric_adds_and_replaces_nothing(store: Store) -> None:
    again = judgement(2, 2, call=call(rubric_hash="new"))
    store.add_judgement("run-1", judgement(5, 4))
    store.add_judgement("run-2", again)
    assert store.judgements_of("answer") == [judgement(5, 4), again]


def test_a_scoring_that_failed_is_listed_and_still_owed(store: Store) -> None:
    failure = JudgeFailure(answer_unit="answer", call=call(), kind="bad_verdict", message="no JSON", replies=("4/5",))
    for _ in range(2):
        store.add_judge_failure("run-1", failure)
    key = judgement_key("answer", call())
    assert store.stored_judgements([key]) == set()
    assert store.judge_failures([key]) == [failure, failure]


# --- runs ---------------------------------------------------------------------------------------------------------------


def test_a_run_is_read_as_it_was_written_with_how_it_ended(store: Store) -> None:
    store.add_run(run_record())
    assert store.run("run-1") == (run_record(), "running")
    store.set_run_state("run-1", "complete")
    assert store.run("run-1") == (run_record(), "complete")


HOLDS_THE_RUN = """
import sys
from judge.store import Store
with Store.open(sys.argv[1]).at_work("run-1"):
    print("at work", flush=True)
    sys.stdin.read()
"""


def test_a_run_is_interrupted_when_its_process_is_gone_however_it_went(store: Store, path: Path) -> None:
    store.add_run(run_record())
    code = [sys.executable, "-c", HOLDS_THE_RUN, str(path)]
    with subprocess.Popen(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"at work\n"
        assert [store.run("run-1")[1] for _ in range(2)] == ["running", "running"], "looking takes nothing away"
        process.kill()
        process.wait()
    assert store.run("run-1")[1] == "interrupted"
    with store.at_work("run-1"):
        assert store.run("run-1")[1] == "running", "it is taken up again"
    assert store.run("run-1")[1] == "running", "nobody was killed: how it ended is what the store says"
    store.set_run_state("run-1", "failed")
    assert store.run("run-1")[1] == "failed"


def test_a_run_that_says_how_it_ended_is_not_called_interrupted(store: Store) -> None:
    store.add_run(run_record())
    with pytest.raises(KeyboardInterrupt), store.at_work("run-1"):
        store.set_run_state("run-1", "incomplete")
        raise KeyboardInterrupt
    assert store.run("run-1")[1] == "incomplete"


def test_the_latest_run_is_the_newest_one_whatever_it_is_called(store: Store) -> None:
    store.add_run(run_record(id="b", created_at="2026-01-02T00:00:00.000000+00:00"))
    store.add_run(run_record(id="a", created_at="2026-01-03T00:00:00.000000+00:00"))
    store.add_run(run_record(id="c", created_at="2026-01-01T00:00:00.000000+00:00"))
    assert store.run("latest")[0].id == "a"
    assert store.run_ids() == ["a", "b", "c"]


def test_a_run_that_is_not_there_is_said_with_those_that_are(store: Store) -> None:
    with pytest.raises(StoreError, match="no run 'x' in the store; known: none"):
        store.run("x")
    store.add_run(run_record())
    with pytest.raises(StoreError, match="no run 'x' in the store; known: run-1"):
        store.run("x")


def test_a_run_id_is_never_used_twice(store: Store) -> None:
    store.add_run(run_record())
    with pytest.raises(StoreError):
        store.add_run(run_record())


def test_launches_of_an_arm_are_listed_oldest_first(store: Store) -> None:
    launch = Launch(
        arm_id="coder/moe4",
        command=("python",),
        log="l",
        overrides={"k": 4},
        experts_used=4,
        n_ctx=8192,
        proof_lines=("p",),
    )
    later = launch.model_copy(update={"log": "l2"})
    store.add_launch("run-1", ARM, launch)
    store.add_launch("run-2", ARM, later)
    assert store.launches(ARM) == [launch, later]
    assert store.launches(arm("moe6")) == []


# --- the file -----------------------------------------------------------------------------------------------------------


def test_the_newest_migration_is_the_one_that_the_store_expects() -> None:
    folder = Path(judge.store.__file__).parent.parent / "migrations" / "versions"
    assert max(file.name.partition("_")[0] for file in folder.glob("[0-9]*.py")) == HEAD


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
