"""Asked to judge one answer, and not doing it: what is refused before anybody is asked."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import browser
from fakes import FakeServer, ScriptedJudge, lenient
from judging_service import JSON, OWN, PROBLEM, QUESTION, RUBRIC, judged_by, refused
from starlette.testclient import TestClient

from judge.prompting import MAX_ANSWER_CHARS
from judge.web.guard import LARGER_BODIES


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, FakeServer]]:
    """A service whose judge is never asked."""
    with judged_by(ScriptedJudge(lenient), tmp_path_factory.mktemp("idle")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"question": None}, "either question_id or question"),
        ({"question_id": QUESTION.id}, "either question_id or question"),
        ({"rubric": None}, "question and rubric go together"),
        ({"question": None, "rubric": None, "question_id": "C-T9-Q9"}, "there is no such question; use one of C-T1-Q1"),
        ({"question": None, "rubric": None, "question_id": "C-T1-Q1", "expected": "x"}, "expected goes with question"),
        ({"evidence": True}, "only questions of the suite have checks"),
        ({"blind": True}, "blind goes with evidence"),
        ({"rubric": []}, "rubric"),
        ({"rubric": [RUBRIC[0]]}, "sum to 70 and not to 100"),
        ({"rubric": [RUBRIC[0], {**RUBRIC[1], "id": "logic"}]}, "the same id"),
        ({"rubric": [{**RUBRIC[0], "weight": 100, "id": "a: b"}]}, "pattern"),
        ({"answer": "x" * (MAX_ANSWER_CHARS + 1)}, "at most 40000"),
        ({"replicates": 0}, "replicates"),
        ({"replicates": 11}, "replicates"),
        ({"judge": "nobody"}, "there is none of this name here; this service has m"),
        ({"answer": None}, "answer"),
    ],
)
def test_what_cannot_be_judged_is_refused_before_anybody_is_asked(
    idle: tuple[TestClient, FakeServer], changes: dict[str, Any], says: str
) -> None:
    client, server = idle
    asked = {name: value for name, value in {**OWN, **changes}.items() if value is not None}
    response = client.post("/api/v1/judge", json=asked)
    assert (response.status_code, response.headers["content-type"]) == (422, PROBLEM)
    assert says in response.json()["detail"], response.text
    assert server.requests == []


def test_a_judge_that_would_have_to_be_served_first_is_refused(idle: tuple[TestClient, FakeServer]) -> None:
    client, server = idle
    refused(client.post("/api/v1/judge", json={**OWN, "judge": "architect_coding"}), 409, "that judge would have to be")
    assert server.requests == []


def test_a_service_without_a_judge_says_how_to_have_one(tmp_path: Path) -> None:
    with browser(tmp_path / "judge.db") as client:
        refused(client.post("/api/v1/judge", json=OWN), 409, "this service has no judge; start it with judge serve")


def test_another_site_a_form_and_a_foreign_name_get_no_verdict(idle: tuple[TestClient, FakeServer]) -> None:
    client, server = idle
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/api/v1/judge", json=OWN, headers=headers).status_code == 403
    assert client.post("/api/v1/judge", json=OWN, headers={"Host": "evil.example"}).status_code == 400
    plain = client.post("/api/v1/judge", content=json.dumps(OWN), headers={"Content-Type": "text/plain"})
    assert plain.status_code == 422
    assert server.requests == []


def test_an_answer_may_be_longer_than_a_comment_and_has_a_limit_all_the_same(tmp_path: Path) -> None:
    with judged_by(ScriptedJudge(lenient), tmp_path) as (client, _):
        long = "# é\n" * (MAX_ANSWER_CHARS // 4)
        assert (
            client.post("/api/v1/judge", content=json.dumps({**OWN, "answer": long}), headers=JSON).json()["score"] == 5
        )
        larger = json.dumps({**OWN, "answer": "x" * LARGER_BODIES["/api/v1/judge"]})
        assert client.post("/api/v1/judge", content=larger, headers=JSON).status_code == 413
