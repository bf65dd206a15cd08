"""Rating over a store: blind, once, by several people, and nothing is ever lost."""

import sqlite3
from pathlib import Path

import pytest
from rated_run import RUN, minute, path, queued, rate, scored_store, store
from reviews import SECRETS, answers_of

from judge.errors import StoreError, UserError
from judge.ratings import Rating, RepairItem
from judge.review.desk import due_items, item_named, next_item, progress, queues_of, revealed, say, undo
from judge.review.reading import audit_of, scored_units
from judge.review.sheet import revealed_lines, sheet_lines, sheet_of
from judge.store import Store

__all__ = ["path", "scored_store", "store"]


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
