"""Queueing over a store, and which scores count: what is drawn, what is queued anew, and what ratings estimate."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from examples import judge_record
from rated_run import RUN, path, queued, rate, scored_store, store
from reviews import add_code, answers_of

from judge.errors import UserError
from judge.panel import Standing
from judge.ratings import RepairItem
from judge.records import RunRecord
from judge.results import build_results
from judge.review.desk import make_queues, queues_of
from judge.review.effect import effect
from judge.review.line import Orders, order_of
from judge.review.reading import labelled_of, panel_scores, places_of, scored_units
from judge.review.units import answer_scores
from judge.store import Store
from runner.types import Sampling

__all__ = ["path", "scored_store", "store"]


# --- the queues -------------------------------------------------------------------------------------------------------


def test_the_audit_is_drawn_before_any_judgement_is_read(store: Store) -> None:
    statements: list[str] = []
    sa.event.listen(store._engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    make_queues(RUN, store, per_arm=15, seed=1)
    drawn = [n for n, text in enumerate(statements) if text.startswith("INSERT INTO audit_items")]
    read = [n for n, text in enumerate(statements) if "FROM judgements" in text]
    assert len(drawn) == 32 and read and max(drawn) < min(read)


def test_the_audit_is_the_same_whatever_the_judges_said(store: Store, tmp_path: Path) -> None:
    other = Store.open(tmp_path / "other.db")
    add_code(other, RUN)
    make_queues(RUN, store, per_arm=15, seed=1)
    make_queues(RUN, other, per_arm=15, seed=1)
    assert queues_of(RUN, store).audit == queues_of(RUN, other).audit
    assert queues_of(RUN, other).repair == ()
    other.close()


def test_the_repair_queue_has_what_looks_wrong_and_nothing_of_the_audit(store: Store) -> None:
    queued(store)
    queues = queues_of(RUN, store)
    drawn = {item.key for item in queues.audit}
    apart = {(unit.key, "c1") for unit in answers_of(RUN) if unit.sample == 0} - drawn
    contradicted = {(unit.key, "c0") for unit in answers_of(RUN) if unit.sample == 1} - drawn
    by_reason = {
        reason: {item.key for item in queues.repair if item.reason == reason} for reason in ("spread", "tests")
    }
    assert by_reason["spread"] == apart != set()
    assert by_reason["tests"] == set() and contradicted, "a 3 where the tests allow at most 1 confirms nothing"
    assert not drawn & {item.key for item in queues.repair}


def test_queueing_again_tops_up_and_replaces_nothing(store: Store) -> None:
    first = queued(store)
    again = make_queues(RUN, store, per_arm=15, seed=1)
    assert (again.audit_added, again.repair_added) == (0, 0)
    more = make_queues(RUN, store, per_arm=30, seed=1)
    assert more.audit_added > 0
    assert {item.id for item in first} <= {item.id for item in queues_of(RUN, store).items}


def test_a_run_without_answers_is_said_to_have_none(tmp_path: Path) -> None:
    empty = Store.open(tmp_path / "empty.db")
    empty.add_run(RUN)
    with pytest.raises(UserError, match="run-77 has no answer that can be rated"):
        make_queues(RUN, empty, per_arm=15, seed=1)
    empty.close()


def test_scoring_the_answers_again_keeps_queue_and_ratings(store: Store) -> None:
    items = queued(store)
    rate(store, items[0], 4)
    rescored = RUN.model_copy(update={"id": "run-78", "judges": (judge_record("third"),)})
    store.add_run(rescored)
    assert queues_of(rescored, store) == queues_of(RUN, store)
    assert Orders(store).line(rescored) == queues_of(RUN, store).line


def test_under_a_changed_rubric_the_same_units_are_rated_anew(store: Store) -> None:
    items = queued(store)
    rate(store, items[0], 4)
    stricter = RUN.suite.questions[0].model_copy(update={"expected": "Handles everything."})
    suite = RUN.suite.model_copy(update={"questions": (stricter, *RUN.suite.questions[1:])})
    changed = RUN.model_copy(update={"id": "run-79", "suite": suite})
    assert {item.question_id for item in queues_of(changed, store).items} == set(RUN.question_ids) - {stricter.id}
    make_queues(changed, store, per_arm=15, seed=1)
    assert {i.key for i in queues_of(changed, store).audit} == {i.key for i in queues_of(RUN, store).audit}
    assert len(queues_of(changed, store).ratings) == (items[0].question_id != stricter.id)
    for run in (changed, RUN):
        assert Orders(store).line(run) == queues_of(run, store).line


def test_pages_have_the_queue_in_its_order_and_see_what_is_queued_and_said_later(store: Store) -> None:
    orders = Orders(store)
    assert orders.line(RUN) == queues_of(RUN, store).line and orders.line(RUN).ids == ()
    items = queued(store)
    line = orders.line(RUN)
    assert line == queues_of(RUN, store).line and line.audit and line.repair
    rate(store, items[0], 4)
    rate(store, items[-1], 2)
    assert orders.line(RUN) == queues_of(RUN, store).line != line
    warmer = RUN.arms[0].model_copy(update={"sampling": Sampling(temperature=0.1)})
    elsewhere = RUN.model_copy(update={"id": "run-80", "arms": (warmer,)})
    assert order_of(elsewhere, store).audit == (), "the answers of another sampling are others"


# --- which scores count, and what ratings estimate ----------------------------------------------------------------------


def test_scores_read_as_numbers_are_those_read_with_everything_that_was_said(store: Store) -> None:
    standings = {RUN.judges[0].fingerprint: Standing.NOT_QUALIFIED}
    for run in (RUN, RUN.model_copy(update={"policy": "judge"})):
        for known in (None, standings):
            whole = {one.unit.key: one.panel for one in scored_units(run, store, known)}
            assert panel_scores(run, store, known, places_of(run, store)) == whole
            assert len(set(whole.values())) > 2


def test_what_is_scored_here_is_what_the_report_scores(store: Store) -> None:
    results = build_results(RUN, "complete", store)
    for arm in results.arms:
        answers = answer_scores([one for one in scored_units(RUN, store) if one.unit.arm_id == arm.id])
        reported = sorted(score for tier in arm.tiers for scores in tier.questions.values() for score in scores)
        assert sorted(answers.values()) == pytest.approx(reported)


def test_a_judge_that_failed_its_exam_does_not_count_where_another_did_not(store: Store) -> None:
    standings = {judge_record("umbrella").fingerprint: Standing.NOT_QUALIFIED}
    counting = {j.judge for one in scored_units(RUN, store, standings) for j in one.judges if j.counts}
    assert counting == {"parasol"}


def test_an_arm_that_was_rated_is_audited_and_its_bias_is_found(store: Store) -> None:
    panels = {one.unit.key: one.panel or 0 for one in scored_units(RUN, store)}
    for n, item in enumerate(queued(store, per_arm=60)):
        if not isinstance(item, RepairItem):
            rate(store, item, max(1, int(panels[item.key]) - 1), at=n % 60)  # type: ignore[arg-type]
    found = effect(labelled_of(RUN, store), RUN.suite)
    assert [arm.audited for arm in found.audit.arms] == [True, True]
    correction = found.audit.arms[0].corrected("T1")
    assert correction is not None and correction.correction < -0.5
    assert {tier.by for tier in found.tiers} == {"audit"}


def test_the_record_of_the_run_is_one_that_the_store_keeps(store: Store) -> None:
    kept: RunRecord = store.run("latest")[0]
    assert kept == RUN
