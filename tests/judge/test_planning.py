"""What a run would do: servers that are loaded, what is owed, and hours by what was measured, else by models.yaml, else unknown."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import typed
from examples import add_answers, answer, arm_record, judge_record, judgement, model_file, question, run_record

from judge.app import prepare
from judge.exam.marking import mark
from judge.exam.paper import read_paper
from judge.library import load_suite
from judge.pipeline import wanted_scorings
from judge.places import Places
from judge.plan import EXPECTED_ANSWER_TOKENS, EXPECTED_SCORING_TOKENS, wanted_answers
from judge.planning import plan_run
from judge.records import JudgeRecord, RunRecord
from judge.store import Store
from judge.types import ModelEntry
from judge.wanted import JudgeChoice, RunChoice
from runner.moe import DemoModels
from runner.types import Usage

ROOT = Path(__file__).parents[2]
SLOW, FAST = "demo_moe/baseline", "demo_moe/moe2"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "judge.db")
    yield opened
    opened.close()


def expecting(tps: float) -> ModelEntry:
    """A candidate of which models.yaml says how fast it is."""
    entry = arm_record().entry
    return entry.model_copy(update={"expected_tps": {"baseline": tps}})


def add_measured(store: Store, run: RunRecord, arm: int = 0) -> None:
    """Store the first answer of an arm: 41 tokens, of which 40 came in two seconds."""
    unit = wanted_answers(run, run.arms[arm])[0]
    measured = answer(prompt_id=unit.question_id, usage=Usage(completion_tokens=41, source="usage"))
    store.add_answer(run.id, unit, measured)


# --- arms -------------------------------------------------------------------------------------------------------------


def test_an_arm_is_estimated_from_its_answers_before_models_yaml_and_that_before_nothing(store: Store) -> None:
    told, untold = arm_record(entry=expecting(30.0)), arm_record("other")
    run = run_record(arms=(told, untold), judges=(), samples=3)
    store.add_run(run)
    before = plan_run(run, store, {})
    assert [(p.arm, p.source, p.owed, p.tokens) for p in before] == [
        ("coder/baseline", "models.yaml", 3, 3 * EXPECTED_ANSWER_TOKENS),
        ("other/baseline", "unknown", 3, 3 * EXPECTED_ANSWER_TOKENS),
    ]
    assert [(p.decode_tps, p.seconds) for p in before] == [(30.0, 3 * EXPECTED_ANSWER_TOKENS / 30.0), (None, None)]

    add_measured(store, run)
    after, other = plan_run(run, store, {})
    assert (after.source, after.owed, after.tokens) == ("measured", 2, 82)
    assert (after.decode_tps, after.seconds, after.loads) == (20.0, 4.1, True)
    assert other == before[1], "another model was not measured"


def test_an_arm_that_has_answered_everything_is_not_loaded_and_an_imported_one_is_no_row(store: Store) -> None:
    run = run_record(arms=(arm_record(), arm_record("imported", model=None)), judges=())
    add_answers(store, run)
    (plan,) = plan_run(run, store, {})
    assert (plan.arm, plan.owed, plan.loads, plan.tokens) == ("coder/baseline", 0, False, 0)


# --- judges -----------------------------------------------------------------------------------------------------------


def add_scoring(store: Store, run: RunRecord, judge: JudgeRecord) -> None:
    """Store one scoring: 70 tokens in 1.5 seconds."""
    task = next(iter(wanted_scorings(run, judge, {})))
    store.add_judgement(run.id, judgement(5, 5, of=task.answer_key, call=task.call, completion_tokens=70))


def test_a_judge_owes_what_is_there_and_what_is_still_to_be_answered_as_often_as_it_scores_an_answer(
    store: Store,
) -> None:
    once, thrice = judge_record("once"), judge_record("thrice", replicates=3)
    blind = judge_record("blind", also_blind=True)
    run = run_record(question(), judges=(once, thrice, blind), samples=4, checks={"C-T1-Q1": "hash"})
    store.add_run(run)
    add_measured(store, run)
    _, *judges = plan_run(run, store, {})
    assert {plan.arm: plan.owed for plan in judges} == {"once": 4, "thrice": 12, "blind": 7}
    assert {plan.phase for plan in judges} == {"score"}
    assert not any(plan.loads for plan in judges), "they are endpoints"


def test_a_judge_is_estimated_from_its_scorings_before_models_yaml_and_that_before_nothing(store: Store) -> None:
    served = judge_record("served", endpoint=None, model=model_file(fingerprint="j"))
    hosted = judge_record("hosted")
    run = run_record(judges=(served, hosted), samples=5)
    add_answers(store, run)
    expected = {"served": {"baseline": 10.0}}
    _, *before = plan_run(run, store, expected, in_flight=2)
    assert [(p.arm, p.source, p.owed, p.loads) for p in before] == [
        ("served", "models.yaml", 5, True),
        ("hosted", "unknown", 5, False),
    ]
    assert [p.seconds for p in before] == [5 * EXPECTED_SCORING_TOKENS / 10.0, None]

    for judge in (served, hosted):
        add_scoring(store, run, judge)
    _, *after = plan_run(run, store, expected, in_flight=2)
    assert [(p.source, p.owed, p.tokens) for p in after] == [("measured", 4, 280), ("measured", 4, 280)]
    assert [p.seconds for p in after] == [4 * 1.5, 4 * 1.5 / 2], "one at a time here, two at its endpoint"


def test_a_judge_owes_nothing_of_answers_of_its_own_that_are_still_to_be_collected(store: Store) -> None:
    theirs, own = arm_record("coder"), arm_record("other")
    judges = [
        judge_record(name, endpoint=None, model=own.model, scores_itself=allowed)
        for name, allowed in (("proper", False), ("allowed", True))
    ]
    run = run_record(arms=(theirs, own), judges=tuple(judges), samples=5)
    owed = {plan.arm: plan.owed for plan in plan_run(run, store, {}) if plan.phase == "score"}
    assert owed == {"proper": 5, "allowed": 10}


def test_the_exam_of_a_judge_is_a_part_of_the_plan_until_it_is_held(store: Store) -> None:
    suite = load_suite()
    judge = judge_record("served", endpoint=None, model=model_file(fingerprint="j"))
    run = run_record(*suite.questions[:2], judges=(judge,), samples=5)
    store.add_run(run)
    paper = read_paper(run.suite, run.question_ids)
    expected = {"served": {"baseline": 10.0}}

    def planned_exam() -> list[tuple[str, int, bool, float | None]]:
        parts = plan_run(run, store, expected, exam="small")[1:]
        return [(part.phase, part.owed, part.loads, part.seconds) for part in parts]

    seconds = EXPECTED_SCORING_TOKENS / 10.0
    exam = ("exam", len(paper.scorings), True, len(paper.scorings) * seconds)
    assert planned_exam() == [exam, ("score", 10, False, 10 * seconds)], "it is loaded once"
    assert [part.phase for part in plan_run(run, store, expected)] == ["collect", "score"], "none was asked for"

    sheet = {(item.key, replicate): dict.fromkeys(paper.criteria_of(item), None) for item, replicate in paper.scorings}
    store.add_exam(run.id, mark(paper, judge, sheet))
    assert planned_exam() == [("score", 10, True, 10 * seconds)]


# --- the command ------------------------------------------------------------------------------------------------------

CHOICE = RunChoice(
    candidates=("demo_moe",),
    configs=("baseline", "moe2"),
    judges=(JudgeChoice(name="demo_judge"),),
    tiers=("T1",),
    samples=2,
)
COMMAND = (
    "run",
    "-c",
    "demo_moe",
    "--configs",
    "baseline,moe2",
    "--judge",
    "demo_judge",
    "--tier",
    "T1",
    "--samples",
    "2",
)


@pytest.fixture
def places(tmp_path: Path, demo: DemoModels, monkeypatch: pytest.MonkeyPatch) -> Places:
    """The demo models, of one config of which it is known how fast it is."""
    monkeypatch.setenv("JUDGE_DEMO_DIR", str(demo.moe.parent))
    monkeypatch.chdir(tmp_path)
    models = tmp_path / "models.yaml"
    text = (ROOT / "models.yaml").read_text()
    models.write_text(re.sub(r"(  demo_moe:\n)", r"\1    expected_tps: {moe2: 25.0}\n", text))
    return Places(results=tmp_path / "results", models=models)


def planned(places: Places, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    capsys.readouterr()
    assert typed("--models", str(places.models), *COMMAND, "--dry-run", *options) == 0
    return capsys.readouterr().out


def test_a_dry_run_says_loads_units_tokens_and_hours_of_every_model_and_begins_nothing(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    plan: dict[str, Any] = json.loads(planned(places, capsys, "--json"))
    *arms, exam, score = plan["estimates"]
    assert [exam["phase"], score["phase"]] == ["exam", "score"]
    assert (exam["arm"], exam["owed"], exam["loads"]) == ("demo_judge", 40, True)
    rows = {row["arm"]: row for row in (*arms, score)}
    assert list(rows) == [SLOW, FAST, "demo_judge"], "in the order in which they work"
    assert {name: (row["owed"], row["loads"], row["source"]) for name, row in rows.items()} == {
        SLOW: (6, True, "unknown"),
        FAST: (6, True, "models.yaml"),
        "demo_judge": (12, False, "unknown"),
    }
    assert rows[FAST]["seconds"] == 6 * EXPECTED_ANSWER_TOKENS / 25.0
    assert (plan["loads"], plan["seconds"]) == (3, None), "a part that is unknown makes all of it unknown"
    assert [file.name for file in places.results.iterdir()] == ["judge.db"]
    assert typed("list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_what_was_measured_is_believed_the_next_time_and_the_table_says_where_each_figure_is_from(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    run, store = prepare(places, CHOICE, ["judge", "run"]), places.open_store()
    store.add_run(run)
    for arm in range(2):
        add_measured(store, run, arm)
    add_scoring(store, run, run.judges[0])
    store.close()
    plan: dict[str, Any] = json.loads(planned(places, capsys, "--json", "--no-exam"))
    assert [(row["source"], row["owed"]) for row in plan["estimates"]] == [("measured", n) for n in (5, 5, 11)]
    seconds = [5 * 41 / 20.0, 5 * 41 / 20.0, 11 * 1.5]
    assert [row["seconds"] for row in plan["estimates"]] == seconds and plan["seconds"] == sum(seconds)

    *table, total = planned(places, capsys, "--no-exam").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table if "|" in line]
    hours = f"{seconds[0] / 3600:.2f}"
    assert rows == [
        ["Model", "Phase", "Load", "Owed", "Tokens", "t/s", "Speed from", "At a time", "Hours"],
        [SLOW, "collect", "yes", "5", "205", "20.0", "measured", "1", hours],
        [FAST, "collect", "yes", "5", "205", "20.0", "measured", "1", hours],
        ["demo_judge", "score", "yes", "11", "770", "-", "measured", "1", hours],
    ]
    assert total == f"3 loads, {sum(seconds) / 3600:.2f} hours in all, without loading and executing"


def test_the_table_calls_hours_unknown_where_no_speed_is_known(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    said = planned(places, capsys)
    assert said.splitlines()[-1] == "exam: at most so many scorings; it ends as soon as it cannot be passed any more"
    assert re.search(r"demo_judge +\| exam +\| yes +\| 40 +\| 20000 ", said)
    assert re.search(rf"{SLOW} .*\| yes .*\| 6 .*\| - .*\| unknown .*\| unknown ", said)
    assert said.splitlines()[-2] == "3 loads, unknown hours in all, without loading and executing"
