"""Reports are computed beside the requests and kept: what is shown is always of what the store holds now, and nobody waits for it."""

import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from browsing import browser, page
from examples import answer, exam_result, judge_record, judgement, run_record
from reviews import CHECKS, add_code, add_evidence, add_judgements, answers_of, review_run
from starlette.testclient import TestClient

from judge.checks.checking import Evidence
from judge.comparing import comparison_rows
from judge.paired_arms import pair_arms
from judge.pipeline import wanted_scorings
from judge.plan import wanted_answers
from judge.records import Launch, RunRecord
from judge.report.html_report import report_body
from judge.results import build_results
from judge.review.desk import make_queues, queues_of, say
from judge.store import Store, utc_now
from judge.types import JudgeFailure
from judge.web.making import Made, Order
from judge.web.workshop import AHEAD, Worker, Workshop

RUN = review_run(samples=2)
API = f"/api/v1/runs/{RUN.id}"
OTHER = run_record(id="other", created_at="2025-01-01T00:00:00.000000+00:00", arms=(), judges=())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A run that has nearly everything: one answer is missing, and the second arm was not executed."""
    opened = Store.open(tmp_path / "judge.db")
    opened.add_run(OTHER)
    missing = answers_of(RUN)[-1]
    whole = Store.open(tmp_path / "whole.db")
    add_code(whole, RUN)
    opened.add_run(RUN)
    for unit in answers_of(RUN):
        if unit != missing:
            opened.add_answer(RUN.id, unit, dict(whole.answers([unit.key]))[unit.key])
    whole.close()
    executed = RUN.model_copy(update={"arms": RUN.arms[:1]})
    add_evidence(opened, executed, fails=lambda unit: unit.sample == 1)
    add_judgements(opened, RUN, lambda judge, unit, criterion: 4 if judge == "umbrella" else 5)
    make_queues(RUN, opened, per_arm=15, seed=1)
    opened.set_run_state(RUN.id, "incomplete")
    yield opened
    opened.close()


@pytest.fixture
def client(store: Store, tmp_path: Path) -> Iterator[TestClient]:
    with browser(tmp_path / "judge.db") as opened:
        yield opened


def shown(client: TestClient) -> Any:
    return client.get(API).json()


def computed(store: Store) -> Any:
    """What ``judge report --json`` prints of the store as it is."""
    return json.loads(build_results(*store.run(RUN.id), store).model_dump_json())


def an_answer(store: Store) -> None:
    unit = answers_of(RUN)[-1]
    store.add_answer(RUN.id, unit, answer(prompt_id=unit.question_id, sample=unit.sample))


def a_failed_answer(store: Store) -> None:
    unit = answers_of(RUN)[-1]
    dead = answer(state="server_died", message="killed", prompt_id=unit.question_id, sample=unit.sample)
    store.add_answer("another run", unit, dead)


def evidence(store: Store) -> None:
    unit = answers_of(RUN)[-1]
    an_answer(store)
    found = Evidence(
        question_id=unit.question_id, checks_hash=CHECKS, state="no_code", message="none", isolation="bwrap"
    )
    store.add_evidence(RUN.id, unit.key, found)


def other_evidence_in_place_of_older(store: Store) -> None:
    """The one row that is ever replaced."""
    for why in ("one", "two"):
        found = Evidence(
            question_id="C-T1-Q1", checks_hash="x", state="not_run", message=why, isolation="none", surroundings="s"
        )
        store.add_evidence(RUN.id, answers_of(RUN)[0].key, found)


def a_judgement(store: Store) -> None:
    an_answer(store)
    unit = answers_of(RUN)[-1]
    task = next(t for t in wanted_scorings(RUN, RUN.judges[0], {}) if t.answer_key == unit.key)
    store.add_judgement("another run", judgement(1, 2, of=unit.key, call=task.call))


def a_failed_scoring(store: Store) -> None:
    an_answer(store)
    unit = answers_of(RUN)[-1]
    task = next(t for t in wanted_scorings(RUN, RUN.judges[0], {}) if t.answer_key == unit.key)
    failed = JudgeFailure(answer_unit=unit.key, call=task.call, kind="bad_verdict", message="no JSON")
    store.add_judge_failure(RUN.id, failed)


def ratings(store: Store) -> None:
    for item in queues_of(RUN, store).audit:
        say(store, item, "ann", utc_now(), score=2)


def an_exam(store: Store) -> None:
    store.add_exam("another run", exam_result(RUN, RUN.judges[0], logic=False, style=False))


def a_launch(store: Store) -> None:
    launch = {
        "arm_id": "x",
        "command": ("python",),
        "log": "l",
        "overrides": {},
        "experts_used": 4,
        "n_ctx": 1,
        "proof_lines": (),
    }
    store.add_launch("another run", RUN.arms[0].arm, Launch.model_validate(launch))


def an_end(store: Store) -> None:
    store.set_run_state(RUN.id, "failed")


def a_further_wish(store: Store) -> None:
    store.extend_run(RUN.model_copy(update={"samples": 3}))


Write = Callable[[Store], None]
WRITES: tuple[Write, ...] = (
    an_answer, a_failed_answer, evidence, a_judgement, a_failed_scoring, ratings, an_exam, a_launch, an_end, a_further_wish,
)  # fmt: skip


def test_whatever_is_written_the_next_reply_is_of_the_store_as_it_is_then(store: Store, client: TestClient) -> None:
    assert shown(client) == computed(store)
    for write in (a_judgement, evidence, ratings):
        before = shown(client)
        write(store)
        assert client.request("GET", API).status_code == 202, f"{write.__name__}: an old report was shown"
        after = shown(client)
        assert after == computed(store), write.__name__
        assert after != before, write.__name__


@pytest.mark.parametrize("write", [*WRITES, other_evidence_in_place_of_older])
def test_every_write_gives_the_run_another_stamp_and_no_other_run(store: Store, write: Write) -> None:
    before, other, pulse = store.stamp(*store.run(RUN.id)), store.stamp(*store.run("other")), store.pulse()
    write(store)
    now = store.run(RUN.id)
    assert store.stamp(*now) != before
    assert store.pulse() != pulse or now[0] != RUN, "what a run wants is read at every look"
    assert store.stamp(*store.run("other")) == other


def test_queues_and_their_ratings_give_another_stamp_too(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "queues.db")
    run = review_run(samples=9)
    add_code(store, run)
    add_judgements(store, run, lambda judge, unit, criterion: 2 if judge == "umbrella" else 5)
    stamps = [store.stamp(run, "running")]
    make_queues(run, store, per_arm=15, seed=1)
    stamps.append(store.stamp(run, "running"))
    queues = queues_of(run, store)
    assert queues.audit and queues.repair
    for item in (queues.audit[0], queues.repair[0]):
        say(store, item, "ann", utc_now(), score=1)
        stamps.append(store.stamp(run, "running"))
    store.close()
    assert len(set(stamps)) == len(stamps)


def test_pages_show_what_the_commands_print(store: Store, client: TestClient) -> None:
    results = build_results(*store.run(RUN.id), store)
    assert str(report_body(results)) in client.get(f"/runs/{RUN.id}").text
    left, right = ((RUN, record) for record in RUN.arms)
    compared = pair_arms(store, left, right, 0.25)
    query = {"left": left[1].arm.id, "right": right[1].arm.id}
    assert client.get(f"{API}/compare", params=query).json() == json.loads(compared.model_dump_json())
    rows = page(client, f"/runs/{RUN.id}/arms?left={query['left']}&right={query['right']}").text
    assert compared.sentence in rows and comparison_rows(compared.comparison)[0][1] in rows


def test_labels_change_their_page(store: Store, client: TestClient) -> None:
    labels = f"/runs/{RUN.id}/labels"
    assert "0 of" in page(client, labels).text
    ratings(store)
    assert client.request("GET", labels).status_code == 202
    assert "Judges against people" in page(client, labels).text


# --- nobody waits -----------------------------------------------------------------------------------------------------


class Busy(Worker):
    """Never comes to an end."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[Order] = []

    def submit(self, where: str, order: Order) -> "Future[Made]":
        self.orders.append(order)
        return Future()


@pytest.fixture
def busy(client: TestClient) -> Busy:
    """A service whose worker is busy."""
    worker, service = Busy(), client.app.app.state.service  # type: ignore[attr-defined]
    object.__setattr__(service, "workshop", Workshop(service.store, worker))
    return worker


def test_while_a_report_is_computed_its_pages_say_so_and_all_others_are_there(client: TestClient, busy: Busy) -> None:
    arms = "&".join(
        f"{side}={record.arm.fingerprint}" for side, record in zip(("left", "right"), RUN.arms, strict=True)
    )
    for path in (f"/runs/{RUN.id}", f"/runs/{RUN.id}/labels", f"/runs/{RUN.id}/cross", f"/runs/{RUN.id}/arms?{arms}"):
        response = client.request("GET", path)
        assert (
            response.status_code == 202
            and 'http-equiv="refresh"' in response.text
            and "being computed" in response.text
        )
        assert "zebrafish/moe4" in response.text, "what the run is can be told"
    for path in (API, f"{API}/cross", f"{API}/compare?{arms}"):
        response = client.request("GET", path)
        assert (response.status_code, response.headers["retry-after"]) == (202, "2")
        assert response.json() == {"detail": "it is being computed; ask again"}
    key = answers_of(RUN)[0].key
    for path in ("/runs", f"/runs/{RUN.id}/answers", f"/runs/{RUN.id}/answers/{key}", "/review"):
        assert client.request("GET", path).status_code == 200
    assert [order.kind for order in busy.orders] == ["report", "labels", "arms"], "each is ordered once"


def test_a_run_that_goes_on_is_shown_as_it_was_and_says_as_of_when(store: Store, client: TestClient) -> None:
    store.set_run_state(RUN.id, "running")
    first = client.get(f"/runs/{RUN.id}")
    an_answer(store)
    second = client.request("GET", f"/runs/{RUN.id}")
    assert second.status_code == 200 and "The run goes on: this is its report as of 20" in second.text
    assert "as of" not in first.text
    assert client.request("GET", API).status_code == 202, "a program gets nothing old"


def test_what_broke_is_told_once_and_tried_again(store: Store, client: TestClient) -> None:
    worker, service = Worker(), client.app.app.state.service  # type: ignore[attr-defined]
    object.__setattr__(service, "workshop", Workshop(service.store, worker))
    assert client.request("GET", API).status_code == 202
    (process,) = worker._processes
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    try:
        assert client.get(API).status_code == 500
        assert shown(client) == computed(store)
    finally:
        worker.stop()
    process.join(30)
    assert not process.is_alive()


def test_finished_runs_are_computed_ahead_once_nothing_moves(store: Store) -> None:
    worker = Busy()
    workshop = Workshop(store, worker)
    workshop.look_ahead()
    assert {(order.kind, order.runs) for order in worker.orders} == {("report", (RUN.id,)), ("labels", (RUN.id,))}
    ratings(store)
    for run in (run_record(id=f"new-{n}", created_at=f"2026-02-{n:02}T00") for n in range(1, AHEAD + 3)):
        store.add_run(run)
    store.set_run_state("new-1", "complete")
    store.set_run_state("new-9", "complete")
    worker.orders.clear()
    for _ in range(4):
        workshop.look_ahead()
    assert {order.runs for order in worker.orders} == {("new-9",)}, "not the old ones, and none that still runs"


def test_computing_ahead_waits_until_a_run_is_left_alone(store: Store) -> None:
    class Quick(Busy):
        def submit(self, where: str, order: Order) -> "Future[Made]":
            done = super().submit(where, order)
            done.set_result(Made(stamp=(store.stamp(*store.run(RUN.id)),), at="", what=None))
            return done

    worker = Quick()
    workshop = Workshop(store, worker)
    workshop.look_ahead()
    worker.orders.clear()
    ratings(store)
    workshop.look_ahead()
    assert worker.orders == [], "somebody is rating just now"
    workshop.look_ahead()
    assert [order.kind for order in worker.orders] == ["report", "labels"]


def test_a_person_pages_through_all_runs(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "runs.db")
    wanted = [f"run-{n:03}" for n in range(120, 0, -1)]
    for run_id in wanted:
        store.add_run(run_record(id=run_id, created_at=f"2026-01-01T00:00:00.{run_id[4:]}"))
    store.close()
    with browser(tmp_path / "runs.db") as client:
        found, path = [], "/runs"
        while path:
            links = page(client, path).all("a")
            found += [link["href"].rpartition("/")[2] for link in links if link["href"].startswith("/runs/run-")]
            path = next((link["href"] for link in links if link.get("rel") == "next"), "")
        assert client.get("/runs?after=nothing").status_code == 400
    assert found == wanted


# --- pages of answers ---------------------------------------------------------------------------------------------------


def test_paging_while_answers_come_in_loses_none_and_repeats_none(tmp_path: Path) -> None:
    run: RunRecord = review_run(id="grows", samples=40, judges=())
    store = Store.open(tmp_path / "judge.db")
    store.add_run(run)
    units = [unit for record in run.arms for unit in wanted_answers(run, record)]
    chance = random.Random(5)
    late = set(chance.sample(range(len(units)), 150))
    for number, unit in enumerate(units):
        if number not in late:
            store.add_answer(run.id, unit, answer(prompt_id=unit.question_id, sample=unit.sample))
    early = [unit.key for number, unit in enumerate(units) if number not in late]
    coming = iter(chance.sample(sorted(late), len(late)))
    with browser(tmp_path / "judge.db") as client:
        found: list[str] = []
        query: dict[str, str] = {"size": "7"}
        while True:
            got = client.get(f"/api/v1/runs/{run.id}/answers", params=query).json()
            found += [line["id"] for line in got["answers"]]
            for number in [next(coming, None) for _ in range(5)]:
                if number is not None:
                    unit = units[number]
                    store.add_answer(run.id, unit, answer(prompt_id=unit.question_id, sample=unit.sample))
            if got["next"] is None:
                break
            query["after"] = got["next"]
    store.close()
    assert len(found) == len(set(found))
    assert set(early) <= set(found) and len(found) > len(early)
    places = {unit.key: number for number, unit in enumerate(units)}
    assert [places[key] for key in found] == sorted(places[key] for key in found)


def test_answers_of_another_run_with_the_same_arm_are_not_on_the_pages(tmp_path: Path) -> None:
    """Another sampling, and more samples: both are rows of the same arm."""
    mine = run_record(samples=2, judges=(judge_record(),))
    warmer = mine.arms[0].sampling.model_copy(update={"temperature": 0.1})
    other = mine.model_copy(
        update={"id": "warmer", "samples": 4, "arms": (mine.arms[0].model_copy(update={"sampling": warmer}),)}
    )
    longer = mine.model_copy(update={"id": "longer", "samples": 5})
    store = Store.open(tmp_path / "judge.db")
    for run in (mine, other, longer):
        store.add_run(run)
        for unit in wanted_answers(run, run.arms[0]):
            store.add_answer(run.id, unit, answer(prompt_id=unit.question_id, sample=unit.sample))
    store.close()
    with browser(tmp_path / "judge.db") as client:
        got = client.get(f"/api/v1/runs/{mine.id}/answers?size=1").json()
        rest = client.get(f"/api/v1/runs/{mine.id}/answers?size=1&after={got['next']}").json()
        foreign = wanted_answers(longer, longer.arms[0])[-1].key
        assert client.get(f"/api/v1/runs/{mine.id}/answers?after={foreign}").status_code == 400
        assert client.get(f"/api/v1/runs/{mine.id}/answers/{foreign}").status_code == 404
    keys = [unit.key for unit in wanted_answers(mine, mine.arms[0])]
    assert [line["id"] for line in (*got["answers"], *rest["answers"])] == keys and rest["next"] is None


def test_many_samplings_of_one_arm_hide_none_of_its_answers(tmp_path: Path) -> None:
    """All of them stand in the same place, and a page may end between two of them."""
    mine = run_record(samples=2, judges=())
    runs = [
        mine.model_copy(update={"id": f"run-{n}", "arms": (mine.arms[0].model_copy(update={"sampling": warmer}),)})
        for n in range(6)
        for warmer in [mine.arms[0].sampling.model_copy(update={"temperature": n / 10})]
    ]
    store = Store.open(tmp_path / "judge.db")
    for run in runs:
        store.add_run(run)
        for unit in wanted_answers(run, run.arms[0]):
            store.add_answer(run.id, unit, answer(prompt_id=unit.question_id, sample=unit.sample))
    store.close()
    with browser(tmp_path / "judge.db") as client:
        for run in runs:
            got = client.get(f"/api/v1/runs/{run.id}/answers?size=1").json()
            rest = client.get(f"/api/v1/runs/{run.id}/answers?size=1&after={got['next']}").json()
            keys = [unit.key for unit in wanted_answers(run, run.arms[0])]
            assert [line["id"] for line in (*got["answers"], *rest["answers"])] == keys
