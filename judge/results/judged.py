"""The stored answers to one question by one arm, with the figures of everything that is known about them.

Reads the store, answer by answer in batches, and keeps numbers only: texts, replies and evidence of a night do not fit into memory.
Everything after it is pure.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from judge.checks.checking import Evidence, bounds
from judge.plan import each_wanted_key
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.said import Said, Verdicts, read_said
from judge.scoring import answer_score, mean
from judge.speed import AnswerSpeed, Reuse, answer_speed, reuse
from judge.store import Store
from judge.store.answers import AnswerNumbers
from judge.types import Grade, JudgeFailure, Question
from judge.units import evidence_key
from runner.types import Answer, AnswerState

BATCH = 128
"""Answers that are read at a time, with everything that was said of them."""
NOBODY: frozenset[str] = frozenset()
"""One for all: an empty set takes two hundred bytes."""
NOTHING: Mapping[str, Any] = MappingProxyType({})
"""One for all, too."""
MOST_SCORINGS = 512
"""Scorings that are read at a time: with many judges that is fewer answers. Each takes some 20 kB as it is read."""


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
    limits: Mapping[str, Grade]
    """Criterion -> highest score that the evidence allows; empty without evidence."""
    judgements: Mapping[str, tuple[Verdicts, ...]]
    """Judge fingerprint -> those that count, one a replicate, in their order."""
    blind: Mapping[str, tuple[Verdicts, ...]]
    """Judge fingerprint -> those made without seeing the evidence, to audit the judge."""
    own: Mapping[str, float]
    """Judge fingerprint -> mean of its replicates, 1.0-5.0; left out until every replicate is there and complete."""
    grounded: Mapping[str, float]
    """The same with every criterion bounded by what the evidence allows."""
    failed: frozenset[str]
    """Fingerprints of judges of which a scoring that counts failed, and is still owed."""

    def asked(self, judges: Iterable[JudgeRecord]) -> list[JudgeRecord]:
        """Return those of ``judges`` that are asked about this answer."""
        return [judge for judge in judges if judge.only is None or judge.is_asked_about(self.key)]

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
    unscorable: list[str] = field(default_factory=list)
    """One line per stored answer that can never be scored, such as one whose prompt did not fit into the context."""
    failures: dict[str, list[str]] = field(default_factory=dict)
    """Judge fingerprint -> one line per scoring that failed and is still owed."""
    reuse: dict[str, Reuse] = field(default_factory=dict)
    """Judge fingerprint -> prompt tokens that its server took from the request before."""
    owed: dict[str, int] = field(default_factory=dict)
    """Judge fingerprint -> scorings that are still owed, of answers that are there."""
    unchecked: list[str] = field(default_factory=list)
    """Keys of the answers that are still to be executed."""


def read_question(
    run: RunRecord, record: ArmRecord, question: Question, judges: Sequence[JudgeRecord], store: Store
) -> QuestionAnswers:
    """Read what is stored of one question of one arm; ``judges``: everyone who scores the arm."""
    found = QuestionAnswers()
    wanted = each_wanted_key(run, record, [question])
    scorings = sum(judge.replicates * (2 if judge.also_blind else 1) for judge in judges)
    size = max(1, min(BATCH, MOST_SCORINGS // max(1, scorings)))
    while batch := [one.key for one in itertools.islice(wanted, size)]:
        _read_batch(run, record, question, judges, store, batch, found)
    return found


def _read_batch(
    run: RunRecord,
    record: ArmRecord,
    question: Question,
    judges: Sequence[JudgeRecord],
    store: Store,
    keys: Sequence[str],
    found: QuestionAnswers,
) -> None:
    evidence = _evidence(run, question, keys, store)
    said = read_said(run, question, judges, keys, evidence, store)
    failures = {name: list(store.judge_failures(one.owed_units())) for name, one in said.items()}
    broken = {name: set(_that_count(failed, evidence)) for name, failed in failures.items()}
    stored, scorable = set(), set()
    for key, answer in store.answer_numbers(keys):
        stored.add(key)
        if answer.scorable:
            scorable.add(key)
        else:
            found.unscorable.append(f"{_attempt_line(answer)} (asking again would change nothing)")
        found.judged.append(_judged(record, question, judges, key, answer, evidence.get(key), said, broken))
    failed = dict(store.answer_failures(key for key in keys if key not in stored))
    found.missing.extend(map(_attempt_line, failed.values()))
    if question.id in run.checks:
        found.unchecked.extend(scorable - evidence.keys())
    for judge in judges:
        _count_scorings(question, judge, said[judge.fingerprint], scorable, failures[judge.fingerprint], found)


def _attempt_line(attempt: Answer | AnswerNumbers) -> str:
    return f"{attempt.prompt_id} sample {attempt.sample}: {attempt.state}: {attempt.message or 'nothing more is known'}"


def _count_scorings(
    question: Question,
    judge: JudgeRecord,
    said: Said,
    scorable: set[str],
    failed: Iterable[JudgeFailure],
    found: QuestionAnswers,
) -> None:
    """Add what a judge owes, what of it has failed, and what its server had in memory already."""
    name = judge.fingerprint
    found.owed[name] = found.owed.get(name, 0) + sum(one.answer in scorable for one in said.owed)
    found.reuse[name] = reuse([found.reuse.get(name, Reuse()), said.reuse])
    found.failures.setdefault(name, []).extend(_failure_lines(question, failed))


def _that_count(failed: Iterable[JudgeFailure], evidence: Mapping[str, Evidence]) -> Iterator[str]:
    """Yield the keys of the answers of which a scoring failed that was not made blind, to audit the judge."""
    for failure in failed:
        executed = evidence.get(failure.answer_unit)
        if failure.call.evidence is not None or executed is None or not executed.says_something:
            yield failure.answer_unit


def _failure_lines(question: Question, failed: Iterable[JudgeFailure]) -> Iterator[str]:
    newest = {(f.answer_unit, f.call.replicate, f.call.evidence): f for f in failed}
    for failure in newest.values():
        yield f"{question.id}: judge {failure.call.judge} failed ({failure.kind}): {failure.message}"


def _evidence(run: RunRecord, question: Question, keys: Iterable[str], store: Store) -> dict[str, Evidence]:
    if question.id not in run.checks:
        return {}
    return dict(store.evidence(evidence_key(key, run.checks[question.id]) for key in keys))


def _judged(
    record: ArmRecord,
    question: Question,
    judges: Sequence[JudgeRecord],
    key: str,
    answer: AnswerNumbers,
    evidence: Evidence | None,
    said: Mapping[str, Said],
    broken: Mapping[str, set[str]],
) -> Judged:
    limits = bounds(evidence, question) if evidence else NOTHING
    judgements = {name: tuple(one.seen[key]) for name, one in said.items() if key in one.seen}
    own = _scores(question, judges, judgements, NOTHING)
    return Judged(
        key=key,
        question_id=question.id,
        sample=answer.sample,
        state=answer.state,
        scorable=answer.scorable,
        speed=answer_speed(record, answer),
        executed=_executed(evidence) if evidence else None,
        limits=limits,
        judgements=judgements,
        blind={name: tuple(one.blind[key]) for name, one in said.items() if key in one.blind} or NOTHING,
        own=own,
        grounded=_scores(question, judges, judgements, limits) if limits else own,
        failed=frozenset(name for name, keys in broken.items() if key in keys) or NOBODY,
    )


def _scores(
    question: Question,
    judges: Iterable[JudgeRecord],
    judgements: Mapping[str, Sequence[Verdicts]],
    limits: Mapping[str, Grade],
) -> dict[str, float]:
    """Return judge fingerprint -> mean of its replicates, of the judges of whom every one is there and complete."""
    found = {}
    for judge in judges:
        given = judgements.get(judge.fingerprint, ())
        scores = [score for one in given if (score := answer_score(question, one, limits)) is not None]
        if scores and len(scores) == judge.replicates:
            found[judge.fingerprint] = mean(scores)
    return found


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
