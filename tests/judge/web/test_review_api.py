"""The review over JSON: a program is as blind as a person, and what is no rating is refused."""

from pathlib import Path

import pytest
from blind_review import API, RUN, assert_tells_nothing, client, items, made, path, ratings, unrated
from starlette.testclient import TestClient

__all__ = ["client", "made", "path", "unrated"]


def test_a_program_reviews_too_and_sees_the_judges_only_afterwards(client: TestClient, path: Path) -> None:
    sheet = client.get(f"{API}/review/next?rater=prog").json()
    place = f"{API}/review/items/{sheet['item']}/ratings"
    given = client.post(place, json={"rater": "prog", "score": 4, "comment": "fine"})
    assert given.status_code == 201
    assert {one["judge"] for one in given.json()["revealed"]["judges"]} == {"umbrella", "parasol"}
    taken = client.post(place, json={"rater": "prog", "score": None, "state": "withdrawn"})
    assert taken.json()["revealed"] is None
    assert [rating.state for rating in ratings(path)] == ["rated", "withdrawn"]


def test_a_program_sees_one_item_blind_and_what_others_gave_it_only_after_rating(client: TestClient) -> None:
    sheet = client.get(f"{API}/review/next?rater=prog").json()
    place = f"{API}/review/items/{sheet['item']}"
    assert client.get(place).json() == sheet
    assert client.get(place, params={"evidence": False}).json() == {**sheet, "evidence": None}
    assert_tells_nothing(client.get(place.replace(RUN.id, "latest")))
    hidden = client.get(f"{place}/revealed?rater=prog")
    assert (hidden.status_code, hidden.headers["content-type"]) == (403, "application/problem+json")
    given = client.post(f"{place}/ratings", json={"rater": "prog", "score": 4}).json()
    assert client.get(f"{place}/revealed?rater=prog").json() == given["revealed"]
    assert client.get(f"{place}/revealed?rater=other").status_code == 403
    far = client.get(f"{API}/review/progress?rater=prog").json()
    assert (far["audit_rated"] + far["repair_rated"], far["skipped"]) == (1, 0)
    assert client.get(f"{API}/review/items/nonsense").status_code == 404


@pytest.mark.parametrize(
    "said",
    [
        {}, {"rater": "a"}, {"rater": "a", "score": 6}, {"rater": "a", "score": 4.5}, {"rater": "", "score": 3},
        {"rater": " ", "score": 3}, {"rater": "a\u202e", "score": 3},
        {"rater": "a", "score": 3, "state": "skipped"}, {"rater": "a", "score": 3, "comment": "x" * 4001},
    ],
)  # fmt: skip
def test_what_is_no_rating_is_refused(unrated: TestClient, made: Path, said: dict[str, object]) -> None:
    response = unrated.post(f"{API}/review/items/{items(made)[0].id}/ratings", json=said)
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
    assert ratings(made) == []


@pytest.mark.parametrize(
    "body", [b"[" * 60_000, b'{"rater": "\\ud800", "score": 3}', b'{"rater": "a", "score": NaN}', b"\xff", b""]
)
def test_a_body_that_is_no_json_for_us_breaks_nothing(unrated: TestClient, made: Path, body: bytes) -> None:
    place = f"{API}/review/items/{items(made)[0].id}/ratings"
    response = unrated.post(place, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422) and response.headers["content-type"] == "application/problem+json"


def test_programs_read_runs_answers_and_judgements(client: TestClient) -> None:
    (run,) = client.get("/api/v1/runs").json()
    assert (run["id"], run["arms"], run["judges"]) == (
        RUN.id,
        ["zebrafish/baseline", "zebrafish/moe4"],
        ["umbrella", "parasol"],
    )
    assert client.get(API).json()["run_id"] == client.get("/api/v1/runs/latest").json()["run_id"] == RUN.id
    line = client.get(f"{API}/answers?size=1").json()["answers"][0]
    found = client.get(f"{API}/answers/{line['id']}").json()
    assert found["answer"]["text"].startswith("Here you are.") and found["evidence"][0]["state"] == "ok"
    said = client.get(f"{API}/answers/{line['id']}/judgements").json()
    assert len(said) == 2 and {one["answer_unit"] for one in said} == {line["id"]}
    for missing in ("answers/nonsense", "answers/nonsense/judgements"):
        assert client.get(f"{API}/{missing}").status_code == 404
    assert client.post(f"{API}/review/items/nonsense/ratings", json={"rater": "a", "score": 3}).status_code == 404
