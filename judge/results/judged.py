"""The stored answers to one question by one arm, with the figures of everything that is known about them.

Reads the store, answer by answer in batches, and keeps numbers only: texts, replies and evidence of a night do not fit into memory.
Everything after it is pure.
"""

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from judge.checks.checking import Evidence, bounds
from judge.pipeline.scorings import BATCH, JudgeTask, Place, judge_call, scorings_of
from judge.plan import each_wanted_answer
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.speed import AnswerSpeed, Reuse, answer_speed, reuse
from judge.store import Store
from judge.types import Grade, JudgeCall, JudgeFailure, Judgement, Question, Verdict
from judge.units import AnswerUnit, evidence_key
from runner.types import Answer, AnswerState

Verdicts = tuple[Verdict, ...]
"""Of one judgement, without what the judge wrote."""


@dataclass(frozen=True, slots=True)
class Executed:
    """What executing an answer showed, in numbers."""

    state: str
    unsafe: bool
    """True without a sandbox."""
    passed: int
    """Checks."""
    known: int
    """Checks that passed or failed."""
    testable: frozenset[str]
    """Criteria that have checks, whether or not these were run."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One stored answer with the scores of it; not a ``Value``, as there may be thousands to a question."""

    key: str
    """Of the answer's unit."""
    question_id: str
    sample: int
    state: AnswerState
    scorable: bool
    speed: AnswerSpeed
    executed: Executed | None
    """``None``: no evidence."""
    limits: dict[str, Grade]
    """Criterion -> highest score that the evidence allows; empty without evidence."""
    judgements: dict[str, tuple[Verdicts, ...]]
    """Judge fingerprint -> those that count, one a replicate, in their order."""
    blind: dict[str, tuple[Verdicts, ...]]
    """Judge fingerprint -> those made without seeing the evidence, to audit the judge."""
    failed: frozenset[str]
    """Fingerprints of judges of which a scoring that counts failed, and is still owed."""

    def asked(self, judges: Iterable[JudgeRecord]) -> list[JudgeRecord]:
        """Return those of ``judges`` that are asked about this answer."""
        return [judge for judge in judges if judge.is_asked_about(self.key)]

    def all_judgements(self, fingerprints: Iterable[str]) -> list[Verdicts]:
        """Return the judgements that count of these judges."""
        return [verdicts for name in fingerprints for verdicts in self.judgements.get(name, ())]

    def audited(self, fingerprints: Iterable[str]) -> list[Verdicts]:
        """Return what these judges said when their judgement could be audited: blind where that was asked for."""
        return [v for name in fingerprints for v in self.blind.get(name) or self.judgements.get(name, ())]


@dataclass(frozen=True, slots=True)
class QuestionAnswers:
    """What is stored of one question of one arm."""

    judged: list[Judged] = field(default_factory=list)
    """In the order of their samples."""
    missing: list[str] = field(default_factory=list)
    """One line per answer that failed and is still owed."""
    failures: dict[str, list[str]] = field(default_factory=dict)
    """Judge fingerprint -> one line per scoring that failed and is still owed."""
    reuse: dict[str, Reuse] = field(default_factory=dict)
    """Judge fingerprint -> prompt tokens that its server took from the request before."""


def read_question(
    run: RunRecord, record: ArmRecord, question: Question, judges: Sequence[JudgeRecord], store: Store
) -> QuestionAnswers:
    """Read what is stored of one question of one arm; ``judges``: everyone who scores the arm."""
    found = QuestionAnswers()
    units = each_wanted_answer(run, record, [question])
    while batch := {unit.key: unit for unit in itertools.islice(units, BATCH)}:
        _read_batch(run, record, question, judges, store, batch, found)
    return found


def _read_batch(
    run: RunRecord,
    record: ArmRecord,
    question: Question,
    judges: Sequence[JudgeRecord],
    store: Store,
    units: Mapping[str, AnswerUnit],
    found: QuestionAnswers,
) -> None:
    evidence = _evidence(run, question, units, store)
    said = {
        judge.fingerprint: _read_judge(run, record, question, judge, store, units, evidence, found) for judge in judges
    }
    stored = set()
    for key, answer in store.answers(units):
        stored.add(key)
        found.judged.append(_judged(record, question, key, answer, evidence.get(key), said))
    failed = dict(store.answer_failures(key for key in units if key not in stored))
    found.missing.extend(f"{a.prompt_id} sample {a.sample}: {a.state}: {a.message}" for a in failed.values())


def _evidence(run: RunRecord, question: Question, keys: Iterable[str], store: Store) -> dict[str, Evidence]:
    if question.id not in run.checks:
        return {}
    return dict(store.evidence(evidence_key(key, run.checks[question.id]) for key in keys))


def _judged(
    record: ArmRecord,
    question: Question,
    key: str,
    answer: Answer,
    evidence: Evidence | None,
    said: Mapping[str, "_Said"],
) -> Judged:
    return Judged(
        key=key,
        question_id=question.id,
        sample=answer.sample,
        state=answer.state,
        scorable=answer.scorable,
        speed=answer_speed(record, answer),
        executed=_executed(evidence) if evidence else None,
        limits=bounds(evidence, question) if evidence else {},
        judgements={name: tuple(one.seen[key]) for name, one in said.items() if key in one.seen},
        blind={name: tuple(one.blind[key]) for name, one in said.items() if key in one.blind},
        failed=frozenset(name for name, one in said.items() if key in one.failed),
    )


def _executed(evidence: Evidence) -> Executed:
    known = [check for check in evidence.checks if check.outcome != "not_run"]
    passed = sum(check.outcome == "pass" for check in known)
    return Executed(
        state=evidence.state,
        unsafe=evidence.isolation == "unsafe",
        passed=passed,
        known=len(known),
        testable=frozenset(criterion for check in evidence.checks for criterion in check.criteria),
    )


# --- judges ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """What one judge said of some answers: answer key -> judgements."""

    seen: dict[str, list[Verdicts]] = field(default_factory=dict)
    blind: dict[str, list[Verdicts]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    """Keys of answers of which a scoring that counts failed."""


def _read_judge(
    run: RunRecord,
    record: ArmRecord,
    question: Question,
    judge: JudgeRecord,
    store: Store,
    keys: Iterable[str],
    evidence: Mapping[str, Evidence],
    found: QuestionAnswers,
) -> _Said:
    calls = [judge_call(run, judge, question, replicate) for replicate in range(judge.replicates)]
    places = (Place(record.arm.id, question, key, call) for key in keys if judge.is_asked_about(key) for call in calls)
    tasks = {task.key: task for task in scorings_of(judge, places, evidence)}
    stored = dict(store.judgements(tasks))
    told = found.reuse.get(judge.fingerprint, Reuse())
    found.reuse[judge.fingerprint] = reuse([told, *stored.values()])
    failed = list(store.judge_failures(key for key in tasks if key not in stored))
    found.failures.setdefault(judge.fingerprint, []).extend(_failure_lines(question, failed))
    said = _sorted_by_view(tasks, stored, evidence)
    said.failed.update(f.answer_unit for f in failed if not _is_audit(f.call, evidence.get(f.answer_unit)))
    return said


def _failure_lines(question: Question, failed: Iterable[JudgeFailure]) -> Iterator[str]:
    newest = {(f.answer_unit, f.call.replicate, f.call.evidence): f for f in failed}
    for failure in newest.values():
        yield f"{question.id}: judge {failure.call.judge} failed ({failure.kind}): {failure.message}"


def _sorted_by_view(
    tasks: Mapping[str, JudgeTask], stored: Mapping[str, Judgement], evidence: Mapping[str, Evidence]
) -> _Said:
    """Tell those that count from those that were made blind to audit the judge."""
    said = _Said()
    for key, task in tasks.items():
        if key in stored:
            view = said.blind if _is_audit(task.call, evidence.get(task.answer_key)) else said.seen
            view.setdefault(task.answer_key, []).append(_scores_only(stored[key]))
    return said


def _is_audit(call: JudgeCall, evidence: Evidence | None) -> bool:
    """True for a scoring that was not shown what executing the answer said."""
    return call.evidence is None and evidence is not None and evidence.says_something


def _scores_only(judgement: Judgement) -> Verdicts:
    return _shared(tuple((verdict.criterion, verdict.score) for verdict in judgement.verdicts))


@functools.lru_cache(maxsize=4096)
def _shared(scores: tuple[tuple[str, Grade | None], ...]) -> Verdicts:
    """Return the one copy of equal verdicts."""
    return tuple(Verdict(criterion=name, score=score, evidence="", reasoning="") for name, score in scores)
