"""Reports are computed beside the requests and kept: nobody waits for one, and finished runs are computed ahead."""

import os
import signal
from concurrent.futures import Future

import pytest
from examples import run_record
from kept_reports import API, RUN, an_answer, client, computed, ratings, shown, store
from reviews import answers_of
from starlette.testclient import TestClient

from judge.store import Store
from judge.web.making import Made, Order
from judge.web.workshop import AHEAD, Worker, Workshop

__all__ = ["client", "store"]


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
