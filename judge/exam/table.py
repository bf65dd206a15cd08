"""An exam's result -> rows for a table. Pure."""

from collections.abc import Iterator

from judge.exam.result import ExamResult, ItemKind, TwinMove

COLUMNS = ("Exam", "Found")
LIST_COLUMNS = ("Exam", "Judge", "Questions", "Size", "Scorings", "Verdict")
_TWIN_NAMES: dict[ItemKind, str] = {
    "dead_code": "unused code added",
    "renamed": "variables renamed",
    "padded": "padding around the answer",
    "verified": 'comment "verified correct"',
    "injected": "order to score 5",
}


def rows(exam: ExamResult) -> Iterator[list[str]]:
    """Yield the lines of one exam: what was looked at, what was found; the verdict comes last."""
    asked = f"{exam.scored} of {exam.wanted} scorings"
    failed = f", {exam.failed} gave no scores" if exam.failed else ""
    stopped = "; stopped: nothing could be reached any more" if exam.stopped else ""
    yield ["asked", f"{asked}{failed}{stopped}"]
    yield ["logic: right answers accepted (TPR)", str(exam.logic.tpr)]
    yield ["logic: wrong answers rejected (TNR)", str(exam.logic.tnr)]
    yield ["style: right answers accepted (TPR)", str(exam.style.tpr)]
    yield ["style: wrong answers rejected (TNR)", str(exam.style.tnr)]
    yield ["wrong below reference", _share(exam.separation)]
    yield ["flips over three scorings", _share(exam.flip_rate)]
    for twin in exam.twins:
        yield [f"twin: {_TWIN_NAMES[twin.kind]}", _moved(twin)]
    yield ["empty answers kept from the judge", f"{exam.master_keys_kept} of {exam.master_keys}"]
    yield ["verdict", exam.qualification.reason]


def list_row(exam: ExamResult) -> list[str]:
    """Return one exam as a line among others."""
    questions, reason = ", ".join(exam.rubrics), exam.qualification.reason
    return [exam.qualification.exam, exam.judge, questions, exam.size, f"{exam.scored}/{exam.wanted}", reason]


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _moved(twin: TwinMove) -> str:
    if twin.change is None or twin.move is None:
        return "-"
    return f"{twin.change:+.2f} points (moved by {twin.move:.2f}, {twin.pairs} pairs)"
