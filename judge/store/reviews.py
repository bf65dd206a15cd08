"""What people are asked to rate and what they said: two queues that share no table (D11)."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from judge.ratings import AuditItem, Item, Rating, RepairItem, RepairReason
from judge.store.database import Database, Stored, batches, of_units, utc_now
from judge.store.tables import ANSWERS, AUDIT_ITEMS, AUDIT_RATINGS, REPAIR_ITEMS, REPAIR_RATINGS
from runner.types import SCORABLE_STATES


class QueuedPlace(NamedTuple):
    """An item of a queue and the answer that it is about."""

    id: str
    answer_unit: str
    criterion: str
    rubric: str
    reason: RepairReason | None
    """``None``: it is of the audit queue."""
    arm: str
    """Fingerprint."""
    question_id: str
    sample: int
    """0-based."""


class Reviews(Database):
    """The audit queue, the repair queue, and the ratings of either."""

    def add_audit_items(self, items: Iterable[AuditItem]) -> int:
        """Append drawn units, and return how many are new; what was drawn before stays as it was drawn."""
        rows = [
            {**_row(item), "stratum": item.stratum, "inclusion_probability": item.inclusion_probability}
            for item in items
        ]
        return self._append_items(AUDIT_ITEMS, rows)

    def add_repair_items(self, items: Iterable[RepairItem]) -> int:
        """Append picked units, and return how many are new."""
        return self._append_items(REPAIR_ITEMS, [{**_row(item), "reason": item.reason} for item in items])

    def has_audit_items(self) -> bool:
        """True when anything was ever drawn for an audit."""
        return bool(self._rows(sa.select(AUDIT_ITEMS.c.id).limit(1)))

    def audit_items(self) -> list[AuditItem]:
        """Return every drawn unit, whichever run it was drawn for."""
        return self._items(AUDIT_ITEMS, AuditItem)

    def repair_items(self) -> list[RepairItem]:
        """Return every picked unit."""
        return self._items(REPAIR_ITEMS, RepairItem)

    def queued_run_ids(self) -> set[str]:
        """Return the runs that something was queued for."""
        queries = (sa.select(table.c.run_id).distinct() for table in (AUDIT_ITEMS, REPAIR_ITEMS))
        return {row.run_id for query in queries for row in self._rows(query)}

    def queue_lengths(self) -> tuple[int, int]:
        """Return how many items the audit queue and the repair queue have, over all runs; none is ever taken away."""
        counts = [self._rows(sa.select(sa.func.count()).select_from(table)) for table in (AUDIT_ITEMS, REPAIR_ITEMS)]
        return counts[0][0][0], counts[1][0][0]

    def queued_places(self, arms: Sequence[str], rubrics: Sequence[str]) -> list[QueuedPlace]:
        """Return what is queued of these arms' answers by these rubrics, without reading the items."""
        columns = ANSWERS.c.arm, ANSWERS.c.question_id, ANSWERS.c.sample
        found = []
        for items in (AUDIT_ITEMS, REPAIR_ITEMS):
            reason = REPAIR_ITEMS.c.reason if items is REPAIR_ITEMS else sa.null()
            query = sa.select(items.c.id, items.c.answer_unit, items.c.criterion, items.c.rubric, reason, *columns)
            query = query.join(ANSWERS, ANSWERS.c.unit == items.c.answer_unit)
            rows = self._rows(query.where(ANSWERS.c.arm.in_(arms), items.c.rubric.in_(rubrics)))
            found += [QueuedPlace._make(row) for row in rows]
        return found

    def review_items(self, ids: Iterable[str]) -> list[Item]:
        """Return the items of either queue with these ids, in no order."""
        keys = list(ids)
        found: list[Item] = []
        for batch in batches(keys):
            found += self._items(AUDIT_ITEMS, AuditItem, AUDIT_ITEMS.c.id.in_(batch))
            found += self._items(REPAIR_ITEMS, RepairItem, REPAIR_ITEMS.c.id.in_(batch))
        return found

    def audit_ratings_by(self, rater: str) -> list[Rating]:
        """Return everything that one rater said of items of the audit queue, of all runs."""
        rows = self._rows(sa.select(AUDIT_RATINGS.c.doc).where(AUDIT_RATINGS.c.rater == rater))
        return [self._parsed(Rating, row.doc) for row in rows]

    def ratings_among(self, ids: Collection[str]) -> list[Rating]:
        """Return everything that was said of these items, which may be many more than have been rated, oldest first."""
        rows = (
            row for table in (AUDIT_RATINGS, REPAIR_RATINGS) for row in self._rows(sa.select(table.c.item, table.c.doc))
        )
        found = [self._parsed(Rating, row.doc) for row in rows if row.item in ids]
        return sorted(found, key=lambda rating: (rating.created_at, rating.id))

    def items_of_answer(self, answer_key: str) -> tuple[list[AuditItem], list[RepairItem]]:
        """Return the items of both queues that are about one answer."""
        drawn = self._items(AUDIT_ITEMS, AuditItem, AUDIT_ITEMS.c.answer_unit == answer_key)
        return drawn, self._items(REPAIR_ITEMS, RepairItem, REPAIR_ITEMS.c.answer_unit == answer_key)

    def scorable_answers(self, keys: Iterable[str]) -> set[str]:
        """Return which of these answers are stored and can be scored, without reading their texts."""
        scorable = [state.value for state in SCORABLE_STATES]
        query = sa.select(ANSWERS.c.unit).where(ANSWERS.c.state.in_(scorable))
        return {row.unit for batch in batches(keys) for row in self._rows(query.where(of_units(ANSWERS)), units=batch)}

    def answer_places(self, keys: Iterable[str]) -> dict[str, tuple[str, str, int]]:
        """Return answer -> (arm fingerprint, question id, sample) of stored answers, without reading their texts."""
        query = sa.select(ANSWERS.c.unit, ANSWERS.c.arm, ANSWERS.c.question_id, ANSWERS.c.sample)
        rows = (row for batch in batches(keys) for row in self._rows(query.where(of_units(ANSWERS)), units=batch))
        return {row.unit: (row.arm, row.question_id, row.sample) for row in rows}

    def review_item(self, item_id: str) -> Item | None:
        """Return the item of either queue with this id; ``None`` when there is none."""
        for row in self._rows(sa.select(AUDIT_ITEMS.c.doc).where(AUDIT_ITEMS.c.id == item_id)):
            return self._parsed(AuditItem, row.doc)
        for row in self._rows(sa.select(REPAIR_ITEMS.c.doc).where(REPAIR_ITEMS.c.id == item_id)):
            return self._parsed(RepairItem, row.doc)
        return None

    def add_audit_rating(self, rating: Rating) -> None:
        """Append a rating of an audit item, once. Raises StoreError when its item is not in the audit queue."""
        self._append_rating(AUDIT_ITEMS, AUDIT_RATINGS, rating)

    def add_repair_rating(self, rating: Rating) -> None:
        """Append a rating of a repair item, once. Raises StoreError when its item is not in the repair queue."""
        self._append_rating(REPAIR_ITEMS, REPAIR_RATINGS, rating)

    def audit_ratings(self, items: Iterable[AuditItem]) -> list[Rating]:
        """Return everything that was said of these items, oldest first."""
        return self._ratings(AUDIT_RATINGS, (item.id for item in items))

    def repair_ratings(self, items: Iterable[RepairItem]) -> list[Rating]:
        """Return everything that was said of these items, oldest first."""
        return self._ratings(REPAIR_RATINGS, (item.id for item in items))

    # --- underneath ---

    def _append_items(self, table: sa.Table, rows: list[dict[str, object]]) -> int:
        with self._writing() as db:
            before = _count(db, table)
            for row in rows:
                self._insert_once(db, table, **row)
            self._changed_answers(db, (str(row["answer_unit"]) for row in rows))
            return _count(db, table) - before

    def _append_rating(self, items: sa.Table, ratings: sa.Table, rating: Rating) -> None:
        with self._writing() as db:
            self._insert_once(db, ratings, **_rating_row(rating))
            answers = db.execute(sa.select(items.c.answer_unit).where(items.c.id == rating.item)).scalars()
            self._changed_answers(db, list(answers))

    def _items(self, table: sa.Table, kind: type[Stored], *where: sa.ColumnElement[bool]) -> list[Stored]:
        rows = self._rows(sa.select(table.c.doc).where(*where).order_by(table.c.id))
        return [self._parsed(kind, row.doc) for row in rows]

    def _ratings(self, table: sa.Table, items: Iterable[str]) -> list[Rating]:
        found = [
            self._parsed(Rating, row.doc)
            for batch in batches(items)
            for row in self._rows(sa.select(table.c.doc).where(table.c.item.in_(batch)))
        ]
        return sorted(found, key=lambda rating: (rating.created_at, rating.id))


def _count(db: sa.Connection, table: sa.Table) -> int:
    return db.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def _row(item: Item) -> dict[str, object]:
    return {
        "id": item.id,
        "run_id": item.run_id,
        "answer_unit": item.answer_unit,
        "criterion": item.criterion,
        "rubric": item.rubric,
        "created_at": utc_now(),
        "doc": item.model_dump_json(),
    }


def _rating_row(rating: Rating) -> dict[str, object]:
    return {
        "id": rating.id,
        "item": rating.item,
        "rater": rating.rater,
        "created_at": rating.created_at,
        "score": rating.score,
        "doc": rating.model_dump_json(),
    }
