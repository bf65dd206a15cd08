"""The figures of a report, from runs whose judges said what is known."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from examples import add_answers, add_scores, arm_record, judge_record, question, run_record

from judge.pipeline import wanted_scorings
from judge.results import build_results
from judge.store import Store
from judge.types import JudgeFailure


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "judge.db")
    yield opened
    opened.close()


def test_a_panel_is_the_mean_of_its_judges_and_each_is_reported_by_itself(store: Store) -> None:
    strict, kind, own = judge_record("strict"), judge_record("kind"), judge_record("own", family="qwen")
    run = run_record(judges=(strict, kind, own))
    add_answers(store, run)
    add_scores(store, run, strict, 2, 2)
    add_scores(store, run, kind, 5, 5)
    add_scores(store, run, own, 1, 1)
    (arm,) = build_results(run, "running", store).arms
    assert arm.tiers[0].mean == 3.5
    assert [(cell.judge, cell.mean, cell.counts, cell.relation) for cell in arm.by_judge] == [
        ("strict", 2.0, True, "other"),
        ("kind", 5.0, True, "other"),
        ("own", 1.0, False, "family"),
    ]


def test_an_answer_that_one_judge_of_the_panel_has_not_scored_is_missing(store: Store) -> None:
    one, other = judge_record("one"), judge_record("other")
    run = run_record(judges=(one, other))
    add_answers(store, run)
    add_scores(store, run, one, 5, 5)
    results = build_results(run, "running", store)
    assert results.arms[0].tiers[0].mean is None
    assert [(cell.coverage.scored, cell.coverage.wanted) for cell in results.arms[0].by_judge] == [(2, 2), (0, 2)]
    assert results.owed_scorings == 2


def test_no_role_is_decided_where_the_only_judge_is_the_candidate(store: Store) -> None:
    run = run_record(arms=(arm_record("coder"), arm_record("rival")), judges=(judge_record("coder", family="qwen"),))
    add_answers(store, run)
    coder, rival = build_results(run, "running", store).arms
    assert coder.decisions[0].reason == "no judge of this run scores this arm"
    assert coder.by_judge == ()
    assert rival.panel.judges == ("coder",)


def test_a_failed_scoring_is_counted_for_its_judge_until_it_succeeds(store: Store) -> None:
    judge = judge_record()
    run = run_record(question(), judges=(judge,), samples=1)
    add_answers(store, run)
    (task,) = wanted_scorings(run, judge, {})
    failure = JudgeFailure(answer_unit=task.answer_key, call=task.call, kind="bad_verdict", message="no JSON")
    store.add_judge_failure(run.id, failure)
    store.add_judge_failure(run.id, failure.model_copy(update={"message": "no JSON again"}))
    (arm,) = build_results(run, "running", store).arms
    assert arm.by_judge[0].failures == 1
    assert arm.failures == ("C-T1-Q1: judge j failed (bad_verdict): no JSON again",)
    add_scores(store, run, judge, 4, 4)
    (arm,) = build_results(run, "running", store).arms
    assert arm.by_judge[0].failures == 0
    assert arm.failures == ()
