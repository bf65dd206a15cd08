"""Execute stored answers against the checks of their questions."""

import itertools
import logging
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from judge.checks.checking import Evidence
from judge.events import Checked, Event
from judge.pipeline.shared import Counter, Machinery, text_of
from judge.plan import each_wanted_key, questions_of
from judge.records import RunRecord
from judge.store import Store
from judge.types import Question
from judge.units import evidence_key
from runner.engines.local import run_bounded
from runner.journal import about, note
from runner.types import Value

if TYPE_CHECKING:
    from runner.isolation import Isolation

logger = logging.getLogger(__name__)

BATCH = 128
"""Answers whose evidence is looked up and held at a time."""


class CheckTask(Value):
    """One answer that is owed evidence."""

    arm_id: str
    question: Question
    answer_key: str


def wanted_checks(run: RunRecord) -> Iterator[CheckTask]:
    """Yield every answer that the run wants executed."""
    for question in questions_of(run):
        if question.id in run.checks:
            for record in run.arms:
                for wanted in each_wanted_key(run, record, [question]):
                    yield CheckTask(arm_id=record.arm.id, question=question, answer_key=wanted.key)


def evidence_of(run: RunRecord, store: Store) -> dict[str, Evidence]:
    """Return answer key -> evidence by the run's own version of the checks."""
    return dict(store.evidence(evidence_key(t.answer_key, run.checks[t.question.id]) for t in wanted_checks(run)))


def owed_checks(run: RunRecord, store: Store, found: "Isolation | None" = None) -> list[CheckTask]:
    """Return the answers that are stored, can be scored and have no evidence, or none that counts where ``found`` is."""
    return list(_owed(run, store, found))


def count_owed_checks(run: RunRecord, store: Store) -> int:
    """Return how many answers are owed evidence, holding none of it."""
    return sum(1 for _ in _owed(run, store, None))


def _owed(run: RunRecord, store: Store, found: "Isolation | None") -> Iterator[CheckTask]:
    for tasks, evidence in _with_evidence(run, store):
        known = {key for key, one in evidence.items() if found is None or not _is_outdated(one, found)}
        owed = [task for task in tasks if task.answer_key not in known]
        scorable = store.scorable_answers(task.answer_key for task in owed)
        yield from (task for task in owed if task.answer_key in scorable)


def _is_outdated(evidence: Evidence, found: "Isolation") -> bool:
    from judge.checks.evidence import is_outdated  # here because a run that executes nothing needs nothing of that

    return is_outdated(evidence, found)


def _with_evidence(run: RunRecord, store: Store) -> Iterator[tuple[list[CheckTask], dict[str, Evidence]]]:
    """Yield what is wanted with the evidence that is stored of it, batch by batch."""
    wanted = wanted_checks(run)
    while tasks := list(itertools.islice(wanted, BATCH)):
        keys = [evidence_key(task.answer_key, run.checks[task.question.id]) for task in tasks]
        yield tasks, dict(store.evidence(keys))


def _doubtful(run: RunRecord, store: Store) -> bool:
    """Tell whether any answer may have to be executed, wherever that would be: to find that out costs a self-test."""
    if any(True for _ in _owed(run, store, None)):
        return True
    known = (one for _, evidence in _with_evidence(run, store) for one in evidence.values())
    return any(e.state == "not_run" or e.isolation == "unsafe" for e in known)


async def check_run(run: RunRecord, store: Store, machinery: Machinery) -> AsyncIterator[Event]:
    """Execute every owed answer in the sandbox; what could not be executed stays owed."""
    if not _doubtful(run, store):
        return
    # Imported here because a run that executes nothing needs nothing of what reads programs.
    from judge.checks.evidence import examine_answer
    from judge.checks.lanes import Lanes
    from judge.checks.modules import load_checks
    from runner.isolation import isolation

    # Before the first answer: the self-test of a sandbox must not wait beside answers that keep the machine busy.
    found = machinery.isolation or await isolation()
    tasks = owed_checks(run, store, found)
    counter, lanes = Counter(len(tasks)), Lanes()
    modules = {question.id: load_checks(question) for question in questions_of(run)}

    async def check(task: CheckTask) -> Checked:
        with about(task.answer_key):
            note(logger, "executing", arm=task.arm_id, question=task.question.id)
            evidence = await examine_answer(
                task.question,
                text_of(store, task.answer_key),
                checks=modules[task.question.id],
                isolated=found,
                lanes=lanes,
            )
            note(logger, "executed", state=evidence.state if evidence else None)
        assert evidence is not None, "only questions with checks are wanted"
        store.add_evidence(run.id, task.answer_key, evidence)
        place = {"arm_id": task.arm_id, "question_id": task.question.id}
        return Checked(**place, evidence=evidence, done=counter.step(), owed=counter.owed)

    async for event in run_bounded(machinery.budget.within(tasks), check, limit=machinery.executions):
        yield event
