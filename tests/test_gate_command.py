"""The gate on the command line: exit code 4, JUnit XML, and the report beside the other files of a run."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from commands import Run, typed
from fakes import ScriptedJudge, lenient, serving

from judge.errors import UserError
from judge.gate import Condition, GateReport, GateRules
from judge.gating import gated, stored_results
from judge.places import Places
from judge.store import Store

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
        scored = judge("score", "latest", *url, "--no-exam", "--quiet", cwd=place)
    assert scored.returncode == 0
    assert "no report.html yet; judge report " in scored.stderr
    return place


def asked(place: Path, run_id: str, against: str) -> GateReport:
    """What the gate says of a stored run."""
    places = Places(results=place / "results")
    return gated(places, stored_results(places, run_id), GateRules(), against, None)


@pytest.fixture(scope="module")
def run_ids(place: Path) -> tuple[str, str]:
    """The run that imported the answer, and the one that scored it."""
    store = Store.open(place / "results" / "judge.db")
    scored, imported = store.run_ids()
    store.close()
    return imported, scored


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


def test_an_unjudged_later_run_has_lost_the_scores_of_the_earlier_one(place: Path, run_ids: tuple[str, str]) -> None:
    imported, scored = run_ids
    report = asked(place, imported, against=scored)
    lost = next(finding for finding in report.findings if finding.condition is Condition.SCORE)
    assert lost in report.blocking and lost.sentence.endswith(
        "T1 had 5.00 (K 1, 1 judge, 1/1) and has no score now (K 1, no judge, 0/1, 1 missing)."
    )
    assert any(warning.startswith("Judges differ (m ") for warning in report.warnings)


def test_the_gate_compares_with_an_earlier_run_on_the_command_line(
    place: Path, run_ids: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    imported, scored = run_ids
    gate = ("--results", place / "results", "gate")
    assert typed(*gate, imported, "--against", scored, "--json") == 4
    report = json.loads(capsys.readouterr().out)
    assert (report["run_id"], report["against"], report["passed"]) == (imported, scored, False)
    assert typed(*gate, scored, "--against", imported) == 4
    said = capsys.readouterr().out.splitlines()
    assert f"missing score: No arm of this run has a score in {imported}, so nothing was compared." in said
    assert any(line.startswith("warning: Judges differ (none then, m ") for line in said)
    assert typed(*gate, scored, "--against", scored) == 2
    assert (
        capsys.readouterr().err
        == f"error: --against {scored!r} is this very run; name an earlier one (see judge list)\n"
    )
    assert typed(*gate, scored, "--against", "nope") == 1
    assert capsys.readouterr().err.startswith("error: no run 'nope' in the store; known: ")


def test_a_run_is_not_compared_with_itself(place: Path, run_ids: tuple[str, str]) -> None:
    with pytest.raises(UserError, match="'latest' is this very run; name an earlier one"):
        asked(place, run_ids[1], against="latest")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--margin", "0.1"), "--strict and --junit are of the gate; add --gate"),
        (("--gate", "--against", "nope"), "no run 'nope' in the store"),
    ],
)
def test_a_run_whose_gate_cannot_be_asked_does_not_start(
    judge: Run, place: Path, args: tuple[str, ...], message: str
) -> None:
    done = judge("run", "-c", "demo_moe", *args, cwd=place)
    assert done.returncode in (1, 2)
    assert message in done.stderr and "Traceback" not in done.stderr


def test_report_leaves_the_page_beside_the_other_files_and_junit_where_it_is_told(
    judge: Run, place: Path, run_ids: tuple[str, str]
) -> None:
    folder = place / "results" / run_ids[1]
    assert (folder / "results.md").exists() and not (folder / "report.html").exists(), "scoring draws no page"
    done = judge("report", "latest", "--junit", "all.xml", cwd=place)
    assert done.returncode == 3, "the answer is still to be executed"
    page = (folder / "report.html").read_text()
    assert "&lt;b&gt;good&lt;/b&gt;" in page and "<b>" not in page
    assert page.count("<svg ") == 2, "tiers and criteria; an imported answer has no speed"
    assert len(ET.parse(place / "all.xml").getroot()) == 3
