"""Have what is owed scored by the run's judge: served here, once, after all candidates, or reached at its endpoint."""

import collections
import itertools
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from string import Template
from typing import NamedTuple

from judge.events import Event, Loaded, Loading, Scored, ScoringFailed
from judge.grade import Grader
from judge.grounding import findings
from judge.pipeline.scorings import BATCH, JudgeTask, OwedTask, owed_scorings
from judge.pipeline.shared import Counter, Machinery, launch_of
from judge.prefilter import no_answer_verdicts
from judge.records import JudgeRecord, RunRecord
from judge.scoring import answer_score
from judge.store import Store
from judge.types import JudgeFailure, Judgement
from runner.arms import build_arm
from runner.balance import Balanced, same_model
from runner.client import ModelClient
from runner.dialects import Dialect
from runner.engines.local import run_batches
from runner.errors import ServerError
from runner.journal import about, note
from runner.probe import probe
from runner.serve import RunningServer, serve
from runner.types import Arm, Config

logger = logging.getLogger(__name__)

_Outcome = tuple[JudgeTask, Judgement | JudgeFailure]


async def score_run(
    run: RunRecord, judge: JudgeRecord, store: Store, templates: Mapping[str, Template], machinery: Machinery
) -> AsyncIterator[Event]:
    """Score every owed answer with one judge. Raises ServerError or EndpointError when the judge cannot be used at all.

    Outcomes are stored in one transaction with whatever else has come since the last one. A killed process loses what was in
    flight, and what came in the one turn of the loop before the transaction.
    """
    survey = collections.Counter(one.needs_judge for one in owed_scorings(run, judge, store))
    counter = Counter(survey.total())
    no_answers = (one.task for one in owed_scorings(run, judge, store) if not one.needs_judge)
    while survey[False] and (batch := list(itertools.islice(no_answers, BATCH))):
        for event in _keep(run, [(task, _no_answer(task)) for task in batch], store, counter):
            yield event
    if counter.left and not machinery.budget.spent():
        async for event in _ask_judge(run, judge, store, templates, machinery, counter):
            yield event


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
        asked = await _open_judge(run, judge, store, machinery, stack)
        server = asked.server
        experts_used = server.proof.experts_used if server else None
        yield Loaded(model=judge.name, seconds=time.monotonic() - started_s, experts_used=experts_used)
        grader = Grader(
            asked.client,
            asked.dialect,
            templates,
            run.suite.scale,
            judge.sampling,
            machinery.retry,
            server.log if server else None,
        )

        async def score(owed: OwedTask) -> _Outcome:
            task, text = owed
            with about(task.key):
                return task, await ask(task, text)

        async def ask(task: JudgeTask, text: str) -> Judgement | JudgeFailure:
            place = {"arm": task.arm_id, "question": task.question.id, "answer": task.answer_key}
            note(logger, "scoring", judge=judge.name, replicate=task.call.replicate, **place)
            if server is not None and not server.alive:
                raise ServerError(f"{judge.name}: {server.obituary()}")
            shown = findings(task.evidence, task.question)
            return await grader.grade(task.question, task.answer_key, text, task.call, shown)

        async for batch in run_batches(
            machinery.budget.within(owed_scorings(run, judge, store)), score, limit=asked.client.limit
        ):
            for event in _keep(run, batch, store, counter):
                yield event


class _Asked(NamedTuple):
    """A judge that is ready."""

    client: Balanced
    dialect: Dialect
    server: RunningServer | None
    """``None`` for an endpoint."""


async def _open_judge(
    run: RunRecord, judge: JudgeRecord, store: Store, machinery: Machinery, stack: AsyncExitStack
) -> _Asked:
    """Serve the judge or reach its endpoints; ``stack`` keeps them open."""
    if judge.model is None:
        clients = [
            await stack.enter_async_context(ModelClient(endpoint, api_key=machinery.api_key))
            for endpoint in judge.endpoints
        ]
        found = await same_model(clients, retry=machinery.retry)
        # A llama-cpp-python server works on one request at a time, and the others only wait in its queue.
        slow = len(clients) if found.counts_tokens else None
        return _Asked(Balanced(clients, fixed=machinery.concurrency or slow), found.dialect, None)
    arm = judge_arm(judge)
    log = machinery.folder / "logs" / f"judge_{judge.name}.log"
    server = await stack.enter_async_context(serve(arm, judge.model, log, options=machinery.serve))
    store.add_launch(run.id, arm, launch_of(server))
    client = await stack.enter_async_context(ModelClient(server.endpoint))
    found = await probe(client, retry=machinery.retry)
    return _Asked(Balanced([client], fixed=1), found.dialect, server)


def judge_arm(judge: JudgeRecord) -> Arm:
    """Return the arm as which a local judge is served."""
    assert judge.model is not None and judge.serving is not None
    return build_arm(judge.name, judge.model, Config.parse(judge.config), judge.serving)


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
