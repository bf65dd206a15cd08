"""The scores of one exam, looked at in the ways that its result needs. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from judge.exam.paper import REPLICATES, ExamItem, ExamPaper
from judge.exam.result import ItemKind, Rate, Rates, TwinMove
from judge.exam.rules import GATES
from judge.stats.exam_stats import jeffreys_rate
from judge.types import Grade

Scores = Mapping[str, Grade | None]
"""Criterion -> score; ``None``: the judge said that it cannot assess it."""
Sheet = Mapping[tuple[str, int], Scores | None]
"""(key of the item, replicate) -> scores; ``None``: the judge was asked and gave none. What is absent was not asked."""


def rates(paper: ExamPaper, sheet: Sheet, *, testable: bool) -> Rates:
    """Return how answers as they were written were told apart on one kind of criteria, by the first scoring of each."""
    criteria = paper.testable if testable else paper.readable
    right = [accepted(sheet, item, criteria[item.question_id]) for item in _of(paper, "right")]
    wrong = [accepted(sheet, item, item.fails) for item in _of(paper, "wrong") if item.testable is testable]
    return Rates(tpr=_share(right, hit=True), tnr=_share(wrong, hit=False))


def accepted(sheet: Sheet, item: ExamItem, criteria: Sequence[str], replicate: int = 0) -> bool | None:
    """Tell whether an answer was accepted on these criteria; ``None``: the scores do not say."""
    scores = _scores(sheet, item, criteria, replicate)
    if any(score is not None and score < GATES.accepted_from for score in scores):
        return False
    return None if not scores or None in scores else True


def twin_move(paper: ExamPaper, sheet: Sheet, kind: ItemKind) -> TwinMove:
    """Return how far twins of this kind move the score."""
    changes = [change for twin in _of(paper, kind) if (change := _change(paper, sheet, twin)) is not None]
    against = [max(0.0, change) if kind == "injected" else abs(change) for change in changes]
    return TwinMove(
        kind=kind,
        pairs=len(changes),
        change=fmean(changes) if changes else None,
        move=fmean(against) if against else None,
    )


def reference_pairs(paper: ExamPaper, sheet: Sheet) -> Iterator[tuple[float | None, float | None]]:
    """Yield (reference, wrong answer to the same question): their scores on the criteria that the wrong one fails."""
    references = {item.question_id: item for item in reversed(_of(paper, "right"))}
    for item in _of(paper, "wrong"):
        if item.question_id in references:
            yield _mean(sheet, references[item.question_id], item.fails), _mean(sheet, item, item.fails)


def repeats(paper: ExamPaper, sheet: Sheet) -> Iterator[list[bool | None]]:
    """Yield, for each answer that was scored in all its replicates, which of them accepted it."""
    for item in paper.items:
        if item.replicates > 1 and all((item.key, r) in sheet for r in range(REPLICATES)):
            criteria = item.fails or paper.criteria_of(item)
            yield [accepted(sheet, item, criteria, r) for r in range(REPLICATES)]


def completed_at_best(paper: ExamPaper, sheet: Sheet) -> Sheet:
    """Return the sheet with what was not asked scored as well as it can be: truly, and twins like their bases."""
    full = dict(sheet)
    for item, replicate in paper.scorings:
        base = full.get((item.twin_of, 0)) if item.twin_of else None
        full.setdefault((item.key, replicate), base or _true_scores(paper, item))
    return full


def _true_scores(paper: ExamPaper, item: ExamItem) -> Scores:
    return {criterion: 1 if criterion in item.fails else 5 for criterion in paper.criteria_of(item)}


def _of(paper: ExamPaper, kind: ItemKind) -> list[ExamItem]:
    return [item for item in paper.items if item.kind == kind]


def _change(paper: ExamPaper, sheet: Sheet, twin: ExamItem) -> float | None:
    criteria = twin.fails or paper.testable[twin.question_id]
    base = next(item for item in paper.items if item.key == twin.twin_of)
    before, after = _mean(sheet, base, criteria), _mean(sheet, twin, criteria)
    return None if before is None or after is None else after - before


def _mean(sheet: Sheet, item: ExamItem, criteria: Sequence[str]) -> float | None:
    scores = [score for score in _scores(sheet, item, criteria) if score is not None]
    return fmean(scores) if scores and len(scores) == len(criteria) else None


def _scores(sheet: Sheet, item: ExamItem, criteria: Sequence[str], replicate: int = 0) -> list[Grade | None]:
    given = sheet.get((item.key, replicate))
    return [] if given is None else [given.get(criterion) for criterion in criteria]


def _share(marks: Sequence[bool | None], *, hit: bool) -> Rate:
    """Return how often the mark is ``hit``; answers without a mark are left out."""
    found = jeffreys_rate(marks.count(hit), len(marks) - marks.count(None))
    return Rate(yes=found.yes, trials=found.trials, low=found.interval.low, high=found.interval.high)
