"""The units of a run and their scores, as the store has them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from judge.checks.checking import Evidence, bounds
from judge.grounding import bounded
from judge.lineage import is_self
from judge.panel import Standing, panel
from judge.pipeline import evidence_of, wanted_scorings
from judge.plan import questions_of, wanted_answers
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.review.estimate import Audit, Labelled, audit
from judge.review.labels import rated_items
from judge.review.units import JudgeScore, ScoredUnit, Unit
from judge.store import Store
from judge.types import Grade, Judgement, Question

Standings = Mapping[str, Standing]
"""Judge fingerprint -> what its exam said; a judge that is left out was not examined."""
_Said = dict[tuple[str, str], list[Judgement]]
"""(answer, judge fingerprint) -> judgements, one a replicate."""


@dataclass(frozen=True)
class _Known:
    """What is stored about the answers of a run."""

    evidence: Mapping[str, Evidence]
    seen: _Said
    """Judgements that count."""
    unaided: _Said
    """Made without the evidence, to hold the judge against the tests."""


def units_of(run: RunRecord, store: Store) -> list[Unit]:
    """Return every unit of the run that can be rated, in the order of the run. Reads answers and no judgement."""
    return [unit for record, question in _cells(run) for unit in _units(run, record, question, store)]


def scored_units(run: RunRecord, store: Store, standings: Standings | None = None) -> list[ScoredUnit]:
    """Return the units with what judges and tests say; the judges of an arm's panel count."""
    known = _known(run, store)
    counting = {record.arm.id: panel(run.judges, record, standings or {}).judges for record in run.arms}
    return [
        _scored(run, record, question, unit, known, counting[record.arm.id])
        for record, question in _cells(run)
        for unit in _units(run, record, question, store)
    ]


def labelled_of(run: RunRecord, store: Store, standings: Standings | None = None) -> Labelled:
    """Return everything about the human labels of a run."""
    units = units_of(run, store)
    known = {unit.key for unit in units}
    answers = list(dict.fromkeys(unit.answer_unit for unit in units))
    audit_items = [item for item in store.audit_items(answers) if item.key in known]
    repair_items = [item for item in store.repair_items(answers) if item.key in known]
    return Labelled(
        run_id=run.id,
        units=tuple(units),
        scored=tuple(scored_units(run, store, standings)),
        audit=tuple(audit_items),
        audit_ratings=rated_items(audit_items, store.audit_ratings(audit_items)),
        repair=tuple(repair_items),
        repair_ratings=rated_items(repair_items, store.repair_ratings(repair_items)),
    )


def audit_of(run: RunRecord, store: Store, standings: Standings | None = None) -> Audit:
    """Return what people say about the judges of a run: per arm and tier the bias that moves D9's interval (``review.estimate``)."""
    return audit(labelled_of(run, store, standings))


# --- underneath -----------------------------------------------------------------------------------------------------


def _cells(run: RunRecord) -> Iterator[tuple[ArmRecord, Question]]:
    return ((record, question) for record in run.arms for question in questions_of(run))


def _units(run: RunRecord, record: ArmRecord, question: Question, store: Store) -> Iterator[Unit]:
    wanted = wanted_answers(run, record, [question])
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


def _known(run: RunRecord, store: Store) -> _Known:
    evidence = evidence_of(run, store)
    seen: _Said = {}
    unaided: _Said = {}
    for judge in run.judges:
        for _, judgement in store.judgements(task.key for task in wanted_scorings(run, judge, evidence)):
            is_unaided = judgement.call.evidence is None and judgement.answer_unit in evidence
            place = judgement.answer_unit, judge.fingerprint
            (unaided if is_unaided else seen).setdefault(place, []).append(judgement)
    return _Known(evidence=evidence, seen=seen, unaided=unaided)


def _scored(
    run: RunRecord, record: ArmRecord, question: Question, unit: Unit, known: _Known, counting: Collection[str]
) -> ScoredUnit:
    evidence = known.evidence.get(unit.answer_unit)
    limits = bounds(evidence, question) if evidence else {}
    applied = limits if run.policy == "grounded" else {}
    return ScoredUnit(
        unit=unit,
        judges=tuple(
            _judge_score(judge, unit, known, applied, counts=judge.name in counting)
            for judge in run.judges
            if judge.scores_itself or not is_self(judge, record)
        ),
        bound=limits.get(unit.criterion),
        failing_inputs=_failing_inputs(evidence, unit.criterion),
    )


def _judge_score(
    judge: JudgeRecord, unit: Unit, known: _Known, limits: Mapping[str, Grade], *, counts: bool
) -> JudgeScore:
    place = unit.answer_unit, judge.fingerprint
    seen, unaided = (
        tuple(v for judgement in said.get(place, ()) for v in judgement.verdicts if v.criterion == unit.criterion)
        for said in (known.seen, known.unaided)
    )
    return JudgeScore(
        judge=judge.name,
        counts=counts,
        verdicts=seen,
        bounded=tuple(verdict.score for verdict in bounded(seen, limits)),
        wanted=judge.replicates,
        unaided=unaided,
    )


def _failing_inputs(evidence: Evidence | None, criterion: str) -> tuple[str, ...]:
    failures = evidence.failures if evidence else ()
    return tuple(check.input for check in failures if check.input and criterion in check.criteria)
