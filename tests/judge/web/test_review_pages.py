"""The review in a browser: nothing is told before one's own rating, nothing is lost, and afterwards everything is shown."""

import re
from pathlib import Path

import pytest
from blind_review import (
    API,
    RUN,
    assert_tells_nothing,
    begin,
    client,
    everything,
    items,
    made,
    path,
    rate_all,
    ratings,
    send,
    unrated,
)
from browsing import Page, browser, page
from starlette.testclient import TestClient

from judge.web.rating import opaque

__all__ = ["client", "made", "path", "unrated"]


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
    assert len(re.findall(r"umbrella, parasol(\d+)/\1", shown)) >= 3, (
        "each tier by itself and all together, and before and after"
    )
