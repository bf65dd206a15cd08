"""Finished exams of judges."""

import sqlalchemy as sa

from judge.exam.result import ExamResult
from judge.store.database import Database, utc_now
from judge.store.tables import EXAMS


class Exams(Database):
    """What exams showed. The scorings that they are made of are judgements like any other."""

    def add_exam(self, run_id: str, exam: ExamResult) -> None:
        """Store a finished exam once."""
        with self._writing() as db:
            self._insert_once(
                db,
                EXAMS,
                unit=exam.identity.key,
                run_id=run_id,
                judge_fingerprint=exam.identity.judge_fingerprint,
                created_at=utc_now(),
                doc=exam.model_dump_json(),
            )
            self._changed(db, exam.identity.judge_fingerprint)

    def exams(self, judge_fingerprint: str | None = None) -> list[ExamResult]:
        """Return the exams of one judge, or of all, newest first."""
        query = sa.select(EXAMS.c.doc).order_by(EXAMS.c.created_at.desc(), EXAMS.c.unit)
        if judge_fingerprint is not None:
            query = query.where(EXAMS.c.judge_fingerprint == judge_fingerprint)
        return [self._parsed(ExamResult, row.doc) for row in self._rows(query)]
