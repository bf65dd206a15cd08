"""What ``judge exam`` does: examine judges outside of any run, or read what earlier exams showed."""

import asyncio
import shlex
import sys
from collections.abc import Sequence

from judge import terminal
from judge.app import prepare_judges
from judge.conduct import Conduct, machinery_of
from judge.errors import Interrupted
from judge.events import BudgetSpent
from judge.exam.result import ExamResult, ExamSize
from judge.exam.table import COLUMNS, LIST_COLUMNS, list_row, rows
from judge.judge_prompts import load_judge_prompts
from judge.library import load_suite
from judge.machine import environment
from judge.pipeline import exam_of, exam_owed, score_all
from judge.places import Places
from judge.printed import print_table
from judge.records import JudgeRecord, RunRecord
from judge.request import chosen_questions, new_run_id
from judge.store import Store
from judge.wanted import JudgeChoice


def examine_judges(
    places: Places,
    choices: Sequence[JudgeChoice],
    questions: Sequence[str],
    size: ExamSize,
    conduct: Conduct,
    command: Sequence[str],
) -> list[ExamResult]:
    """Return the exam of each judge, asking only for what is not stored; one whose endpoint failed is left out, and owed."""
    judges = prepare_judges(places, choices)
    run = _run_of(judges, questions, command)
    store = places.open_store()
    try:
        asyncio.run(_examine(run, store, size, places, conduct))
        found = [exam_of(store, judge, run.suite, run.question_ids, size) for judge in judges]
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted; go on with: {shlex.join(command)}") from error
    finally:
        store.close()
    return [exam for exam in found if exam is not None]


async def _examine(run: RunRecord, store: Store, size: ExamSize, places: Places, conduct: Conduct) -> None:
    folder = places.results / "exams" / run.id
    machinery = machinery_of(conduct.model_copy(update={"exam": size}), folder)
    with terminal.screen(lambda: (), quiet=conduct.quiet) as screen:
        async for event in score_all(run, store, load_judge_prompts().templates, machinery):
            screen.show(event)
        if machinery.budget.spent() and any(exam_owed(run, judge, store, machinery) for judge in run.judges):
            screen.show(BudgetSpent(hours=conduct.budget_hours or 0.0))


def _run_of(judges: Sequence[JudgeRecord], questions: Sequence[str], command: Sequence[str]) -> RunRecord:
    """Return a run without candidates: its judges have nothing to score but the exam. It is not listed among the runs."""
    suite = load_suite()
    run_id, created_at = new_run_id()
    return RunRecord(
        id=f"exam-{run_id}",
        created_at=created_at,
        command=tuple(command),
        suite=suite,
        question_ids=chosen_questions(suite, questions, ()),
        samples=1,
        arms=(),
        judges=tuple(judges),
        environment=environment(),
    )


def stored_exams(places: Places, judges: Sequence[str]) -> list[ExamResult]:
    """Return the stored exams, newest first; of the judges named, when some are."""
    store = places.open_store()
    try:
        return [exam for exam in store.exams() if not judges or exam.judge in judges]
    finally:
        store.close()


def print_exam(exam: ExamResult) -> None:
    """Print one exam to stdout, its verdict first."""
    sys.stdout.write(f"{exam.judge}: {exam.qualification.reason}\n")
    print_table(f"Exam of {exam.judge} on {', '.join(exam.rubrics)}", list(COLUMNS), list(rows(exam)))


def print_owed(owed: int, wanted: int) -> None:
    """Say on stderr how many of the exams were not finished; nothing when all were."""
    if owed:
        sys.stderr.write(
            f"incomplete: {owed} of {wanted} exams are owed; the same command again asks for what is missing\n"
        )


def print_exams(exams: Sequence[ExamResult]) -> None:
    """Print one line an exam to stdout."""
    print_table("", list(LIST_COLUMNS), [list_row(exam) for exam in exams])
