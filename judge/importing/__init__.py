"""Answers from elsewhere become answers like any other: result files of the plan's naming, or JSON lines.

Nothing is measured again: a speed is taken when it is given, and marked as reported. Texts of a broken harness ("command not
found") and empty files are failed attempts, not answers.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from judge.errors import UserError
from judge.importing.harness import harness_trouble
from judge.importing.reading import Imported, read_source
from judge.library import load_suite
from judge.machine import environment
from judge.places import Places
from judge.records import ArmRecord, RunRecord
from judge.request import check_hashes, new_run_id
from judge.store import Store
from judge.types import ModelEntry, Question, Suite
from judge.units import AnswerUnit, answer_unit
from runner.identity import digest
from runner.types import Answer, AnswerState, Arm, Config, Sampling, Serving, Usage

IMPORTED_SAMPLING = Sampling()
"""Unknown; the same for all, so that the same import is the same unit."""


def import_source(places: Places, source: Path, command: Sequence[str]) -> tuple[RunRecord, list[str]]:
    """Store every answer in ``source`` as a run of its own. Returns the run and a note on everything that was left out.

    Raises UserError when there is nothing to import or a line is wrong; nothing is stored then.
    """
    suite = load_suite()
    found, notes = read_source(source, suite)
    if not found:
        said = f" ({'; '.join(notes)})" if notes else ""
        raise UserError(
            f"{source}: no answer found; expected {{model}}_{{config}}_{{test}}.txt files or JSON lines{said}"
        )
    run = _record(suite, found, command)
    answers = _answers(run, found)
    store = places.open_store()
    try:
        store.add_run(run)
        notes += list(_keep(run, answers, store))
        store.set_run_state(run.id, "complete")
    finally:
        store.close()
    return run, notes


def _record(suite: Suite, found: Sequence[Imported], command: Sequence[str]) -> RunRecord:
    asked = {one.question_id for one in found}
    question_ids = tuple(q.id for q in suite.questions if q.id in asked or q.test in asked)
    arms = dict.fromkeys((one.model, one.config) for one in found)
    run_id, created_at = new_run_id()
    return RunRecord(
        id=run_id,
        created_at=created_at,
        command=tuple(command),
        suite=suite,
        question_ids=question_ids,
        samples=1 + max(one.sample for one in found),
        arms=tuple(_arm(model, config) for model, config in arms),
        checks=check_hashes(suite, question_ids),
        judges=(),
        environment=environment(),
    )


def _arm(model: str, config: str) -> ArmRecord:
    arm = Arm(
        candidate=model,
        config=Config.parse(config),
        model_fingerprint=digest(["imported", model]),
        serving=Serving(n_threads=1),
    )
    entry = ModelEntry(id=model, model=model, status="candidate", arch="imported", family=None, configs=(config,))
    return ArmRecord(arm=arm, model=None, entry=entry, sampling=IMPORTED_SAMPLING)


Placed = tuple[Arm, AnswerUnit, Answer]


def _answers(run: RunRecord, found: Sequence[Imported]) -> list[Placed]:
    """Return every answer with its place; whatever can go wrong with one does so here, before anything is stored."""
    arms = {(record.arm.candidate, record.arm.config.name): record.arm for record in run.arms}
    return [_placed(arms[one.model, one.config], _question(run.suite, one.question_id), one) for one in found]


def _placed(arm: Arm, question: Question, one: Imported) -> Placed:
    unit = answer_unit(arm, question, IMPORTED_SAMPLING, one.sample)
    return arm, unit, _answer(one, question, unit.sampling)


def _keep(run: RunRecord, answers: Sequence[Placed], store: Store) -> Iterator[str]:
    """Store what is new, and yield what is not stored, and why."""
    for arm, unit, answer in answers:
        place = f"{arm.id} {unit.question_id} sample {unit.sample}"
        stored = next((stored for _, stored in store.answers([unit.key])), None)
        if stored is not None:
            yield from (f"kept as it was: {place} is stored with {other}" for other in _differences(stored, answer))
            continue
        store.add_answer(run.id, unit, answer)
        if not answer.settled:
            yield f"no answer: {place}: {answer.message}"


def _differences(stored: Answer, given: Answer) -> Iterator[str]:
    if stored.text != given.text:
        yield "another text"
    if stored.reported_tps != given.reported_tps:
        speeds = [
            f"{tps:g} t/s" if tps is not None else "no speed" for tps in (stored.reported_tps, given.reported_tps)
        ]
        yield f"another speed: {speeds[0]}, now {speeds[1]}"


def _question(suite: Suite, name: str) -> Question:
    return next(question for question in suite.questions if name in (question.id, question.test))


def _answer(one: Imported, question: Question, sampling: Sampling) -> Answer:
    trouble = harness_trouble(one.answer)
    return Answer(
        prompt_id=question.id,
        sample=one.sample,
        sampling=sampling,
        state=AnswerState.ERROR if trouble else AnswerState.OK,
        text=one.answer,
        finish_reason=None,
        message=trouble,
        stamps=None,
        reported_tps=one.tokens_per_second,
        usage=Usage(),
    )
