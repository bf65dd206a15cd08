"""One line of JSON an event, one id a unit through all layers, and the key nowhere: in no log, error, result or store."""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import fake_llama
import pytest
from commands import Run
from exam_judges import gradings, sit
from examples import judge_record, model_file, run_record
from fakes import (
    FakeServer,
    Request,
    Response,
    ScriptedJudge,
    error_response,
    json_response,
    lenient,
    models_response,
    serving,
)

from judge.judge_prompts import load_judge_prompts
from judge.judges import build_judge
from judge.library import load_models
from judge.pipeline import Machinery, collect_run, score_run, wanted_scorings
from judge.plan import wanted_answers
from judge.store import Store
from judge.wanted import JudgeChoice, RunChoice
from runner.journal import written
from runner.retry import RetryPolicy
from runner.serve import ServeOptions
from runner.statuses import SHOWN_CHARS
from runner.types import Serving

KEY = "sk-0123456789-never-written"
QUESTIONS = ("C-T1-Q1", "C-T1-Q2")


@pytest.fixture
def place(judge: Run, tmp_path: Path) -> Path:
    """Two stored answers."""
    lines = [{"model": "coder", "question_id": q, "answer": f"def f(): return {q!r}\n\nThat is it."} for q in QUESTIONS]
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert judge("import", "answers.jsonl", cwd=tmp_path).returncode == 0
    return tmp_path


def score(judge: Run, place: Path, server: FakeServer, *more: str):
    line = ("score", "latest", "--judge-url", server.base_url, "--judge-model", "m", "--no-exam", "--quiet", *more)
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


def pieces_in(text: str | bytes) -> list[str]:
    """Which eight characters in a row of the key are in a text."""
    said = text if isinstance(text, bytes) else text.encode()
    return [piece for at in range(len(KEY) - 7) if (piece := KEY[at : at + 8]).encode() in said]


def shown_pieces(done: subprocess.CompletedProcess[str], place: Path) -> dict[str, list[str]]:
    """Where which piece of the key is: in what was printed, in the log, in the results and in the store."""
    read = {str(file.relative_to(place)): file.read_bytes() for file in place.rglob("*") if file.is_file()}
    assert {"log.jsonl", "results/judge.db"} <= read.keys()
    return {
        name: found
        for name, said in {**read, "printed": done.stdout + done.stderr}.items()
        if (found := pieces_in(said))
    }


AROUND_THE_CUT = range(SHOWN_CHARS - len(KEY) - 1, SHOWN_CHARS + 2)


@pytest.fixture
def many(judge: Run, tmp_path: Path) -> Path:
    """One stored answer for every place around the cut of a message at which a key may stand."""
    answers = [f"def f(): return 1\n\nThat is it, at-{before}-at." for before in AROUND_THE_CUT]
    lines = [{"model": "coder", "question_id": "C-T1-Q1", "sample": n, "answer": a} for n, a in enumerate(answers)]
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert judge("import", "answers.jsonl", cwd=tmp_path).returncode == 0
    return tmp_path


def test_wherever_a_message_is_cut_no_piece_of_the_key_is_written(judge: Run, many: Path) -> None:
    def long_error(request: Request) -> Response:
        at = re.search(r"at-(\d+)-at", str(request.body))
        if at is None:
            return ScriptedJudge(lenient)(request)
        said = "x" * int(at[1]) + request.headers["authorization"].removeprefix("Bearer ")
        return error_response(400, said) if int(at[1]) % 2 else Response((said.encode(),), 400)

    with serving(long_error) as server:
        done = score(judge, many, server, "--json")
    assert done.returncode == 3, done.stderr
    failures = json.loads(done.stdout)["arms"][0]["failures"]
    assert len(failures) == len(AROUND_THE_CUT)
    assert shown_pieces(done, many) == {}


@pytest.mark.parametrize("where", ["listed", "listing of another form", "page"])
def test_a_listing_that_quotes_the_key_is_told_without_it(judge: Run, place: Path, where: str) -> None:
    def quoting_listing(request: Request) -> Response:
        sent = request.headers["authorization"]
        return {
            "listed": models_response(f"you sent {sent}"),
            "listing of another form": json_response({"x" * 50: sent}),
            "page": Response((b"<html>" + b"w" * 60 + sent.encode(),), headers={"content-type": "text/html"}),
        }[where]

    with serving(quoting_listing) as server:
        done = score(judge, place, server)
    assert done.returncode == 1 and "\nerror: http://127.0.0.1:" in done.stderr
    assert shown_pieces(done, place) == {}


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+nosuch://db/judge?user=j&password={}",
        "postgresql+nosuch://judge:{}/x@db/judge",
        "host=db password={}",
    ],
)
def test_a_password_of_a_store_is_not_written_however_its_address_is(judge: Run, tmp_path: Path, address: str) -> None:
    done = judge("--log-file", "log.jsonl", "--store", address.format(KEY), "list", cwd=tmp_path)
    assert done.returncode != 0 and done.stderr.startswith("error: ")
    assert pieces_in(done.stdout + done.stderr + (tmp_path / "log.jsonl").read_text()) == []
    assert not [file for file in tmp_path.rglob("*") if pieces_in(str(file))]


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


# --- ids ----------------------------------------------------------------------------------------------------------------

ASKED = [("guard", "request"), ("guard", "reply")]


def events_by_unit(path: Path) -> dict[str | None, list[tuple[str, str]]]:
    """Unit -> logger and event of its lines, in order."""
    found: dict[str | None, list[tuple[str, str]]] = {}
    for line in path.read_text().splitlines():
        record = json.loads(line)
        found.setdefault(record["unit"], []).append((record["logger"].rpartition(".")[2], record["event"]))
    return found


DIED = [("guard", "request"), ("guard", "failed"), ("supervise", "message")]
"""A request of which the server dies, before it is started again."""


@pytest.mark.parametrize(("deaths", "second"), [("0", ASKED), ("2", [*DIED, *ASKED])], ids=["alive", "dying"])
async def test_all_lines_about_a_unit_of_a_run_share_its_id_and_those_about_no_unit_have_none(
    tmp_path: Path, deaths: str, second: list[tuple[str, str]]
) -> None:
    (tmp_path / "deaths").write_text(deaths)
    judge = judge_record(endpoint=None, model=model_file(), serving=Serving(n_threads=1))
    run = run_record(samples=2, judges=(judge,))
    serve = ServeOptions(python=str(fake_llama.program(tmp_path)))
    machinery = Machinery(folder=tmp_path, serve=serve, retry=RetryPolicy(attempts=1))
    store = Store.open(tmp_path / "judge.db")
    store.add_run(run)
    with written(tmp_path / "log.jsonl"):
        for events in (
            collect_run(run, store, machinery),
            score_run(run, judge, store, load_judge_prompts().templates, machinery),
        ):
            async for _ in events:
                pass
    answers = [unit.key for unit in wanted_answers(run, run.arms[0])]
    scorings = [task.key for task in wanted_scorings(run, judge, {})]
    store.close()
    found = events_by_unit(tmp_path / "log.jsonl")
    for units, layer, begun in ((answers, "collecting", "asking"), (scorings, "judging", "scoring")):
        lines = [[(layer, begun), *asked, (layer, "stored")] for asked in (ASKED, second)]
        assert [found.pop(unit) for unit in units] == lines
    assert found.keys() == {None} and set(found[None]) == {*ASKED}, "what is left is warm-ups and the handshake"


async def test_all_lines_about_an_answer_of_an_exam_share_its_id(tmp_path: Path) -> None:
    with serving(ScriptedJudge(lenient)) as server:
        with written(tmp_path / "log.jsonl"):
            await sit(server, tmp_path, concurrency=4)
        count = gradings(server)
    found = events_by_unit(tmp_path / "log.jsonl")
    assert set(found.pop(None)) == {*ASKED}, "the handshake"
    assert len(found) == count > 0
    assert all(lines == [("examining", "examining"), *ASKED, ("examining", "stored")] for lines in found.values())


def test_all_lines_about_an_execution_have_the_id_of_the_answer(judge: Run, place: Path) -> None:
    assert judge("--log-file", "log.jsonl", "check", "latest", cwd=place).returncode == 0
    found = events_by_unit(place / "log.jsonl")
    found.pop(None, None)
    store = Store.open(place / "results" / "judge.db")
    run, _ = store.run("latest")
    answers = [unit.key for record in run.arms for unit in wanted_answers(run, record)]
    store.close()
    assert sorted(found) == sorted(answers)
    assert list(found.values()) == [[("executing", "executing"), ("executing", "executed")]] * len(QUESTIONS)


def test_who_judges_depends_on_the_first_endpoint_and_not_on_how_many_share_the_work() -> None:
    def judge_at(*urls: str) -> str:
        wanted = JudgeChoice(urls=urls, model="m")
        return build_judge(wanted, RunChoice(candidates=()), load_models(), load_judge_prompts(), {}).fingerprint

    assert judge_at("http://a:1/v1") == judge_at("http://a:1/v1", "http://b:1/v1") == judge_at("http://a:1/v1/")
    assert judge_at("http://a:1/v1") != judge_at("http://b:1/v1")
