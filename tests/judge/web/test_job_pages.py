"""Jobs in a browser: forms that ask for them, with every mistake told beside what was filled in, and pages that show them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import HOSTILE, MARK, Page, page
from job_service import imported
from starlette.testclient import TestClient
from waiting import ALLOWED, demo_models_only, state_of, waiting_service

from judge.job_record import Job, Progress
from judge.jobs.options import RunOptions, ScoreOptions
from judge.store import Store
from judge.web.queueing import MOST_WAITING

__all__ = ["demo_models_only"]


@pytest.fixture
def client(demo_models_only: None, tmp_path: Path) -> Iterator[TestClient]:
    """A service whose jobs wait."""
    imported(tmp_path, 1)
    with waiting_service(tmp_path) as opened:
        yield opened


def store_of(client: TestClient) -> Store:
    found = state_of(client).service.store
    assert isinstance(found, Store)
    return found


def send(client: TestClient, path: str, **fields: str | list[str]) -> Any:
    """Open the form at a path, change these fields, and send it."""
    shown = page(client, path)
    return client.post(path, data={**as_shown(shown), **fields})


def as_shown(shown: Page) -> dict[str, str | list[str]]:
    """Return what a browser sends of a form in which nothing was changed."""
    fields = {a["name"]: a.get("value", "") for a in shown.all("input") if a.get("type") != "checkbox" and "name" in a}
    ticked = [a for a in shown.all("input") if a.get("type") == "checkbox" and "checked" in a]
    boxes: dict[str, list[str]] = {}
    for box in ticked:
        boxes.setdefault(box["name"], []).append(box["value"])
    selects = {a["name"] for a in shown.all("select")}
    chosen = selected(shown)
    return {**fields, **boxes, **{name: chosen.get(name, "") for name in selects}}


def selected(shown: Page) -> dict[str, str]:
    """Return which option of each choice is the one that was made."""
    found: dict[str, str] = {}
    name = ""
    for tag, attributes in shown.elements:
        if tag == "select":
            name = attributes["name"]
        if tag == "option" and "selected" in attributes:
            found[name] = attributes["value"]
    return found


def jobs(client: TestClient) -> list[Job]:
    return store_of(client).jobs()


def test_a_run_is_started_with_a_form_and_its_job_is_shown(client: TestClient) -> None:
    response = send(
        client, "/start", candidates=["demo_moe"], judge="name:demo_judge", tiers=["T1", "T2"], configs="baseline, moe2"
    )
    assert response.status_code == 200 and response.url.path.startswith("/jobs/")
    (job,) = jobs(client)
    options = RunOptions.model_validate(job.options)
    default = RunOptions.model_validate({"candidates": ["demo_moe"], "judges": [{"name": "demo_judge"}]})
    assert options == default.model_copy(update={"tiers": ("T1", "T2"), "configs": ("baseline", "moe2")})
    shown = Page(response.text)
    assert "queued" in shown.text and "demo_moe" in shown.text and "Nothing has happened yet." in shown.text
    assert "judges 1 name" in shown.text and "T1, T2" in shown.text
    assert {a.get("src") for a in shown.all("script")} == {"/static/live.js"}


def test_every_option_of_the_form_arrives(client: TestClient) -> None:
    fields = {
        "samples": "7", "max_samples": "20", "n_ctx": "4096", "max_tokens": "64", "seed": "3", "n_threads": "2",
        "n_gpu_layers": "-1", "budget_hours": "0.5", "concurrency": "4", "policy": "judge", "exam": "none",
        "judge": f"url:{ALLOWED}", "judge_model": "m", "judge_family": "qwen", "replicates": "2", "judge_max_tokens": "900",
        "also_blind": "on", "per_criterion": "on", "allow_self": "on", "execute": "",
    }  # fmt: skip
    assert (
        send(client, "/start", candidates=["demo_moe"], questions=["C-T1-Q1", "C-T1-Q2"], **fields).status_code == 200
    )
    options = RunOptions.model_validate(jobs(client)[0].options)
    (judge,) = options.judges
    assert (options.samples, options.max_samples, options.n_ctx, options.max_tokens, options.seed) == (
        7,
        20,
        4096,
        64,
        3,
    )
    assert (options.n_threads, options.n_gpu_layers, options.budget_hours, options.concurrency) == (2, -1, 0.5, 4)
    assert (options.policy, options.exam, options.execute, options.questions) == (
        "judge",
        None,
        False,
        ("C-T1-Q1", "C-T1-Q2"),
    )
    assert (judge.urls, judge.model, judge.family, judge.on_self) == ((ALLOWED,), "m", "qwen", "allow")
    assert (judge.replicates, judge.also_blind, judge.mode, judge.sampling.max_tokens) == (
        2,
        True,
        "per_criterion",
        900,
    )


def test_only_collecting_is_a_choice(client: TestClient) -> None:
    assert send(client, "/start", candidates=["demo_moe"], judge="none").status_code == 200
    assert RunOptions.model_validate(jobs(client)[0].options).judges == ()


def test_the_answers_of_a_run_are_scored_from_its_page(client: TestClient) -> None:
    run_id = store_of(client).run_ids()[0]
    shown = page(client, f"/runs/{run_id}")
    assert ("post", f"/runs/{run_id}/score") in {(form["method"], form["action"]) for form in shown.all("form")}
    fields = as_shown(shown) | {"judge": f"url:{ALLOWED}", "judge_model": "m"}
    response = client.post(f"/runs/{run_id}/score", data=fields)
    assert response.status_code == 200 and response.url.path.startswith("/jobs/")
    options = ScoreOptions.model_validate(jobs(client)[0].options)
    assert (options.run_id, options.policy, options.exam, options.judges[0].model) == (run_id, None, "small", "m")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "candidates: Tuple should have at least 1 item"),
        ({"candidates": ["demo_moe"], "samples": "many"}, "samples: Input should be a valid integer"),
        ({"candidates": ["demo_moe"], "judge": "name:demo_judge", "configs": "moe9"}, "has 4; use moe1 to moe4"),
        ({"candidates": ["demo_moe"], "judge": "url:http://evil.example/v1"}, "this service may not reach"),
        ({"candidates": ["demo_moe"], "judge": f"url:{ALLOWED}"}, "needs --judge-model"),
        ({"candidates": ["demo_moe"], "judge_max_tokens": "²"}, "judges 0 sampling max_tokens: Input should be"),
        ({"candidates": ["demo_moe"], "policy": "none"}, "policy: Input should be 'grounded' or 'judge'"),
    ],
)
def test_a_mistake_is_told_and_what_was_filled_in_stays(
    client: TestClient, fields: dict[str, str | list[str]], said: str
) -> None:
    response = send(client, "/start", tiers=["T2"], budget_hours="3", **fields)
    assert response.status_code == 422
    shown = Page(response.text)
    assert said in shown.text and {"role": "alert", "class": "warning", "id": "problem"} in shown.all("p")
    again = as_shown(shown)
    assert again["tiers"] == ["T2"] and again["budget_hours"] == "3"
    assert again.get("candidates", []) == fields.get("candidates", [])
    assert again.get("samples") == fields.get("samples", "5")
    assert jobs(client) == []


def test_a_mistake_in_a_scoring_is_told_on_a_page_of_its_own(client: TestClient) -> None:
    run_id = store_of(client).run_ids()[0]
    response = send(client, f"/runs/{run_id}/score", budget_hours="2")
    assert response.status_code == 422
    assert "has no judge; name one" in Page(response.text).text and as_shown(Page(response.text))["budget_hours"] == "2"
    assert client.get("/runs/nowhere/score").status_code == 404


def test_forms_of_other_sites_start_and_stop_nothing(client: TestClient) -> None:
    for path in ("/start", "/runs/latest/score", "/jobs/x/cancel"):
        assert client.post(path, data={"candidates": "demo_moe"}).status_code == 403
    assert jobs(client) == []


def test_too_many_waiting_jobs_are_said_on_the_form(client: TestClient) -> None:
    for n in range(MOST_WAITING):
        store_of(client).add_job(job(f"job-{n}"), most_waiting=MOST_WAITING)
    response = send(client, "/start", candidates=["demo_moe"])
    assert response.status_code == 429 and "20 jobs wait already" in Page(response.text).text


# --- jobs that are shown --------------------------------------------------------------------------------------------------


def job(id: str = "job-1", **fields: Any) -> Job:
    options = {"candidates": ["demo_moe"], "configs": [], "samples": 5}
    base = {"id": id, "kind": "run", "options": options, "created_at": "2026-01-01T00:00:00"}
    return Job.model_validate({**base, **fields})


def test_hostile_text_of_events_and_errors_is_shown_and_does_nothing(client: TestClient) -> None:
    store = store_of(client)
    run_id = store.run_ids()[0]
    store.add_job(job(state="running", run_id=run_id), most_waiting=9)
    for text in HOSTILE:
        told = [Progress(kind="noticed", text=text), Progress(kind="scored", phase="score", text=text, done=1, owed=3)]
        store.add_job_events("job-1", told)
    for path in ("/jobs", "/jobs/job-1", f"/runs/{run_id}"):
        shown = page(client, path)
        shown.assert_harmless()
    store.end_job("job-1", "failed", error=" ".join(HOSTILE))
    for path in ("/jobs", "/jobs/job-1"):
        page(client, path).assert_harmless()


def test_the_run_that_is_being_made_shows_how_far_it_is(client: TestClient) -> None:
    store = store_of(client)
    run_id = store.run_ids()[0]
    assert not page(client, f"/runs/{run_id}").all("progress")
    store.add_job(job(state="running", run_id=run_id), most_waiting=9)
    store.add_job_events("job-1", [Progress(kind="scored", phase="score", text="[2/5] j on coder", done=2, owed=5)])
    shown = page(client, f"/runs/{run_id}")
    (bar,) = shown.all("progress")
    assert (bar["max"], bar["value"]) == ("5", "2") and "score: 2 of 5" in shown.text
    (live,) = [a for a in shown.all("div") if "data-job" in a]
    assert live["data-job"] == "job-1" and live["data-after"] == str(store.job_events("job-1")[-1].id)
    assert "connect-src 'self'" in client.get(f"/runs/{run_id}").headers["content-security-policy"]


def test_a_job_is_cancelled_with_its_button_and_has_none_afterwards(client: TestClient) -> None:
    store_of(client).add_job(job(), most_waiting=9)
    shown = page(client, "/jobs/job-1")
    response = client.post("/jobs/job-1/cancel", data={"csrf": shown.csrf})
    assert response.status_code == 200 and "cancelled" in Page(response.text).text
    assert not Page(response.text).all("form") and not Page(response.text).all("script")
    assert client.get("/jobs/nowhere").status_code == 404


def test_jobs_are_paged_by_links(client: TestClient) -> None:
    assert "Nothing was asked for." in page(client, "/jobs").text
    for n in range(60):
        store_of(client).add_job(job(f"job-{n}", created_at=f"2026-01-01T00:00:{n:02}"), most_waiting=100)
    shown = page(client, "/jobs")
    (following,) = [a["href"] for a in shown.all("a") if a.get("rel") == "next"]
    rest = page(client, following)
    links = [a["href"] for one in (shown, rest) for a in one.all("a") if a["href"].startswith("/jobs/")]
    assert links == [f"/jobs/job-{n}" for n in reversed(range(60))]


def test_every_control_has_a_label_and_no_id_stands_twice(client: TestClient) -> None:
    run_id = store_of(client).run_ids()[0]
    store_of(client).add_job(job(state="running", run_id=run_id), most_waiting=9)
    for path in ("/start", f"/runs/{run_id}/score", f"/runs/{run_id}", "/jobs/job-1", "/jobs"):
        shown = page(client, path)
        labelled = {a["for"] for a in shown.all("label")}
        controls = [a for tag in ("input", "select", "progress") for a in shown.all(tag) if a.get("type") != "hidden"]
        assert {control["id"] for control in controls} <= labelled, path
        ids = [a["id"] for _, a in shown.elements if "id" in a]
        assert len(ids) == len(set(ids)), path
        assert len(shown.all("h1")) == 1
        described = {a["aria-describedby"] for _, a in shown.elements if "aria-describedby" in a}
        assert described <= set(ids)


def test_models_without_a_file_are_named_and_cannot_be_chosen(client: TestClient) -> None:
    shown = page(client, "/start")
    boxes = {a["value"] for a in shown.all("input") if a.get("name") == "candidates"}
    assert boxes == {"demo_moe", "demo_judge"} and "coder_primary" in shown.text


def test_the_script_is_sent_as_one_and_sets_text_only(client: TestClient) -> None:
    reply = client.get("/static/live.js")
    assert reply.headers["content-type"].startswith("text/javascript")
    assert "textContent" in reply.text and "innerHTML" not in reply.text and MARK not in reply.text
