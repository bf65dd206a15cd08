"""One answer judged for another program: LLM as a judge over HTTP, asked in the very way in which runs ask."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Request

from judge.checks.apart import examine_apart
from judge.checks.checking import Evidence, bounds
from judge.panel import Standing
from judge.pipeline.adhoc import AdHoc, scored, without_judge
from judge.results.standing import standing_on
from judge.types import JudgeFailure, Judgement, Question
from judge.web.api import PREFIX, REFUSALS, Problem
from judge.web.asked import AskedJudgement
from judge.web.judging import NO_JUDGE, Judging
from judge.web.problems import Refusal
from judge.web.service import Here
from judge.web.verdict import JudgedAnswer, scoring, whole_score
from runner.errors import AccessDenied, EndpointError, SandboxError, ServerError

logger = logging.getLogger("uvicorn.error")
T = TypeVar("T")
OWN_RUBRIC = "the exam is on questions of the suite: how well this judge grades by a rubric of your own is unknown"
FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": what, "content": {"application/problem+json": {}}}
    for status, what in {
        409: "This service does not have such a judge",
        429: "Too many answers are being judged",
        502: "The judge failed",
        503: "The answer could not be executed",
        504: "The judge took too long",
    }.items()
}
router = APIRouter(prefix=PREFIX, responses={**REFUSALS, **FAILURES})
Outcomes = Sequence[Judgement | JudgeFailure]


class _Told(NamedTuple):
    """What is known when all is done."""

    asked: AdHoc
    evidence: Evidence | None
    outcomes: Outcomes
    standing: tuple[Standing, str]


@router.post("/judge")
async def judge(request: Request, here: Here, wanted: AskedJudgement) -> JudgedAnswer:
    """Have one answer judged. What is missing is null, and never a low score; nothing is stored."""
    started_s = time.monotonic()
    if here.judging is None:
        raise Refusal(409, NO_JUDGE)
    here.judging.check_name(wanted.judge)
    question = _question(here.judging, wanted)
    told = await _unless_gone(request, _within(here.judging, _told(here, here.judging, wanted, question)))
    return _judged(here.judging, told, time.monotonic() - started_s)


def _question(judging: Judging, wanted: AskedJudgement) -> Question:
    own = wanted.own_question()
    if own is not None:
        return own
    if wanted.question_id not in judging.suite.ids:
        raise Refusal(422, f"question_id: there is no such question; use one of {', '.join(judging.suite.ids)}")
    return judging.suite.question(wanted.question_id)


async def _told(here: Here, judging: Judging, wanted: AskedJudgement, question: Question) -> _Told:
    async with judging.turn():
        evidence = await _examined(judging, question, wanted.answer) if wanted.evidence else None
        asked = AdHoc(
            question=question,
            rubric_hash=judging.suite.rubric_hash(question),
            answer=wanted.answer,
            shown=None if wanted.blind else evidence,
        )
        outcomes = await _outcomes(judging, asked, wanted.replicates)
    return _Told(asked, evidence, outcomes, await _standing(here, judging, wanted))


async def _examined(judging: Judging, question: Question, answer: str) -> Evidence | None:
    async with judging.examining:
        try:
            return await examine_apart(question, answer)
        except SandboxError as error:
            logger.error("an answer could not be executed: %s", error)
            raise Refusal(503, "the answer could not be executed; the log of the service says why") from error


async def _outcomes(judging: Judging, asked: AdHoc, replicates: int) -> Outcomes:
    """Return what the judge said. Raises Refusal when it said nothing at all."""
    if not asked.needs_judge:
        return [without_judge(asked, judging.judge)]
    try:
        outcomes = await scored(asked, judging.judge, await judging.bench(), replicates)
    except AccessDenied as error:
        raise _failed("access_denied", error) from error
    except ServerError as error:
        await judging.give_up()
        raise _failed("endpoint", error) from error
    except EndpointError as error:
        raise _failed("endpoint", error) from error
    failures = [one for one in outcomes if isinstance(one, JudgeFailure)]
    for failure in failures:
        logger.warning("the judge failed (%s): %s", failure.kind, failure.message)
    if len(failures) == len(outcomes):
        raise _failed(failures[-1].kind)
    return outcomes


SAID = {
    "access_denied": "the judge's endpoint refuses the key of this service; start it with the right JUDGE_API_KEY",
    "bad_verdict": "the judge gave no complete verdict, and none when it was asked once more",
    "context_exceeded": "question, rubric and answer do not fit the context of the judge; shorten them",
    "endpoint": "the judge cannot be reached, or broke off; ask again later",
    "refused": "the judge's endpoint gives no reply to this request, such as where a filter of its own withholds it",
}


def _failed(kind: str, error: Exception | None = None) -> Refusal:
    """Return what a program is told: the class of the failure, and nothing from inside; that goes to the log."""
    if error is not None:
        logger.warning("the judge failed (%s): %s", kind, error)
    return Refusal(422 if kind == "context_exceeded" else 502, f"{kind}: {SAID[kind]}")


async def _standing(here: Here, judging: Judging, wanted: AskedJudgement) -> tuple[Standing, str]:
    if wanted.question_id is None:
        return Standing.NOT_EXAMINED, OWN_RUBRIC
    look_up = partial(standing_on, judging.suite, [wanted.question_id], judging.judge, here.store)
    return await to_thread.run_sync(look_up)


def _judged(judging: Judging, told: _Told, seconds: float) -> JudgedAnswer:
    question, evidence = told.asked.question, told.evidence
    limits = bounds(evidence, question) if evidence else {}
    scorings = tuple(scoring(question, number, one, limits) for number, one in enumerate(told.outcomes))
    score, reason = whole_score(scorings)
    standing, standing_reason = told.standing
    return JudgedAnswer(
        judge=judging.judge.name,
        judge_fingerprint=judging.judge.fingerprint,
        standing=standing,
        standing_reason=standing_reason,
        asked=told.asked.needs_judge,
        score=score,
        reason=reason,
        scorings=scorings,
        bounds=limits,
        evidence=evidence,
        prompt_hash=judging.judge.prompt_hash,
        rubric_hash=told.asked.rubric_hash,
        seconds=seconds,
    )


# --- time and patience ------------------------------------------------------------------------------------------------


async def _within(judging: Judging, work: Coroutine[Any, Any, T]) -> T:
    try:
        async with asyncio.timeout(judging.within_s):
            return await work
    except TimeoutError as error:
        detail = f"timeout: no verdict came within {judging.within_s:g} s; ask for less, or ask again later"
        raise Refusal(504, detail) from error


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` does, and give it up when nobody waits for it any more: the judge has better things to do."""
    doing, gone = asyncio.ensure_future(work), asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait({doing, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise Refusal(400, "the request was given up before there was a verdict")
        return doing.result()
    finally:
        for task in (doing, gone):
            task.cancel()
        await asyncio.gather(doing, gone, return_exceptions=True)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
