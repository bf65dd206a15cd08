"""The checks of each question, and how good they are on answers whose truth is known."""

import asyncio
from collections.abc import Sequence

from judge.checks.modules import load_checks
from judge.checks.mutation import QuestionScore, score_checks
from judge.library import load_suite
from judge.request import chosen_questions

COLUMNS = ("Question", "Check", "Criteria", "Holds when it passes")


def check_rows(names: Sequence[str]) -> list[list[str]]:
    """Return one row a check of the questions named by id or test name; none named: of all."""
    suite = load_suite()
    rows = []
    for question_id in chosen_questions(suite, names, ()):
        module = load_checks(suite.question(question_id))
        rows += (
            [[question_id, check.id, ", ".join(check.criteria), check.about] for check in module.checks]
            if module
            else []
        )
    return rows


def exam_of_checks(names: Sequence[str]) -> list[QuestionScore]:
    """Execute the exam answers of these questions; none named: of all."""
    suite = load_suite()
    return asyncio.run(score_checks(suite, question_ids=chosen_questions(suite, names, ())))
