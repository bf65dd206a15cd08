"""Lists, page by page: everything once, in order, and never what is still hidden from a rater."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import browser, page
from examples import add_answers, judge_record, run_record
from reviews import add_code, add_judgements, review_run
from starlette.testclient import TestClient

from judge.plan import wanted_answers
from judge.review.desk import make_queues, queues_of, say
from judge.store import Store, utc_now
from judge.web.paging import next_link, page_after

RUN = review_run(samples=3, judges=("umbrella", "parasol", "brolly"))
LATER = [run_record(id=f"run-{n}", created_at=f"2026-02-0{n}T00:00:00.000000+00:00") for n in (1, 2, 3, 4)]
RATINGS = f"/api/v1/runs/{RUN.id}/ratings"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five runs; ann rated six items of one of them, bob two of these and one that ann did not rate."""
    path = tmp_path_factory.mktemp("pages") / "judge.db"
    store = Store.open(path)
    add_code(store, RUN)
    add_judgements(store, RUN, lambda judge, unit, criterion: 4)
    make_queues(RUN, store, per_arm=15, seed=1)
    items = queues_of(RUN, store).items
    for item in items[:6]:
        say(store, item, "ann", utc_now(), score=3, comment="of ann")
    for item in (*items[:2], items[7]):
        say(store, item, "bob", utc_now(), score=5)
    for run in LATER:
        store.add_run(run)
    store.close()
    return path


@pytest.fixture(scope="module")
def client(path: Path) -> Iterator[TestClient]:
    with browser(path) as opened:
        yield opened


def followed(client: TestClient, path: str, **query: Any) -> tuple[list[Any], int]:
    """Follow the Link headers to the end; return everything, and the number of pages."""
    found, pages = [], 0
    response = client.get(path, params=query)
    while True:
        assert response.status_code == 200, response.text
        found += response.json()
        pages += 1
        if "next" not in response.links:
            return found, pages
        response = client.get(path + response.links["next"]["url"])


@pytest.mark.parametrize(("size", "pages"), [(1, 5), (2, 3), (5, 1), (200, 1)])
def test_all_runs_come_once_newest_first(client: TestClient, size: int, pages: int) -> None:
    found, count = followed(client, "/api/v1/runs", size=size)
    assert [run["id"] for run in found] == ["run-4", "run-3", "run-2", "run-1", "run-77"]
    assert count == pages


def test_judgements_of_an_answer_come_once(client: TestClient) -> None:
    answer = wanted_answers(RUN, RUN.arms[0])[0].key
    found, pages = followed(client, f"/api/v1/runs/{RUN.id}/answers/{answer}/judgements", size=2)
    assert ([one["call"]["judge"] for one in found], pages) == (["umbrella", "parasol", "brolly"], 2)


def test_a_rater_pages_through_the_ratings_of_what_was_rated_and_sees_no_other(client: TestClient) -> None:
    found, pages = followed(client, RATINGS, rater="bob", size=2)
    assert sorted(one["rater"] for one in found) == ["ann", "ann", "bob", "bob", "bob"] and pages == 3
    everything, _ = followed(client, RATINGS, rater="ann", size=200)
    assert {one["rater"] for one in everything} == {"ann", "bob"} and len(everything) == 8
    assert followed(client, RATINGS, rater="carol", size=1) == ([], 1)


def test_no_page_can_be_begun_at_what_is_hidden(client: TestClient) -> None:
    first = client.get(RATINGS, params={"rater": "ann", "size": 5})
    hidden = client.get(RATINGS + first.links["next"]["url"].replace("rater=ann", "rater=carol"))
    unknown = client.get("/api/v1/runs", params={"after": "nothing"})
    for refused in (hidden, unknown):
        assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")
        assert "of ann" not in refused.text


def test_sizes_have_a_limit(client: TestClient) -> None:
    for size in ("0", "201", "all"):
        assert client.get("/api/v1/runs", params={"size": size}).status_code == 422


def test_a_run_that_begins_meanwhile_moves_nothing(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "judge.db")
    for run in LATER[:3]:
        add_answers(store, run.model_copy(update={"judges": (judge_record(),)}))
    with browser(tmp_path / "judge.db") as client:
        first = client.get("/api/v1/runs?size=1")
        store.add_run(LATER[3])
        store.close()
        second = client.get("/api/v1/runs" + first.links["next"]["url"])
    assert [run["id"] for run in (*first.json(), *second.json())] == ["run-3", "run-2"]


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


def test_a_page_says_where_the_next_one_begins_and_a_link_keeps_what_was_asked() -> None:
    assert page_after("abc", str, None, 2) == ("ab", "b")
    assert page_after("abc", str, "b", 2) == ("c", None)
    assert page_after("", str, None, 2) == ("", None)
    with pytest.raises(LookupError):
        page_after("abc", str, "x", 2)
    assert next_link({"rater": "ann é>", "after": "a"}, "b\r\n") == '<?rater=ann+%C3%A9%3E&after=b%0D%0A>; rel="next"'
