"""Comparisons of two answers by judges, and those that failed."""

from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa

from judge.pairs import PairFailure, PairJudgement
from judge.store.database import Database, batches, of_units, utc_now
from judge.store.tables import COMPARISON_FAILURES, COMPARISONS


class Comparisons(Database):
    """What judges said when they were shown two answers."""

    def add_comparisons(self, run_id: str, outcomes: Sequence[PairJudgement | PairFailure]) -> None:
        """Store what came of some comparisons in one transaction: a preference once, a failure as often as it happens."""
        now = utc_now()
        preferences = [_row(run_id, one, now) for one in outcomes if isinstance(one, PairJudgement)]
        failures = [_failure_row(run_id, one, now) for one in outcomes if isinstance(one, PairFailure)]
        with self._writing() as db:
            if preferences:
                self._insert_all_once(db, COMPARISONS, preferences)
            if failures:
                db.execute(COMPARISON_FAILURES.insert(), failures)
            self._changed_answers(db, (answer for one in outcomes for answer in (one.first, one.second)))

    def stored_comparisons(self, keys: Iterable[str]) -> set[str]:
        """Return which of these units are stored."""
        query = sa.select(COMPARISONS.c.unit)
        rows = (self._rows(query.where(of_units(COMPARISONS)), units=batch) for batch in batches(keys))
        return {row.unit for batch_rows in rows for row in batch_rows}

    def comparisons(self, keys: Iterable[str]) -> Iterator[tuple[str, PairJudgement]]:
        """Yield (unit key, comparison) for those of ``keys`` that are stored."""
        query = sa.select(COMPARISONS.c.unit, COMPARISONS.c.doc)
        for batch in batches(keys):
            for row in self._rows(query.where(of_units(COMPARISONS)), units=batch):
                yield row.unit, self._parsed(PairJudgement, row.doc)

    def comparisons_of(self, answer_key: str) -> list[PairJudgement]:
        """Return every comparison that an answer was in, in either place, oldest first."""
        either = sa.or_(COMPARISONS.c.first == answer_key, COMPARISONS.c.second == answer_key)
        query = sa.select(COMPARISONS.c.doc).where(either).order_by(COMPARISONS.c.created_at, COMPARISONS.c.unit)
        return [self._parsed(PairJudgement, row.doc) for row in self._rows(query)]

    def failed_comparisons(self, keys: Iterable[str]) -> dict[str, PairFailure]:
        """Return unit key -> its newest failure, of those of ``keys`` that ever failed."""
        query = sa.select(COMPARISON_FAILURES.c.unit, COMPARISON_FAILURES.c.doc).order_by(COMPARISON_FAILURES.c.id)
        rows = [
            row
            for batch in batches(keys)
            for row in self._rows(query.where(of_units(COMPARISON_FAILURES)), units=batch)
        ]
        return {row.unit: self._parsed(PairFailure, row.doc) for row in rows}


def _row(run_id: str, one: PairJudgement, now: str) -> dict[str, str]:
    return {
        "unit": one.key,
        "run_id": run_id,
        "first": one.first,
        "second": one.second,
        "judge_fingerprint": one.call.judge_fingerprint,
        "created_at": now,
        "doc": one.model_dump_json(),
    }


def _failure_row(run_id: str, one: PairFailure, now: str) -> dict[str, str]:
    return {"unit": one.key, "run_id": run_id, "kind": one.kind, "created_at": now, "doc": one.model_dump_json()}
