"""Asking for jobs: what is taken, what is refused and in which words, and how what happens in one is told."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from examples import judge_record, run_record
from job_service import imported, places
from starlette.testclient import TestClient
from waiting import ALLOWED, demo_models_only, state_of, waiting_service

from judge.commands.options.arms import Asked, Served
from judge.commands.options.judges import FirstExam, Judged
from judge.events import Loading, Noticed, Scored
from judge.job_record import Job, Progress
from judge.jobs.locks import Lock
from judge.jobs.options import RunOptions, ScoreOptions
from judge.jobs.telling import INTERVAL_S, Telling
from judge.jobs.worker import MOST_RESUMES, Worker
from judge.places import Places
from judge.store import Store
from judge.web.queueing import MOST_WAITING
from judge.web.streams import MOST_STREAMS

__all__ = ["demo_models_only"]

PROBLEM = "application/problem+json"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = places(tmp_path).open_store()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a run that can be scored."""
    folder = tmp_path_factory.mktemp("made")
    imported(folder, 1)
    return folder


@pytest.fixture
def client(made: Path, demo_models_only: None, tmp_path: Path) -> Iterator[TestClient]:
    """A service over a store in which nothing was asked for."""
    with waiting_service(Path(shutil.copytree(made, tmp_path / "made"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def strict(made: Path, demo_models_only: None) -> Iterator[TestClient]:
    """A service that is only asked for what it refuses."""
    with waiting_service(made) as opened:
        yield opened
        assert state_of(opened).service.store.jobs() == []


RUN = {"candidates": ["demo_moe"], "judges": [{"name": "demo_judge"}]}
AT_ENDPOINT = {"judges": [{"urls": [ALLOWED], "model": "m"}]}


def ask(client: TestClient, path: str = "/api/v1/runs", **options: Any) -> Any:
    return client.post(path, json={**(RUN if path.endswith("/runs") else {}), **options})


def refusal(client: TestClient, path: str = "/api/v1/runs", **options: Any) -> str:
    """Send options that are refused, and return what is said of them."""
    response = ask(client, path, **options)
    assert (response.status_code, response.headers["content-type"]) == (422, PROBLEM), response.text
    detail: str = response.json()["detail"]
    assert "\n" not in detail
    return detail


# --- what is taken ----------------------------------------------------------------------------------------------------


def test_what_is_asked_for_is_kept_as_it_was_understood(client: TestClient) -> None:
    response = ask(client, configs=["moe2"], tiers=["T1"], samples=3, budget_hours=1.5, **AT_ENDPOINT)
    assert response.status_code == 202
    job = Job.model_validate(response.json())
    assert response.headers["location"] == f"/api/v1/jobs/{job.id}"
    assert (job.state, job.kind, job.run_id, job.progress) == ("queued", "run", None, None)
    options = RunOptions.model_validate(job.options)
    assert options.choice().configs == ("moe2",) and options.choice().samples == 3
    assert options.conduct().budget_hours == 1.5 and options.conduct().exam == "small"
    assert client.get(f"/api/v1/jobs/{job.id}").json() == response.json()


def test_without_a_word_a_job_is_what_the_command_line_is() -> None:
    """One list of options: what is not said means the same in both, and what is said is the same value."""
    options = RunOptions(candidates=("demo_moe",))
    assert options.samples == Asked().samples and options.exam == FirstExam().wanted()
    assert options.judges == Judged().choices()
    served = Served().choices()
    assert {name: getattr(options, name) for name in served} == served
    assert ScoreOptions(run_id="r").exam == FirstExam().wanted()


def test_the_answers_of_a_run_are_scored_by_its_id_or_as_the_latest(client: TestClient) -> None:
    run_id = client.get("/api/v1/runs").json()[0]["id"]
    for name, url in ((run_id, ALLOWED), ("latest", f"{ALLOWED}/")):
        job = ask(client, f"/api/v1/runs/{name}/score", judges=[{"urls": [url], "model": "m"}]).json()
        assert job["kind"] == "score" and job["options"]["run_id"] == run_id
    assert ask(client, "/api/v1/runs/nowhere/score", **AT_ENDPOINT).status_code == 404


def test_jobs_are_listed_newest_first_and_page_by_page(client: TestClient) -> None:
    ids = [ask(client, "/api/v1/runs/latest/score", **AT_ENDPOINT).json()["id"] for _ in range(5)]
    assert client.post(f"/api/v1/jobs/{ids[1]}/cancel").status_code == 202
    found, after = [], ""
    while after is not None:
        got = client.get(f"/api/v1/jobs?size=2{f'&after={after}' if after else ''}").json()
        found += [job["id"] for job in got["jobs"]]
        after = got["next"]
    assert found == ids[::-1]
    assert [job["id"] for job in client.get("/api/v1/jobs?state=cancelled").json()["jobs"]] == [ids[1]]
    assert client.get("/api/v1/jobs?after=nowhere").status_code == 404
    assert client.get("/api/v1/jobs/nowhere").status_code == 404


# --- what is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"candidates": []}, "candidates"),
        ({"candidates": ["demo_mo"]}, "model 'demo_mo' is not in models.yaml: did you mean demo_moe"),
        ({"candidates": ["/etc/passwd"]}, "model '/etc/passwd' is not in models.yaml"),
        ({"candidates": ["../x.gguf"]}, "is not in models.yaml"),
        ({"candidates": ["coder_primary"]}, "coder_primary has no model file on this machine"),
        ({"judges": [{"name": "~/judge.gguf"}]}, "is not in models.yaml"),
        ({"judges": [{}]}, "architect_coding has no model file on this machine"),
        ({"judges": [{"name": "demo_moe"}]}, "demo_moe would judge its own answers"),
        ({"configs": ["moe9"]}, "has 4; use moe1 to moe4"),
        ({"questions": ["C-T9-Q1"]}, "unknown question 'C-T9-Q1'"),
        ({"samples": 0}, "samples"),
        ({"samples": 1001}, "samples"),
        ({"budget_hours": -1}, "budget_hours"),
    ],
)
def test_what_would_not_begin_is_refused_in_one_line(strict: TestClient, options: dict[str, Any], said: str) -> None:
    assert said in refusal(strict, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"model": "/m.gguf"},
        {"extra": [{"id": "x", "model": "x", "path": "/m.gguf", "arch": "dense"}]},
        {"junit": "/tmp/x.xml"},
        {"results": "/tmp"},
        {"unsafe": True},
        {"port": 22},
        {"judges": [{"name": "demo_judge", "path": "/m.gguf"}]},
        {"api_key": "sk-0123456789"},
    ],
)
def test_paths_keys_and_what_is_for_the_operator_to_say_are_no_options(
    strict: TestClient, options: dict[str, Any]
) -> None:
    said = refusal(strict, **options)
    assert "Extra inputs are not permitted" in said
    assert "m.gguf" not in said and "sk-0123456789" not in said


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:9/v1/../admin",
        "http://127.0.0.1:9@evil.example/v1",
        "http://127.0.0.1:99/v1",
        "HTTP://127.0.0.1:9/v1",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_judge_is_only_where_the_operator_allowed_one(strict: TestClient, url: str) -> None:
    """Else anybody who can ask could have this machine send requests, with its key, to where they cannot send them."""
    judges = [{"urls": [ALLOWED, url], "model": "m"}]
    assert "an endpoint that this service may not reach" in refusal(strict, judges=judges)
    assert "an endpoint that this service may not reach" in refusal(strict, "/api/v1/runs/latest/score", judges=judges)
    assert "not both" in refusal(strict, judges=[{"name": "demo_judge", "urls": [ALLOWED], "model": "m"}])


def test_a_run_that_nobody_judges_needs_a_judge_to_be_scored(strict: TestClient) -> None:
    assert "has no judge; name one" in refusal(strict, "/api/v1/runs/latest/score")


def test_only_so_many_jobs_wait_and_there_is_room_again_when_one_is_cancelled(client: TestClient) -> None:
    store = state_of(client).service.store
    ids = [f"job-{n}" for n in range(MOST_WAITING)]
    assert all(store.add_job(job(name), most_waiting=MOST_WAITING) for name in ids)
    assert not store.add_job(job("too-much"), most_waiting=MOST_WAITING)
    full = ask(client)
    assert (full.status_code, full.headers["content-type"]) == (429, PROBLEM) and "retry-after" in full.headers
    assert client.post(f"/api/v1/jobs/{ids[0]}/cancel").json()["state"] == "cancelled"
    assert ask(client).status_code == 202
    again = client.post(f"/api/v1/jobs/{ids[0]}/cancel")
    assert (again.status_code, again.headers["content-type"]) == (409, PROBLEM)


def test_more_than_a_request_may_be_is_not_read(client: TestClient) -> None:
    assert ask(client, questions=["C-T1-Q1"] * 10_000).status_code == 413


# --- what happens in a job ----------------------------------------------------------------------------------------------


def job(id: str = "job-1", **fields: Any) -> Job:
    return Job.model_validate({"id": id, "kind": "run", "options": {}, "created_at": "2026-01-01T00:00:00", **fields})


def scored(done: int) -> Scored:
    return Scored(judge="j", arm_id="coder/baseline", question_id="C-T1-Q1", score=4.0, done=done, owed=9)


async def test_counts_in_quick_succession_are_told_by_the_last_of_them_and_all_else_word_for_word(store: Store) -> None:
    store.add_job(job(), most_waiting=1)
    telling = Telling(store, "job-1", ["sesame-open"], clock=lambda: 0.0)
    events = [scored(1), scored(2), Noticed(model="m", message="busy: sesame-open\nlog"), scored(3), scored(4)]
    for event in [Loading(model="m", phase="score"), *events]:
        telling.see(event)
    await asyncio.sleep(INTERVAL_S * 1.5)  # nobody tells more, and it is written nevertheless
    told = [event.progress for event in store.job_events("job-1")]
    assert [(one.kind, one.done) for one in told] == [
        ("loading", None),
        ("scored", 2),
        ("noticed", None),
        ("scored", 4),
    ]
    assert told[2].text == "m: busy: [key]"
    assert store.job("job-1").progress == told[-1]


def test_ids_of_events_grow_and_the_rest_after_any_of_them_can_be_asked_for(store: Store) -> None:
    for name in ("one", "other"):
        store.add_job(job(name), most_waiting=9)
    for n in range(4):
        for name in ("one", "other"):
            store.add_job_events(
                name, [Progress(kind="noticed", text=f"{name} {n}"), Progress(kind="noticed", text="x")]
            )
    ids = [event.id for event in store.job_events("one")]
    assert ids == sorted(set(ids)) and len(ids) == 8
    assert [event.id for event in store.job_events("one", after=ids[2])] == ids[3:]
    assert [event.id for event in store.last_job_events("one", 3)] == ids[-3:]


async def test_a_stream_that_nobody_ends_ends_with_the_service_and_only_so_many_are_open(client: TestClient) -> None:
    job_id = ask(client, "/api/v1/runs/latest/score", **AT_ENDPOINT).json()["id"]
    streams, stopping = state_of(client).streams, state_of(client).service.stopping

    async def stays() -> bool:
        return False

    opened = [streams.follow(state_of(client).service.store, job_id, 0, stays) for _ in range(MOST_STREAMS)]
    for stream in opened:
        assert (await anext(stream)).startswith("retry: ")
    full = client.get(f"/api/v1/jobs/{job_id}/events")
    assert (full.status_code, full.headers["content-type"]) == (429, PROBLEM)
    stopping.set()
    for stream in opened:
        assert [text async for text in stream] == []
    assert client.get(f"/api/v1/jobs/{job_id}/events").status_code == 200


def test_the_id_of_an_event_is_a_number_that_a_database_can_hold(client: TestClient) -> None:
    job_id = ask(client, "/api/v1/runs/latest/score", **AT_ENDPOINT).json()["id"]
    for wrong in ("x", "-1", str(2**70)):
        assert client.get(f"/api/v1/jobs/{job_id}/events", headers={"Last-Event-ID": wrong}).status_code == 422
    assert client.get("/api/v1/jobs/nowhere/events").status_code == 404


# --- the worker -----------------------------------------------------------------------------------------------------------


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
