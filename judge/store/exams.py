"""Finished exams of judges."""

import sqlalchemy as sa

from judge.exam.result import ExamResult
from judge.store.database import Database, utc_now
from judge.store.tables import EXAMS


class Exams(Database):
    """What exams showed. The scorings that they are made of are judgements like any other."""

    def add_exam(self, run_id: str, exam: ExamResult) -> None:
        """Store a finished exam once; one that is stored and false makes room for it."""
        with self._writing() as db:
            stored = db.execute(sa.select(EXAMS.c.doc).where(EXAMS.c.unit == exam.identity.key)).scalar()
            if stored is not None and self._parsed(ExamResult, stored).is_false:
                db.execute(sa.delete(EXAMS).where(EXAMS.c.unit == exam.identity.key))
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
        """Return the exams of one judge, or of all, newest first; false ones are as if they had not been held."""
        query = sa.select(EXAMS.c.doc).order_by(EXAMS.c.created_at.desc(), EXAMS.c.unit)
        if judge_fingerprint is not None:
            query = query.where(EXAMS.c.judge_fingerprint == judge_fingerprint)
        found = (self._parsed(ExamResult, row.doc) for row in self._rows(query))
        return [exam for exam in found if not exam.is_false]
