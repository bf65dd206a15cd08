"""What executing the answers of a run showed, one record an answer, for programs and for people."""

import itertools
import sys
from collections.abc import Iterable, Iterator

from judge.checks.checking import CheckResult, Evidence, all_not_run, bounds
from judge.checks.modules import load_checks
from judge.grounding import failure_line
from judge.places import Places
from judge.plan import each_wanted_key, questions_of
from judge.records import ArmRecord, RunRecord
from judge.store import Store
from judge.store.database import LOOKUP_BATCH
from judge.types import Grade, Question
from judge.units import evidence_key
from runner.types import Answer, Value

NOT_EXECUTED = "the answer has not been executed; judge doctor says whether this machine can"


class EvidenceLine(Value):
    """The evidence about one answer."""

    question_id: str
    model: str
    """Name of the candidate."""
    config: str
    sample: int
    state: str
    """As in Evidence; ``not_run`` when the answer could not be executed, or has not been."""
    entry_point: str | None
    checks: tuple[CheckResult, ...]
    """One for every check of the question; one that was not run says why."""
    bounds: dict[str, Grade]
    """Criterion id -> highest score that the evidence allows; a criterion that nothing is known about is left out."""


def evidence_lines(places: Places, run: RunRecord) -> Iterator[EvidenceLine]:
    """Yield one line for every stored answer of the run that can be scored, reading some at a time."""
    store = places.open_store()
    try:
        yield from _lines(run, store)
    finally:
        store.close()


def _lines(run: RunRecord, store: Store) -> Iterator[EvidenceLine]:
    questions = {question.id: question for question in questions_of(run)}
    nothing = {question_id: _not_executed(question) for question_id, question in questions.items()}
    for record in run.arms:
        wanted = each_wanted_key(run, record)
        while batch := {one.key: one.question for one in itertools.islice(wanted, LOOKUP_BATCH)}:
            looked_up = {key: evidence_key(key, run.checks[q.id]) for key, q in batch.items() if q.id in run.checks}
            known = dict(store.evidence(looked_up.values()))
            for key, answer in store.answers(batch):
                if answer.scorable:
                    yield _line(record, batch[key], answer, known.get(key) or nothing[batch[key].id])


def _not_executed(question: Question) -> Evidence:
    module = load_checks(question)
    checks = all_not_run(module.checks, NOT_EXECUTED) if module is not None else ()
    return Evidence(question_id=question.id, state="not_run", checks=checks, checks_hash="", isolation="none")


def _line(record: ArmRecord, question: Question, answer: Answer, evidence: Evidence) -> EvidenceLine:
    return EvidenceLine(
        question_id=question.id,
        model=record.arm.candidate,
        config=record.arm.config.name,
        sample=answer.sample,
        state=evidence.state,
        entry_point=evidence.entry_point,
        checks=evidence.checks,
        bounds=bounds(evidence, question),
    )


def print_evidence(lines: Iterable[EvidenceLine]) -> None:
    """Print one block an answer: passed of known checks, what was called, each failure."""
    for line in lines:
        known = [check for check in line.checks if check.outcome != "not_run"]
        passed = sum(check.outcome == "pass" for check in known)
        sys.stdout.write(
            f"{line.model}/{line.config} {line.question_id} sample {line.sample}: {line.state}, "
            f"{passed} of {len(known)} checks passed ({line.entry_point or 'nothing was called'})\n"
        )
        if line.state == "not_run" and line.checks:
            sys.stdout.write(f"    {line.checks[0].reason}\n")
        for check in known:
            if check.outcome == "fail":
                sys.stdout.write(f"    {', '.join(check.criteria)}: {failure_line(check)}\n")
