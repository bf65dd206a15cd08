"""Answers, failed attempts at them, and what executing them showed."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from judge.checks.checking import Evidence
from judge.store.database import Database, batches, of_units, utc_now
from judge.store.tables import ANSWER_FAILURES, ANSWERS, EVIDENCE
from judge.units import AnswerUnit, evidence_key
from runner.types import SCORABLE_STATES, Answer, AnswerState, ServerTiming, Stamps, Usage

_UNSAFE, _NOT_RUN = "/unsafe", "/not_run"
_STANDINGS = ("", _UNSAFE, _NOT_RUN)
"""What is added to the unit of evidence, best first: a sandbox stood around the answer, none did, it could not be executed."""


class AnswerPlace(NamedTuple):
    """A stored answer without its text."""

    unit: str
    question_id: str
    sample: int
    """0-based."""
    state: str


# No ``Value``: a report reads a hundred thousand, and without its texts an answer takes half the time.
@dataclass(frozen=True, slots=True, config=ConfigDict(extra="ignore"))
class AnswerNumbers:
    """A stored answer without its texts; fields as in ``Answer``."""

    prompt_id: str
    sample: int
    state: AnswerState
    stamps: Stamps | None
    message: str | None = None
    reported_tps: float | None = None
    usage: Usage = Usage()
    server_timing: ServerTiming | None = None

    @property
    def scorable(self) -> bool:
        """As of ``Answer``."""
        return self.state in SCORABLE_STATES


class Answers(Database):
    """Answers and the evidence about them."""

    def add_answer(self, run_id: str, unit: AnswerUnit, answer: Answer) -> None:
        """Store a settled answer once, or list the failed attempt."""
        common = {"unit": unit.key, "run_id": run_id, "state": answer.state.value, "created_at": utc_now()}
        document = answer.model_dump_json()
        with self._writing() as db:
            if answer.settled:
                place = {"arm": unit.arm, "question_id": unit.question_id, "sample": unit.sample}
                self._insert_once(db, ANSWERS, **common, **place, doc=document)
            else:
                db.execute(ANSWER_FAILURES.insert().values(**common, doc=document))
            self._changed(db, unit.arm)

    def stored_answers(self, keys: Iterable[str]) -> set[str]:
        """Return which of these units have a settled answer."""
        return {
            row.unit
            for batch in batches(keys)
            for row in self._rows(sa.select(ANSWERS.c.unit).where(of_units(ANSWERS)), units=batch)
        }

    def scorable_answers(self, keys: Iterable[str]) -> set[str]:
        """Return which of these units have an answer that can be judged."""
        scorable = ANSWERS.c.state.in_([state.value for state in SCORABLE_STATES])
        return {
            row.unit
            for batch in batches(keys)
            for row in self._rows(sa.select(ANSWERS.c.unit).where(of_units(ANSWERS), scorable), units=batch)
        }

    def answer_states(self, keys: Iterable[str]) -> dict[str, str]:
        """Return answer -> how its generation ended, of those that are stored, without reading their texts."""
        query = sa.select(ANSWERS.c.unit, ANSWERS.c.state)
        rows = (row for batch in batches(keys) for row in self._rows(query.where(of_units(ANSWERS)), units=batch))
        return {row.unit: row.state for row in rows}

    def answers_as_asked(
        self,
        arm: str,
        questions: Sequence[str],
        *,
        after: tuple[int, str, str] | None = None,
        state: str | None = None,
        size: int,
    ) -> list[AnswerPlace]:
        """Return the first ``size`` answers of an arm to some of its questions, in the order of asking: sample by sample, and in
        one sample in the order of ``questions``.

        ``after``: sample, question and unit that they come after; ``state``: only answers that ended like this.
        """
        if not questions:
            return []
        place = sa.case(
            {name: number for number, name in enumerate(questions)}, value=ANSWERS.c.question_id, else_=len(questions)
        )
        query = sa.select(ANSWERS.c.unit, ANSWERS.c.question_id, ANSWERS.c.sample, ANSWERS.c.state)
        query = query.where(ANSWERS.c.arm == arm, ANSWERS.c.question_id.in_(questions))
        if state is not None:
            query = query.where(ANSWERS.c.state == state)
        if after is not None:
            sample, question, unit = after
            # One place may hold several units: asked with other sampling.
            later = sa.tuple_(ANSWERS.c.sample, place, ANSWERS.c.unit) > (sample, questions.index(question), unit)
            query = query.where(ANSWERS.c.sample >= sample, later)
        rows = self._rows(query.order_by(ANSWERS.c.sample, place, ANSWERS.c.unit).limit(size))
        return [AnswerPlace(row.unit, row.question_id, row.sample, row.state) for row in rows]

    def answers(self, keys: Iterable[str]) -> Iterator[tuple[str, Answer]]:
        """Yield (unit key, answer) for those of ``keys`` that are stored, batch by batch in the order of ``keys``."""
        return ((key, self._parsed(Answer, document)) for key, document in self._answer_documents(keys))

    def answer_numbers(self, keys: Iterable[str]) -> Iterator[tuple[str, AnswerNumbers]]:
        """Yield the same without the texts."""
        return ((key, self._parsed(AnswerNumbers, document)) for key, document in self._answer_documents(keys))

    def _answer_documents(self, keys: Iterable[str]) -> Iterator[tuple[str, str]]:
        query = sa.select(ANSWERS.c.unit, ANSWERS.c.doc).where(of_units(ANSWERS))
        for batch in batches(keys):
            found = dict(map(tuple, self._rows(query, units=batch)))
            yield from ((key, found[key]) for key in batch if key in found)

    def answer_failures(self, keys: Iterable[str]) -> list[tuple[str, Answer]]:
        """Return the failed attempts at these units, oldest first."""
        query = sa.select(ANSWER_FAILURES.c.unit, ANSWER_FAILURES.c.doc).order_by(ANSWER_FAILURES.c.id)
        rows = [
            row for batch in batches(keys) for row in self._rows(query.where(of_units(ANSWER_FAILURES)), units=batch)
        ]
        return [(row.unit, self._parsed(Answer, row.doc)) for row in rows]

    # --- evidence ---

    def add_evidence(self, run_id: str, answer_key: str, evidence: Evidence) -> None:
        """Store what executing an answer showed, once: in a sandbox, and without one beside it.

        Trouble of ours is not stored and stays owed. Why an answer cannot be executed for good is stored, and the newest
        reason takes the place of an older one.
        """
        if not evidence.settled:
            return
        standing = _standing(evidence)
        unit = evidence_key(answer_key, evidence.checks_hash) + standing
        with self._writing() as db:
            if standing == _NOT_RUN:
                db.execute(EVIDENCE.delete().where(EVIDENCE.c.unit == unit))
            self._insert_once(
                db,
                EVIDENCE,
                unit=unit,
                run_id=run_id,
                answer_unit=answer_key,
                created_at=utc_now(),
                doc=evidence.model_dump_json(),
            )
            self._changed_answers(db, [answer_key])

    def evidence(self, keys: Iterable[str]) -> Iterator[tuple[str, Evidence]]:
        """Yield (answer key, evidence) for those of the evidence units ``keys`` that are stored: of each the best there is."""
        columns = (EVIDENCE.c.unit, EVIDENCE.c.answer_unit, EVIDENCE.c.doc)
        for batch in batches(keys):
            units = [key + standing for key in batch for standing in _STANDINGS]
            rows = {row.unit: row for row in self._rows(sa.select(*columns).where(of_units(EVIDENCE)), units=units)}
            alike: dict[
                str, Evidence
            ] = {}  # many answers show the same, and it takes longer to read than all else about them
            for key in batch:
                best = next((rows[key + standing] for standing in _STANDINGS if key + standing in rows), None)
                if best is not None:
                    if best.doc not in alike:
                        alike[best.doc] = self._parsed(Evidence, best.doc)
                    yield best.answer_unit, alike[best.doc]

    def evidence_of(self, answer_key: str) -> list[Evidence]:
        """Return all evidence about one answer, oldest first."""
        query = sa.select(EVIDENCE.c.doc).where(EVIDENCE.c.answer_unit == answer_key).order_by(EVIDENCE.c.created_at)
        return [self._parsed(Evidence, row.doc) for row in self._rows(query)]


def _standing(evidence: Evidence) -> str:
    if evidence.state == "not_run":
        return _NOT_RUN
    return _UNSAFE if evidence.isolation == "unsafe" else ""
