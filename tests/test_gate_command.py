"""The gate on the command line: exit code 4, JUnit XML, and the report beside the other files of a run."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from commands import Run
from fakes import ScriptedJudge, lenient, serving

ANSWER = "```python\ndef factorial(n: int) -> int:\n    return 1 if n < 2 else n * factorial(n - 1)\n```\n"


@pytest.fixture(scope="module")
def place(judge: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one imported answer, judged."""
    place = tmp_path_factory.mktemp("gate")
    line = {"model": "<b>good</b>", "config": "baseline", "question_id": "C-T1-Q1", "answer": ANSWER}
    (place / "answers.jsonl").write_text(json.dumps(line))
    assert judge("import", place / "answers.jsonl", cwd=place).returncode == 0
    with serving(ScriptedJudge(lenient)) as server:
        url = ("--judge-url", server.base_url, "--judge-model", "m")
        assert judge("score", "latest", *url, "--quiet", cwd=place).returncode == 0
    return place


def runs(place: Path) -> list[str]:
    """Ids, oldest first."""
    return sorted(folder.name for folder in (place / "results").iterdir() if folder.is_dir())


def test_a_run_that_holds_passes_and_one_that_does_not_ends_with_4(judge: Run, place: Path) -> None:
    passed = judge("gate", "latest", cwd=place)
    assert passed.returncode == 0, passed.stderr
    assert "open    judge: Judge m is not examined" in passed.stdout
    assert passed.stdout.splitlines()[-1].startswith("gate passed")
    failed = judge("gate", "latest", "--strict", "--json", "--junit", "ci/gate.xml", cwd=place)
    report = json.loads(failed.stdout)
    assert failed.returncode == 4
    assert report["passed"] is False and report["rules"]["strict"] is True
    root = ET.parse(place / "ci" / "gate.xml").getroot()
    assert root.find("testsuite[@name='gate']").attrib["failures"] == "1"  # type: ignore[union-attr]


def test_an_unjudged_later_run_has_lost_the_scores_of_the_earlier_one(judge: Run, place: Path) -> None:
    imported, scored = (line["Run"] for line in reversed(json.loads(judge("list", "--json", cwd=place).stdout)))
    lost = judge("gate", imported, "--against", scored, cwd=place)
    assert lost.returncode == 4
    assert "T1 had 5.00 and has no score now." in lost.stdout
    assert "warning: Judges differ (m " in lost.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("gate", "latest", "--against", "latest"), "--against 'latest' is this very run; name an earlier one"),
        (("run", "-c", "demo_moe", "--margin", "0.1"), "--strict and --junit are of the gate; add --gate"),
        (("run", "-c", "demo_moe", "--gate", "--against", "nope"), "no run 'nope' in the store"),
    ],
)
def test_a_gate_that_cannot_be_asked_is_one_clear_line(
    judge: Run, place: Path, args: tuple[str, ...], message: str
) -> None:
    done = judge(*args, cwd=place)
    assert done.returncode in (1, 2)
    assert message in done.stderr and "Traceback" not in done.stderr


def test_report_leaves_the_page_beside_the_other_files_and_junit_where_it_is_told(judge: Run, place: Path) -> None:
    done = judge("report", "latest", "--junit", "all.xml", cwd=place)
    assert done.returncode == 3, "the answer is still to be executed"
    page = (place / "results" / runs(place)[-1] / "report.html").read_text()
    assert "&lt;b&gt;good&lt;/b&gt;" in page and "<b>" not in page
    assert page.count("<svg ") >= 3
    assert len(ET.parse(place / "all.xml").getroot()) == 3
