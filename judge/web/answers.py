"""The answers of a run: one page of them, and one with all that is known of it. Reads the store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import ConfigDict, Field

from judge.plan import questions_of, wanted_answers
from judge.records import ArmRecord, RunRecord
from judge.store import Store
from judge.types import Question
from judge.units import AnswerUnit
from judge.web.problems import Refusal
from runner.types import Answer, Value

PAGE = 50
LARGEST_PAGE = 200
LOOK_AHEAD = 500
"""Answers that are looked up at a time while a page is filled."""


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
    found: list[AnswerLine] = []
    for line in _stored(store, _after(list(_places(run, wanted)), wanted.after)):
        if wanted.state not in (None, line.state):
            continue
        if len(found) == wanted.size:
            return AnswerPage(answers=tuple(found), next=found[-1].id)
        found.append(line)
    return AnswerPage(answers=tuple(found), next=None)


Place = tuple[ArmRecord, AnswerUnit]


def _places(run: RunRecord, wanted: Wanted) -> Iterator[Place]:
    questions = [one for one in questions_of(run) if wanted.question in (None, one.id)]
    for record in run.arms:
        if wanted.arm in (None, record.arm.id, record.arm.fingerprint):
            yield from ((record, unit) for unit in wanted_answers(run, record, questions))


def _after(places: Sequence[Place], after: str | None) -> Sequence[Place]:
    if after is None:
        return places
    at = next((index for index, (_, unit) in enumerate(places) if unit.key == after), None)
    if at is None:
        raise Refusal(400, "the page begins after an answer that is not in this list; begin at the first page")
    return places[at + 1 :]


def _stored(store: Store, places: Sequence[Place]) -> Iterator[AnswerLine]:
    for start in range(0, len(places), LOOK_AHEAD):
        some = places[start : start + LOOK_AHEAD]
        states = store.answer_states(unit.key for _, unit in some)
        for record, unit in some:
            if unit.key in states:
                yield AnswerLine(
                    id=unit.key,
                    arm=record.arm.id,
                    question_id=unit.question_id,
                    sample=unit.sample,
                    state=states[unit.key],
                )


def answer_named(store: Store, run: RunRecord, answer_id: str) -> Found:
    """Return a stored answer of the run. Raises Refusal when it has none with this id."""
    place = store.answer_places([answer_id]).get(answer_id)
    for record in run.arms:
        if place is None or record.arm.fingerprint != place[0]:
            continue
        questions = [question for question in questions_of(run) if question.id == place[1]]
        for unit in wanted_answers(run, record, questions):
            if unit.key == answer_id:
                return Found(run, record, questions[0], unit, dict(store.answers([answer_id]))[answer_id])
    raise Refusal(404, "the run has no such answer; its list of answers has all")
