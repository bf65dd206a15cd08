"""Answers that no judge needs to see: nothing was answered, so every criterion is 1, or two that are one and the same. Pure.

Judges are known to give points to a bare ":" or "Thought process:"; such an answer never reaches one.
"""

import re

from judge.pairs import Winner
from judge.prompting import EMPTY_ANSWER, presentable
from judge.types import Question, Verdict

MIN_LINES = 3
MIN_WORDS = 8
_CODE = re.compile(r"\b(def|class|lambda|return|import)\b|[=({\[]")


def is_no_answer(text: str) -> bool:
    """True when the text has under three lines, hardly a word and nothing that looks like code."""
    shown = presentable(text)
    if shown == EMPTY_ANSWER:
        return True
    lines = [line for line in shown.splitlines() if line.strip()]
    return len(lines) < MIN_LINES and len(shown.split()) < MIN_WORDS and not _CODE.search(shown)


def no_answer_verdicts(question: Question) -> tuple[Verdict, ...]:
    """Return the lowest score on every criterion."""
    return tuple(
        Verdict(criterion=criterion.id, score=1, evidence="", reasoning="no answer was given")
        for criterion in question.criteria
    )


def foregone(first: str, second: str) -> Winner | None:
    """Return what comes of comparing two texts of which one is no answer, or that look the same to a judge; ``None``: ask one."""
    match is_no_answer(first), is_no_answer(second):
        case True, False:
            return "second"
        case False, True:
            return "first"
        case True, True:
            return "tie"
    return "tie" if presentable(first) == presentable(second) else None
