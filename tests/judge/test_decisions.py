"""What exams and labels of people do to the decisions of a run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from examples import add_answers, add_scores, exam_result, judge_record, question, run_record
from reviews import add_code, add_judgements, review_run

from judge.panel import Standing
from judge.report import plan_rows, trust_line
from judge.results import Results, build_results
from judge.review.desk import make_queues, queues_of, say
from judge.stats.intervals import Outcome
from judge.store import Store, utc_now

JUDGE = judge_record()
RUN = run_record(question(), judges=(JUDGE,), samples=20)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "judge.db")
    yield opened
    opened.close()


def results_after(store: Store, *, logic: bool, style: bool) -> Results:
    """All answers got fives, from a judge whose exam came out like this."""
    add_answers(store, RUN)
    add_scores(store, RUN, JUDGE, 5, 5)
    store.add_exam(RUN.id, exam_result(RUN, JUDGE, logic=logic, style=style, reason="m said 5 to everything"))
    return build_results(RUN, "running", store)


@pytest.mark.parametrize(
    ("logic", "style", "standing", "outcome"),
    [
        (True, True, Standing.QUALIFIED, Outcome.PASS),
        (True, False, Standing.LOGIC_ONLY, Outcome.PASS),
        (False, True, Standing.STYLE_ONLY, Outcome.UNDECIDED),
        (False, False, Standing.NOT_QUALIFIED, Outcome.UNDECIDED),
    ],
)
def test_only_a_judge_that_is_qualified_for_logic_decides_a_role(
    store: Store, logic: bool, style: bool, standing: Standing, outcome: Outcome
) -> None:
    results = results_after(store, logic=logic, style=style)
    assert results.judges[0].standing is standing
    assert results.judges[0].standing_reason == "m said 5 to everything"
    assert results.arms[0].decisions[0].outcome is outcome
    assert results.arms[0].tiers[0].mean == 5.0, "scores are reported whoever gave them"


def test_scores_that_decide_nothing_say_so_before_all_else_and_why_in_the_role(store: Store) -> None:
    results = results_after(store, logic=False, style=False)
    assert trust_line(results).startswith(
        "These scores decide nothing: no judge is qualified. Judge: j (not qualified, "
    )
    assert results.arms[0].decisions[0].reason == "j: not qualified, so these scores decide nothing"
    assert results.ladder[0].arm_id is None
    assert plan_rows(results)[0][-1] == "UNDECIDED (judge not qualified)"


def test_an_exam_on_other_questions_says_nothing_about_these(store: Store) -> None:
    add_answers(store, RUN)
    other = run_record(question("C-T9-Q9"), judges=(JUDGE,))
    store.add_exam(RUN.id, exam_result(other, JUDGE, logic=True, style=True))
    assert build_results(RUN, "running", store).judges[0].standing is Standing.NOT_EXAMINED


# --- labels of people -----------------------------------------------------------------------------------------------


def rated(store: Store, people: int) -> Results:
    """Judges give fives to everything; people rate the whole audit queue."""
    run = review_run(samples=20)
    add_code(store, run)
    add_judgements(store, run, lambda _judge, _unit, _criterion: 5)
    make_queues(run, store, per_arm=30, seed=7)
    for item in queues_of(run, store).audit:
        say(store, item, "ada", utc_now(), score=people)
    return build_results(run, "running", store)


def test_without_labels_a_pass_is_provisional(store: Store) -> None:
    run = review_run(samples=20)
    add_code(store, run)
    add_judgements(store, run, lambda _judge, _unit, _criterion: 5)
    decision = build_results(run, "running", store).arms[0].decisions[0]
    assert (decision.outcome, decision.label) == (Outcome.PASS, "coder: PASS (provisional)")


def test_people_who_agree_make_a_pass_final(store: Store) -> None:
    results = rated(store, 5)
    arm = results.arms[0]
    assert arm.audit is not None and arm.audit.audited and arm.audit.labels >= 15
    assert arm.decisions[0].audited
    assert "(provisional)" not in arm.decisions[0].label
    assert "; audited. Answers: " in trust_line(results)


def test_people_who_find_all_answers_poor_take_the_role_away(store: Store) -> None:
    arm = rated(store, 2).arms[0]
    assert arm.tiers[0].mean == 5.0, "the judges' scores stay as they are"
    assert arm.decisions[0].outcome is Outcome.FAIL
    interval = arm.decisions[0].tiers[0].interval
    assert interval is not None and interval.high < 4
    assert "interval moved by what people's labels show" in arm.decisions[0].reason
