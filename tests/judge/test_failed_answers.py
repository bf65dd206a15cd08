"""Answers that failed: each is counted, its message is told once wherever the run is, and none becomes a score."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from examples import add_scores, answer, judge_record, run_record

from judge import report
from judge.ending import print_results
from judge.plan import wanted_answers
from judge.results import Results, build_results
from judge.store import Store
from runner.types import AnswerState

FAILED = (AnswerState.TRUNCATED, AnswerState.ERROR, AnswerState.SERVER_DIED, AnswerState.CONTEXT_EXCEEDED)
OWED = [state for state in FAILED if state is not AnswerState.CONTEXT_EXCEEDED]
JUDGE = judge_record()
RUN = run_record(judges=(JUDGE,), samples=1 + len(FAILED))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """One answer that was scored, and one in each state of failure, the last attempt of two."""
    opened = Store.open(tmp_path / "judge.db")
    opened.add_run(RUN)
    fine, *others = wanted_answers(RUN, RUN.arms[0])
    opened.add_answer(RUN.id, fine, answer())
    add_scores(opened, RUN, JUDGE, 5, 5)
    for unit, state in zip(others, FAILED, strict=True):
        for message in ("said before", f"what {state} said"):
            if message != "said before" or state in OWED:
                attempt = answer("", state=state, sample=unit.sample, message=message, stamps=None)
                opened.add_answer(RUN.id, unit, attempt)
    yield opened
    opened.close()


@pytest.fixture
def results(store: Store) -> Results:
    return build_results(RUN, "running", store)


def line_of(state: AnswerState) -> str:
    settled = " (asking again would change nothing)" if state not in OWED else ""
    return f"C-T1-Q1 sample {1 + FAILED.index(state)}: {state}: what {state} said{settled}"


def test_every_answer_that_failed_is_counted_and_told_once_and_has_no_score(results: Results) -> None:
    (arm,) = results.arms
    coverage = arm.tiers[0].coverage
    assert (coverage.wanted, coverage.answered, coverage.scored, coverage.failed) == (5, 1, 1, len(FAILED))
    assert sorted(arm.failures) == sorted(map(line_of, FAILED))
    assert (arm.tiers[0].mean, arm.tiers[0].questions) == (5.0, {"C-T1-Q1": (5.0,)})
    assert arm.questions[0].states == {"ok": 1, "context_exceeded": 1, "missing": len(OWED)}
    assert (results.owed_answers, results.complete) == (len(OWED), False)


def test_its_message_is_in_every_report_and_on_the_terminal(
    results: Results, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report.write_files(RUN, results, store, tmp_path)
    report.write_page(results, tmp_path)
    print_results(results, tmp_path)
    told = capsys.readouterr().err.splitlines()
    written = (tmp_path / "results.md").read_text().splitlines()
    in_json = results.model_dump(mode="json")["arms"][0]["failures"]
    page = (tmp_path / "report.html").read_text()
    for state in FAILED:
        line = line_of(state)
        assert told.count(f"missing: coder/baseline: {line}") == 1
        assert written.count(f"- coder/baseline: {line}") == 1
        assert in_json.count(line) == 1
        assert page.count(f"<strong>coder/baseline</strong> {line}</li>") == 1


def test_an_answer_that_can_never_be_scored_is_not_owed_and_the_run_is_complete_without_it(store: Store) -> None:
    for unit in wanted_answers(RUN, RUN.arms[0])[1 : 1 + len(OWED)]:
        store.add_answer(RUN.id, unit, answer(sample=unit.sample))
    results = build_results(RUN, "running", store)
    assert (results.owed_answers, results.owed_scorings, results.complete) == (0, 0, True)
    assert results.arms[0].failures == (line_of(AnswerState.CONTEXT_EXCEEDED),)
    assert results.arms[0].tiers[0].coverage.failed == 1
