"""Have what is owed scored by the run's judge: served here, once, after all candidates, or reached at its endpoint."""

import itertools
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from string import Template

from judge.events import Event, Loaded, Loading, Scored, ScoringFailed
from judge.grounding import findings
from judge.pipeline.bench import open_judge
from judge.pipeline.carried import carried_out
from judge.pipeline.examining import exam_owed, examine
from judge.pipeline.in_turn import Share, in_turn
from judge.pipeline.scorings import BATCH, JudgeTask, OwedTask, count_owed_scorings, has_scorings, owed_scorings
from judge.pipeline.shared import Counter, Machinery
from judge.prefilter import no_answer_verdicts
from judge.records import JudgeRecord, RunRecord
from judge.scoring import answer_score
from judge.store import Store
from judge.types import JudgeFailure, Judgement
from runner.errors import EndpointError, ServerError
from runner.journal import about, note

logger = logging.getLogger(__name__)

_Outcome = tuple[JudgeTask, Judgement | JudgeFailure]


def score_all(
    run: RunRecord, store: Store, templates: Mapping[str, Template], machinery: Machinery
) -> AsyncIterator[Event]:
    """Score every owed answer with every judge, as ``in_turn`` does."""

    def share(judge: JudgeRecord) -> Share:
        work = score_run(run, judge, store, templates, machinery)
        return Share(judge.name, work, lambda: count_owed_scorings(run, judge, store))

    return in_turn([share(judge) for judge in run.judges], "scorings")


async def score_run(
    run: RunRecord, judge: JudgeRecord, store: Store, templates: Mapping[str, Template], machinery: Machinery
) -> AsyncIterator[Event]:
    """Score every owed answer with one judge. Raises ServerError or EndpointError when the judge cannot be used at all.

    Outcomes are stored in one transaction with whatever else has come since the last one. A killed process loses what was in
    flight, and what came in the one turn of the loop before the transaction. A text that is no answer gets its score whatever
    becomes of the judge.
    """
    counter = Counter(count_owed_scorings(run, judge, store))
    wanted = any(one.needs_judge for one in owed_scorings(run, judge, store))  # ends at the first that does
    try:
        if (wanted or only_exam_owed(run, judge, store, machinery)) and not machinery.budget.spent():
            async for event in _ask_judge(run, judge, store, templates, machinery, counter):
                yield event
    except (ServerError, EndpointError):
        for event in _keep_no_answers(run, judge, store, counter):
            yield event
        raise
    if counter.left:
        for event in _keep_no_answers(run, judge, store, counter):
            yield event


def _keep_no_answers(run: RunRecord, judge: JudgeRecord, store: Store, counter: Counter) -> Iterator[Event]:
    """Store the lowest score of what is owed and no answer."""
    tasks = (one.task for one in owed_scorings(run, judge, store) if not one.needs_judge)
    while batch := list(itertools.islice(tasks, BATCH)):
        yield from _keep(run, [(task, _no_answer(task)) for task in batch], store, counter)


def only_exam_owed(run: RunRecord, judge: JudgeRecord, store: Store, machinery: Machinery) -> bool:
    """True when scores that are stored wait for the judge's exam, or the run is nothing but an exam."""
    if not exam_owed(run, judge, store, machinery):
        return False
    return not run.arms or has_scorings(run, judge, store)


async def _ask_judge(
    run: RunRecord,
    judge: JudgeRecord,
    store: Store,
    templates: Mapping[str, Template],
    machinery: Machinery,
    counter: Counter,
) -> AsyncIterator[Event]:
    yield Loading(model=judge.name, phase="score")
    started_s = time.monotonic()
    async with AsyncExitStack() as stack:
        bench = await open_judge(run, judge, store, templates, machinery, stack)
        yield Loaded(model=judge.name, seconds=time.monotonic() - started_s, experts_used=bench.experts_used)
        for notice in bench.news():
            yield notice
        if machinery.exam and exam_owed(run, judge, store, machinery):
            async for event in examine(run, judge, bench, store, machinery):
                yield event

        async def score(owed: OwedTask) -> _Outcome:
            task, text = owed
            if not owed.needs_judge:
                return task, _no_answer(task)
            with about(task.key):
                place = {"arm": task.arm_id, "question": task.question.id, "answer": task.answer_key}
                note(logger, "scoring", judge=judge.name, replicate=task.call.replicate, **place)
                shown = findings(task.evidence, task.question)
                return task, await bench.grade(task.question, task.answer_key, text, task.call, shown)

        tasks = machinery.budget.within(owed_scorings(run, judge, store))
        work = carried_out(bench, tasks, score, lambda batch: _keep(run, batch, store, counter))
        async for event in await stack.enter_async_context(aclosing(work)):
            yield event


def _keep(run: RunRecord, outcomes: Sequence[_Outcome], store: Store, counter: Counter) -> Iterator[Event]:
    """Store the outcomes together and yield the events that tell of them."""
    store.add_outcomes(run.id, [outcome for _, outcome in outcomes])
    for task, outcome in outcomes:
        with about(task.key):
            note(logger, "stored", outcome=type(outcome).__name__, message=getattr(outcome, "message", None))
        place = {"judge": task.call.judge, "arm_id": task.arm_id, "question_id": task.question.id}
        done = {"done": counter.step(), "owed": counter.owed}
        if isinstance(outcome, JudgeFailure):
            yield ScoringFailed(**place, message=outcome.message, **done)
        else:
            yield Scored(**place, score=answer_score(task.question, outcome.verdicts), **done)


def _no_answer(task: JudgeTask) -> Judgement:
    verdicts = no_answer_verdicts(task.question)
    return Judgement(
        answer_unit=task.answer_key, call=task.call, verdicts=verdicts, replies=(), repaired=False, latency_s=0.0
    )
