"""Runs in the store: how they ended, which is the newest, and what was started for them."""

import subprocess
import sys
from pathlib import Path

import pytest
from examples import arm, run_record
from new_store import ARM, path, store

from judge.errors import StoreError
from judge.records import Launch
from judge.store import Store

__all__ = ["path", "store"]


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
