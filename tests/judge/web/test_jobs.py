"""Asking for jobs: what is taken, what is refused and in which words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking_for_jobs import AT_ENDPOINT, PROBLEM, ask, client, job, made
from starlette.testclient import TestClient
from waiting import ALLOWED, demo_models_only, state_of, waiting_service

from judge.commands.options.arms import Asked, Served
from judge.commands.options.judges import FirstExam, Judged
from judge.job_record import Job
from judge.jobs.options import RunOptions, ScoreOptions
from judge.web.queueing import MOST_WAITING

__all__ = ["client", "demo_models_only", "made"]


@pytest.fixture(scope="module")
def strict(made: Path, demo_models_only: None) -> Iterator[TestClient]:
    """A service that is only asked for what it refuses."""
    with waiting_service(made) as opened:
        yield opened
        assert state_of(opened).service.store.jobs() == []


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
