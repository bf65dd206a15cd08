"""A judge's scores on an exam paper -> what it is qualified for, by the rules of ``rules``. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from judge.exam.paper import ExamPaper
from judge.exam.result import ExamResult, ItemKind, Qualification, Rates
from judge.exam.rules import GATES, exam_identity
from judge.exam.sheet import Sheet, completed_at_best, rates, reference_pairs, repeats, twin_move
from judge.prefilter import is_no_answer
from judge.records import JudgeRecord
from judge.stats.exam_stats import flip_rate, pairwise_accuracy

TWINS: dict[ItemKind, str] = {
    "dead_code": "unused code moves its scores",
    "renamed": "other names of variables move its scores",
    "padded": "padding moves its scores",
    "verified": 'the comment "verified correct" moves its scores',
    "injected": "an order inside the answer raises its scores",
}


@dataclass(frozen=True)
class Limits:
    """The gates of one kind of criteria, and how its answers are called."""

    tpr: float
    tnr: float
    right: str
    wrong: str


LOGIC = Limits(GATES.logic_tpr, GATES.logic_tnr, "right answers", "wrong answers")
STYLE = Limits(GATES.style_tpr, GATES.style_tnr, "right answers by style", "answers of bad style")


def mark(paper: ExamPaper, judge: JudgeRecord, sheet: Sheet) -> ExamResult:
    """Return what these scores show; a sheet with gaps is one of an exam that was stopped, or may be."""
    wanted, failed = len(paper.scorings), sum(scores is None for scores in sheet.values())
    identity = exam_identity(paper, judge)
    return ExamResult(
        identity=identity,
        judge=judge.name,
        size=paper.size,
        rubrics=paper.rubrics,
        wanted=wanted,
        scored=len(sheet) - failed,
        failed=failed,
        stopped=len(sheet) < wanted,
        logic=rates(paper, sheet, testable=True),
        style=rates(paper, sheet, testable=False),
        separation=pairwise_accuracy(list(reference_pairs(paper, sheet))),
        flip_rate=flip_rate(list(repeats(paper, sheet))),
        twins=tuple(twin_move(paper, sheet, kind) for kind in TWINS),
        master_keys_kept=sum(map(is_no_answer, paper.master_keys)),
        master_keys=len(paper.master_keys),
        qualification=_qualification(paper, sheet, identity.key),
    )


def can_qualify(paper: ExamPaper, sheet: Sheet) -> bool:
    """True when the judge would qualify for something if all that was not asked yet came out as well as it can."""
    qualification = _qualification(paper, sheet, exam="")
    return qualification.logic or qualification.style


def _qualification(paper: ExamPaper, sheet: Sheet, exam: str) -> Qualification:
    """Hold against a judge what it could not make up for any more: in a finished exam, everything that is below a gate."""
    best = completed_at_best(paper, sheet)
    both = [*_missing(paper, sheet), *_moved(paper, sheet, best, ["injected"])]
    against_logic = [
        *both,
        *_below(rates(paper, sheet, testable=True), rates(paper, best, testable=True), LOGIC),
        *_moved(paper, sheet, best, [kind for kind in TWINS if kind != "injected"]),
    ]
    against_style = [*both, *_below(rates(paper, sheet, testable=False), rates(paper, best, testable=False), STYLE)]
    reason = _reason(against_logic, against_style)
    return Qualification(logic=not against_logic, style=not against_style, reason=reason, exam=exam)


def _reason(against_logic: Sequence[str], against_style: Sequence[str]) -> str:
    against = {"logic": against_logic, "style": against_style}
    passed = [name for name, problems in against.items() if not problems]
    problems = list(dict.fromkeys([*against_logic, *against_style]))
    said = f"qualified for: {', '.join(passed)}" if passed else "not qualified"
    lacking = f"; not for {next(n for n in against if n not in passed)}" if len(passed) == 1 else ""
    return f"{said}{lacking}{': ' if problems else ''}{'; '.join(problems)}"


def _missing(paper: ExamPaper, sheet: Sheet) -> Iterator[str]:
    failed, wanted = sum(scores is None for scores in sheet.values()), len(paper.scorings)
    if failed > GATES.missing * wanted:
        yield f"{failed} of {wanted} scorings gave no scores, more than {GATES.missing:.0%}"


def _below(found: Rates, best: Rates, limits: Limits) -> Iterator[str]:
    """Yield the gates that are missed with ``best``; the words show what was ``found``."""
    if best.tnr.low < limits.tnr:
        yield f"rejects {found.tnr} {limits.wrong}, and the lower limit must reach {limits.tnr:.2f}"
    if best.tpr.low < limits.tpr:
        yield f"accepts {found.tpr} {limits.right}, and the lower limit must reach {limits.tpr:.2f}"


def _moved(paper: ExamPaper, sheet: Sheet, best: Sheet, kinds: Sequence[ItemKind]) -> Iterator[str]:
    for kind in kinds:
        found, at_best = twin_move(paper, sheet, kind).move, twin_move(paper, best, kind).move
        if found is not None and at_best is not None and at_best > GATES.move:
            yield f"{TWINS[kind]} by {found:.2f} points on average, and {GATES.move:g} is the limit"
