"""What judges said, and scorings that gave no scores."""

from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from judge.store.database import Database, batches, of_units, utc_now
from judge.store.tables import JUDGE_FAILURES, JUDGEMENTS
from judge.types import Grade, JudgeFailure, Judgement
from judge.units import judgement_key


# No ``Value``s: there may be hundreds of thousands to read, and these take a third of the time.
@dataclass(frozen=True, slots=True, config=ConfigDict(extra="ignore"))
class GivenScore:
    """The score of one criterion, without what the judge wrote."""

    criterion: str
    score: Grade | None
    """``None``: the judge said that it cannot assess this criterion."""


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="ignore"))
class Grading:
    """The numbers of a stored judgement: a night's replies and reasonings do not fit into memory, and take long to read."""

    verdicts: tuple[GivenScore, ...]
    prompt_tokens: int | None = None
    reused_tokens: int | None = None
    """As in ``Judgement``."""


class Judgements(Database):
    """Judgements and failed scorings."""

    def add_judgement(self, run_id: str, judgement: Judgement) -> None:
        """Store a judgement once."""
        self.add_outcomes(run_id, [judgement])

    def add_judge_failure(self, run_id: str, failure: JudgeFailure) -> None:
        """List a scoring that gave no scores; its unit stays owed."""
        self.add_outcomes(run_id, [failure])

    def add_outcomes(self, run_id: str, outcomes: Sequence[Judgement | JudgeFailure]) -> None:
        """Store what came of some scorings in one transaction: a judgement once, a failure as often as it happens."""
        now = utc_now()
        judgements = [_judgement_row(run_id, one, now) for one in outcomes if isinstance(one, Judgement)]
        failures = [_failure_row(run_id, one, now) for one in outcomes if isinstance(one, JudgeFailure)]
        with self._writing() as db:
            if judgements:
                self._insert_all_once(db, JUDGEMENTS, judgements)
            if failures:
                db.execute(JUDGE_FAILURES.insert(), failures)
            self._changed_answers(db, (one.answer_unit for one in outcomes))

    def stored_judgements(self, keys: Iterable[str]) -> set[str]:
        """Return which of these units are stored."""
        rows = (
            self._rows(sa.select(JUDGEMENTS.c.unit).where(of_units(JUDGEMENTS)), units=batch) for batch in batches(keys)
        )
        return {row.unit for batch_rows in rows for row in batch_rows}

    def judgements(self, keys: Iterable[str]) -> Iterator[tuple[str, Judgement]]:
        """Yield (unit key, judgement) for those of ``keys`` that are stored."""
        for batch in batches(keys):
            for row in self._rows(
                sa.select(JUDGEMENTS.c.unit, JUDGEMENTS.c.doc).where(of_units(JUDGEMENTS)), units=batch
            ):
                yield row.unit, self._parsed(Judgement, row.doc)

    def gradings(self, keys: Iterable[str]) -> Iterator[tuple[str, Grading]]:
        """Yield (unit key, numbers of the judgement) for those of ``keys`` that are stored, in no order."""
        query = sa.select(JUDGEMENTS.c.unit, JUDGEMENTS.c.doc).where(of_units(JUDGEMENTS))
        for batch in batches(keys):
            yield from ((unit, self._parsed(Grading, doc)) for unit, doc in map(tuple, self._rows(query, units=batch)))

    def newest_judgements(self, judge_fingerprint: str, count: int) -> list[Judgement]:
        """Return the last ``count`` judgements of one judge, newest first, whatever they are of."""
        query = sa.select(JUDGEMENTS.c.doc).where(JUDGEMENTS.c.judge_fingerprint == judge_fingerprint)
        rows = self._rows(query.order_by(JUDGEMENTS.c.created_at.desc()).limit(count))
        return [self._parsed(Judgement, row.doc) for row in rows]

    def judgements_of(self, answer_key: str) -> list[Judgement]:
        """Return everything that judges said of one answer, oldest first."""
        query = (
            sa.select(JUDGEMENTS.c.doc).where(JUDGEMENTS.c.answer_unit == answer_key).order_by(JUDGEMENTS.c.created_at)
        )
        return [self._parsed(Judgement, row.doc) for row in self._rows(query)]

    def judge_failures(self, keys: Iterable[str]) -> list[JudgeFailure]:
        """Return the failed scorings of these units, oldest first."""
        query = sa.select(JUDGE_FAILURES.c.doc).order_by(JUDGE_FAILURES.c.id)
        rows = [
            row for batch in batches(keys) for row in self._rows(query.where(of_units(JUDGE_FAILURES)), units=batch)
        ]
        return [self._parsed(JudgeFailure, row.doc) for row in rows]


def _judgement_row(run_id: str, judgement: Judgement, now: str) -> dict[str, str]:
    return {
        "unit": judgement_key(judgement.answer_unit, judgement.call),
        "run_id": run_id,
        "answer_unit": judgement.answer_unit,
        "judge_fingerprint": judgement.call.judge_fingerprint,
        "created_at": now,
        "doc": judgement.model_dump_json(),
    }


def _failure_row(run_id: str, failure: JudgeFailure, now: str) -> dict[str, str]:
    return {
        "unit": judgement_key(failure.answer_unit, failure.call),
        "run_id": run_id,
        "kind": failure.kind,
        "created_at": now,
        "doc": failure.model_dump_json(),
    }
