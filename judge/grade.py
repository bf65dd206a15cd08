"""One judge that is ready to be asked: for the scores of an answer, or which of two answers is better. The client is passed in.

A bad reply gets one repair turn with what is wrong with it; after that the asking has failed, is counted and owed again.
"""

import functools
from collections.abc import Mapping, Sequence
from string import Template
from typing import Any

from judge.asking import Asker, CallLog, failure_kind
from judge.errors import VerdictError
from judge.pair_prompting import PREFERENCE_SCHEMA, pair_messages, pair_repair_messages
from judge.pairs import PairCall, PairFailure, PairJudgement, Shown, Winner
from judge.prompting import criteria_order, judge_messages, repair_messages, verdict_schema
from judge.types import Criterion, JudgeCall, JudgeFailure, Judgement, Level, Question, Verdict
from judge.verdicts import parse_preference, parse_verdicts
from runner.balance import Asks
from runner.dialects import Dialect, request_fields
from runner.errors import AccessDenied, EndpointError
from runner.retry import RetryPolicy
from runner.serve import ServerLog
from runner.types import Sampling


class Grader:
    """A judge that is ready to be asked: its endpoint, how it is made to answer in JSON, and what it is told."""

    def __init__(
        self,
        client: Asks,
        dialect: Dialect,
        templates: Mapping[str, Template],
        scale: Sequence[Level],
        sampling: Sampling,
        retry: RetryPolicy | None = None,
        log: ServerLog | None = None,
    ) -> None:
        """``log``: that of a server that answers nobody else; it says how much of a prompt was reused."""
        self._asker = Asker(client, dialect, sampling, retry, log)
        self._templates = templates
        self._scale = scale

    # --- scores ---

    async def grade(
        self, question: Question, answer_key: str, answer: str, call: JudgeCall, evidence: str = ""
    ) -> Judgement | JudgeFailure:
        """Score one answer on all criteria of its question. Raises AccessDenied; every other failure is returned."""
        log = CallLog()
        order = criteria_order(question, call.replicate)
        groups = [order] if call.mode == "joint" else [(criterion,) for criterion in order]
        try:
            verdicts = [
                v for group in groups for v in await self._verdicts(question, group, answer, call, evidence, log)
            ]
        except AccessDenied:
            raise
        except (VerdictError, EndpointError) as error:
            kind = failure_kind(error)
            return JudgeFailure(
                answer_unit=answer_key, call=call, kind=kind, message=str(error), replies=tuple(log.replies)
            )
        return _judgement(answer_key, call, _as_written(question, verdicts), log)

    async def _verdicts(
        self,
        question: Question,
        criteria: Sequence[Criterion],
        answer: str,
        call: JudgeCall,
        evidence: str,
        log: CallLog,
    ) -> tuple[Verdict, ...]:
        messages = judge_messages(
            self._templates,
            question,
            criteria,
            self._scale,
            answer,
            nonce=self._asker.mark(answer),
            evidence=evidence,
            criteria_last=call.mode == "per_criterion",
        )
        return await self._asker.understood(
            messages,
            _score_fields(self._asker.dialect, tuple(criteria)),
            log,
            replicate=call.replicate,
            parse=lambda reply: parse_verdicts(reply, criteria, messages[-1]["content"]),
            repair=lambda reply, problem: repair_messages(self._templates, messages, reply, problem, criteria),
        )

    # --- preferences ---

    async def compare(
        self, question: Question, first: Shown, second: Shown, call: PairCall
    ) -> PairJudgement | PairFailure:
        """Say which of two answers is better, shown in this order. Raises AccessDenied; every other failure is returned."""
        log = CallLog()
        try:
            winner, reasoning = await self._preference(question, first, second, log)
        except AccessDenied:
            raise
        except (VerdictError, EndpointError) as error:
            return PairFailure(
                first=first.key,
                second=second.key,
                call=call,
                kind=failure_kind(error),
                message=str(error),
                replies=tuple(log.replies),
            )
        return PairJudgement(
            first=first.key,
            second=second.key,
            call=call,
            winner=winner,
            reasoning=reasoning,
            **log.kept(),
        )

    async def _preference(self, question: Question, first: Shown, second: Shown, log: CallLog) -> tuple[Winner, str]:
        marks = (self._asker.mark(first.text), self._asker.mark(second.text))
        messages = pair_messages(self._templates, question, first, second, marks=marks)
        return await self._asker.understood(
            messages,
            _preference_fields(self._asker.dialect),
            log,
            replicate=0,
            parse=lambda reply: parse_preference(reply, messages[-1]["content"]),
            repair=lambda reply, problem: pair_repair_messages(self._templates, messages, reply, problem),
        )


@functools.lru_cache
def _score_fields(dialect: Dialect, criteria: tuple[Criterion, ...]) -> dict[str, Any]:
    return request_fields(dialect, verdict_schema(criteria))


@functools.lru_cache
def _preference_fields(dialect: Dialect) -> dict[str, Any]:
    return request_fields(dialect, PREFERENCE_SCHEMA)


def _judgement(answer_key: str, call: JudgeCall, verdicts: tuple[Verdict, ...], log: CallLog) -> Judgement:
    return Judgement(
        answer_unit=answer_key,
        call=call,
        verdicts=verdicts,
        **log.kept(),
    )


def _as_written(question: Question, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Return the verdicts in the order of the rubric, whatever order the judge was asked in."""
    by_id = {verdict.criterion: verdict for verdict in verdicts}
    return tuple(by_id[criterion.id] for criterion in question.criteria)
