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
from judge.stats.agreement import Agreement, RatedUnit, Ratings, agreement_of, ratings
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
    units, cells = list[PanelUnit](), list[_Given]()
    rated, correlation = _walked(judges, scored, units, cells)
    return CrossJudging(
        judges=tuple(names),
        arms=tuple(record.arm.id for record, _ in scored),
        cells=tuple(_cells(judges, [(record, by_judge) for (record, _), by_judge in zip(scored, cells, strict=True)])),
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


_Given = dict[str, dict[str, "array[float]"]]
"""Judge -> question -> its scores, for everyone who was asked."""


def _walked(
    judges: Sequence[JudgeRecord], scored: Scored, units: list[PanelUnit], cells: list[_Given]
) -> tuple[Ratings, float | None]:
    """Return all ratings and the correlation of errors from one walk: every answer is made when it is looked at."""
    names = [judge.name for judge in judges]
    errors = [array("d") for _ in names]
    rated = ratings(_seen(judges, scored, units, errors, cells), names)
    return rated, error_correlation(errors)


def _seen(
    judges: Sequence[JudgeRecord],
    scored: Scored,
    units: list[PanelUnit],
    errors: Sequence["array[float]"],
    cells: list[_Given],
) -> Iterator[RatedUnit]:
    """Yield every criterion of every answer, and put what else is asked of the answers where it is collected: ``units``, one an
    answer; ``errors``, as ``_add_errors`` says; ``cells``, one an arm."""
    names = [judge.name for judge in judges]
    for record, answers in scored:
        own = frozenset(judge.name for judge in judges if relation(judge, record) is not Relation.OTHER)
        cells.append({})
        for one in answers:
            units.append(PanelUnit(one.question_id, record.arm.id, one.by_judge, own))
            _add_errors(names, one, errors)
            _add_scores(one, cells[-1])
            for scores in _by_criterion(one.verdicts).values():
                yield RatedUnit(question=one.question_id, model=record.arm.id, scores=scores)


def _by_criterion(verdicts: Mapping[str, Mapping[str, Grade | None]]) -> dict[str, dict[str, Grade | None]]:
    turned: dict[str, dict[str, Grade | None]] = {}
    for judge, given in verdicts.items():
        for criterion, score in given.items():
            turned.setdefault(criterion, {})[judge] = score
    return turned


def _add_errors(names: Sequence[str], one: AnswerScore, rows: Sequence["array[float]"]) -> None:
    """Add to the row of each judge its score minus what the tests know, of every criterion where they are decisive; NaN without a
    score."""
    for criterion, bound in one.limits.items():
        if bound in DECISIVE:
            for name, row in zip(names, rows, strict=True):
                row.append(_error(one.verdicts.get(name, {}).get(criterion), bound))


def _error(score: Grade | None, truth: Grade) -> float:
    return nan if score is None else float(score - truth)


def _cells(judges: Sequence[JudgeRecord], given: Sequence[tuple[ArmRecord, _Given]]) -> Iterator[CrossCell]:
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


def _add_scores(one: AnswerScore, given: _Given) -> None:
    for judge, score in one.by_judge.items():
        scores = given.setdefault(judge, {}).setdefault(one.question_id, array("d"))
        if score is not None:
            scores.append(score)
