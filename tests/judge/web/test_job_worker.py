"""The worker: which job is begun, which is not begun again, and that no two run at once."""

import subprocess
import sys
from pathlib import Path

from asking_for_jobs import job, store
from examples import judge_record, run_record
from job_service import places

from judge.jobs.locks import Lock
from judge.jobs.worker import MOST_RESUMES, Worker
from judge.places import Places
from judge.store import Store

__all__ = ["store"]


def states(store: Store) -> dict[str, str]:
    return {one.id: one.state for one in store.jobs()}


def test_what_was_begun_is_due_before_what_waits(store: Store) -> None:
    for n, state in enumerate(["queued", "done", "interrupted", "queued"]):
        store.add_job(job(str(n), state=state, created_at=f"2026-01-0{n + 1}"), most_waiting=9)
    order = []
    while due := store.due_job():
        order.append(due.id)
        store.end_job(due.id, "done")
    assert order == ["2", "0", "3"]


def test_a_job_that_was_being_cancelled_or_stops_every_service_is_not_begun_again(store: Store, tmp_path: Path) -> None:
    store.add_job(job("stopped", state="cancelling"), most_waiting=9)
    store.add_job(job("ruinous", state="running", resumes=MOST_RESUMES), most_waiting=9)
    worker = Worker(places(tmp_path), store)
    assert worker._turn() and worker._turn() and not worker._turn()
    assert states(store) == {"stopped": "cancelled", "ruinous": "failed"}


def test_a_job_finds_the_store_of_its_worker_without_its_address_in_the_list_of_processes(tmp_path: Path) -> None:
    elsewhere = Places(results=tmp_path / "results", store=str(tmp_path / "elsewhere" / "judge.db"))
    kept = elsewhere.open_store()
    kept.add_job(job(kind="score", options={"run_id": "none"}), most_waiting=9)
    worker = Worker(elsewhere, kept)
    assert "elsewhere" not in str(worker._arguments(kept.job("job-1")))
    assert worker._turn()
    told = kept.job("job-1")
    assert (told.state, told.exit_code) == ("failed", 1), "its own process says so in this store: there is no such run"
    kept.close()


def test_a_second_worker_and_one_beside_a_job_by_hand_begin_nothing(store: Store, tmp_path: Path) -> None:
    store.add_job(job(), most_waiting=9)
    first, second = Worker(places(tmp_path), store), Worker(places(tmp_path), store)
    by_hand = Lock(store.lock_file("job", tmp_path))
    assert by_hand.take("hand")
    assert not first._turn() and not second._turn()
    assert states(store) == {"job-1": "queued"}
    by_hand.release()
    assert not second._turn(), "the first one holds the lock"


def test_a_process_of_a_dead_service_that_does_not_end_by_itself_is_ended_before_anything_begins(
    store: Store, tmp_path: Path
) -> None:
    """The lock goes with the process, so that no job runs twice at once."""
    path = store.lock_file("job", tmp_path)
    program = (
        "import time\nfrom pathlib import Path\nfrom judge.jobs.locks import Lock\n"
        f"assert Lock(Path({str(path)!r})).take('worker')\nprint('held', flush=True)\ntime.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as orphan:
        assert orphan.stdout is not None and orphan.stdout.readline() == b"held\n"
        assert not Lock(path).is_free()
        assert Worker(places(tmp_path), store, grace_s=0.1, poll_s=0.02)._others_ended()
        assert orphan.wait(10) == -9


def test_the_newest_job_of_a_run_is_known_by_the_run(store: Store) -> None:
    store.add_run(run_record(judges=(judge_record(),)))
    store.add_job(job("old", run_id="run-1"), most_waiting=9)
    store.add_job(job("new", run_id="run-1", created_at="2026-02-01"), most_waiting=9)
    found = store.job_of_run("run-1")
    assert found is not None and found.id == "new"
    assert store.job_of_run("run-2") is None
