"""The units of a run and their scores, as the store has them. What one rater needs costs as much as the queue is long, not the run."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from judge.checks.checking import Evidence, bounds
from judge.grounding import bounded
from judge.lineage import is_self
from judge.panel import Standing, panel
from judge.pipeline.scorings import judge_call
from judge.plan import questions_of, wanted_answers
from judge.ratings import AuditItem, Item, RepairItem
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.review.estimate import Audit, Labelled, audit
from judge.review.labels import rated_items
from judge.review.units import AnyScored, JudgeScore, ScoredUnit, Unit, UnitScore
from judge.said import Verdicts, read_said
from judge.store import Store
from judge.types import Grade, Judgement, Question
from judge.units import answer_unit, evidence_key, judgement_key

Standings = Mapping[str, Standing]
"""Judge fingerprint -> what its exam said; a judge that is left out was not examined."""


@dataclass(frozen=True)
class Place:
    """Where one answer stands in a run."""

    record: ArmRecord
    question: Question
    rubric: str
    """Hash of what the question is scored by."""
    answer_unit: str

    def units(self) -> Iterator[Unit]:
        """Yield what can be rated of the answer."""
        for criterion in self.question.criteria:
            yield Unit(
                answer_unit=self.answer_unit,
                question_id=self.question.id,
                tier=self.question.tier,
                criterion=criterion.id,
                rubric=self.rubric,
                weight=criterion.weight,
                arm=self.record.arm.fingerprint,
                arm_id=self.record.arm.id,
            )


def places_of(run: RunRecord, store: Store) -> list[Place]:
    """Return every stored answer of the run that can be scored. Reads no judgement."""
    questions, rubrics = _asked(run)
    wanted = [
        Place(record, questions[unit.question_id], rubrics[unit.question_id], unit.key)
        for record in run.arms
        for unit in wanted_answers(run, record)
    ]
    scorable = store.scorable_answers(place.answer_unit for place in wanted)
    return [place for place in wanted if place.answer_unit in scorable]


def places_of_items(run: RunRecord, store: Store, items: Sequence[Item]) -> list[Place]:
    """Return the answers of the run that ``items`` are about; items of other runs are passed over."""
    records = {record.arm.fingerprint: record for record in run.arms}
    questions, rubrics = _asked(run)
    stored = store.answer_places(dict.fromkeys(item.answer_unit for item in items))
    return [
        Place(record, question, rubrics[question_id], key)
        for key, (arm, question_id, sample) in stored.items()
        if (record := records.get(arm))
        and (question := questions.get(question_id))
        and sample < run.samples_of(record, question)
        # Another run may have asked the same arm the same question with other sampling.
        and answer_unit(record.arm, question, record.sampling, sample).key == key
    ]


def _asked(run: RunRecord) -> tuple[dict[str, Question], dict[str, str]]:
    """Return question id -> question, and question id -> hash of what it is scored by."""
    questions = {question.id: question for question in questions_of(run)}
    return questions, {name: run.suite.rubric_hash(question) for name, question in questions.items()}


def units_of(places: Iterable[Place]) -> list[Unit]:
    """Return what can be rated."""
    return [unit for place in places for unit in place.units()]


def items_of(run: RunRecord, store: Store) -> tuple[list[AuditItem], list[RepairItem]]:
    """Return the items of both queues that are about answers of the run by its own rubric, whichever run they were queued for."""
    drawn, picked = store.audit_items(), store.repair_items()
    known = {(unit.key, unit.rubric) for unit in units_of(places_of_items(run, store, [*drawn, *picked]))}
    return (
        [item for item in drawn if (item.key, item.rubric) in known],
        [item for item in picked if (item.key, item.rubric) in known],
    )


def scored_units(
    run: RunRecord, store: Store, standings: Standings | None = None, places: Sequence[Place] | None = None
) -> list[ScoredUnit]:
    """Return units with what judges and tests say, of all answers or of some. The judges of an arm's panel count."""
    places = places_of(run, store) if places is None else places
    known = _known(run, store, places)
    counting = {record.arm.id: panel(run.judges, record, standings or {}).judges for record in run.arms}
    return [
        _scored(run, place, unit, known, counting[place.record.arm.id]) for place in places for unit in place.units()
    ]


def labelled_of(run: RunRecord, store: Store, standings: Standings | None = None) -> Labelled:
    """Return everything about the human labels of a run."""
    places = places_of(run, store)
    drawn, picked = items_of(run, store)
    units = units_of(places)
    return Labelled(
        run_id=run.id,
        units=tuple(units),
        scored=tuple(_scored_all(run, store, standings, places, units, drawn)),
        audit=tuple(drawn),
        audit_ratings=rated_items(drawn, store.audit_ratings(drawn)),
        repair=tuple(picked),
        repair_ratings=rated_items(picked, store.repair_ratings(picked)),
    )


def _scored_all(
    run: RunRecord,
    store: Store,
    standings: Standings | None,
    places: Sequence[Place],
    units: Sequence[Unit],
    drawn: Sequence[AuditItem],
) -> Iterator[AnyScored]:
    """Yield every unit with its score, and with everything that was said of it where people were asked, too."""
    answers = {item.answer_unit for item in drawn}
    asked = [place for place in places if place.answer_unit in answers]
    known = {one.unit.key: one for one in scored_units(run, store, standings, asked)}
    panels = panel_scores(run, store, standings, places)
    for unit in units:
        yield known.get(unit.key) or UnitScore(unit=unit, panel=panels[unit.key])


def panel_scores(
    run: RunRecord, store: Store, standings: Standings | None, places: Sequence[Place]
) -> dict[tuple[str, str], float | None]:
    """Return the score of every unit of these answers by the judges that count, as ``ScoredUnit`` has it, reading numbers only."""
    counting = {
        record.arm.id: _judges_that_count(run, record, panel(run.judges, record, standings or {}).judges)
        for record in run.arms
    }
    questions: dict[str, list[Place]] = {}
    for place in places:
        questions.setdefault(place.question.id, []).append(place)
    return {
        (place.answer_unit, criterion): score
        for of_question in questions.values()
        for start in range(0, len(of_question), BATCH)
        for place, found in _panel_scores(run, store, of_question[start : start + BATCH], counting)
        for criterion, score in found.items()
    }


BATCH = 128
"""Answers that are read at a time."""


def _judges_that_count(run: RunRecord, record: ArmRecord, names: Collection[str]) -> list[JudgeRecord]:
    scoring = [judge for judge in run.judges if judge.scores_itself or not is_self(judge, record)]
    return [judge for judge in scoring if judge.name in names]


def _panel_scores(
    run: RunRecord, store: Store, places: Sequence[Place], counting: Mapping[str, Sequence[JudgeRecord]]
) -> Iterator[tuple[Place, dict[str, float | None]]]:
    """Yield each answer, all to one question, with criterion -> score."""
    question, keys = places[0].question, [place.answer_unit for place in places]
    version = run.checks.get(question.id)
    evidence = dict(store.evidence(evidence_key(key, version) for key in keys)) if version else {}
    said = read_said(run, question, run.judges, keys, evidence, store)
    for place in places:
        of_answer = evidence.get(place.answer_unit)
        limits = bounds(of_answer, question) if of_answer and run.policy == "grounded" else {}
        judges = counting[place.record.arm.id]
        given = [(judge, said[judge.fingerprint].seen.get(place.answer_unit, [])) for judge in judges]
        yield place, {c.id: _panel_score(c.id, given, limits.get(c.id)) for c in question.criteria}


def _panel_score(
    criterion: str, given: Sequence[tuple[JudgeRecord, Sequence[Verdicts]]], limit: Grade | None
) -> float | None:
    scores = [_judge_mean(criterion, replicates, judge.replicates, limit) for judge, replicates in given]
    known = [score for score in scores if score is not None]
    return fmean(known) if known and len(known) == len(scores) else None


def _judge_mean(criterion: str, replicates: Sequence[Verdicts], wanted: int, limit: Grade | None) -> float | None:
    grades = [v.score for verdicts in replicates for v in verdicts if v.criterion == criterion and v.score is not None]
    if not grades or len(grades) != wanted:
        return None
    return fmean(grade if limit is None else min(grade, limit) for grade in grades)


def audit_of(run: RunRecord, store: Store, standings: Standings | None = None) -> Audit:
    """Return what people say about the judges of a run: per arm and tier the bias that moves D9's interval (``review.estimate``)."""
    return audit(labelled_of(run, store, standings))


# --- scores ---------------------------------------------------------------------------------------------------------

_Said = dict[tuple[str, str], list[Judgement]]
"""(answer, judge fingerprint) -> judgements, one a replicate."""


@dataclass(frozen=True)
class _Known:
    """What is stored about some answers of a run."""

    evidence: Mapping[str, Evidence]
    seen: _Said
    """Judgements that count."""
    unaided: _Said
    """Made without the evidence, to hold the judge against the tests."""


def _known(run: RunRecord, store: Store, places: Sequence[Place]) -> _Known:
    checks = ((place.answer_unit, run.checks.get(place.question.id)) for place in places)
    evidence = dict(store.evidence(evidence_key(key, version) for key, version in checks if version))
    seen = {key: said for place in places for key, said in _keys(run, place, evidence.get(place.answer_unit)).items()}
    unaided = {
        key: said
        for place in places
        if place.answer_unit in evidence
        for key, said in _keys(run, place, None, blind=True).items()
    }
    return _Known(evidence=evidence, seen=_read(store, seen), unaided=_read(store, unaided))


def _keys(run: RunRecord, place: Place, shown: Evidence | None, *, blind: bool = False) -> dict[str, tuple[str, str]]:
    """Return judgement key -> (answer, judge fingerprint) of what is wanted of an answer."""
    return {
        judgement_key(place.answer_unit, judge_call(run, judge, place.question, replicate, shown)): (
            place.answer_unit,
            judge.fingerprint,
        )
        for judge in run.judges
        if judge.also_blind or not blind
        for replicate in range(judge.replicates)
    }


def _read(store: Store, wanted: Mapping[str, tuple[str, str]]) -> _Said:
    said: _Said = {}
    for key, judgement in store.judgements(wanted):
        said.setdefault(wanted[key], []).append(judgement)
    return said


def _scored(run: RunRecord, place: Place, unit: Unit, known: _Known, counting: Collection[str]) -> ScoredUnit:
    evidence = known.evidence.get(unit.answer_unit)
    limits = bounds(evidence, place.question) if evidence else {}
    applied = limits if run.policy == "grounded" else {}
    return ScoredUnit(
        unit=unit,
        judges=tuple(
            _judge_score(judge, unit, known, applied, counts=judge.name in counting)
            for judge in run.judges
            if judge.scores_itself or not is_self(judge, place.record)
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
