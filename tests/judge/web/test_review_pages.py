"""The review in a browser: nothing is told before one's own rating, nothing is lost, and afterwards everything is shown."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from browsing import HOSTILE, Page, browser, page
from reviews import SECRETS, add_code, add_evidence, add_judgements, review_run
from starlette.testclient import TestClient

from judge.ratings import Item, Rating
from judge.review.desk import make_queues, queues_of, say
from judge.store import Store, utc_now
from judge.types import Grade
from judge.units import AnswerUnit
from judge.web.rating import opaque

RUN = review_run(samples=3)
API = f"/api/v1/runs/{RUN.id}"


def says(judge: str, unit: AnswerUnit, criterion: str) -> Grade:
    """The judges are 3 points apart on c1 of the first answers, and agree on the rest."""
    if criterion == "c1" and unit.sample == 0:
        return 2 if judge == "umbrella" else 5
    return 4


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with code, evidence, judgements that are hostile and name their judge, and both queues."""
    path = tmp_path_factory.mktemp("review") / "judge.db"
    store = Store.open(path)
    add_code(store, RUN)
    add_evidence(store, RUN, fails=lambda unit: unit.sample == 1)
    add_judgements(store, RUN, says, reasoning=f"umbrella thinks so {' '.join(HOSTILE)}")
    make_queues(RUN, store, per_arm=15, seed=1)
    store.close()
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made, tmp_path / "judge.db"))


@pytest.fixture
def client(path: Path) -> Iterator[TestClient]:
    with browser(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def unrated(made: Path) -> Iterator[TestClient]:
    """For tests that rate nothing."""
    with browser(made) as opened:
        yield opened


def begin(client: TestClient, rater: str = "ann") -> httpx2.Response:
    """Begin the review and come to the first item."""
    csrf = page(client, "/review").csrf
    return client.post("/review", data={"csrf": csrf, "rater": rater, "run": opaque(RUN)})


def send(client: TestClient, shown: httpx2.Response, **fields: str) -> httpx2.Response:
    """Send the form of an item page."""
    return client.post(shown.url.path, data={"csrf": Page(shown.text).csrf, "action": "rate", **fields})


def ratings(path: Path) -> list[Rating]:
    store = Store.open(path)
    try:
        return list(queues_of(RUN, store).ratings)
    finally:
        store.close()


def items(path: Path) -> list[Item]:
    store = Store.open(path)
    try:
        return list(queues_of(RUN, store).items)
    finally:
        store.close()


def rate_all(path: Path, score: Grade, *, but: str = "") -> None:
    """Let ann rate every item but one, elsewhere."""
    store = Store.open(path)
    for item in items(path):
        if item.id != but:
            say(store, item, "ann", utc_now(), score=score)
    store.close()


def everything(response: httpx2.Response) -> str:
    """Return every byte of a reply and of the replies that led to it, headers and addresses included."""
    parts = [*response.history, response]
    return "\n".join(f"{one.url}\n{one.headers.raw!r}\n{one.text}" for one in parts)


def assert_tells_nothing(response: httpx2.Response) -> None:
    text = everything(response)
    assert not [name for name in SECRETS if re.search(rf"{re.escape(name)}", text, re.IGNORECASE)]
    assert "thinks so" not in text and "since it is so" not in text


def test_before_rating_no_page_and_no_header_names_model_config_judge_or_run(client: TestClient, path: Path) -> None:
    assert_tells_nothing(client.get("/review"))
    shown = begin(client)
    for item in items(path)[::5]:
        assert_tells_nothing(client.get(f"/review/items/{item.id}"))
        assert_tells_nothing(client.get(f"/review/items/{item.id}/revealed"))
    assert_tells_nothing(send(client, shown))  # nothing was chosen
    assert_tells_nothing(send(client, shown, action="skip"))
    assert_tells_nothing(client.get("/review/items/nonsense"))
    assert_tells_nothing(client.get(f"{API.replace(RUN.id, 'latest')}/review/next?rater=ann"))


def test_an_item_is_shown_with_its_code_scale_and_evidence(client: TestClient) -> None:
    shown = begin(client)
    assert shown.url.path.startswith("/review/items/")
    text = Page(shown.text)
    assert "return n *" in text.text and "Correct, clean, handles edge cases" in text.text
    assert "What executing it showed" in text.text
    scores = [field["value"] for field in text.all("input") if field.get("name") == "score"]
    keys = [element["data-key"] for _, element in text.elements if "data-key" in element]
    assert scores == ["1", "2", "3", "4", "5", "cannot_assess"] and keys == [
        "e",
        "1",
        "2",
        "3",
        "4",
        "5",
        "c",
        "s",
        "u",
    ]


def test_what_executing_showed_can_be_kept_closed_and_opened_again(client: TestClient) -> None:
    assert "open" in page(client, begin(client).url.path).all("details")[0]
    csrf = page(client, "/review").csrf
    chosen = {"csrf": csrf, "rater": "ann", "run": opaque(RUN)}
    shown = client.post("/review", data={**chosen, "evidence": "closed"})
    (details,) = Page(shown.text).all("details")
    assert "open" not in details and "checks passed" in Page(shown.text).text, "one key or click away"
    assert any(box.get("id") == "evidence" and "checked" in box for box in page(client, "/review").all("input"))
    assert "open" in Page(client.post("/review", data=chosen).text).all("details")[0]
    assert client.get(f"{API}/review/next?rater=ann&evidence=false").json()["evidence"] is None


def test_rating_then_what_the_judges_gave_then_the_next(client: TestClient, path: Path) -> None:
    shown = begin(client)
    given = send(client, shown, score="3", comment="  slow <b>")
    assert given.url.path == f"{shown.url.path}/revealed"
    text = Page(given.text)
    text.assert_harmless()
    assert "umbrella" in text.text and "parasol" in text.text and "You and the judges so far" in text.text
    assert "1 rated" in text.text
    (rating,) = ratings(path)
    assert (rating.rater, rating.score, rating.comment, rating.blind) == ("ann", 3, "slow <b>", True)
    following = client.get("/review/next")
    assert following.url.path not in (shown.url.path, given.url.path)
    assert_tells_nothing(following)


def test_cannot_assess_is_an_answer_and_no_number(client: TestClient, path: Path) -> None:
    given = send(client, begin(client), score="cannot_assess")
    assert "cannot assess" in Page(given.text).text
    assert [(rating.state, rating.score) for rating in ratings(path)] == [("rated", None)]


@pytest.mark.parametrize("score", ["", "0", "6", "4.5", "five", "１"])
def test_no_other_score_is_taken_and_the_comment_is_kept(unrated: TestClient, made: Path, score: str) -> None:
    refused = send(unrated, begin(unrated), score=score, comment="my </textarea> thoughts")
    assert refused.status_code == 422 and "Choose 1 to 5" in refused.text
    assert "my </textarea> thoughts" in Page(refused.text).text
    assert ratings(made) == []


def test_skipped_items_come_again_at_the_end(client: TestClient, path: Path) -> None:
    first = begin(client)
    second = send(client, first, action="skip")
    assert second.url.path != first.url.path and "1 skipped" in Page(second.text).text
    rate_all(path, 4, but=first.url.path.rpartition("/")[2])
    assert client.get("/review/next").url.path == first.url.path


def test_undo_takes_the_last_rating_back_and_shows_its_item_again(client: TestClient, path: Path) -> None:
    first = begin(client)
    given = send(client, first, score="2")
    again = client.post("/review/undo", data={"csrf": Page(given.text).csrf})
    assert again.url.path == first.url.path
    assert [rating.state for rating in ratings(path)] == ["rated", "withdrawn"]
    assert client.get(f"{first.url.path}/revealed").url.path == first.url.path, "it is hidden again"
    nothing = client.post("/review/undo", data={"csrf": Page(again.text).csrf})
    assert nothing.status_code == 400 and "no rating that could be taken back" in nothing.text


def test_a_double_click_is_one_blind_rating_and_a_change_of_mind_a_second_that_is_not(
    client: TestClient, path: Path
) -> None:
    shown = begin(client)
    for score in ("3", "3", "5"):
        send(client, shown, score=score)
    assert [(rating.score, rating.blind) for rating in ratings(path)] == [(3, True), (5, False)]


def test_nobody_sees_the_rating_of_another_before_giving_one(client: TestClient, path: Path) -> None:
    shown = begin(client)
    send(client, shown, score="1", comment="ann thought of giraffes")
    with browser(path) as other:
        begin(other, "bob")
        assert (
            "giraffes" not in everything(other.get(shown.url.path))
            and "ann" not in Page(other.get(shown.url.path).text).text.split()
        )
        assert other.get(f"{shown.url.path}/revealed").url.path == shown.url.path
        assert other.get(f"{API}/ratings?rater=bob").json() == []
        given = send(other, other.get(shown.url.path), score="5")
        assert "ann" in Page(given.text).text
        assert {one["rater"] for one in other.get(f"{API}/ratings?rater=bob").json()} == {"ann", "bob"}


def test_a_reload_or_another_start_of_the_service_loses_nothing(client: TestClient, path: Path) -> None:
    shown = begin(client)
    send(client, shown, score="3")
    with browser(path) as restarted:
        restarted.cookies.update(
            {name: client.cookies[name] for name in ("judge_rater", "judge_review", "judge_visit")}
        )
        following = restarted.get("/review/next")
        assert "1 rated" in Page(following.text).text
        stale = restarted.post(following.url.path, data={"csrf": Page(shown.text).csrf, "score": "4"})
        assert stale.status_code == 403 and "before its last start" in stale.text
        assert send(restarted, restarted.get(following.url.path), score="4").status_code == 200


@pytest.mark.parametrize("rater", ["", "  ", "x" * 81, "a\nb", "a\x00"])
def test_a_reviewer_has_a_name(unrated: TestClient, rater: str) -> None:
    assert begin(unrated, rater).status_code == 422


def test_names_in_every_script_travel_in_a_cookie_that_no_script_reads(client: TestClient, path: Path) -> None:
    shown = begin(client, 'Zoë "美" <b>; x=1')
    cookies = [value for name, value in shown.history[0].headers.multi_items() if name == "set-cookie"]
    assert len(cookies) == 2 and all("HttpOnly" in one and "SameSite=strict" in one for one in cookies)
    send(client, shown, score="4")
    assert ratings(path)[0].rater == 'Zoë "美" <b>; x=1'


def test_without_a_beginning_nothing_is_shown_or_rated(client: TestClient, path: Path) -> None:
    item = items(path)[0]
    for target in ("/review/next", f"/review/items/{item.id}"):
        assert client.get(target).status_code == 409
    csrf = page(client, "/review").csrf
    assert client.post(f"/review/items/{item.id}", data={"csrf": csrf, "score": "4"}).status_code == 409
    assert client.post("/review", data={"csrf": csrf, "rater": "ann", "run": RUN.id}).status_code == 422


def test_when_all_is_rated_the_labels_have_changed_something(client: TestClient, path: Path) -> None:
    begin(client)
    rate_all(path, 2)
    assert "Nothing is left to rate" in page(client, "/review/next").text
    shown = page(client, f"/runs/{RUN.id}/labels").text
    assert "The labels turned no decision" in shown and "before the labels and with them" in shown
    assert "audited" in shown and "Correction by the audit" in shown and "Judges against people" in shown


# --- the same over JSON -----------------------------------------------------------------------------------------------


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
