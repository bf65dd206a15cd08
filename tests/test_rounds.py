"""Commands that run several arms or several rounds, on real models: sweep, until decided, cross-judging."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Run
from fakes import FakeServer, ScriptedJudge, lenient, serving

pytestmark = pytest.mark.real

SHORT = ("--candidate", "demo_moe", "--max-tokens", "24", "--no-execute", "--no-exam", "--json")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serving(ScriptedJudge(lenient)) as running:
        yield running


def by(server: FakeServer) -> tuple[str, ...]:
    return ("--judge-url", server.base_url, "--judge-model", "m", "--judge-family", "other")


def test_a_sweep_serves_the_models_own_count_once_as_its_baseline(
    judge: Run, server: FakeServer, tmp_path: Path
) -> None:
    line = ("sweep", *SHORT, "--experts", "4,2", "--questions", "C-T1-Q1", "--samples", "2", *by(server))
    done = judge(*line, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(c["a"], c["b"]) for c in found["comparisons"]] == [("demo_moe/baseline", "demo_moe/moe2")]
    assert found["comparisons"][0]["difference"]["pairs"] == 2
    assert found["comparisons"][0]["speed"]["ratio"] > 0
    assert found["comparisons"][0]["verdict"] == "undecided", "two answers decide nothing"
    assert found["recommended"] == "demo_moe/baseline"
    assert "4 experts used (proven)" in done.stderr and "2 experts used (proven)" in done.stderr


def test_a_run_samples_on_until_it_is_decided_and_again_asks_nothing(
    judge: Run, server: FakeServer, tmp_path: Path
) -> None:
    answers = ("--tier", "T1", "--samples", "2", "--max-tokens", "8")
    line = ("run", *SHORT, *answers, "--configs", "moe2", "--until-decided", *by(server))
    done = judge(*line, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (arm,) = json.loads(done.stdout)["arms"]
    (tier,) = [tier for tier in arm["tiers"] if tier["tier"] == "T1"]
    assert {len(scores) for scores in tier["questions"].values()} == {10}, "five fives are open at 4.5, ten pass"
    asked = len(server.asked())
    again = judge(*line, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "loading" not in again.stderr and len(server.asked()) == asked


def test_every_model_is_loaded_once_as_candidate_and_once_as_judge_and_nobody_scores_itself(
    judge: Run, tmp_path: Path
) -> None:
    names = ("demo_moe", "demo_judge")
    line = (
        "cross", "--candidate", *names, "--judge", *names, "--configs", "baseline", "--questions", "C-T1-Q1", "--no-exam",
        "--samples", "1", "--max-tokens", "24", "--judge-max-tokens", "600", "--no-execute", "--json",
    )  # fmt: skip
    done = judge(*line, cwd=tmp_path)
    assert done.returncode in (0, 3), done.stderr
    assert re.findall(r"(collect|score): loading (\S+)", done.stderr) == [
        ("collect", "demo_moe/baseline"),
        ("collect", "demo_judge/baseline"),
        ("score", "demo_moe"),
        ("score", "demo_judge"),
    ]
    results = json.loads(done.stdout)
    cells = {(cell["judge"], cell["arm_id"], cell["relation"]) for cell in results["cross"]["cells"]}
    assert cells == {("demo_moe", "demo_judge/baseline", "family"), ("demo_judge", "demo_moe/baseline", "family")}
