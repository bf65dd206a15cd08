"""What ``judge exam`` does: examine one judge outside of any run, or read what earlier exams showed."""

import asyncio
import os
import shlex
import sys
from collections.abc import Sequence

from judge import terminal
from judge.app import Conduct, Places, api_key
from judge.errors import Interrupted
from judge.exam.result import ExamResult, ExamSize
from judge.exam.table import COLUMNS, LIST_COLUMNS, list_row, rows
from judge.library import load_judge_prompts, load_suite
from judge.pipeline import Machinery, exam_of, score_run
from judge.records import JudgeRecord, RunRecord
from judge.request import JudgeChoice, RunChoice, build_judge, chosen_questions, environment, new_run_id
from judge.store import Store
from runner.serve import ServeOptions


def examine_judge(
    places: Places,
    choice: JudgeChoice,
    questions: Sequence[str],
    size: ExamSize,
    conduct: Conduct,
    command: Sequence[str],
) -> ExamResult | None:
    """Return the exam of a judge, asking only for what is not stored; ``None``: its endpoint failed, and the rest is owed."""
    judge = build_judge(RunChoice(candidates=(), judge=choice), places.load_models(), load_judge_prompts(), os.environ)
    run = _run_of(judge, questions, command)
    store = places.open_store()
    try:
        if exam_of(store, judge, run.suite, run.question_ids, size) is None:
            asyncio.run(_examine(run, judge, store, size, places, conduct))
        return exam_of(store, judge, run.suite, run.question_ids, size)
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted; go on with: {shlex.join(command)}") from error
    finally:
        store.close()


async def _examine(
    run: RunRecord, judge: JudgeRecord, store: Store, size: ExamSize, places: Places, conduct: Conduct
) -> None:
    machinery = Machinery(
        folder=places.results / "exams" / run.id,
        api_key=api_key(),
        serve=ServeOptions(load_timeout_s=conduct.load_timeout_s, port=conduct.port),
        concurrency=conduct.concurrency,
        exam=size,
    )
    with terminal.screen(quiet=conduct.quiet) as screen:
        async for event in score_run(run, judge, store, load_judge_prompts().templates, machinery):
            screen.show(event)


def _run_of(judge: JudgeRecord, questions: Sequence[str], command: Sequence[str]) -> RunRecord:
    """Return a run without candidates: its judge has nothing to score but the exam. It is not listed among the runs."""
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
        judge=judge,
        environment=environment(),
    )


def stored_exams(places: Places, judge: str | None) -> list[ExamResult]:
    """Return the stored exams, newest first; of one judge when its name is given."""
    store = places.open_store()
    try:
        return [exam for exam in store.exams() if judge in (None, exam.judge)]
    finally:
        store.close()


def print_exam(exam: ExamResult) -> None:
    """Print one exam to stdout, its verdict first."""
    sys.stdout.write(f"{exam.judge}: {exam.qualification.reason}\n")
    terminal.print_table(f"Exam of {exam.judge} on {', '.join(exam.rubrics)}", list(COLUMNS), list(rows(exam)))


def print_exams(exams: Sequence[ExamResult]) -> None:
    """Print one line an exam to stdout."""
    terminal.print_table("", list(LIST_COLUMNS), [list_row(exam) for exam in exams])
