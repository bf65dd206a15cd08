"""One answer judged for another program, and the judge fails: the class of its failure, and never a score."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from browsing import browser
from exam_judges import PROMPTS, SUITE, record
from fakes import (
    Asked,
    Fault,
    Handler,
    Request,
    Response,
    Scores,
    ScriptedJudge,
    error_response,
    html_response,
    lenient,
    serving,
    verdict_json,
)
from judging_service import FAST, OWN, asks, grading, judged_by, prompts, refused

from judge.pipeline import Machinery
from judge.web.judging import Judging

__all__ = ["asks"]


def leaking(status: int) -> Handler:
    """A judge that fails and sends back the header that it got, and more."""

    def handle(request: Request) -> Response:
        if not grading(request):
            return ScriptedJudge(lenient)(request)
        return error_response(status, f"secret of the server, {request.headers.get('authorization')}")

    return handle


@pytest.mark.parametrize(
    ("handler", "status", "begins"),
    [
        (ScriptedJudge(lambda asked: "no JSON at all"), 502, "bad_verdict: "),
        (ScriptedJudge(lambda asked: {"logic": 5}), 502, "bad_verdict: "),
        (ScriptedJudge(lambda asked: {"logic": 6, "style": 5}), 502, "bad_verdict: "),
        (leaking(500), 502, "endpoint: "),
        (leaking(401), 502, "access_denied: "),
        (ScriptedJudge(lenient, name="another model"), 502, "endpoint: "),
        (lambda request: Response((Fault.RESET,), headerless=True), 502, "endpoint: "),
        (lambda request: html_response(), 502, "endpoint: "),
    ],
)
def test_a_judge_that_fails_gives_no_score_and_the_class_of_its_failure(
    tmp_path: Path, handler: Handler, status: int, begins: str
) -> None:
    with judged_by(handler, tmp_path) as (client, _):
        refused(client.post("/api/v1/judge", json=OWN), status, begins)


def test_an_answer_that_does_not_fit_the_judge_is_said_to_be_too_long(tmp_path: Path) -> None:
    told = "This model's maximum context length is 64 tokens, however you requested 900 tokens"

    def handle(request: Request) -> Response:
        if grading(request):
            return error_response(400, told, code="context_length_exceeded")
        return ScriptedJudge(lenient)(request)

    with judged_by(handle, tmp_path) as (client, _):
        refused(client.post("/api/v1/judge", json=OWN), 422, "context_exceeded: ")


def test_one_failed_scoring_of_several_leaves_no_score_and_keeps_the_others(asks: Any) -> None:
    asked_before: list[Asked] = []

    def opinion(asked: Asked) -> Scores | str:
        asked_before.append(asked)
        return dict.fromkeys(asked.keys, 4) if len(asked_before) == 1 else "nothing"

    got = asks(opinion, **OWN, replicates=2)
    assert (got["score"], got["reason"]) == (None, "1 of 2 scorings failed (bad_verdict)")
    assert [(one["score"], one["failure"]) for one in got["scorings"]] == [(4.0, None), (None, "bad_verdict")]


def test_a_bad_reply_gets_its_repair_turn(asks: Any) -> None:
    got = asks(lambda asked: verdict_json(dict.fromkeys(asked.keys, 3)) if asked.turn else "hm", **OWN)
    assert got["score"] == 3.0 and got["scorings"][0]["repaired"]


def test_a_judge_that_was_away_is_asked_again_by_the_next_request(tmp_path: Path) -> None:
    away = [True]

    def handle(request: Request) -> Response:
        return Response((Fault.RESET,), headerless=True) if away[0] else ScriptedJudge(lenient)(request)

    with judged_by(handle, tmp_path) as (client, _):
        refused(client.post("/api/v1/judge", json=OWN), 502, "endpoint: ")
        away[0] = False
        assert client.post("/api/v1/judge", json=OWN).json()["score"] == 5.0


def test_a_judge_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    def handle(request: Request) -> Response:
        return Response((Fault.HANG,)) if grading(request) else ScriptedJudge(lenient)(request)

    with judged_by(handle, tmp_path, within_s=4.0) as (client, server):
        refused(client.post("/api/v1/judge", json=OWN), 504, "timeout: ")
        assert server.hung_up.wait(10), "the judge is told that nobody waits"


def test_too_many_at_once_are_told_to_come_again_and_pages_are_answered_meanwhile(tmp_path: Path) -> None:
    release = threading.Event()

    def opinion(asked: Asked) -> Scores:
        assert release.wait(60)
        return dict.fromkeys(asked.keys, 4)

    with judged_by(ScriptedJudge(opinion), tmp_path, concurrency=1, waiting=1) as (client, server):
        with ThreadPoolExecutor(2) as pool:
            waiting = [pool.submit(client.post, "/api/v1/judge", json=OWN) for _ in range(2)]
            deadline_s = time.monotonic() + 30
            while not prompts(server) and time.monotonic() < deadline_s:
                time.sleep(0.01)
            third = client.post("/api/v1/judge", json=OWN)
            assert client.get("/runs").status_code == 200, "the pages do not wait for the judge"
            release.set()
            assert [one.result().json()["score"] for one in waiting] == [4.0, 4.0]
        refused(third, 429, "2 answers are being judged")
        assert int(third.headers["retry-after"]) > 0
        assert client.post("/api/v1/judge", json=OWN).status_code == 200


# --- a judge at several endpoints ---


def test_an_endpoint_that_was_away_when_the_judge_was_opened_judges_too_once_it_is_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    judge, is_there = ScriptedJudge(lenient), threading.Event()
    machinery = Machinery(folder=tmp_path, retry=FAST.model_copy(update={"absent_s": 0.02}))

    def late(request: Request) -> Response:
        return judge(request) if is_there.is_set() else error_response(503, "no backend")

    with serving(judge) as here, serving(late) as there:
        both = record(here).model_copy(update={"more_endpoints": (there.endpoint(),)})
        with browser(tmp_path / "judge.db", judging=Judging(both, SUITE, PROMPTS, machinery)) as client:

            def judged() -> int:
                return sum("<<<ANSWER" in str(request.body) for request in there.asked())

            assert client.post("/api/v1/judge", json=OWN).json()["score"] == 5.0
            assert judged() == 0
            is_there.set()
            deadline_s = time.monotonic() + 20
            while judged() == 0 and time.monotonic() < deadline_s:
                with ThreadPoolExecutor(4) as pool:  # one after the other, all would go to the first endpoint
                    got = list(pool.map(lambda _: client.post("/api/v1/judge", json=OWN).json()["score"], range(4)))
                assert got == [5.0] * 4
            assert judged() > 0
    told = [r.getMessage() for r in caplog.records if r.name == "uvicorn.error" and there.base_url in r.getMessage()]
    assert [line.partition(f"{there.base_url}")[0] for line in told] == [
        "m: left out until it can be asked, the others do its work: ",
        "m: ",
    ]
    assert told[1].endswith(" can be asked now, and does its share of the work")
