"""The loops of a run: collect what is owed, then score what is owed. Yields events, prints nothing.

Every model is loaded once: all answers of an arm are collected before the next arm is served, and the judge comes last. A unit is
stored the moment it completes, so a run that is killed loses what was in flight and nothing else.
"""

import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from string import Template

from judge.events import Answered, ArmFailed, Event, Loaded, Loading, Scored, ScoringFailed
from judge.grade import Grader
from judge.lineage import is_self
from judge.plan import ArmWork, arm_work, wanted_answers
from judge.prefilter import is_no_answer, no_answer_verdicts
from judge.records import ArmRecord, JudgeRecord, Launch, RunRecord
from judge.scoring import answer_score
from judge.store import Store
from judge.types import JudgeCall, JudgeFailure, Judgement, Question
from judge.units import AnswerUnit, judgement_key
from runner.arms import build_arm
from runner.client import ModelClient
from runner.collect import collect, warm_up
from runner.engines.local import run_bounded
from runner.errors import EndpointError, ServerError
from runner.probe import Capabilities, check_model, probe
from runner.retry import RetryPolicy
from runner.serve import RunningServer, ServeOptions, serve
from runner.timing import timing
from runner.types import Answer, AnswerState, Arm, Config, Value


class Machinery(Value):
    """How a run is carried out; none of it changes what is measured or scored."""

    folder: Path
    """Where the run leaves its files."""
    api_key: str | None = None
    """For the judge's endpoint; from the environment, never stored."""
    serve: ServeOptions = ServeOptions()
    retry: RetryPolicy = RetryPolicy()
    concurrency: int = 4
    """Requests in flight at a judge's endpoint; a judge that is served here gets one at a time."""


class JudgeTask(Value):
    """One answer that a judge owes a scoring of."""

    arm_id: str
    question: Question
    answer_key: str
    call: JudgeCall

    @property
    def key(self) -> str:
        """Identity of the judgement."""
        return judgement_key(self.answer_key, self.call)


# --- collecting -----------------------------------------------------------------------------------------------------


def work_of(run: RunRecord, store: Store) -> list[ArmWork]:
    """Return what each arm of the run is wanted to answer, and what of it is owed."""
    return [_work_of_arm(run, record, store) for record in run.arms]


def _work_of_arm(run: RunRecord, record: ArmRecord, store: Store) -> ArmWork:
    wanted = wanted_answers(record.arm, questions_of(run), record.sampling, run.samples)
    return arm_work(record.arm, wanted, store.stored_answers(unit.key for unit in wanted))


def questions_of(run: RunRecord) -> list[Question]:
    """Return the questions of the run in the order of the suite."""
    return [question for question in run.suite.questions if question.id in run.question_ids]


async def collect_run(run: RunRecord, store: Store, machinery: Machinery) -> AsyncIterator[Event]:
    """Collect every owed answer. An arm that cannot be served or dies is reported and left owed; the next one goes on."""
    work = work_of(run, store)
    counter = _Counter(sum(len(arm.owed) for arm in work))
    for record, arm in zip(run.arms, work, strict=True):
        if not arm.owed:
            continue
        try:
            async for event in _collect_arm(run, record, arm.owed, store, machinery, counter):
                yield event
        except (ServerError, EndpointError) as error:
            yield ArmFailed(arm_id=record.arm.id, message=str(error))


async def _collect_arm(
    run: RunRecord,
    record: ArmRecord,
    owed: Sequence[AnswerUnit],
    store: Store,
    machinery: Machinery,
    counter: "_Counter",
) -> AsyncIterator[Event]:
    questions = {question.id: question for question in run.suite.questions}
    yield Loading(model=record.arm.id, phase="collect")
    started_s = time.monotonic()
    log = machinery.folder / "logs" / f"{file_name(record.arm)}.log"
    async with (
        serve(record.arm, record.model, log, options=machinery.serve) as server,
        ModelClient(server.endpoint) as client,
    ):
        store.add_launch(run.id, record.arm, launch_of(server))
        await warm_up(server, client)
        yield Loaded(model=record.arm.id, seconds=time.monotonic() - started_s, experts_used=server.proof.experts_used)
        requests = ((questions[unit.question_id].as_prompt(), unit.sample, unit.sampling) for unit in owed)
        units = iter(owed)
        async for answer in collect(server, client, requests, retry=machinery.retry):
            unit = next(units)
            store.add_answer(run.id, unit, answer)
            yield _answered(record.arm, unit, answer, counter)
            if answer.state is AnswerState.SERVER_DIED:
                raise ServerError(f"{record.arm.id}: {server.obituary()}")


def _answered(arm: Arm, unit: AnswerUnit, answer: Answer, counter: "_Counter") -> Answered:
    return Answered(
        arm_id=arm.id,
        question_id=unit.question_id,
        answer=answer,
        timing=timing(answer, speculative=arm.config.draft_tokens is not None),
        done=counter.step(),
        owed=counter.owed,
    )


def launch_of(server: RunningServer) -> Launch:
    """Return the record of how ``server`` was started and what its log proved."""
    return Launch(
        arm_id=server.arm.id,
        command=tuple(server.command),
        log=str(server.log.path),
        overrides=server.proof.overrides,
        experts_used=server.proof.experts_used,
        n_ctx=server.proof.n_ctx,
        proof_lines=server.proof.lines,
    )


def file_name(arm: Arm) -> str:
    """Return the arm's id as part of a file name: ``coder_primary_moe4``."""
    return arm.id.replace("/", "_")


# --- scoring --------------------------------------------------------------------------------------------------------


def judge_call(run: RunRecord, judge: JudgeRecord, question: Question, replicate: int) -> JudgeCall:
    """Return what identifies replicate ``replicate`` of this judge's scoring of an answer to ``question``."""
    return JudgeCall(
        judge=judge.name,
        judge_fingerprint=judge.fingerprint,
        prompt_hash=judge.prompt_hash,
        rubric_hash=run.suite.rubric_hash(question),
        mode=judge.mode,
        replicate=replicate,
    )


def wanted_scorings(run: RunRecord, judge: JudgeRecord) -> Iterator[JudgeTask]:
    """Yield every scoring that the run wants, neighbours sharing as much of their prompt as possible.

    A local judge keeps the state of its last prompt, which is the same up to the answer within (replicate, question).
    """
    for replicate in range(judge.replicates):
        for question in questions_of(run):
            call = judge_call(run, judge, question, replicate)
            for record in judged_arms(run, judge):
                for unit in wanted_answers(record.arm, [question], record.sampling, run.samples):
                    yield JudgeTask(arm_id=record.arm.id, question=question, answer_key=unit.key, call=call)


def judged_arms(run: RunRecord, judge: JudgeRecord) -> list[ArmRecord]:
    """Return the arms that this judge scores: not its own, unless that was allowed."""
    return [record for record in run.arms if judge.scores_itself or not is_self(judge, record)]


def owed_scorings(run: RunRecord, judge: JudgeRecord, store: Store) -> list[JudgeTask]:
    """Return the scorings that are not stored, of answers that are stored and can be scored."""
    tasks = list(wanted_scorings(run, judge))
    stored = store.stored_judgements(task.key for task in tasks)
    owed = [task for task in tasks if task.key not in stored]
    scorable = {
        key for key, answer in store.answers(dict.fromkeys(task.answer_key for task in owed)) if answer.scorable
    }
    return [task for task in owed if task.answer_key in scorable]


async def score_run(
    run: RunRecord, judge: JudgeRecord, store: Store, templates: Mapping[str, Template], machinery: Machinery
) -> AsyncIterator[Event]:
    """Score every owed answer with one judge. Raises ServerError or EndpointError when the judge cannot be used at all."""
    tasks = owed_scorings(run, judge, store)
    counter = _Counter(len(tasks))
    unanswered = [task for task in tasks if is_no_answer(_text_of(store, task))]
    for task in unanswered:
        yield _keep(run, task, _no_answer(task), store, counter)
    rest = [task for task in tasks if task not in unanswered] if unanswered else tasks
    if rest:
        async for event in _ask_judge(run, judge, rest, store, templates, machinery, counter):
            yield event


async def _ask_judge(
    run: RunRecord,
    judge: JudgeRecord,
    tasks: Sequence[JudgeTask],
    store: Store,
    templates: Mapping[str, Template],
    machinery: Machinery,
    counter: "_Counter",
) -> AsyncIterator[Event]:
    yield Loading(model=judge.name, phase="score")
    started_s = time.monotonic()
    async with AsyncExitStack() as stack:
        client, capabilities, experts_used = await _open_judge(run, judge, store, machinery, stack)
        yield Loaded(model=judge.name, seconds=time.monotonic() - started_s, experts_used=experts_used)
        grader = Grader(client, capabilities.dialect, templates, run.suite.scale, judge.sampling, machinery.retry)

        async def score(task: JudgeTask) -> Event:
            outcome = await grader.grade(task.question, task.answer_key, _text_of(store, task), task.call)
            return _keep(run, task, outcome, store, counter)

        limit = machinery.concurrency if judge.model is None else 1
        async for event in run_bounded(tasks, score, limit=limit):
            yield event


async def _open_judge(
    run: RunRecord, judge: JudgeRecord, store: Store, machinery: Machinery, stack: AsyncExitStack
) -> tuple[ModelClient, Capabilities, int | None]:
    """Serve the judge or reach its endpoint; ``stack`` keeps it open. Returns client, dialect and experts used."""
    if judge.model is None:
        assert judge.endpoint is not None
        client = await stack.enter_async_context(ModelClient(judge.endpoint, api_key=machinery.api_key))
        await check_model(client)
        return client, await probe(client, retry=machinery.retry), None
    arm = judge_arm(judge)
    log = machinery.folder / "logs" / f"judge_{judge.name}.log"
    server = await stack.enter_async_context(serve(arm, judge.model, log, options=machinery.serve))
    store.add_launch(run.id, arm, launch_of(server))
    client = await stack.enter_async_context(ModelClient(server.endpoint))
    return client, await probe(client, retry=machinery.retry), server.proof.experts_used


def judge_arm(judge: JudgeRecord) -> Arm:
    """Return the arm as which a local judge is served."""
    assert judge.model is not None and judge.serving is not None
    return build_arm(judge.name, judge.model, Config.parse(judge.config), judge.serving)


def _keep(
    run: RunRecord, task: JudgeTask, outcome: Judgement | JudgeFailure, store: Store, counter: "_Counter"
) -> Scored | ScoringFailed:
    """Store the outcome and return the event that tells of it."""
    place = {"judge": task.call.judge, "arm_id": task.arm_id, "question_id": task.question.id}
    if isinstance(outcome, JudgeFailure):
        store.add_judge_failure(run.id, outcome)
        return ScoringFailed(**place, message=outcome.message, done=counter.step(), owed=counter.owed)
    store.add_judgement(run.id, outcome)
    score = answer_score(task.question, outcome.verdicts)
    return Scored(**place, score=score, done=counter.step(), owed=counter.owed)


def _no_answer(task: JudgeTask) -> Judgement:
    verdicts = no_answer_verdicts(task.question)
    return Judgement(
        answer_unit=task.answer_key, call=task.call, verdicts=verdicts, replies=(), repaired=False, latency_s=0.0
    )


def _text_of(store: Store, task: JudgeTask) -> str:
    """Read the answer when it is needed: a night's answers are not held in memory."""
    return next(answer.text for _, answer in store.answers([task.answer_key]))


class _Counter:
    """Units done of those that were owed."""

    def __init__(self, owed: int) -> None:
        self.owed = owed
        self._done = 0

    def step(self) -> int:
        self._done += 1
        return self._done
