"""Cross-judging on the command line: several judges, disagreements that go up the ladder, and judges that are served elsewhere."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest
from commands import Run, typed
from fakes import ScriptedJudge, error_response, lenient, serving
from steady_llama import lines
from steady_place import steady_servers

from judge.results import Results

NAMES = ("coder", "kind", "strict", "higher")
MODELS = """
version: 1
architectures:
  dense: [baseline]
models:
"""
ENTRY = """
  {name}:
    model: {name}-135M
    status: demo
    path: {path}
    arch: dense
    family: family-of-{name}
"""
ASKED = ("--questions", "C-T1-Q1", "--samples", "4", "--no-exam", "--no-execute", "--json")
OPEN = ("--tier", "T1", "--samples", "2", "--no-exam", "--no-execute", "--json")
"""Too little to decide a role."""
Cross = Callable[..., subprocess.CompletedProcess[str]]


def tiny_model(path: Path) -> Path:
    """A GGUF file of its own that says what a server needs to be started."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(path.stem)
    writer.add_context_length(8192)
    writer.add_tensor("token_embd.weight", np.arange(128, dtype=np.float32).reshape(4, 32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A models.yaml with a candidate and three that can judge."""
    entries = (ENTRY.format(name=name, path=tiny_model(tmp_path / f"{name}.gguf")) for name in NAMES)
    file = tmp_path / "models.yaml"
    file.write_text(MODELS + "".join(entries))
    return file


@pytest.fixture
def cross(judge: Run, models: Path, tmp_path: Path) -> Cross:
    """Run ``judge cross ARGS`` over one candidate, with servers that are ``steady_llama``."""
    env = steady_servers(tmp_path)

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        line = ("--models", models, "cross", "--candidate", "coder", *ASKED, *args)
        return judge(*line, cwd=tmp_path, env=env)

    return run


def loads(done: subprocess.CompletedProcess[str]) -> list[tuple[str, str]]:
    return re.findall(r"(collect|score): loading (\S+)", done.stderr)


def test_answers_on_which_two_judges_differ_go_to_one_more_and_the_others_do_not(cross: Cross, tmp_path: Path) -> None:
    line = ("--judge", "kind", "strict", "--escalate-to", "higher", "--spread", "2", "--seed", "10")
    done = cross(*line)
    assert done.returncode == 0, done.stderr
    assert loads(done) == [("collect", "coder/baseline"), ("score", "kind"), ("score", "strict"), ("score", "higher")]
    (arm,) = (results := Results.model_validate_json(done.stdout)).arms
    assert [one.name for one in results.judges] == ["kind", "strict", "higher"]
    given = {cell.judge: (cell.mean, cell.coverage.scored_text) for cell in arm.by_judge}
    assert given == {"kind": (5.0, "4/4"), "strict": (3.5, "4/4"), "higher": (5.0, "2/2")}
    (t1,) = arm.tiers
    assert sorted(t1.questions["C-T1-Q1"]) == [4.0, 4.0, 5.0, 5.0], "three judges where two differ, two elsewhere"
    assert (t1.mean, t1.coverage.text) == (4.5, "K 4, 2-3 judges, 4/4")
    asked = len(lines(tmp_path / "asked"))
    again = cross(*line)
    assert again.returncode == 0, again.stderr
    assert loads(again) == [] and len(lines(tmp_path / "asked")) == asked, "nobody is asked twice"


def test_judges_that_differ_by_less_than_the_spread_are_left_alone_and_a_round_that_has_no_time_left_is_owed(
    cross: Cross,
) -> None:
    line = ("--judge", "kind", "strict", "--escalate-to", "higher", "--seed", "10", "--spread")
    done = cross(*line, "4")
    assert done.returncode == 0, done.stderr
    assert ("score", "higher") not in loads(done)

    late = cross(*line, "2", "--budget-hours", "0")
    assert late.returncode == 3, late.stderr
    assert "the budget of 0 hours is spent: nothing new is begun" in late.stderr and loads(late) == []
    assert json.loads(late.stdout)["owed_scorings"] == 2
    again = cross(*line, "2")
    assert again.returncode == 0, again.stderr
    assert loads(again) == [("score", "higher")]


def test_a_judge_that_cannot_be_used_is_not_asked_again_in_the_round_of_the_higher_one(cross: Cross) -> None:
    with serving(lambda _: error_response(401, "no")) as closed:
        at = ("--judge-url", closed.base_url, "--judge-model", "m", "--judge-family", "f")
        done = cross("--judge", "kind", "strict", *at, "--escalate-to", "higher", "--spread", "2", "--seed", "10")
        assert len(closed.requests) == 1
    assert done.returncode == 3, done.stderr
    assert [name for phase, name in loads(done) if phase == "score"] == ["kind", "strict", "m", "higher"]
    assert done.stderr.count("m cannot be used, 4 scorings stay owed: ") == 1
    assert json.loads(done.stdout)["owed_scorings"] == 4


@pytest.mark.parametrize("refusing", [False, True])
def test_a_run_until_decided_samples_no_further_while_a_judge_is_missing(
    judge: Run, models: Path, tmp_path: Path, *, refusing: bool
) -> None:
    fine = ScriptedJudge(lenient)
    with serving(lambda request: error_response(401, "no") if refusing else fine(request)) as server:
        at = ("--judge-url", server.base_url, "--judge-model", "m")  # of no known family: the other one decides alone
        line = ("run", "--candidate", "coder", *OPEN, "--judge", "kind", *at, "--until-decided", "--max-samples", "3")
        done = judge("--models", models, *line, cwd=tmp_path, env=steady_servers(tmp_path))
        assert (len(server.requests) == 1) is refusing
    assert done.returncode == (3 if refusing else 0), done.stderr
    (arm,) = json.loads(done.stdout)["arms"]
    (t1,) = [tier for tier in arm["tiers"] if tier["tier"] == "T1"]
    assert t1["coverage"]["samples"] == [2 if refusing else 3]


def test_a_judge_at_an_endpoint_and_one_that_is_served_here_judge_together(cross: Cross) -> None:
    with serving(ScriptedJudge(lenient)) as server:
        at = ("--judge-url", server.base_url, "--judge-model", "m", "--judge-family", "f")
        done = cross("--judge", "strict", *at, "--seed", "10")
        assert done.returncode == 0, done.stderr
        assert len(server.asked()) > 4
    found = json.loads(done.stdout)
    assert [(cell["judge"], cell["mean"]) for cell in found["cross"]["cells"]] == [("strict", 3.5), ("m", 5.0)]
    assert (
        found["arms"][0]["coverage"]
        if "coverage" in found["arms"][0]
        else found["coverage"]["judges"] == ["strict", "m"]
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--judge", "kind"), "cross-judging needs at least two judges; name them: --judge A B, or "),
        (("--judge", "kind", "strict", "--escalate-to", "kind"), "--escalate-to kind is one of the judges that differ"),
        (("--judge", "kind", "strict", "--escalate-to", "nobody"), "model 'nobody' is not in"),
        (("--judge", "kind", "--judge-url", "http://127.0.0.1:9/v1"), "needs --judge-model"),
        (("--judge", "kind", "kind"), "cross-judging needs at least two judges"),
    ],
)
def test_what_cannot_be_crossed_is_refused_in_one_line_before_anything_starts(
    models: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], message: str
) -> None:
    results = models.parent / "results"
    assert typed("--models", models, "--results", results, "cross", "--candidate", "coder", *ASKED, *args) == 2
    said = capsys.readouterr().err
    assert message in said and said.startswith("error: ") and said.count("\n") == 1
    assert not results.exists()


def test_an_endpoint_from_the_environment_is_for_when_nobody_is_named(
    models: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUDGE_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("JUDGE_MODEL", "m")
    assert typed("--models", models, "cross", "--candidate", "coder", *ASKED, "--judge", "kind") == 2
    assert "at least two judges" in capsys.readouterr().err
