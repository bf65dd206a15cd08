"""Collect what is owed: every arm is loaded once, all its answers are stored as they come."""

import logging
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

from judge.events import Answered, ArmFailed, Event, Loaded, Loading, Noticed
from judge.pipeline.shared import Counter, Machinery, Restarts, file_name, launch_of
from judge.plan import ArmWork, arm_work, each_wanted_key, wanted_answers
from judge.records import ArmRecord, RunRecord
from judge.store import Store
from judge.store.database import batches
from judge.types import Question
from judge.units import AnswerUnit
from runner.client import ModelClient
from runner.collect import collect, warm_up
from runner.errors import EndpointError, ServerError
from runner.journal import from_now_about, note
from runner.machine_load import machine_load
from runner.serve import RunningServer
from runner.supervise import supervised
from runner.timing import timing
from runner.types import Answer, Arm, Prompt, Sampling

logger = logging.getLogger(__name__)


def work_of(run: RunRecord, store: Store) -> list[ArmWork]:
    """Return what each arm of the run is wanted to answer, and what of it is owed."""
    return [_work_of_arm(run, record, store) for record in run.arms]


def _work_of_arm(run: RunRecord, record: ArmRecord, store: Store) -> ArmWork:
    wanted = wanted_answers(run, record)
    return arm_work(record.arm, wanted, store.stored_answers(unit.key for unit in wanted))


def count_owed_answers(run: RunRecord, record: ArmRecord, store: Store) -> int:
    """Return how many answers an arm owes, holding none of them."""
    wanted = (one.key for one in each_wanted_key(run, record))
    return sum(len(batch) - len(store.stored_answers(batch)) for batch in batches(wanted))


async def collect_run(run: RunRecord, store: Store, machinery: Machinery) -> AsyncIterator[Event]:
    """Collect every owed answer. An arm that cannot be served or dies is reported and left owed; the next one goes on."""
    work = work_of(run, store)
    counter = Counter(sum(len(arm.owed) for arm in work))
    for record, arm in zip(run.arms, work, strict=True):
        if not arm.owed or record.model is None or machinery.budget.spent():
            continue
        try:
            async for event in _collect_arm(run, record, arm.owed, store, machinery, counter):
                yield event
        except (ServerError, EndpointError) as error:
            yield ArmFailed(arm_id=record.arm.id, message=str(error))
        finally:
            from_now_about(None)  # a server that failed left the requests where they were


async def _collect_arm(
    run: RunRecord,
    record: ArmRecord,
    owed: Sequence[AnswerUnit],
    store: Store,
    machinery: Machinery,
    counter: "Counter",
) -> AsyncIterator[Event]:
    assert record.model is not None, "imported arms are not collected"
    questions = {question.id: question for question in run.suite.questions}
    load = await machine_load()
    if load and (warning := load.warning(record.arm.serving.n_threads)):
        yield Noticed(model=record.arm.id, message=warning)
    yield Loading(model=record.arm.id, phase="collect")
    started_s = time.monotonic()

    async def prepare(server: RunningServer, client: ModelClient) -> None:
        store.add_launch(run.id, record.arm, launch_of(server, load))
        await warm_up(server, client, retry=machinery.retry)

    log = machinery.folder / "logs" / f"{file_name(record.arm)}.log"
    async with supervised(record.arm, record.model, log, prepare=prepare, options=machinery.serve) as kept:
        seconds, proof, restarts = time.monotonic() - started_s, kept.server.proof, Restarts(kept)
        yield Loaded(model=record.arm.id, seconds=seconds, experts_used=proof.experts_used)
        requests = _requests(record, machinery.budget.within(owed), questions)
        units = iter(owed)
        async for answer in collect(kept, requests, retry=machinery.retry):
            unit = next(units)
            store.add_answer(run.id, unit, answer)
            for restarted in restarts.news():
                yield restarted
            note(logger, "stored", state=answer.state.value, message=answer.message)
            yield _answered(record.arm, unit, answer, counter)


def _requests(
    record: ArmRecord, owed: Iterable[AnswerUnit], questions: Mapping[str, Question]
) -> Iterator[tuple[Prompt, int, Sampling]]:
    for unit in owed:
        from_now_about(unit.key)
        note(logger, "asking", arm=record.arm.id, question=unit.question_id, sample=unit.sample)
        yield questions[unit.question_id].as_prompt(), unit.sample, unit.sampling
    from_now_about(None)


def _answered(arm: Arm, unit: AnswerUnit, answer: Answer, counter: "Counter") -> Answered:
    return Answered(
        arm_id=arm.id,
        question_id=unit.question_id,
        answer=answer,
        timing=timing(answer, speculative=arm.config.draft_tokens is not None),
        done=counter.step(),
        owed=counter.owed,
    )
