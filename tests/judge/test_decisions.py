"""What exams and labels of people do to the decisions of a run."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples import add_answers, add_scores, exam_result, judge_record, judgement, question, run_record, verdicts
from reviews import add_code, add_evidence, add_judgements, answers_of, review_run

from judge.grounding import Policy
from judge.panel import Standing
from judge.pipeline import evidence_of, wanted_scorings
from judge.report import markdown, plan_rows, trust_line
from judge.report.trust import trust_items
from judge.results import Results, build_results
from judge.review.desk import make_queues, queues_of, say
from judge.stats.intervals import Outcome
from judge.store import Store, utc_now
from judge.types import Grade

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


# --- tests as the audit of logic --------------------------------------------------------------------------------------


def against_tests(
    store: Store, *, policy: Policy = "grounded", executed: int = 20, style: Grade = 5, blind: Grade | None = None
) -> Results:
    """Judges give c0 a five in sight of the tests (``blind`` without); every fourth answer fails them, and some were not executed."""
    run = review_run(samples=20, judges=("umbrella",)).model_copy(update={"policy": policy})
    if blind:
        run = run.model_copy(update={"judges": (run.judges[0].model_copy(update={"also_blind": True}),)})
    add_code(store, run)
    done = {unit.key for unit in answers_of(run) if unit.sample < executed}
    add_evidence(store, run, fails=lambda unit: unit.sample % 4 == 0, of=done)
    for task in wanted_scorings(run, run.judges[0], evidence_of(run, store)):
        seen = task.call.evidence is not None or task.answer_key not in done
        given = verdicts(5 if seen or blind is None else blind, style)
        store.add_judgement(run.id, judgement(of=task.answer_key, call=task.call, verdicts=given))
    return build_results(run, "running", store)


def test_logic_audit_the_criteria_that_they_decide_and_leave_a_role_provisional(store: Store) -> None:
    results = against_tests(store)
    audit = results.arms[0].logic_audit
    assert (audit.answers, audit.decided, audit.criteria) == (80, 80, 80)
    assert audit.bias == pytest.approx(1.0), "a quarter of the fives deserved a one"
    assert audit.left == 0.0, "the bound has taken it out already"
    assert (
        "; logic audited by tests (160 of 160 answers), style (criteria without checks) unaudited, so a role is provisional at most. "
        in trust_line(results)
    )
    assert {decision.audited for arm in results.arms for decision in arm.decisions} == {False}
    logic = next(item for item in trust_items(results) if item.about == "Logic")
    assert (logic.verdict, logic.state) == ("audited by tests", "good")
    assert "with the tests in sight, are 1.00 points over what the tests show" in logic.why
    assert "Criteria without checks (style) are not audited" in logic.why
    assert re.search(r"Checks of version [0-9a-f]{12} .*judge checks --score", logic.why)
    assert logic.why.partition("Checks of version ")[2][:12] in markdown(results)


def test_a_pass_whose_logic_logic_audit_is_provisional_all_the_same(store: Store) -> None:
    run = review_run(samples=20)
    add_code(store, run)
    add_evidence(store, run, fails=lambda _unit: False)
    add_judgements(store, run, lambda _judge, _unit, _criterion: 5)
    results = build_results(run, "running", store)
    assert results.arms[0].logic_audit.decided == results.arms[0].logic_audit.answers == 80
    assert results.arms[0].decisions[0].label == "coder: PASS (provisional)"
    assert results.ladder[0].provisional


def test_an_audit_by_tests_says_how_many_answers_it_is_of(store: Store) -> None:
    results = against_tests(store, executed=15)
    assert (results.arms[0].logic_audit.decided, results.arms[0].logic_audit.answers) == (60, 80)
    assert "logic audited by tests (120 of 160 answers)" in trust_line(results)
    logic = next(item for item in trust_items(results) if item.about == "Logic")
    assert (logic.verdict, logic.state) == ("audited by tests in part", "open")


def test_scores_that_the_tests_do_not_bound_are_held_against_them_and_not_called_audited(store: Store) -> None:
    results = against_tests(store, policy="judge")
    assert results.arms[0].logic_audit.bias == results.arms[0].logic_audit.left == pytest.approx(1.0)
    assert "; not audited, so a role is provisional at most. " in trust_line(results)
    logic = next(item for item in trust_items(results) if item.about == "Logic")
    assert (logic.verdict, logic.state) == ("not corrected", "open")


def test_a_judge_is_held_against_the_tests_by_what_it_said_without_seeing_them(store: Store) -> None:
    results = against_tests(store, blind=4)
    assert results.arms[0].logic_audit.bias == pytest.approx(0.75 * -1 + 0.25 * 3)
    logic = next(item for item in trust_items(results) if item.about == "Logic")
    assert "without seeing the tests" in logic.why


def test_what_was_not_executed_is_not_audited_by_tests(store: Store) -> None:
    results = against_tests(store, executed=0)
    assert (results.arms[0].logic_audit.decided, results.arms[0].logic_audit.bias) == (0, None)
    assert "; not audited, so a role is provisional at most. " in trust_line(results)
    assert not [item for item in trust_items(results) if item.about == "Logic"]
