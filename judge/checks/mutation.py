"""How good the checks are: right answers that they accept, and wrong answers that they catch for what is wrong with them.

The answers are those of ``judge.exam_answers``; what only a judge can see is left out.
"""

from collections.abc import Sequence
from importlib.resources.abc import Traversable

from judge.checks.checking import Evidence, bounds
from judge.checks.evidence import examine_all
from judge.exam_answers import ExamAnswer, load_exam
from judge.shipped import shipped
from judge.types import Question, Suite
from runner.isolation import Isolation
from runner.types import Value

ENOUGH_CAUGHT = 0.95
"""Share of wrong answers that good checks catch."""


class Miss(Value):
    """A right answer that was refused, or a wrong one that was not caught by a criterion of its label."""

    file: str
    about: str
    seen: str
    """One line: what the evidence says instead."""


class QuestionScore(Value):
    """How the checks of one question did."""

    question_id: str
    right: int
    accepted: int
    wrong: int
    caught: int
    """By at least one criterion of its label."""
    fully_caught: int
    """By every criterion of its label that has checks."""
    not_run: int
    """Answers about which nothing was found out; in none of the other counts."""
    misses: tuple[Miss, ...]

    @property
    def good(self) -> bool:
        """True when every right answer was accepted and enough of the wrong ones were caught."""
        return not self.not_run and self.accepted == self.right and self.caught >= ENOUGH_CAUGHT * self.wrong


async def score_checks(
    suite: Suite,
    *,
    question_ids: Sequence[str] | None = None,
    exam: Traversable | None = None,
    isolated: Isolation | None = None,
    at_once: int = 4,
) -> list[QuestionScore]:
    """Examine the exam answers of each question that has some. Raises LibraryError for labels that are wrong."""
    folder = exam or shipped("rubrics") / "exam"
    scores = []
    for question in suite.questions:
        if question_ids is not None and question.id not in question_ids:
            continue
        answers = for_checks(load_exam(question, folder))
        found = await examine_all(question, [answer.text for answer in answers], at_once=at_once, isolated=isolated)
        known = [(answer, evidence) for answer, evidence in zip(answers, found, strict=True) if evidence is not None]
        if known:
            scores.append(score(question, known))
    return scores


def for_checks(answers: Sequence[ExamAnswer]) -> list[ExamAnswer]:
    """Return the answers whose truth execution or static analysis can show."""
    return [answer for answer in answers if not answer.by_judge]


# --- scoring: pure ------------------------------------------------------------------------------------------------


def score(question: Question, examined: Sequence[tuple[ExamAnswer, Evidence]]) -> QuestionScore:
    """Count what the evidence says about answers whose truth is known."""
    known = [(a, e) for a, e in examined if e.state not in ("not_run", "ambiguous")]
    right = [(a, e) for a, e in known if a.right]
    wrong = [(a, e) for a, e in known if not a.right]
    refused = [(a, e) for a, e in right if not _accepted(question, e)]
    missed = [(a, e) for a, e in wrong if not any(_caught(question, a, e))]
    unknown = [(a, e) for a, e in examined if e.state in ("not_run", "ambiguous")]
    return QuestionScore(
        question_id=question.id,
        right=len(right),
        accepted=len(right) - len(refused),
        wrong=len(wrong),
        caught=len(wrong) - len(missed),
        fully_caught=sum(all(_caught(question, a, e)) for a, e in wrong),
        not_run=len(unknown),
        misses=tuple(Miss(file=a.file, about=a.about, seen=_seen(e)) for a, e in [*refused, *missed, *unknown]),
    )


def _accepted(question: Question, evidence: Evidence) -> bool:
    return all(bound == 5 for bound in bounds(evidence, question).values())


def _caught(question: Question, answer: ExamAnswer, evidence: Evidence) -> list[bool]:
    bound = bounds(evidence, question)
    checked = {criterion for check in evidence.checks for criterion in check.criteria}
    return [bound.get(criterion, 5) < 5 for criterion in answer.criteria if criterion in checked]


def _seen(evidence: Evidence) -> str:
    if evidence.state != "ok":
        return f"{evidence.state}: {evidence.message}"
    failed = ", ".join(f"{check.id} ({check.input}: {check.got or check.reason})" for check in evidence.failures)
    return f"failed: {failed}" if failed else "every check passed"


def render_scores(scores: Sequence[QuestionScore]) -> str:
    """Return the scores as a table in plain text, each miss in a line of its own."""
    lines = [f"{'question':<10} {'right accepted':>14} {'wrong caught':>14} {'not run':>8}"]
    for one in scores:
        accepted, caught = f"{one.accepted}/{one.right}", f"{one.caught}/{one.wrong}"
        lines.append(f"{one.question_id:<10} {accepted:>14} {caught:>14} {one.not_run:>8}")
        lines += [f"    {miss.file}: {miss.about}\n        {miss.seen}" for miss in one.misses]
    return "\n".join(lines) + "\n"
