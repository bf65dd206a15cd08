"""The units of a run and their scores, as the store has them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from judge.checks.checking import Evidence, bounds
from judge.grounding import bounded
from judge.lineage import is_self
from judge.pipeline import evidence_of, questions_of, wanted_scorings
from judge.plan import wanted_answers
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.review.estimate import Audit, Labelled, audit
from judge.review.labels import rated_items
from judge.review.units import JudgeScore, ScoredUnit, Unit
from judge.store import Store
from judge.types import Grade, Judgement, Question

Counting = Mapping[str, Collection[str]]
"""Arm id -> names of the judges that make its score."""
_Said = Mapping[tuple[str, str], Sequence[Judgement]]
"""(answer, judge fingerprint) -> judgements, one a replicate."""


def units_of(run: RunRecord, store: Store) -> list[Unit]:
    """Return every unit of the run that can be rated, in the order of the run. Reads answers and no judgement."""
    return [unit for record, question in _cells(run) for unit in _units(run, record, question, store)]


def scored_units(run: RunRecord, store: Store, counting: Counting | None = None) -> list[ScoredUnit]:
    """Return the units with what judges and tests say; ``counting``: by default every judge that scores an arm counts."""
    evidence = evidence_of(run, store)
    seen, unaided = _judgements(run, store, evidence)
    return [
        _scored(run, record, question, unit, evidence.get(unit.answer_unit), seen, unaided, counting)
        for record, question in _cells(run)
        for unit in _units(run, record, question, store)
    ]


def labelled_of(run: RunRecord, store: Store, counting: Counting | None = None) -> Labelled:
    """Return everything about the human labels of a run."""
    units = units_of(run, store)
    known = {unit.key for unit in units}
    answers = list(dict.fromkeys(unit.answer_unit for unit in units))
    audit_items = [item for item in store.audit_items(answers) if item.key in known]
    repair_items = [item for item in store.repair_items(answers) if item.key in known]
    return Labelled(
        run_id=run.id,
        units=tuple(units),
        scored=tuple(scored_units(run, store, counting)),
        audit=tuple(audit_items),
        audit_ratings=rated_items(audit_items, store.audit_ratings(audit_items)),
        repair=tuple(repair_items),
        repair_ratings=rated_items(repair_items, store.repair_ratings(repair_items)),
    )


def audit_of(run: RunRecord, store: Store, counting: Counting | None = None) -> Audit:
    """Return what people say about the judges of a run: per arm and tier the bias that moves D9's interval (``review.estimate``)."""
    return audit(labelled_of(run, store, counting))


# --- underneath -----------------------------------------------------------------------------------------------------


def _judges(run: RunRecord) -> tuple[JudgeRecord, ...]:
    return (run.judge,) if run.judge else ()


def _cells(run: RunRecord) -> Iterator[tuple[ArmRecord, Question]]:
    return ((record, question) for record in run.arms for question in questions_of(run))


def _units(run: RunRecord, record: ArmRecord, question: Question, store: Store) -> Iterator[Unit]:
    wanted = wanted_answers(record.arm, [question], record.sampling, run.samples)
    for key, answer in store.answers(unit.key for unit in wanted):
        if answer.scorable:
            for criterion in question.criteria:
                yield Unit(
                    answer_unit=key,
                    question_id=question.id,
                    tier=question.tier,
                    criterion=criterion.id,
                    weight=criterion.weight,
                    arm=record.arm.fingerprint,
                    arm_id=record.arm.id,
                )


def _judgements(run: RunRecord, store: Store, evidence: Mapping[str, Evidence]) -> tuple[_Said, _Said]:
    """Return the judgements that count, and those that were made without the evidence to hold the judge against the tests."""
    seen: dict[tuple[str, str], list[Judgement]] = defaultdict(list)
    unaided: dict[tuple[str, str], list[Judgement]] = defaultdict(list)
    for judge in _judges(run):
        for _, judgement in store.judgements(task.key for task in wanted_scorings(run, judge, evidence)):
            is_unaided = judgement.call.evidence is None and judgement.answer_unit in evidence
            (unaided if is_unaided else seen)[judgement.answer_unit, judge.fingerprint].append(judgement)
    return seen, unaided


def _scored(
    run: RunRecord,
    record: ArmRecord,
    question: Question,
    unit: Unit,
    evidence: Evidence | None,
    seen: _Said,
    unaided: _Said,
    counting: Counting | None,
) -> ScoredUnit:
    limits = bounds(evidence, question) if evidence else {}
    applied = limits if run.policy == "grounded" else {}
    judges = [
        _judge_score(
            judge,
            unit.criterion,
            seen.get((unit.answer_unit, judge.fingerprint), ()),
            unaided.get((unit.answer_unit, judge.fingerprint), ()),
            applied,
            counts=counting is None or judge.name in counting.get(record.arm.id, ()),
        )
        for judge in _judges(run)
        if judge.scores_itself or not is_self(judge, record)
    ]
    return ScoredUnit(
        unit=unit,
        judges=tuple(judges),
        bound=limits.get(unit.criterion),
        failing_inputs=_failing_inputs(evidence, unit.criterion),
    )


def _judge_score(
    judge: JudgeRecord,
    criterion: str,
    seen: Sequence[Judgement],
    unaided: Sequence[Judgement],
    limits: Mapping[str, Grade],
    *,
    counts: bool,
) -> JudgeScore:
    verdicts = [v for judgement in seen for v in judgement.verdicts if v.criterion == criterion]
    return JudgeScore(
        judge=judge.name,
        counts=counts,
        verdicts=tuple(verdicts),
        bounded=tuple(verdict.score for verdict in bounded(verdicts, limits)),
        wanted=judge.replicates,
        unaided=tuple(v for judgement in unaided for v in judgement.verdicts if v.criterion == criterion),
    )


def _failing_inputs(evidence: Evidence | None, criterion: str) -> tuple[str, ...]:
    failures = evidence.failures if evidence else ()
    return tuple(check.input for check in failures if check.input and criterion in check.criteria)
