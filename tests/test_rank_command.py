"""judge rank on the command line: what it prints, and its exit codes."""

import json
from pathlib import Path

import pytest
from commands import Run, typed
from fakes import serving
from pair_judges import AskedPair, preferring
from rankings import comparisons_asked, knows_better

from judge.importing import import_source
from judge.places import Places

QUESTIONS = ("C-T1-Q1", "C-T1-Q2", "C-T1-Q3", "C-T2-Q1", "C-T2-Q3")


def lines(*models: str) -> str:
    """Answers of quality 1, 2 ... to import."""
    return "\n".join(
        json.dumps(
            {
                "model": model,
                "config": "baseline",
                "question_id": question,
                "answer": f"def f():\n    pass  # quality {n}",
            }
        )
        for n, model in enumerate(models, 1)
        for question in QUESTIONS
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Imported answers of two models, the second the better one."""
    source = tmp_path / "answers.jsonl"
    source.write_text(lines("worse", "better"))
    import_source(Places(results=tmp_path / "results"), source, ("judge", "import"))
    return tmp_path


def test_a_ranking_is_planned_carried_out_in_two_goes_and_reported(judge: Run, place: Path) -> None:
    broken = [True]

    def opinion(asked: AskedPair) -> str:
        return "?" if broken[0] and "lru" in asked.text.lower() else knows_better(asked)

    with serving(preferring(opinion)) as server:
        by = ("--judge-url", server.base_url, "--judge-model", "m", "--judge-family", "other")
        dry = judge("rank", "latest", *by, "--dry-run", cwd=place)
        assert (dry.returncode, server.requests) == (0, [])
        assert dry.stdout.splitlines()[-1] == "m: 10 comparisons owed"
        first = judge("rank", "latest", *by, cwd=place)
        assert first.returncode == 3, first.stderr
        assert (
            "m on C-T2-Q3 sample 0, better/baseline | worse/baseline: failed: no JSON object found in '?'"
            in first.stderr
        )
        assert "incomplete: 2 comparisons are owed; the same command again asks for exactly these" in first.stderr
        broken[0] = False
        before = len(comparisons_asked(server))
        again = judge("rank", "latest", *by, "--json", "--quiet", cwd=place)
        assert again.returncode == 0, again.stderr
        assert len(comparisons_asked(server)) == before + 2
    assert "Judge m (not examined): this order decides nothing" in first.stdout
    assert "Both orders agree in 4 of 4 pairs (100%)" in first.stdout and "needs 5 questions" in first.stdout
    (ranking,) = json.loads(again.stdout)["judges"]
    assert [arm["arm_id"] for arm in ranking["groups"][0]["arms"]] == ["better/baseline", "worse/baseline"]
    assert ranking["groups"][0]["p_better"]["better/baseline"]["worse/baseline"] > 0.99
    (report,) = place.glob("results/*/results.md")
    assert "## Ranking" in report.read_text()


def test_a_spent_budget_begins_no_comparison_and_is_told_only_where_some_are_left(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    told = "the budget of 0 hours is spent: nothing new is begun"
    with serving(preferring(knows_better)) as server:
        line = ("rank", "latest", "--judge-url", server.base_url, "--judge-model", "m", "--judge-family", "other")
        assert typed(*line, "--budget-hours", "0") == 3
        assert told in capsys.readouterr().err
        assert comparisons_asked(server) == []
        assert typed(*line) == 0
        done = len(comparisons_asked(server))
        capsys.readouterr()
        assert typed(*line, "--budget-hours", "0") == 0
        assert told not in capsys.readouterr().err
        assert len(comparisons_asked(server)) == done == 10
