"""Have what is owed scored by the run's judge: served here, once, after all candidates, or reached at its endpoint."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from string import Template

from judge.checks.checking import Evidence
from judge.events import Event, Loaded, Loading, Scored, ScoringFailed
from judge.grade import Grader
from judge.grounding import findings, shown_hash
from judge.lineage import is_self
from judge.pipeline.executing import evidence_of
from judge.pipeline.shared import Counter, Machinery, launch_of, text_of
from judge.plan import questions_of, wanted_answers
from judge.prefilter import is_no_answer, no_answer_verdicts
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.scoring import answer_score
from judge.store import Store
from judge.types import JudgeCall, JudgeFailure, Judgement, Question
from judge.units import judgement_key
from runner.arms import build_arm
from runner.client import ModelClient
from runner.engines.local import run_bounded
from runner.errors import ServerError
from runner.probe import Capabilities, check_model, probe
from runner.serve import RunningServer, serve
from runner.types import Arm, Config, Value


class JudgeTask(Value):
    """One answer that a judge owes a scoring of."""

    arm_id: str
    question: Question
    answer_key: str
    call: JudgeCall
    evidence: Evidence | None
    """What the judge is shown of the execution; ``None``: nothing."""

    @property
    def key(self) -> str:
        """Identity of the judgement."""
        return judgement_key(self.answer_key, self.call)


def judge_call(
    run: RunRecord, judge: JudgeRecord, question: Question, replicate: int, evidence: Evidence | None
) -> JudgeCall:
    """Return what identifies replicate ``replicate`` of this judge's scoring of an answer; evidence None: it judges blind."""
    return JudgeCall(
        judge=judge.name,
        judge_fingerprint=judge.fingerprint,
        prompt_hash=judge.prompt_hash,
        rubric_hash=run.suite.rubric_hash(question),
        mode=judge.mode,
        replicate=replicate,
        evidence=shown_hash(evidence, question),
    )


def wanted_scorings(run: RunRecord, judge: JudgeRecord, evidence: Mapping[str, Evidence]) -> Iterator[JudgeTask]:
    """Yield every scoring that the run wants, neighbours sharing as much of their prompt as possible.

    A local judge keeps the state of its last prompt, which is the same up to the answer within (replicate, question).
    """
    for replicate in range(judge.replicates):
        for question in questions_of(run):
            for record in judged_arms(run, judge):
                for unit in wanted_answers(run, record, [question]):
                    if not judge.is_asked_about(unit.key):
                        continue
                    for shown in _views(judge, evidence.get(unit.key)):
                        call = judge_call(run, judge, question, replicate, shown)
                        yield JudgeTask(
                            arm_id=record.arm.id, question=question, answer_key=unit.key, call=call, evidence=shown
                        )


def _views(judge: JudgeRecord, evidence: Evidence | None) -> list[Evidence | None]:
    """Return what the judge is shown of an answer's execution, one scoring each."""
    return [evidence, None] if judge.also_blind and evidence is not None and evidence.says_something else [evidence]


def judged_arms(run: RunRecord, judge: JudgeRecord) -> list[ArmRecord]:
    """Return the arms that this judge scores: not its own, unless that was allowed."""
    return [record for record in run.arms if judge.scores_itself or not is_self(judge, record)]


def owed_scorings(run: RunRecord, judge: JudgeRecord, store: Store) -> list[JudgeTask]:
    """Return the scorings that are not stored, of answers that are stored and can be scored."""
    tasks = list(wanted_scorings(run, judge, evidence_of(run, store)))
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
    counter = Counter(len(tasks))
    unanswered = [task for task in tasks if is_no_answer(text_of(store, task.answer_key))]
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
    counter: "Counter",
) -> AsyncIterator[Event]:
    yield Loading(model=judge.name, phase="score")
    started_s = time.monotonic()
    async with AsyncExitStack() as stack:
        client, capabilities, server = await _open_judge(run, judge, store, machinery, stack)
        experts_used = server.proof.experts_used if server else None
        yield Loaded(model=judge.name, seconds=time.monotonic() - started_s, experts_used=experts_used)
        grader = Grader(client, capabilities.dialect, templates, run.suite.scale, judge.sampling, machinery.retry)

        async def score(task: JudgeTask) -> Event:
            if server is not None and not server.alive:
                raise ServerError(f"{judge.name}: {server.obituary()}")
            shown = findings(task.evidence, task.question)
            text = text_of(store, task.answer_key)
            outcome = await grader.grade(task.question, task.answer_key, text, task.call, shown)
            return _keep(run, task, outcome, store, counter)

        limit = machinery.concurrency if judge.model is None else 1
        async for event in run_bounded(tasks, score, limit=limit):
            yield event


async def _open_judge(
    run: RunRecord, judge: JudgeRecord, store: Store, machinery: Machinery, stack: AsyncExitStack
) -> tuple[ModelClient, Capabilities, RunningServer | None]:
    """Serve the judge or reach its endpoint; ``stack`` keeps it open. Returns client, dialect and server, if one was started."""
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
    return client, await probe(client, retry=machinery.retry), server


def judge_arm(judge: JudgeRecord) -> Arm:
    """Return the arm as which a local judge is served."""
    assert judge.model is not None and judge.serving is not None
    return build_arm(judge.name, judge.model, Config.parse(judge.config), judge.serving)


def _keep(
    run: RunRecord, task: JudgeTask, outcome: Judgement | JudgeFailure, store: Store, counter: "Counter"
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
