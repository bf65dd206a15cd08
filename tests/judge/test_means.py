"""No mean stands alone: wherever one is printed, K, judges and scored / failed / missing stand beside it."""

import csv
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
import yaml
from commands import typed
from examples import add_scores, answer, arm_record, exam_result, judge_record, question, run_record
from pages import Page
from sample_results import arm, cell, judge, results, tier

from judge.comparing import SWEEP_COLUMNS, sweep_rows
from judge.gate import GateRules, gate
from judge.pipeline import wanted_scorings
from judge.plan import wanted_answers
from judge.records import RunRecord
from judge.report import csv_table, markdown
from judge.report.html_report import html_report
from judge.report.junit_xml import junit_xml
from judge.results import Results, build_results
from judge.store import Store
from judge.types import JudgeFailure

BASIS = re.compile(r"\bK\b.*judge.*\d/\d", re.DOTALL | re.IGNORECASE)
"""What must be near a mean: in its sentence, or in its row of a table with the heads of the columns."""


def sampled() -> Results:
    """Two arms whose scores are no other number of the report; the second one has failed and missing answers in each tier."""
    whole = (tier("T1", 4.81, 4.83), tier("T2", 3.71, 3.73))
    broken = (tier("T1", 4.61, wanted=4, failed=2), tier("T2", 3.27, 3.29, wanted=4, failed=1))
    return results(
        arm("coder", "baseline", *whole, experts=8, decode=34.0, role="coder_primary"),
        arm("coder", "moe4", *broken, experts=4, decode=45.0, speedup=1.32, by_judge=(cell("big_judge", broken),)),
        judges=(judge("big_judge"), judge("other_judge")),
    )


SHOWN = sampled()


def means(found: Results) -> list[str]:
    """Every mean of a run as it may be printed."""
    values = [
        *(t.mean for one in found.arms for t in one.tiers),
        *(q.mean for one in found.arms for q in one.questions),
        *(c.mean for one in found.arms for q in one.questions for c in q.criteria),
        *(c.mean for one in found.arms for c in one.by_judge),
        *(rung.score for rung in found.ladder),
    ]
    return sorted({f"{value:.{digits}f}" for value in values if value is not None for digits in (1, 2)})


def alone(found: Results, places: Iterable[str]) -> list[str]:
    """The places that show a mean of the run without what it rests on."""
    mean = re.compile(rf"(?<![\d.])({'|'.join(map(re.escape, means(found)))})(?![\d.])")
    return [place for place in places if mean.search(place) and not BASIS.search(place)]


def markdown_places(text: str) -> Iterator[str]:
    """Each line; of a table each row with its heads."""
    heads = ""
    for line in text.splitlines():
        if not line.startswith("+"):
            heads = (heads or line) if line.startswith("|") else ""
        yield f"{heads}\n{line}"


def test_no_mean_stands_alone_in_the_markdown_report() -> None:
    text = markdown(SHOWN)
    assert alone(SHOWN, markdown_places(text)) == []
    assert "| 4.61 (K 4, 1 judge, 1/4, 2 failed, 1 missing) | 3.28 (K 4, 1 judge, 2/4, 1 failed, 1 missing) |" in text
    assert "| 4.82 (K 2, 1 judge, 2/2) |" in text, "a complete cell is shorter and never silent"
    assert "| coder/moe4 | C-T2-Q1 | 3.28 | 3.28 | 4 | big_judge | 2/4, 1 failed, 1 missing |" in text
    assert text.count("Beside every mean stands what it rests on") == 1


def test_no_mean_stands_alone_in_the_html_report() -> None:
    html = html_report(SHOWN)
    figures = re.findall(r"<svg .*?</svg>", html, flags=re.DOTALL)
    page = Page(re.sub(r"<svg .*?</svg>", "", html, flags=re.DOTALL))
    assert alone(SHOWN, [f"{heads}\n{row}" for heads, row in page.headed_rows()]) == []
    assert alone(SHOWN, page.sentences) == []
    spoken = [(ET.fromstring(plot).find("{*}desc").text or "") for plot in figures]  # type: ignore[union-attr]
    assert len(spoken) > 4 and alone(SHOWN, spoken) == []
    assert '4.61 <span class="basis">K 4, 1 judge, 1/4, 2 failed, 1 missing</span>' in html
    assert page.text.count("Beside every mean stands what it rests on") == 1


def test_no_mean_stands_alone_in_junit_and_csv() -> None:
    document = ET.fromstring(junit_xml(SHOWN, gate(SHOWN, GateRules(), SHOWN.model_copy(update={"run_id": "old"}))))
    texts = [line for element in document.iter() for line in (element.text or "").splitlines()]
    messages = [element.attrib["message"] for element in document.iter() if "message" in element.attrib]
    assert alone(SHOWN, [*texts, *messages]) == []
    assert any("-> 4.61 (" in message and "1/4, 2 failed, 1 missing now" in message for message in [*texts, *messages])
    heads, _, moe4 = csv.reader(csv_table(SHOWN).splitlines())
    row = dict(zip(heads, moe4, strict=True))
    assert (row["T1"], row["T1 K"], row["Judges"]) == ("4.61", "4", "big_judge")
    assert [row[f"T1 {part}"] for part in ("scored", "failed", "missing")] == ["1", "2", "1"]
    assert row["T3"] == row["T3 K"] == ""


# --- the terminal ---------------------------------------------------------------------------------------------------

JUDGE = judge_record()
RUN = run_record(
    question(),
    arms=(arm_record("coder", "baseline"), arm_record("coder", "moe4")),
    judges=(JUDGE,),
    samples=20,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A judged run of two arms; of the second one an answer is missing and a scoring failed."""
    place = tmp_path_factory.mktemp("means")
    store = Store.open(place / "judge.db")
    store.add_run(RUN)
    *answered, failed, missing = [unit for record in RUN.arms for unit in wanted_answers(RUN, record)]
    for unit in (*answered, failed):
        store.add_answer(RUN.id, unit, answer(prompt_id=unit.question_id, sample=unit.sample))
    failing = next(task for task in wanted_scorings(RUN, JUDGE, {}) if task.answer_key == failed.key)
    failure = JudgeFailure(answer_unit=failing.answer_key, call=failing.call, kind="bad_verdict", message="no JSON")
    store.add_judge_failure(RUN.id, failure)
    judged_of(store, RUN, without={failed.key, missing.key})
    store.add_exam(RUN.id, exam_result(RUN, JUDGE, logic=True, style=True))
    add_earlier(store)
    store.close()
    return place


def judged_of(store: Store, run: RunRecord, *, without: set[str]) -> None:
    """Have the judge score the other answers: 5 and 4, which is 4.61 in all."""
    keys = {task.answer_key for task in wanted_scorings(run, JUDGE, {})} - without
    some = run.model_copy(update={"judges": (JUDGE.model_copy(update={"only": frozenset(keys)}),)})
    add_scores(store, some, some.judges[0], 5, 4)


def add_earlier(store: Store) -> None:
    """A run before it over the same answers."""
    store.add_run(RUN.model_copy(update={"id": "run-0", "created_at": "2025-01-01T00:00:00.000000+00:00"}))


@pytest.fixture
def said(place: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run ``judge ARGS`` and return what it printed to stdout."""

    def run(*args: str | Path) -> str:
        typed("--store", place / "judge.db", "--results", place / "results", *args)
        return capsys.readouterr().out

    return run


@pytest.fixture(scope="module")
def stored(place: Path) -> Results:
    store = Store.open(place / "judge.db")
    found = build_results(RUN, "incomplete", store)
    store.close()
    return found


def test_a_stored_answer_is_scored_failed_or_missing(stored: Results) -> None:
    whole, some = stored.arms
    assert (whole.coverage.text, some.coverage.text) == (
        "K 20, 1 judge, 20/20",
        "K 20, 1 judge, 18/20, 1 failed, 1 missing",
    )
    assert some.by_judge[0].coverage == some.coverage
    assert [c.coverage.scored_text for c in some.questions[0].criteria] == ["18/20, 1 failed, 1 missing"] * 2


@pytest.mark.parametrize(
    "args",
    [
        ("report",),
        ("show", "latest"),
        ("compare", "coder/baseline", "coder/moe4"),
        ("roles",),
        ("gate", "--against", "run-0"),
    ],
    ids=lambda args: args[0],
)
def test_no_mean_stands_alone_on_the_terminal(said: Callable[..., str], stored: Results, args: tuple[str, ...]) -> None:
    shown = said(*args)
    assert "4.61" in shown or "+0.00" in shown, shown
    assert alone(stored, markdown_places(shown)) == []
    assert "1 failed, 1 missing" in shown


def test_no_mean_stands_alone_in_the_curve_of_a_sweep() -> None:
    rows = [" ".join((*SWEEP_COLUMNS, *row)) for row in sweep_rows(SHOWN, SHOWN.sweeps[0])]
    assert "4 big_judge 3/8, 3 failed, 2 missing" in rows[1]
    assert all(BASIS.search(row) for row in rows)


def test_a_comparison_names_what_both_arms_rest_on(said: Callable[..., str]) -> None:
    shown = said("compare", "coder/baseline", "coder/moe4")
    assert "(18 pairs; K 20, 1 judge, 18/20, 1 failed, 1 missing against K 20, 1 judge, 20/20)" in shown
    assert "coder/moe4: K 20, 1 judge, 18/20, 1 failed, 1 missing, by j\n" in shown


@pytest.mark.parametrize("ending", ["json", "yaml"])
def test_the_role_map_is_exported_with_the_coverage_of_each_score(
    said: Callable[..., str], tmp_path: Path, ending: str
) -> None:
    said("roles", "--export", tmp_path / f"roles.{ending}")
    text = (tmp_path / f"roles.{ending}").read_text()
    found = json.loads(text) if ending == "json" else yaml.safe_load(text)
    filled = found["roles"]["coder"]
    assert (found["run"], filled["arm"], filled["score"]) == ("run-1", "coder/baseline", pytest.approx(4.61))
    assert (filled["filling"], filled["provisional"]) == ("passed", True)
    counts = {name: filled["coverage"][name] for name in ("samples", "judges", "scored", "failed", "missing")}
    assert counts == {"samples": [20], "judges": ["j"], "scored": 20, "failed": 0, "missing": 0}


def test_a_role_map_of_another_ending_is_refused_in_one_line(said: Callable[..., str], tmp_path: Path) -> None:
    said("roles", "--export", tmp_path / "roles.toml")
    assert not (tmp_path / "roles.toml").exists()
