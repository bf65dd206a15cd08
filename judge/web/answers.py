"""The answers of a run: one page of them, and one with all that is known of it. Reads the store."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import ConfigDict, Field

from judge.plan import questions_of
from judge.records import ArmRecord, RunRecord
from judge.store import Store
from judge.types import Question
from judge.units import AnswerUnit, answer_unit
from judge.web.problems import Refusal
from runner.types import Answer, Value

PAGE = 50
LARGEST_PAGE = 200


class AnswerLine(Value):
    """One stored answer in a list."""

    id: str
    arm: str
    """``coder/moe4``."""
    question_id: str
    sample: int
    """0-based."""
    state: str


class AnswerPage(Value):
    """Some answers of a run, in the order of its arms and of asking."""

    answers: tuple[AnswerLine, ...]
    next: str | None
    """What to give as ``after`` for the next page; ``None``: this is the last."""


class Wanted(Value):
    """Which answers are looked for; ``None`` means all."""

    # The web framework builds what it checks queries with at once, and takes a model that is built later for a mistake of ours.
    model_config = ConfigDict(defer_build=False)

    arm: str | None = None
    """Fingerprint of an arm, or its name."""
    question: str | None = None
    state: str | None = None
    after: str | None = None
    """Id of the answer that the page comes after."""
    size: int = Field(default=PAGE, ge=1, le=LARGEST_PAGE)


@dataclass(frozen=True)
class Found:
    """One stored answer and where it stands."""

    run: RunRecord
    record: ArmRecord
    question: Question
    unit: AnswerUnit
    answer: Answer


def answer_page(store: Store, run: RunRecord, wanted: Wanted) -> AnswerPage:
    """Return one page. Answers that come in meanwhile move nothing: a page begins after an answer, not at a number."""
    found = list(itertools.islice(_lines(store, run, wanted), wanted.size + 1))
    lines = tuple(found[: wanted.size])
    return AnswerPage(answers=lines, next=lines[-1].id if len(found) > wanted.size else None)


def _lines(store: Store, run: RunRecord, wanted: Wanted) -> Iterator[AnswerLine]:
    records = [one for one in run.arms if wanted.arm in (None, one.arm.id, one.arm.fingerprint)]
    questions = [one for one in questions_of(run) if wanted.question in (None, one.id)]
    after = None
    if wanted.after is not None:
        record, after = _place_of(store, run, records, questions, wanted.after)
        records = records[records.index(record) :]
    for record in records:
        yield from _lines_of_arm(store, run, record, questions, wanted, after)
        after = None


def _place_of(
    store: Store, run: RunRecord, records: Sequence[ArmRecord], questions: Sequence[Question], after: str
) -> tuple[ArmRecord, tuple[int, str, str]]:
    """Return where the answer stands that a page begins after. Raises Refusal when it is not in the list."""
    arm, question_id, sample = store.answer_places([after]).get(after, ("", "", 0))
    record = next((one for one in records if one.arm.fingerprint == arm), None)
    question = next((one for one in questions if one.id == question_id), None)
    if record is None or question is None or _unit(run, record, question, sample, after) is None:
        raise Refusal(400, "the page begins after an answer that is not in this list; begin at the first page")
    return record, (sample, question_id, after)


def _lines_of_arm(
    store: Store,
    run: RunRecord,
    record: ArmRecord,
    questions: Sequence[Question],
    wanted: Wanted,
    after: tuple[int, str, str] | None,
) -> Iterator[AnswerLine]:
    by_id = {question.id: question for question in questions}
    arm, names = record.arm.fingerprint, list(by_id)
    while found := store.answers_as_asked(arm, names, after=after, state=wanted.state, size=wanted.size + 1):
        for unit, question_id, sample, state in found:
            # Another run may have asked the same arm with other sampling, or more often.
            if _unit(run, record, by_id[question_id], sample, unit):
                yield AnswerLine(id=unit, arm=record.arm.id, question_id=question_id, sample=sample, state=state)
        after = found[-1].sample, found[-1].question_id, found[-1].unit


def _unit(run: RunRecord, record: ArmRecord, question: Question, sample: int, key: str) -> AnswerUnit | None:
    """Return the unit with this key when the run wants it; else ``None``."""
    unit = answer_unit(record.arm, question, record.sampling, sample)
    return unit if unit.key == key and sample < run.samples_of(record, question) else None


def answer_named(store: Store, run: RunRecord, answer_id: str) -> Found:
    """Return a stored answer of the run. Raises Refusal when it has none with this id."""
    arm, question_id, sample = store.answer_places([answer_id]).get(answer_id, ("", "", 0))
    question = next((one for one in questions_of(run) if one.id == question_id), None)
    for record in run.arms:
        if question and record.arm.fingerprint == arm and (unit := _unit(run, record, question, sample, answer_id)):
            return Found(run, record, question, unit, dict(store.answers([answer_id]))[answer_id])
    raise Refusal(404, "the run has no such answer; its list of answers has all")
