"""Evidence in a whole run: answers from elsewhere are executed, the judge is told, its scores are bounded, and it is audited."""

import json
import re
from pathlib import Path

import pytest
from commands import Run
from fakes import FakeServer, ScriptedJudge, error_response, lenient, models_response, serving

from judge.events import Checked
from judge.pipeline import Machinery, check_run, owed_checks
from judge.store import Store
from judge.terminal import describe
from runner.isolation import Isolation

RIGHT = "```python\ndef factorial(n: int) -> int:\n    return 1 if n < 2 else n * factorial(n - 1)\n```\n"
WRONG = "```python\ndef factorial(n: int) -> int:\n    return 1 if n < 2 else n + factorial(n - 1)\n```\n"
SECRET = "sk-do-not-print-this"


@pytest.fixture
def place(judge: Run, tmp_path: Path) -> Path:
    """Two answers, one right and one wrong, imported and executed."""
    source = tmp_path / "answers.jsonl"
    lines = [
        {"model": "good", "config": "baseline", "question_id": "C-T1-Q1", "answer": RIGHT},
        {"model": "bad", "config": "baseline", "question_id": "C-T1-Q1", "answer": WRONG},
    ]
    source.write_text("\n".join(map(json.dumps, lines)))
    assert judge("import", source, cwd=tmp_path).returncode == 0
    assert judge("check", "latest", "--quiet", cwd=tmp_path).returncode == 0
    return tmp_path


def score(judge: Run, place: Path, server: FakeServer, *more: str) -> dict:
    line = ("score", "latest", "--judge-url", server.base_url, "--judge-model", "m", "--no-exam", "--json", *more)
    done = judge(*line, cwd=place, env={"JUDGE_API_KEY": SECRET})
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    return json.loads(done.stdout)


def means(results: dict) -> dict[str, float]:
    return {arm["candidate"]: arm["questions"][0]["mean"] for arm in results["arms"]}


def prompts(server: FakeServer) -> list[str]:
    return [
        r.body["messages"][-1]["content"] for r in server.asked() if "<<<ANSWER" in r.body["messages"][-1]["content"]
    ]


def test_a_lenient_judge_cannot_lift_a_wrong_answer_above_its_evidence(judge: Run, place: Path) -> None:
    with serving(ScriptedJudge(lenient)) as server:
        results = score(judge, place, server)
        told = next(prompt for prompt in prompts(server) if "n + factorial" in prompt)
    assert means(results)["good"] == 5
    assert means(results)["bad"] < 3.5, "half of the weight is on the logic, which fails its checks"
    assert "- correct_logic: " in told and "first failure: " in told and 'expected "120"' in told
    bad = next(arm for arm in results["arms"] if arm["candidate"] == "bad")
    assert bad["questions"][0]["judge_mean"] == 5, "the judge's own score is reported beside"
    assert {(d["criterion"], d["score"]) for d in bad["disagreements"]} == {("correct_logic", 5)}


def test_policy_judge_leaves_the_scores_as_they_are(judge: Run, place: Path) -> None:
    with serving(ScriptedJudge(lenient)) as server:
        results = score(judge, place, server, "--policy", "judge")
    assert means(results) == {"good": 5, "bad": 5}


def test_a_blind_second_judgement_audits_the_judge_against_the_tests(judge: Run, place: Path) -> None:
    with serving(ScriptedJudge(lenient)) as server:
        results = score(judge, place, server, "--blind")
        seen = ["We ran the code" in prompt for prompt in prompts(server)]
    assert sorted(seen) == [False, False, True, True]
    assert results["judges"][0]["blind"] is True
    rates = {arm["candidate"]: arm["rates"] for arm in results["arms"]}
    assert rates["good"]["right_confirmed"] == rates["good"]["right"] > 0
    assert rates["bad"]["wrong"] > 0 and rates["bad"]["wrong_caught"] == 0
    report = (place / "results" / results["run_id"] / "results.md").read_text()
    assert "scored without seeing the evidence" in report
    assert "bad/baseline C-T1-Q1 sample 0, correct_logic: m 5, evidence allows" in report


def test_the_second_scoring_by_the_same_judge_asks_nothing(judge: Run, place: Path) -> None:
    with serving(ScriptedJudge(lenient)) as server:
        score(judge, place, server)
        asked = len(server.asked())
        score(judge, place, server)
        assert len(server.asked()) == asked


def test_show_prints_the_evidence_beside_the_verdicts(judge: Run, place: Path) -> None:
    with serving(ScriptedJudge(lenient)) as server:
        score(judge, place, server)
    listing = judge("show", "latest", cwd=place).stdout
    match = re.search(r"^- ([0-9a-f]{16}) bad/baseline C-T1-Q1", listing, re.MULTILINE)
    assert match is not None
    shown = judge("show", match[1], cwd=place).stdout
    assert "## Executed (bwrap): ok" in shown and "called as: factorial(n)" in shown
    assert "- fail [correct_logic]" in shown
    assert "evidence in sight" in shown


def test_no_key_is_left_in_anything_that_is_written(judge: Run, place: Path) -> None:
    with serving(ScriptedJudge(lenient)) as server:
        score(judge, place, server)
    for file in (place / "results").rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes(), file


def test_an_endpoint_that_refuses_the_key_stops_with_one_line_and_loses_nothing(judge: Run, place: Path) -> None:
    def refuse(request):  # lists its models, as some do without a key
        return models_response("m") if request.path == "/v1/models" else error_response(401, "bad key")

    with serving(refuse) as server:
        line = ("score", "latest", "--judge-url", server.base_url, "--judge-model", "m", "--no-exam")
        done = judge(*line, cwd=place)
        assert len(server.asked()) <= 4, "stopped at once"
    assert done.returncode == 1
    assert "refused the key (HTTP 401)" in done.stderr and "Traceback" not in done.stderr
    with serving(ScriptedJudge(lenient)) as server:
        assert means(score(judge, place, server))["good"] == 5


async def test_without_isolation_the_evidence_is_owed_and_says_how_to_get_it(judge: Run, tmp_path: Path) -> None:
    source = tmp_path / "one.jsonl"
    source.write_text(json.dumps({"model": "other", "config": "baseline", "question_id": "C-T1-Q1", "answer": WRONG}))
    judge("import", source, cwd=tmp_path)
    store = Store.open(tmp_path / "results" / "judge.db")
    run, _ = store.run("latest")
    none = Isolation(level="none", reason="bubblewrap is not installed", fix="apt-get install bubblewrap")
    events = [event async for event in check_run(run, store, Machinery(folder=tmp_path, isolation=none))]
    assert [event.evidence.state for event in events if isinstance(event, Checked)] == ["not_run"]
    assert "bubblewrap is not installed" in describe(events[0])
    assert len(owed_checks(run, store)) == 1, "missing, and owed to the next run"
    store.close()
