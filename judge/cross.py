"""Judges against each other over the same answers: who is severe, who agrees, who favours the own family (D7, D12). Pure.

Everything here is on the judges' scores as they are, before evidence bounds them: a bound would make judges agree.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import nan
from statistics import fmean

from judge.panel import Relation, relation
from judge.records import ArmRecord, JudgeRecord
from judge.scoring import AnswerScore
from judge.stats.agreement import Agreement, RatedUnit, agreement_of, ratings
from judge.stats.figures import Refused
from judge.stats.intervals import SEED
from judge.stats.self_preference import (
    LeaveOneOut,
    PanelUnit,
    SelfPreference,
    effective_judges,
    error_correlation,
    leave_one_judge_out,
    self_preference,
    severities,
)
from judge.types import Grade
from runner.types import Value

DECISIVE: tuple[Grade, ...] = (1, 2, 5)
"""Bounds at which the tests know the truth: at most half of the checks passed, or all."""


class CrossCell(Value):
    """One judge on one arm."""

    judge: str
    arm_id: str
    relation: Relation
    """Only cells of ``other`` enter headlines."""
    mean: float | None
    """Over questions, of the judge's scores as they are, 1.0-5.0; ``None`` without a score."""
    answers: int


class PairAgreement(Value):
    """How far two judges agree."""

    judges: tuple[str, str]
    agreement: Agreement | None
    """``None`` when they scored nothing in common."""


class CrossJudging(Value):
    """What several judges of the same answers say about each other."""

    judges: tuple[str, ...]
    arms: tuple[str, ...]
    cells: tuple[CrossCell, ...]
    """One a judge and arm that it scored."""
    severity: dict[str, float]
    """Judge -> mean of its scores minus the panel's on the same answers, own family left out; below 0 is severe."""
    overall: Agreement | None
    """Of all judges; ``None`` when no criterion was scored by two."""
    pairs: tuple[PairAgreement, ...]
    self_preference: dict[str, SelfPreference | Refused]
    ranks: LeaveOneOut
    """Arms ranked by all judges, and without each."""
    error_correlation: float | None
    """Mean correlation of the judges' errors where tests know the truth; ``None``: too few common units."""
    effective_judges: float | None
    """How many independent judges the panel is worth; ``None`` without a correlation."""


Scored = Sequence[tuple[ArmRecord, Sequence[AnswerScore]]]
"""An answer's scores may be made when they are looked at: none is kept."""


def cross_judging(judges: Sequence[JudgeRecord], scored: Scored) -> CrossJudging | None:
    """Return what the judges say about each other; ``None`` with fewer than two."""
    names = [judge.name for judge in judges]
    if len(names) < 2:
        return None
    units = [unit for record, answers in scored for unit in _panel_units(judges, record, answers)]
    rated = ratings((unit for record, answers in scored for unit in _rated_units(record, answers)), names)
    correlation = error_correlation(_errors(names, scored))
    return CrossJudging(
        judges=tuple(names),
        arms=tuple(record.arm.id for record, _ in scored),
        cells=tuple(_cells(judges, scored)),
        severity=severities(units),
        overall=agreement_of(rated, names, seed=SEED),
        pairs=tuple(
            PairAgreement(judges=pair, agreement=agreement_of(rated, pair, seed=SEED))
            for pair in combinations(names, 2)
        ),
        self_preference={name: self_preference(units, name, seed=SEED) for name in names},
        ranks=leave_one_judge_out(units),
        error_correlation=correlation,
        effective_judges=None if correlation is None else effective_judges(len(names), correlation),
    )


def _panel_units(judges: Sequence[JudgeRecord], record: ArmRecord, answers: Sequence[AnswerScore]) -> list[PanelUnit]:
    own = frozenset(judge.name for judge in judges if relation(judge, record) is not Relation.OTHER)
    return [
        PanelUnit(question=one.question_id, candidate=record.arm.id, scores=one.by_judge, own=own) for one in answers
    ]


def _rated_units(record: ArmRecord, answers: Sequence[AnswerScore]) -> Iterator[RatedUnit]:
    for one in answers:
        for scores in _by_criterion(one.verdicts).values():
            yield RatedUnit(question=one.question_id, model=record.arm.id, scores=scores)


def _by_criterion(verdicts: Mapping[str, Mapping[str, Grade | None]]) -> dict[str, dict[str, Grade | None]]:
    turned: dict[str, dict[str, Grade | None]] = {}
    for judge, given in verdicts.items():
        for criterion, score in given.items():
            turned.setdefault(criterion, {})[judge] = score
    return turned


def _errors(names: Sequence[str], scored: Scored) -> list[Sequence[float]]:
    """Return one row a judge: score minus what the tests know, over every criterion where they are decisive; NaN without a score."""
    rows = [array("d") for _ in names]
    for _, answers in scored:
        for one in answers:
            for criterion, bound in one.limits.items():
                if bound in DECISIVE:
                    for name, row in zip(names, rows, strict=True):
                        row.append(_error(one.verdicts.get(name, {}).get(criterion), bound))
    return [*rows]


def _error(score: Grade | None, truth: Grade) -> float:
    return nan if score is None else float(score - truth)


def _cells(judges: Sequence[JudgeRecord], scored: Scored) -> Iterator[CrossCell]:
    given = [(record, _given(answers)) for record, answers in scored]
    for judge in judges:
        for record, by_judge in given:
            by_question = by_judge.get(judge.name)
            if by_question is not None:
                known = [scores for scores in by_question.values() if scores]
                yield CrossCell(
                    judge=judge.name,
                    arm_id=record.arm.id,
                    relation=relation(judge, record),
                    mean=fmean(map(fmean, known)) if known else None,
                    answers=sum(map(len, known)),
                )


def _given(answers: Sequence[AnswerScore]) -> dict[str, dict[str, Sequence[float]]]:
    """Return judge -> question -> its scores, for everyone who was asked."""
    found: dict[str, dict[str, array[float]]] = {}
    for one in answers:
        for judge, score in one.by_judge.items():
            scores = found.setdefault(judge, {}).setdefault(one.question_id, array("d"))
            if score is not None:
                scores.append(score)
    return {judge: dict(by_question) for judge, by_question in found.items()}
