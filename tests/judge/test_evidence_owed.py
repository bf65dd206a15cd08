"""Which answers are executed, and which are executed again."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples import add_answers, arm_record, judge_record, judgement, run_record

from judge.checks.checking import Check, Evidence
from judge.checks.evidence import surroundings
from judge.evidence_lines import NOT_EXECUTED, evidence_lines
from judge.library import load_suite
from judge.pipeline import evidence_of, owed_checks, wanted_scorings
from judge.pipeline.executing import wanted_checks
from judge.places import Places
from judge.records import RunRecord
from judge.request import check_hashes
from judge.results import build_results
from judge.store import Store
from judge.types import Verdict
from runner.isolation import Isolation, isolation, unsafe

SUITE = load_suite()
QUESTION = SUITE.question("C-T1-Q1")
LOGIC = Check(id="small", criteria=("correct_logic",), about="small numbers")


@pytest.fixture(scope="module")
def sandbox() -> Isolation:
    found = asyncio.run(isolation())
    found.required()
    return found


@pytest.fixture(scope="module")
def bare() -> Isolation:
    return asyncio.run(unsafe())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "judge.db")
    yield store
    store.close()


@pytest.fixture
def run(store: Store) -> RunRecord:
    """One answer to the first question, stored."""
    checks = check_hashes(SUITE, [QUESTION.id])
    record = run_record(QUESTION, suite=SUITE, samples=1, arms=(arm_record(),), checks=checks)
    add_answers(store, record)
    return record


def shown(run: RunRecord, found: Isolation, *checks, state: str = "ok", settled: bool = True) -> Evidence:
    return Evidence(
        question_id=QUESTION.id,
        state=state,
        message=None if state == "ok" else "why",
        checks=checks,
        checks_hash=run.checks[QUESTION.id],
        isolation=found.level,
        surroundings=surroundings(found) if settled else None,
    )


def keep(store: Store, run: RunRecord, evidence: Evidence) -> None:
    for task in wanted_checks(run):
        store.add_evidence(run.id, task.answer_key, evidence)


def best(store: Store, run: RunRecord) -> list[Evidence]:
    return list(evidence_of(run, store).values())


NOTHING = Isolation(level="none", reason="bubblewrap is not installed")


def test_evidence_without_a_sandbox_counts_until_there_is_one(store, run, sandbox, bare) -> None:
    without = shown(run, bare, LOGIC.failed("no"))
    keep(store, run, without)
    assert best(store, run) == [without]
    assert [len(owed_checks(run, store, found)) for found in (None, NOTHING, bare, sandbox)] == [0, 0, 0, 1]
    within = shown(run, sandbox, LOGIC.passed())
    keep(store, run, within)
    keep(store, run, without)
    assert best(store, run) == [within], "what a sandbox stood around is better, whichever came last"
    assert owed_checks(run, store, sandbox) == []


def test_trouble_of_ours_is_owed_and_what_an_answer_lacks_is_known_until_it_is_there(store, run, sandbox) -> None:
    keep(store, run, shown(run, sandbox, LOGIC.not_run("x"), state="not_run", settled=False))
    assert best(store, run) == [] and len(owed_checks(run, store)) == 1
    lacking = shown(run, sandbox, LOGIC.not_run("the package numpy is not installed"), state="not_run")
    keep(store, run, lacking)
    assert best(store, run) == [lacking]
    assert owed_checks(run, store) == owed_checks(run, store, sandbox) == []
    assert build_results(run, "complete", store).owed_checks == 0, "nothing that the same machine could do again"

    elsewhere = lacking.model_copy(update={"surroundings": "bwrap, Python 3.99, packages none"})
    keep(store, run, elsewhere)
    assert best(store, run) == [elsewhere], "the newest reason"
    assert len(owed_checks(run, store, sandbox)) == 1
    known = shown(run, sandbox, LOGIC.passed())
    keep(store, run, known)
    assert best(store, run) == [known]


def test_an_answer_that_was_not_executed_lists_every_check_with_the_reason(store, run, sandbox, tmp_path) -> None:
    line, *_ = evidence_lines(Places(results=tmp_path), run)
    assert (line.state, line.bounds) == ("not_run", {})
    assert len(line.checks) > 5 and {(c.outcome, c.reason) for c in line.checks} == {("not_run", NOT_EXECUTED)}
    keep(store, run, shown(run, sandbox, LOGIC.not_run("the package numpy is not installed"), state="not_run"))
    line, *_ = evidence_lines(Places(results=tmp_path), run)
    assert [check.reason for check in line.checks] == ["the package numpy is not installed"]


# --- what a judge is asked because of it ----------------------------------------------------------------------------


def calls(store: Store, run: RunRecord, **judge) -> list[str | None]:
    return [task.call.evidence for task in wanted_scorings(run, judge_record(**judge), evidence_of(run, store))]


def test_a_judge_is_asked_again_only_when_it_is_told_something_else(store, run, sandbox, bare) -> None:
    keep(store, run, shown(run, bare, LOGIC.passed()))
    before = calls(store, run)
    keep(store, run, shown(run, sandbox, LOGIC.passed()))
    assert calls(store, run) == before != [None]


def test_where_nothing_is_known_a_judge_is_asked_once_and_its_scores_count(store, run, sandbox) -> None:
    keep(store, run, shown(run, sandbox, LOGIC.not_run("x"), state="ambiguous"))
    assert calls(store, run, also_blind=True) == [None]
    judge = judge_record(also_blind=True)
    run = run.model_copy(update={"judges": (judge,)})
    for task in wanted_scorings(run, judge, evidence_of(run, store)):
        verdicts = tuple(Verdict(criterion=c.id, score=4, evidence="", reasoning="") for c in QUESTION.criteria)
        store.add_judgement(run.id, judgement(of=task.answer_key, call=task.call, verdicts=verdicts))
    results = build_results(run, "complete", store)
    assert results.arms[0].questions[0].mean == 4, "it did not judge blind to be audited: there was nothing to see"
    assert results.owed_scorings == 0
