"""Jobs over HTTP as a program has them: carried out to the end, followed, stopped, and neither lost nor repeated by ``kill -9``."""

import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fakes import FakeServer, serving
from job_service import KEY, Judge, Running, environment, imported, judged, places, served, wait_until
from processes import gone, is_running
from steady_place import QUESTIONS, steady_servers, stored

from judge.jobs.carrying import job_lock
from judge.store import Store
from runner.moe import DemoModels

pytestmark = pytest.mark.slow

ANSWERS = 8


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge that one service asks in several tests."""
    return Judge()


@pytest.fixture(scope="module")
def endpoint(judge: Judge) -> Iterator[FakeServer]:
    """Where that judge is reached."""
    with serving(judge) as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working folder of that service."""
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def service(folder: Path, endpoint: FakeServer) -> Iterator[Running]:
    """A service that has a key in its environment and may reach that judge. Each test imports answers of its own."""
    with served(folder, endpoint.base_url, env=environment(JUDGE_API_KEY=KEY)) as running:
        yield running


def files_with(text: str, folder: Path) -> list[str]:
    return [str(file) for file in folder.rglob("*") if file.is_file() and text.encode() in file.read_bytes()]


def test_a_scoring_is_carried_out_and_can_be_followed_from_any_event_on(
    service: Running, judge: Judge, endpoint: FakeServer, folder: Path
) -> None:
    source = imported(folder, ANSWERS).id
    job_id = service.score(endpoint.base_url)
    events = list(service.events(job_id))
    assert [kind for _, kind, _ in events if kind != "progress"][-1] == "end" and events[-1][1] == "end"
    progress = [(number, data["progress"]) for number, kind, data in events if kind == "progress"]
    assert progress[-1][1]["done"] == progress[-1][1]["owed"] == ANSWERS
    assert {one["phase"] for _, one in progress} == {None, "score"}
    job = service.job(job_id)
    assert (job.state, job.exit_code, job.error, job.resumes) == ("done", 0, None, 0)
    assert events[-1][2] == json.loads(job.model_dump_json())
    assert job.run_id is not None and job.run_id != source and job.progress is not None
    assert service.get(f"/runs/{job.run_id}")["owed_scorings"] == 0
    assert judged(folder) == set(judge.asked) and set(judge.asked.values()) == {1}
    # Whoever comes back with the last id is told the rest, and nothing twice.
    ids = [number for number, _ in progress]
    assert ids == sorted(set(ids))
    for seen in (0, 1, len(ids)):
        rest = list(service.events(job_id, last=ids[seen - 1] if seen else 0))
        assert [number for number, kind, _ in rest if kind == "progress"] == ids[seen:]
        assert rest[-1] == events[-1]
    # The key in the environment of the service was sent to the judge, which quoted it, and is written and shown nowhere.
    assert all(KEY in request.headers["authorization"] for request in endpoint.asked())
    assert files_with("Bearer [key]", folder)
    assert files_with(KEY, folder) == [] and KEY not in f"{events}{job!r}"


def test_a_job_that_is_cancelled_stops_cleanly_and_one_that_waits_never_begins(
    service: Running, judge: Judge, endpoint: FakeServer, folder: Path
) -> None:
    imported(folder, 2, "cancelled")
    before = judge.asked.total()
    judge.hangs.set()
    try:
        running, waiting = service.score(endpoint.base_url), service.score(endpoint.base_url)
        wait_until(lambda: judge.asked.total() > before)
        assert service.job(waiting).state == "queued"
        assert service.post(f"/jobs/{waiting}/cancel")["state"] == "cancelled"
        assert service.post(f"/jobs/{running}/cancel")["state"] == "cancelling"
        stopped = service.ended(running)
    finally:
        judge.hangs.clear()
    assert (stopped.state, stopped.exit_code) == ("cancelled", 130)
    assert service.get(f"/runs/{stopped.run_id}")["state"] == "incomplete"
    assert service.job(waiting).started_at is None
    assert service.refusal(f"/jobs/{running}/cancel") == 409


def test_a_process_that_is_killed_fails_its_job(
    service: Running, judge: Judge, endpoint: FakeServer, folder: Path
) -> None:
    imported(folder, 2, "killed")
    judge.hangs.set()
    try:
        killed = service.score(endpoint.base_url)
        wait_until(lambda: service.job(killed).progress is not None)
        os.kill(holder(folder), signal.SIGKILL)
        ended = service.ended(killed)
    finally:
        judge.hangs.clear()
    assert (ended.state, ended.exit_code) == ("failed", None)
    assert ended.error == "its process was ended by signal 9; the log of the job says why"


def holder(folder: Path) -> int:
    """Return the process that carries out a job of the store in ``folder``."""
    store = Store.open(folder / "results" / "judge.db")
    found = job_lock(places(folder), store).holder()
    store.close()
    assert found is not None
    return found[0]


def test_a_judge_that_refuses_the_key_fails_the_job_with_one_line_that_does_not_have_it(
    service: Running, judge: Judge, endpoint: FakeServer, folder: Path
) -> None:
    imported(folder, 1, "refused")
    judge.refuses.set()
    try:
        job = service.ended(service.score(endpoint.base_url))
    finally:
        judge.refuses.clear()
    assert (job.state, job.exit_code) == ("failed", 1)
    assert job.error is not None and "no such key: Bearer [key]" in job.error and "\n" not in job.error


def test_kill_9_of_the_service_in_mid_job_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    """Two services share the store, and one works. It is killed, and the other goes on; that is told to end, and a third does."""
    answers = 20
    source = imported(tmp_path, answers)
    judge = Judge(latency_s=0.15)
    with serving(judge) as endpoint:
        with served(tmp_path, endpoint.base_url) as first, served(tmp_path, endpoint.base_url) as second:
            job_id = second.score(endpoint.base_url)
            wait_until(lambda: len(judged(tmp_path)) >= 2)
            child = holder(tmp_path)
            first.kill()
            stored = len(judged(tmp_path))
            wait_until(lambda: len(judged(tmp_path)) >= stored + 2)
            assert not is_running(child) and second.job(job_id).resumes == 1
            second.process.send_signal(signal.SIGINT)
            assert second.process.wait(60) == 130
        assert state_of(tmp_path, job_id) == "interrupted"
        with served(tmp_path, endpoint.base_url) as third:
            ended = third.ended(job_id)
            runs = [run["id"] for run in third.get("/runs")]
            progress = [number for number, kind, _ in third.events(job_id) if kind == "progress"]
    assert (ended.state, ended.resumes, ended.exit_code) == ("done", 2, 0)
    assert runs == [ended.run_id, source.id], "the run that was begun goes on"
    assert len(judged(tmp_path)) == answers
    assert judge.asked.total() <= answers + 2, "one request was in flight each time"
    assert progress == sorted(set(progress))


def test_a_run_is_started_over_http_serves_its_candidate_and_leaves_the_files_of_a_run(
    tmp_path: Path, demo: DemoModels
) -> None:
    """The server in the place of llama-cpp-python's is a program that is started, proven from its log, and stopped."""
    env = environment(JUDGE_DEMO_DIR=str(demo.moe.parent), **steady_servers(tmp_path))
    wish = {
        "candidates": ["demo_moe"],
        "configs": ["baseline"],
        "questions": list(QUESTIONS),
        "samples": 1,
        "judges": [],
    }
    with served(tmp_path, env=env) as service:
        job = service.ended(service.post("/runs", {**wish, "execute": False})["id"])
        told = [data["progress"] for _, kind, data in service.events(job.id) if kind == "progress"]
        run = service.get(f"/runs/{job.run_id}")
    assert (job.state, job.exit_code, job.error) == ("done", 0, None)
    assert [one["kind"] for one in told if one["kind"] in ("loading", "loaded")] == ["loading", "loaded"]
    assert (told[-1]["phase"], told[-1]["done"], told[-1]["owed"]) == ("collect", 3, 3)
    assert run["state"] == "complete" and run["command"] == ["judge", "job", job.id]
    assert {kind for kind, _ in stored(tmp_path / "results" / "judge.db")} == {"answer"}
    assert (tmp_path / "results" / str(job.run_id) / "summary.json").exists()
    assert gone("demo_moe", tmp_path)


def state_of(folder: Path, job_id: str) -> str:
    with closing(sqlite3.connect(folder / "results" / "judge.db")) as db:
        (state,) = db.execute("SELECT state FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return str(state)
