"""Have a judge say which of two answers is better: all that is owed, both orders of each two, stored as it comes."""

import collections
import itertools
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from string import Template

from judge.events import Compared, ComparisonFailed, Event, Loaded, Loading
from judge.pairs import PairFailure, PairJudgement, Winner
from judge.pipeline.bench import open_judge
from judge.pipeline.carried import carried_out
from judge.pipeline.in_turn import Share, in_turn
from judge.pipeline.pairings import Contest, OwedPair, PairTask, count_owed_pairings, owed_pairings
from judge.pipeline.scorings import BATCH
from judge.pipeline.shared import Counter, Machinery
from judge.store import Store
from runner.journal import about, note

logger = logging.getLogger(__name__)

_Outcome = tuple[PairTask, PairJudgement | PairFailure]


def rank_all(
    contests: Sequence[Contest], store: Store, templates: Mapping[str, Template], machinery: Machinery
) -> AsyncIterator[Event]:
    """Make every owed comparison of every judge, as ``in_turn`` does."""

    def share(contest: Contest) -> Share:
        work = rank_run(contest, store, templates, machinery)
        return Share(contest.ranking.judge.name, work, lambda: count_owed_pairings(contest, store))

    return in_turn([share(contest) for contest in contests], "comparisons")


async def rank_run(
    contest: Contest, store: Store, templates: Mapping[str, Template], machinery: Machinery
) -> AsyncIterator[Event]:
    """Make every owed comparison. Raises ServerError or EndpointError when the judge cannot be used at all.

    Outcomes are stored as those of scorings are: a killed process loses what was in flight.
    """
    survey = collections.Counter(one.foregone is None for one in owed_pairings(contest, store))
    counter = Counter(survey.total())
    clear = ((one.task, winner) for one in owed_pairings(contest, store) if (winner := one.foregone) is not None)
    while survey[False] and (batch := list(itertools.islice(clear, BATCH))):
        for event in _keep(contest, [(task, _foregone(task, winner)) for task, winner in batch], store, counter):
            yield event
    if counter.left and not machinery.budget.spent():
        async for event in _ask_judge(contest, store, templates, machinery, counter):
            yield event


async def _ask_judge(
    contest: Contest, store: Store, templates: Mapping[str, Template], machinery: Machinery, counter: Counter
) -> AsyncIterator[Event]:
    judge = contest.ranking.judge
    yield Loading(model=judge.name, phase="rank")
    started_s = time.monotonic()
    async with AsyncExitStack() as stack:
        bench = await open_judge(contest.run, judge, store, templates, machinery, stack)
        yield Loaded(model=judge.name, seconds=time.monotonic() - started_s, experts_used=bench.experts_used)
        for notice in bench.news():
            yield notice

        async def compare(owed: OwedPair) -> _Outcome:
            task = owed.task
            with about(task.key):
                place = {
                    "question": task.question.id,
                    "sample": task.sample,
                    "first": task.arms[0],
                    "second": task.arms[1],
                }
                note(logger, "comparing", judge=judge.name, **place)
                return task, await bench.compare(task.question, *owed.shown, task.call)

        tasks = machinery.budget.within(owed_pairings(contest, store))
        work = carried_out(bench, tasks, compare, lambda batch: _keep(contest, batch, store, counter))
        async for event in await stack.enter_async_context(aclosing(work)):
            yield event


def _keep(contest: Contest, outcomes: Sequence[_Outcome], store: Store, counter: Counter) -> Iterator[Event]:
    """Store the outcomes together and yield the events that tell of them."""
    store.add_comparisons(contest.run.id, [outcome for _, outcome in outcomes])
    for task, outcome in outcomes:
        with about(task.key):
            note(logger, "stored", outcome=type(outcome).__name__, message=getattr(outcome, "message", None))
        place = {"judge": task.call.judge, "question_id": task.question.id, "sample": task.sample}
        told = {**place, "first": task.arms[0], "second": task.arms[1], "done": counter.step(), "owed": counter.owed}
        if isinstance(outcome, PairFailure):
            yield ComparisonFailed.model_validate({**told, "message": outcome.message})
        else:
            yield Compared.model_validate({**told, "winner": outcome.winner})


def _foregone(task: PairTask, winner: Winner) -> PairJudgement:
    first, second = task.answers
    reasoning = "both texts are the same, or nothing was answered" if winner == "tie" else "the other text is no answer"
    return PairJudgement(first=first, second=second, call=task.call, winner=winner, reasoning=reasoning, replies=())
