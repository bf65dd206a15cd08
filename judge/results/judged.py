"""The stored answers of an arm with everything that is known about them. Reads the store; everything after it is pure."""

import functools
from collections.abc import Iterable, Mapping, Sequence

from judge.checks.checking import Evidence, bounds
from judge.pipeline import evidence_of, wanted_scorings
from judge.plan import wanted_answers
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.store import Store
from judge.types import Grade, JudgeCall, JudgeFailure, Judgement, Question, Verdict
from runner.types import Answer, Value

ByAnswer = dict[str, list[Judgement]]


class Known(Value):
    """What is stored about the answers of a run, by answer key."""

    evidence: dict[str, Evidence]
    seen: dict[str, ByAnswer]
    """Judge fingerprint -> judgements that count."""
    blind: dict[str, ByAnswer]
    """Judge fingerprint -> judgements made without seeing the evidence, to audit the judge."""
    failures: dict[str, tuple[JudgeFailure, ...]]
    """Judge fingerprint -> the newest failure of each scoring that is still owed."""


class Judged(Value):
    """One stored answer of an arm with the judgements of it."""

    key: str
    """Of the answer's unit."""
    question_id: str
    answer: Answer
    """Without its text."""
    evidence: Evidence | None
    judgements: dict[str, tuple[Judgement, ...]]
    """Judge fingerprint -> those that count, one a replicate."""
    blind: dict[str, tuple[Judgement, ...]]
    """Judge fingerprint -> those made without seeing the evidence."""

    def limits(self, question: Question) -> dict[str, Grade]:
        """Return criterion -> highest score that the evidence allows; empty without evidence."""
        return bounds(self.evidence, question) if self.evidence else {}

    def asked(self, judges: Iterable[JudgeRecord]) -> list[JudgeRecord]:
        """Return those of ``judges`` that are asked about this answer."""
        return [judge for judge in judges if judge.is_asked_about(self.key)]

    def all_judgements(self, fingerprints: Iterable[str]) -> list[Judgement]:
        """Return the judgements that count of these judges."""
        return [judgement for name in fingerprints for judgement in self.judgements.get(name, ())]

    def audited(self, fingerprints: Iterable[str]) -> list[Judgement]:
        """Return what these judges said when their judgement could be audited: blind where that was asked for."""
        return [j for name in fingerprints for j in self.blind.get(name) or self.judgements.get(name, ())]


def read_known(run: RunRecord, store: Store) -> Known:
    """Read evidence and judgements of the whole run."""
    evidence = evidence_of(run, store)
    seen: dict[str, ByAnswer] = {}
    blind: dict[str, ByAnswer] = {}
    failures: dict[str, tuple[JudgeFailure, ...]] = {}
    for judge in run.judges:
        wanted = [task.key for task in wanted_scorings(run, judge, evidence)]
        found = {key: _scores_only(judgement) for key, judgement in store.judgements(wanted)}
        seen[judge.fingerprint], blind[judge.fingerprint] = _sorted_by_view(found.values(), evidence)
        failed = store.judge_failures(key for key in wanted if key not in found)
        latest = {(f.answer_unit, f.call.replicate, f.call.evidence): f for f in failed}
        failures[judge.fingerprint] = tuple(latest.values())
    return Known(evidence=evidence, seen=seen, blind=blind, failures=failures)


def _scores_only(judgement: Judgement) -> Judgement:
    """Return the judgement without what the judge wrote: figures need none of it, and a night of it does not fit into memory."""
    verdicts = tuple(_score_only(verdict.criterion, verdict.score) for verdict in judgement.verdicts)
    return judgement.model_copy(update={"verdicts": verdicts, "replies": (), "call": _shared(judgement.call)})


@functools.lru_cache(maxsize=4096)
def _score_only(criterion: str, score: Grade | None) -> Verdict:
    return Verdict(criterion=criterion, score=score, evidence="", reasoning="")


@functools.lru_cache(maxsize=4096)
def _shared(call: JudgeCall) -> JudgeCall:
    """Return the one copy of equal calls."""
    return call


def _without_text(answer: Answer) -> Answer:
    return answer.model_copy(update={"text": "", "reasoning": ""})


def _sorted_by_view(judgements: Iterable[Judgement], evidence: Mapping[str, Evidence]) -> tuple[ByAnswer, ByAnswer]:
    """Return those that count, and those that were made blind to audit the judge."""
    seen: ByAnswer = {}
    blind: ByAnswer = {}
    for judgement in judgements:
        known = evidence.get(judgement.answer_unit)
        is_audit = judgement.call.evidence is None and known is not None and known.says_something
        (blind if is_audit else seen).setdefault(judgement.answer_unit, []).append(judgement)
    return seen, blind


def read_judged(run: RunRecord, record: ArmRecord, store: Store, known: Known) -> list[Judged]:
    """Return every stored answer of an arm, in the order in which it was wanted."""
    units = {unit.key: unit for unit in wanted_answers(run, record)}
    return [
        Judged(
            key=key,
            question_id=units[key].question_id,
            answer=_without_text(answer),
            evidence=known.evidence.get(key),
            judgements=_of(key, known.seen),
            blind=_of(key, known.blind),
        )
        for key, answer in store.answers(units)
    ]


def _of(key: str, by_judge: Mapping[str, Mapping[str, Sequence[Judgement]]]) -> dict[str, tuple[Judgement, ...]]:
    return {name: tuple(found[key]) for name, found in by_judge.items() if key in found}
