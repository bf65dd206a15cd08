"""One line of JSON an event, one id a unit through all layers, and the key nowhere: in no log, error, result or store."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from commands import Run
from fakes import (
    FakeServer,
    Request,
    Response,
    ScriptedJudge,
    error_response,
    lenient,
    serving,
)

from judge.commands.shared import secrets, without_password
from judge.errors import UserError
from judge.judge_prompts import load_judge_prompts
from judge.library import load_models
from judge.request import JudgeChoice, RunChoice, build_judge

KEY = "sk-0123456789-never-written"
QUESTIONS = ("C-T1-Q1", "C-T1-Q2")


@pytest.fixture
def place(judge: Run, tmp_path: Path) -> Path:
    """Two stored answers."""
    lines = [{"model": "coder", "question_id": q, "answer": f"def f(): return {q!r}\n\nThat is it."} for q in QUESTIONS]
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert judge("import", "answers.jsonl", cwd=tmp_path).returncode == 0
    return tmp_path


def score(judge: Run, place: Path, server: FakeServer):
    line = ("score", "latest", "--judge-url", server.base_url, "--judge-model", "m", "--no-exam", "--quiet")
    return judge("--log-file", "log.jsonl", *line, cwd=place, env={"JUDGE_API_KEY": KEY})


def records(place: Path) -> list[dict]:
    return [json.loads(line) for line in (place / "log.jsonl").read_text().splitlines()]


def quoting(request: Request) -> Response:
    """A judge that quotes the headers that it was sent: in its verdicts, and in the error about one of the questions."""
    sent = request.headers["authorization"]
    if "reverse" in json.dumps(request.body).lower():
        return error_response(400, f"no such thing; you sent {sent}")
    opinion = ScriptedJudge(lenient)(request)
    return replace(
        opinion, steps=tuple(s.replace(b"line 1", sent.encode()) for s in opinion.steps if isinstance(s, bytes))
    )


def files_with(text: str, place: Path) -> list[str]:
    return [str(f.relative_to(place)) for f in place.rglob("*") if f.is_file() and text.encode() in f.read_bytes()]


def test_a_key_that_the_endpoint_quotes_is_written_nowhere(judge: Run, place: Path) -> None:
    with serving(quoting) as server:
        done = score(judge, place, server)
        assert any(KEY in request.headers["authorization"] for request in server.asked())
    assert done.returncode == 3
    assert "you sent Bearer [key]" in done.stderr
    assert files_with("Bearer [key]", place), "the reply was stored"
    assert KEY not in done.stdout + done.stderr
    assert files_with(KEY, place) == []


def test_an_endpoint_that_refuses_the_key_and_quotes_it_does_not_make_us_show_it(judge: Run, place: Path) -> None:
    with serving(lambda r: error_response(401, f"Incorrect API key provided: {r.headers['authorization']}")) as server:
        done = score(judge, place, server)
    assert done.returncode == 1
    assert "Incorrect API key provided: Bearer [key]" in done.stderr
    assert KEY not in done.stdout + done.stderr
    assert files_with(KEY, place) == []


@pytest.mark.parametrize("url", ["http://me:sesame-open@127.0.0.1:9/v1", "http://127.0.0.1:9/v1?api-key=sesame-open"])
def test_a_key_in_the_url_is_refused_before_anything_is_stored(url: str) -> None:
    wanted = JudgeChoice(urls=("http://127.0.0.1:8/v1", url), model="m")
    with pytest.raises(UserError, match="put the key into JUDGE_API_KEY") as refusal:
        build_judge(wanted, RunChoice(candidates=()), load_models(), load_judge_prompts(), {})
    assert "sesame-open" not in str(refusal.value)


def test_every_layer_logs_with_the_id_of_the_unit(judge: Run, place: Path) -> None:
    busy = [error_response(503, "busy", retry_after="0.01")]
    with serving(lambda r: busy.pop() if "<<<ANSWER" in str(r.body) and busy else ScriptedJudge(lenient)(r)) as server:
        assert score(judge, place, server).returncode == 0
    units = {record["unit"] for record in records(place) if record["event"] == "scoring"}
    assert len(units) == len(QUESTIONS)
    events = {unit: [r["event"] for r in records(place) if r["unit"] == unit] for unit in units}
    calm, retried = sorted(events.values(), key=len)
    assert calm == ["scoring", "request", "reply", "stored"]
    assert retried == ["scoring", "request", "failed", "message", "request", "reply", "stored"]
    wait = next(r for r in records(place) if r["event"] == "message" and r["unit"])
    assert (wait["logger"], wait["level"]) == ("runner.retry", "warning") and "next in 0.0 s" in wait["message"]
    assert {r["logger"] for r in records(place) if r["unit"]} == {
        "judge.pipeline.judging",
        "runner.guard",
        "runner.retry",
    }


def test_the_password_of_a_store_is_left_out_of_the_command_that_is_kept() -> None:
    url = "postgresql+psycopg://judge:sesame-open@db/judge"
    assert without_password(url) == "postgresql+psycopg://judge:...@db/judge"
    assert without_password("http://127.0.0.1:8080/v1") == "http://127.0.0.1:8080/v1"
    assert secrets({"JUDGE_API_KEY": "k"}, url) == ["k", "sesame-open"]


def test_who_judges_depends_on_the_first_endpoint_and_not_on_how_many_share_the_work() -> None:
    def judge_at(*urls: str) -> str:
        wanted = JudgeChoice(urls=urls, model="m")
        return build_judge(wanted, RunChoice(candidates=()), load_models(), load_judge_prompts(), {}).fingerprint

    assert judge_at("http://a:1/v1") == judge_at("http://a:1/v1", "http://b:1/v1") == judge_at("http://a:1/v1/")
    assert judge_at("http://a:1/v1") != judge_at("http://b:1/v1")
