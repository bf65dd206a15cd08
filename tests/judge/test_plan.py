"""The plan: what is wanted, what is owed, in which order, and how long it may take."""

from pathlib import Path

import pytest
from examples import add_answers, arm_record, call, judge_record, judgement, question, run_record
from hypothesis import given
from hypothesis import strategies as st

from judge.dry_run import DryRun, print_plan
from judge.events import ExamMarked, ExamUnfinished, Loaded, Loading, Scored
from judge.forecast import Forecast
from judge.pipeline import Budget
from judge.plan import (
    EXPECTED_ANSWER_TOKENS,
    EXPECTED_SCORING_TOKENS,
    Seen,
    arm_work,
    each_wanted_key,
    estimate,
    judge_estimate,
    seconds_left,
    total_seconds,
    wanted_answers,
)
from judge.planning import plan_run
from judge.store import Store
from runner.types import Endpoint, Sampling

RECORD = arm_record(config="moe4", sampling=Sampling(seed=10))
ARM = RECORD.arm
QUESTIONS = [question("Q1"), question("Q2"), question("Q3", tier="T2")]
RUN = run_record(*QUESTIONS, arms=(RECORD,), samples=2)
WANTED = wanted_answers(RUN, RECORD)
KEYS = [unit.key for unit in WANTED]


def test_no_question_is_asked_twice_in_a_row() -> None:
    assert [(u.question_id, u.sample) for u in WANTED] == [
        ("Q1", 0),
        ("Q2", 0),
        ("Q3", 0),
        ("Q1", 1),
        ("Q2", 1),
        ("Q3", 1),
    ]


def test_more_samples_keep_the_answers_that_are_there() -> None:
    more = wanted_answers(RUN.model_copy(update={"samples": 3}), RECORD)
    assert set(KEYS) < {unit.key for unit in more}


def test_one_tier_of_an_arm_may_be_sampled_further_than_the_run() -> None:
    further = RECORD.model_copy(update={"samples": {"T2": 4}})
    assert [(u.question_id, u.sample) for u in wanted_answers(RUN, further)] == [
        *((u.question_id, u.sample) for u in WANTED),
        ("Q3", 2),
        ("Q3", 3),
    ]


@given(st.sets(st.sampled_from(KEYS)))
def test_what_is_owed_is_what_is_wanted_and_not_stored_in_order(stored: set[str]) -> None:
    work = arm_work(ARM, WANTED, stored | {"something else"})
    assert [unit.key for unit in work.owed] == [key for key in KEYS if key not in stored]
    assert work.wanted == WANTED


def test_a_measured_speed_and_length_are_believed_before_an_expected_one() -> None:
    plan = estimate(ARM, 6, [10.0, 30.0, 20.0], [100, 300], expected_tps=45.0)
    assert (plan.arm, plan.owed, plan.decode_tps, plan.source) == ("coder/moe4", 6, 20.0, "measured")
    assert (plan.tokens, plan.seconds) == (1200, 60.0)


def test_without_measurements_the_expected_speed_is_used() -> None:
    plan = estimate(ARM, 1, [], [], expected_tps=30.0)
    assert (plan.tokens, plan.seconds, plan.source) == (EXPECTED_ANSWER_TOKENS, 20.0, "models.yaml")


def test_an_unknown_speed_is_an_unknown_time_and_not_zero() -> None:
    plan = estimate(ARM, 6, [], [], None)
    assert (plan.decode_tps, plan.seconds, plan.source) == (None, None, "unknown")


@pytest.mark.parametrize(("expected", "total"), [(30.0, 140.0), (None, None)])
def test_the_total_is_unknown_as_soon_as_one_part_is(expected: float | None, total: float | None) -> None:
    all_owed = estimate(ARM, 6, [], [], expected)
    one_owed = estimate(ARM, 1, [], [], 30.0)
    assert total_seconds([all_owed, one_owed]) == total


def test_an_arm_that_owes_nothing_needs_no_speed() -> None:
    done = estimate(ARM, 0, [], [], None)
    assert total_seconds([done]) == 0


# --- judges, and the time that is left ------------------------------------------------------------------------------------


def test_a_judge_is_estimated_from_the_seconds_that_its_scorings_took() -> None:
    plan = judge_estimate("j", 30, Seen(seconds=(2.0, 4.0), tokens=(100, 300)), 9.0, local=False, in_flight=3)
    assert (plan.phase, plan.owed, plan.tokens, plan.seconds, plan.source) == ("score", 30, 6000, 30.0, "measured")
    assert plan.loads is False


def test_a_judge_that_has_scored_nothing_is_estimated_from_models_yaml() -> None:
    plan = judge_estimate("j", 4, Seen(), 10.0, local=True, in_flight=1)
    assert (plan.tokens, plan.seconds, plan.source) == (4 * EXPECTED_SCORING_TOKENS, 200.0, "models.yaml")
    assert plan.loads is True
    assert judge_estimate("j", 0, Seen(), None, local=True, in_flight=1).loads is False


@pytest.mark.parametrize(
    ("said", "endpoints", "in_flight", "assumed", "seconds"),
    [(None, 1, 1, True, 16.0), (None, 2, 2, True, 8.0), (8, 1, 8, False, 2.0)],
)
def test_a_judge_at_an_endpoint_is_reckoned_with_one_request_at_a_time_unless_the_user_said_more(
    tmp_path: Path, said: int | None, endpoints: int, in_flight: int, assumed: bool, seconds: float
) -> None:
    """Two answers are scored in 4 s each by a judge of the same kind, and four more are owed."""
    urls = tuple(Endpoint(base_url=f"http://127.0.0.1:{n}/v1", model="j") for n in range(1, endpoints + 1))
    judge = judge_record(endpoint=urls[0], more_endpoints=urls[1:])
    run = run_record(judges=(judge,), samples=4)
    store = Store.open(tmp_path / "judge.db")
    try:
        add_answers(store, run)
        store.add_judgement(
            run.id, judgement(5, 5, of="another", latency_s=4.0, call=call(judge_fingerprint=judge.fingerprint))
        )
        (plan,) = [part for part in plan_run(run, store, {}, in_flight=said) if part.phase == "score"]
    finally:
        store.close()
    assert (plan.owed, plan.in_flight, plan.in_flight_assumed, plan.seconds) == (4, in_flight, assumed, seconds)


@pytest.mark.parametrize("assumed", [True, False])
def test_the_plan_says_where_it_assumed_how_many_requests_run_at_a_time(
    capsys: pytest.CaptureFixture[str], assumed: bool
) -> None:
    part = judge_estimate("j", 4, Seen(seconds=(9.0,)), None, local=False, in_flight=3, assumed=assumed)
    print_plan(DryRun(estimates=(part,), loads=0, seconds=part.seconds))
    said = capsys.readouterr().out
    assert ("(assumed)" in said) is assumed
    assert ("assumed: one request at a time at each endpoint of a judge" in said) is assumed


def test_the_estimate_gives_way_to_what_happens() -> None:
    assert seconds_left(100.0, 10, 0, 0.0) == 100.0
    assert seconds_left(100.0, 10, 8, 8.0) == pytest.approx(2 * (2 * 10 + 8) / 10)
    assert seconds_left(None, 10, 0, 5.0) is None
    assert seconds_left(None, 10, 5, 5.0) == 5.0
    assert seconds_left(100.0, 10, 10, 500.0) == 0.0


PLAN = [
    judge_estimate("a", 50, Seen(seconds=(6.0,)), None, local=True, in_flight=1).model_copy(
        update={"phase": "collect"}
    ),
    judge_estimate("j", 100, Seen(seconds=(1.0,)), None, local=True, in_flight=1),
]


def test_the_time_left_converges_to_what_is_really_left_as_units_complete() -> None:
    """The plan says 300 s and 100 s. Really the arm takes 2 s an answer and the judge 3 s a scoring: 100 s and 300 s."""
    now_s = [0.0]
    forecast = Forecast(PLAN, clock=lambda: now_s[0])
    assert forecast.left_s() == 400.0
    errors = []
    for part, unit_s in zip(PLAN, (2.0, 3.0), strict=True):
        forecast.see(Loading(model=part.arm, phase=part.phase))
        now_s[0] += 20.0
        forecast.see(Loaded(model=part.arm, seconds=20.0, experts_used=None))
        for done in range(part.owed):
            now_s[0] += unit_s
            place = {"arm_id": "a", "question_id": "Q", "done": done, "owed": part.owed}
            forecast.see(Scored(judge="j", score=1.0, **place))
            rest = 0.0 if part is PLAN[1] else 100.0  # of the judge nothing is known yet but its plan
            left = forecast.left_s()
            assert left is not None
            errors.append(abs(left - rest - unit_s * (part.owed - done - 1)))
    arm, judge = errors[:50], errors[50:]
    assert arm[0] > 50 and arm[9] < 35 and arm[24] < 10 and arm[-1] == 0
    assert judge[0] > 100 and judge[9] < 35 and judge[49] < 5 and judge[-1] == 0


EXAMINED = [
    judge_estimate("j", 40, Seen(seconds=(1.0,)), None, local=True, in_flight=1).model_copy(update={"phase": "exam"}),
    *PLAN[1:],
]


@pytest.mark.parametrize("asked", [40, 7])
def test_the_exam_of_a_judge_is_no_part_of_what_its_scorings_take(asked: int) -> None:
    """The plan says 40 s and 100 s. Each scoring takes 3 s, in the exam as well, which may end early."""
    now_s = [0.0]
    forecast = Forecast(EXAMINED, clock=lambda: now_s[0])
    assert forecast.left_s() == 140.0
    forecast.see(Loading(model="j", phase="score"))
    forecast.see(Loaded(model="j", seconds=0.0, experts_used=None))
    for done in range(1, asked + 1):
        now_s[0] += 3.0
        forecast.see(ExamMarked(judge="j", question_id="Q", kind="right", done=done, owed=40))
        if done >= 7:
            assert forecast.left_s() == pytest.approx(100 + 3 * (40 - done), rel=0.25)
    forecast.see(ExamUnfinished(judge="j", owed=40 - asked, message="it failed"))
    assert forecast.left_s() == 100.0
    for done in range(1, 101):
        now_s[0] += 3.0
        forecast.see(Scored(judge="j", arm_id="a", question_id="Q", score=1.0, done=done, owed=100))
        if done >= 7:
            assert forecast.left_s() == pytest.approx(3 * (100 - done), rel=0.2)
    forecast.see(Loading(model="j", phase="score"))
    assert forecast.left_s() == 100.0, "no second exam where the run goes on"


def test_a_budget_ends_between_two_units_and_nothing_is_begun_after_it() -> None:
    now_s = [0.0]
    budget = Budget.of_hours(1.0, now_s=0.0)
    begun = []
    for unit in budget.within(range(10), clock=lambda: now_s[0]):
        begun.append(unit)
        now_s[0] += 1000.0
    assert begun == [0, 1, 2, 3], "the fourth began at 3000 s and was finished at 4000 s"
    assert not Budget().spent() and Budget.of_hours(0, now_s=0.0).spent()


def test_the_keys_that_are_wanted_are_those_of_the_answers_that_are_wanted_in_their_order() -> None:
    several = RUN.model_copy(update={"samples": 3})
    wanted = [(unit.key, unit.question_id, unit.sample) for unit in wanted_answers(several, RECORD)]
    assert [(one.key, one.question.id, one.sample) for one in each_wanted_key(several, RECORD)] == wanted
