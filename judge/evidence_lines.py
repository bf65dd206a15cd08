"""What executing the answers of a run showed, one record an answer, for programs and for people."""

import sys
from collections.abc import Iterator, Sequence

from judge.app import Places
from judge.checks.checking import CheckResult, Evidence, all_not_run, bounds
from judge.checks.modules import load_checks
from judge.grounding import failure_line
from judge.pipeline import evidence_of
from judge.plan import questions_of, wanted_answers
from judge.records import ArmRecord, RunRecord
from judge.store import Store
from judge.types import Grade, Question
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


def evidence_lines(places: Places, run: RunRecord) -> list[EvidenceLine]:
    """Return one line for every stored answer of the run that can be scored."""
    store = places.open_store()
    try:
        return list(_lines(run, store))
    finally:
        store.close()


def _lines(run: RunRecord, store: Store) -> Iterator[EvidenceLine]:
    known = evidence_of(run, store)
    questions = {question.id: question for question in questions_of(run)}
    nothing = {question_id: _not_executed(question) for question_id, question in questions.items()}
    for record in run.arms:
        units = {u.key: u for u in wanted_answers(run, record)}
        for key, answer in store.answers(units):
            question = questions[units[key].question_id]
            if answer.scorable:
                yield _line(record, question, answer, known.get(key) or nothing[question.id])


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


def print_evidence(lines: Sequence[EvidenceLine]) -> None:
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
