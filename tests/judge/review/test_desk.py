"""Queueing and rating over a store: blind, once, by several people, and nothing is ever lost."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from examples import judge_record
from reviews import SECRETS, add_code, add_evidence, add_judgements, answers_of, review_run

from judge.errors import StoreError, UserError
from judge.panel import Standing
from judge.ratings import Item, Rating, RepairItem
from judge.records import RunRecord
from judge.results import build_results
from judge.review.desk import due_items, item_named, make_queues, next_item, progress, queues_of, revealed, say, undo
from judge.review.effect import effect
from judge.review.exchange import blank_lines, import_lines, rating_lines
from judge.review.line import Orders, order_of
from judge.review.reading import audit_of, labelled_of, panel_scores, places_of, scored_units
from judge.review.sheet import revealed_lines, sheet_lines, sheet_of
from judge.review.units import answer_scores
from judge.store import Store
from judge.types import Grade
from judge.units import AnswerUnit
from runner.types import Sampling

RUN = review_run()


def says(judge: str, unit: AnswerUnit, criterion: str) -> Grade:
    """The judges are 3 points apart on c1 of the first answers and agree elsewhere."""
    if criterion == "c1" and unit.sample == 0:
        return 2 if judge == "umbrella" else 5
    return 3 if unit.sample % 2 else 4


@pytest.fixture(scope="module")
def scored_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose answers were executed and scored by two judges: made once, copied for each test."""
    path = tmp_path_factory.mktemp("scored") / "judge.db"
    opened = Store.open(path)
    add_code(opened, RUN)
    add_evidence(opened, RUN, fails=lambda unit: unit.sample == 1)
    add_judgements(opened, RUN, says, reasoning="umbrella thinks so")
    opened.close()
    return path


@pytest.fixture
def path(scored_store: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(scored_store, tmp_path / "judge.db"))


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store.open(path)
    yield opened
    opened.close()


def queued(store: Store, *, per_arm: int = 15) -> tuple[Item, ...]:
    make_queues(RUN, store, per_arm=per_arm, seed=1)
    return queues_of(RUN, store).items


def minute(n: int) -> str:
    return f"2026-01-01T00:{n:02}:00.000000+00:00"


def rate(store: Store, item: Item, score: Grade | None, *, at: int = 0, rater: str = "ann") -> Rating:
    return say(store, item, rater, minute(at), score=score)


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


# --- blindness --------------------------------------------------------------------------------------------------------


def test_nothing_that_a_rater_sees_before_rating_names_a_model_a_judge_or_a_score(store: Store) -> None:
    for item in queued(store):
        sheet = sheet_of(store, RUN, item)
        seen = "\n".join([*sheet_lines(sheet), sheet.model_dump_json()]).casefold()
        assert not [name for name in SECRETS if name.casefold() in seen]
        assert not {item.answer_unit, *(record.arm.fingerprint for record in RUN.arms)} & set(seen.split())
        assert "thinks so" not in seen and "\x1b" not in "\n".join(sheet_lines(sheet))
        assert "def f(n: int)" in seen and "wrong or broken code" in seen


def test_test_evidence_is_shown_unless_it_is_hidden(store: Store) -> None:
    failing = {unit.key for unit in answers_of(RUN) if unit.sample == 1}
    item = next(item for item in queued(store) if item.answer_unit in failing)
    assert "f(-1)" in (sheet_of(store, RUN, item).evidence or "")
    assert sheet_of(store, RUN, item, evidence=False).evidence is None
    assert "f(-1)" not in "\n".join(sheet_lines(sheet_of(store, RUN, item, evidence=False)))


def test_scores_and_the_ratings_of_others_are_shown_only_after_ones_own(store: Store) -> None:
    item = queued(store)[0]
    rate(store, item, 2, rater="bob")
    with pytest.raises(UserError, match=f"ann has not rated {item.id} yet"):
        revealed(store, RUN, item, "ann")
    rate(store, item, None, at=1)
    found = revealed(store, RUN, item, "ann")
    assert found.own is None and found.others == {"bob": 2}
    assert [judge.judge for judge in found.judges] == ["umbrella", "parasol"]
    assert "umbrella thinks so" in "\n".join(revealed_lines(found))


def test_a_skip_shows_nothing(store: Store) -> None:
    item = queued(store)[0]
    say(store, item, "ann", minute(0), state="skipped")
    with pytest.raises(UserError):
        revealed(store, RUN, item, "ann")


def test_afterwards_one_learns_how_often_one_agreed_with_the_judges_so_far(store: Store) -> None:
    items = [item for item in queued(store) if not isinstance(item, RepairItem)]
    panels = {one.unit.key: one.panel for one in scored_units(RUN, store)}
    plain = [item for item in items if panels[item.key] in (3, 4)][:3]
    for n, (item, off) in enumerate(zip(plain, (0, 1, -2), strict=True)):
        rate(store, item, int(panels[item.key] or 0) + off, at=n)  # type: ignore[arg-type]
    found = revealed(store, RUN, plain[0], "ann")
    assert (found.compared, found.exact, found.within_one) == (3, pytest.approx(1 / 3), pytest.approx(2 / 3))


# --- rating -----------------------------------------------------------------------------------------------------------


def test_what_is_rated_is_not_offered_again_and_what_was_skipped_comes_last(store: Store) -> None:
    items = queued(store)
    rate(store, items[0], 4)
    say(store, items[1], "ann", minute(1), state="skipped")
    due = due_items(queues_of(RUN, store), "ann")
    assert items[0] not in due and due[0] == items[2] and due[-1] == items[1]


def test_a_second_rater_starts_with_what_nobody_rated(store: Store) -> None:
    items = queued(store)
    rate(store, items[0], 4)
    due = due_items(queues_of(RUN, store), "bob")
    assert due[0] == items[1] and due[-1] == items[0]


def test_the_audit_comes_before_the_repairs_and_then_nothing_is_left(store: Store) -> None:
    kinds, n = [], 0
    queued(store)
    while (item := next_item(queues_of(RUN, store), "ann")) is not None:
        kinds.append(isinstance(item, RepairItem))
        rate(store, item, 3, at=n)
        n += 1
        if n == 40:
            break
    assert kinds == sorted(kinds) and True in kinds and False in kinds


def test_a_changed_rating_counts_and_is_known_to_be_given_after_seeing_the_scores(store: Store) -> None:
    item = queued(store)[0]
    first, second = rate(store, item, 4), rate(store, item, 2, at=1)
    assert (first.blind, second.blind) == (True, False)
    assert queues_of(RUN, store).ratings == (first, second)
    assert revealed(store, RUN, item, "ann").own == 2
    assert sum(arm.changed_after_seeing for arm in audit_of(RUN, store).arms) == 1


def test_undo_takes_back_the_last_rating_and_keeps_its_history(store: Store) -> None:
    items = queued(store)
    rate(store, items[0], 4)
    rate(store, items[1], 4, at=1)
    assert undo(store, queues_of(RUN, store), "ann", minute(2)) == items[1]
    assert progress(queues_of(RUN, store), "ann").audit_rated == 1
    assert len(queues_of(RUN, store).ratings) == 3
    undo(store, queues_of(RUN, store), "ann", minute(3))
    with pytest.raises(UserError, match="ann has no rating that could be taken back"):
        undo(store, queues_of(RUN, store), "ann", minute(4))


def test_progress_counts_what_was_rated_skipped_and_left(store: Store) -> None:
    items = queued(store)
    rate(store, items[0], None)
    rate(store, items[-1], 5, at=1)
    say(store, items[1], "ann", minute(2), state="skipped")
    found = progress(queues_of(RUN, store), "ann")
    assert (found.audit_rated, found.repair_rated, found.cannot_assess, found.skipped) == (1, 1, 1, 1)
    assert found.left == len(items) - 2


def test_an_unknown_item_is_said_to_be_in_no_queue(store: Store) -> None:
    with pytest.raises(UserError, match="no item 'nope' is in a review queue"):
        item_named(store, "nope")


# --- the schema -------------------------------------------------------------------------------------------------------


def test_a_rating_of_a_repair_item_cannot_be_stored_among_those_of_the_audit(store: Store, path: Path) -> None:
    item = queued(store)[-1]
    assert isinstance(item, RepairItem)
    rating = Rating(item=item.id, rater="ann", created_at=minute(0), score=5)
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        store.add_audit_rating(rating)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError):
            db.execute("INSERT INTO audit_ratings VALUES ('x', ?, 'ann', 'now', 5, '{}')", [item.id])
    db.close()
    store.add_repair_rating(rating)
    assert all(arm.labels == 0 for arm in audit_of(RUN, store).arms)


@pytest.mark.parametrize("score", [0, 6])
def test_no_score_off_the_scale_is_stored(store: Store, path: Path, score: int) -> None:
    item = queued(store)[0]
    with sqlite3.connect(path) as db, pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        db.execute("INSERT INTO audit_ratings VALUES ('x', ?, 'ann', 'now', ?, '{}')", [item.id, score])
    db.close()


# --- from the store to the estimate -------------------------------------------------------------------------------------


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


# --- offline ------------------------------------------------------------------------------------------------------------


def filled_in(store: Store, score: Grade, rater: str = "ann") -> list[str]:
    lines = list(blank_lines(RUN, store, rater))
    return [lines[0].model_copy(update={"score": score}).model_dump_json(), *(x.model_dump_json() for x in lines[1:])]


def test_items_are_rated_offline_and_taken_in_once(store: Store) -> None:
    items = queued(store)
    lines = filled_in(store, 4)
    assert not [name for name in SECRETS if name in "".join(lines)]
    for n in range(2):
        done = import_lines(store, lines, "f.jsonl", minute(n))
        assert (done.ratings, done.empty) == (1, len(items) - 1)
    (kept,) = queues_of(RUN, store).ratings
    assert (kept.item, kept.score, kept.blind) == (items[0].id, 4, True)


def test_ratings_travel_between_stores_with_their_history(store: Store, tmp_path: Path) -> None:
    items = queued(store)
    rate(store, items[0], 4)
    rate(store, items[0], None, at=1)
    rate(store, items[-1], 2, at=2, rater="bob")
    say(store, items[1], "ann", minute(3), state="skipped")
    other = copy_of_queues(store, tmp_path / "other.db")
    lines = [line.model_dump_json(exclude_none=True) for line in rating_lines(RUN, store)]
    for _ in range(2):
        import_lines(other, lines, "f.jsonl", minute(9))
    assert queues_of(RUN, other).ratings == queues_of(RUN, store).ratings
    other.close()


def copy_of_queues(store: Store, path: Path) -> Store:
    other = Store.open(path)
    add_code(other, RUN)
    queues = queues_of(RUN, store)
    other.add_audit_items(queues.audit)
    other.add_repair_items(queues.repair)
    return other


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"item": "nope", "rater": "ann", "score": 4}', "f.jsonl:2: no item 'nope'"),
        ('{"item": "x", "rater": "ann", "score": 6}', "f.jsonl:2: score: "),
        ('{"item": "x", "rater": "", "score": 4}', "f.jsonl:2: rater: "),
        ("not json", "f.jsonl:2: the line: Invalid JSON"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_nothing_is_taken_in(store: Store, line: str, message: str) -> None:
    queued(store)
    with pytest.raises(UserError) as caught:
        import_lines(store, [filled_in(store, 4)[0], line], "f.jsonl", minute(0))
    assert message in str(caught.value) and "nothing was imported" in str(caught.value)
    assert queues_of(RUN, store).ratings == ()


def test_the_record_of_the_run_is_one_that_the_store_keeps(store: Store) -> None:
    kept: RunRecord = store.run("latest")[0]
    assert kept == RUN
