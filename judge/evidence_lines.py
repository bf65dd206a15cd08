"""What executing the answers of a run showed, one record an answer, for programs and for people."""

import sys
from collections.abc import Iterator, Sequence

from judge.app import Places
from judge.checks.checking import CheckResult, bounds
from judge.grounding import failure_line
from judge.pipeline import evidence_of
from judge.plan import questions_of, wanted_answers
from judge.records import ArmRecord, RunRecord
from judge.store import Store
from judge.types import Grade, Question
from runner.types import Answer, Value


class EvidenceLine(Value):
    """The evidence about one answer."""

    question_id: str
    model: str
    """Name of the candidate."""
    config: str
    sample: int
    state: str
    """As in Evidence; ``not_run`` when the answer could not be executed."""
    entry_point: str | None
    checks: tuple[CheckResult, ...]
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
    for record in run.arms:
        units = {u.key: u for u in wanted_answers(run, record)}
        for key, answer in store.answers(units):
            if answer.scorable:
                evidence = known.get(key)
                line = _line(record, questions[units[key].question_id], answer)
                yield (
                    line
                    if evidence is None
                    else line.model_copy(
                        update={
                            "state": evidence.state,
                            "entry_point": evidence.entry_point,
                            "checks": evidence.checks,
                            "bounds": bounds(evidence, questions[units[key].question_id]),
                        }
                    )
                )


def _line(record: ArmRecord, question: Question, answer: Answer) -> EvidenceLine:
    return EvidenceLine(
        question_id=question.id,
        model=record.arm.candidate,
        config=record.arm.config.name,
        sample=answer.sample,
        state="not_run",
        entry_point=None,
        checks=(),
        bounds={},
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
        for check in known:
            if check.outcome == "fail":
                sys.stdout.write(f"    {', '.join(check.criteria)}: {failure_line(check)}\n")
