"""One answer, one judge -> Judgement or JudgeFailure. The client is passed in.

A bad reply gets one repair turn with what is wrong with it; after that the scoring has failed, is counted and owed again.
"""

import functools
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from string import Template
from typing import Any

from judge.errors import VerdictError
from judge.prompting import Messages, criteria_order, judge_messages, repair_messages, verdict_schema
from judge.types import Criterion, JudgeCall, JudgeFailure, JudgeFailureKind, Judgement, Level, Question, Verdict
from judge.verdicts import parse_verdicts
from runner.balance import Asks
from runner.collect import metered
from runner.dialects import Dialect, request_fields
from runner.errors import AccessDenied, ContextExceeded, EndpointError
from runner.retry import RetryPolicy, retried
from runner.serve import ServerLog
from runner.types import Reply, Sampling, ServerTiming

SECRET_BYTES = 32
MARK_BYTES = 4
"""One chance in four billion to guess it; a longer mark is more text that no two prompts share."""


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
        self._client = client
        self._dialect = dialect
        self._templates = templates
        self._scale = scale
        self._sampling = sampling
        self._retry = retry or RetryPolicy()
        self._log = log
        self._secret = secrets.token_bytes(SECRET_BYTES)

    async def grade(
        self, question: Question, answer_key: str, answer: str, call: JudgeCall, evidence: str = ""
    ) -> Judgement | JudgeFailure:
        """Score one answer on all criteria of its question. Raises AccessDenied; every other failure is returned."""
        log = _CallLog()
        order = criteria_order(question, call.replicate)
        groups = [order] if call.mode == "joint" else [(criterion,) for criterion in order]
        try:
            verdicts = [
                v for group in groups for v in await self._verdicts(question, group, answer, call, evidence, log)
            ]
        except AccessDenied:
            raise
        except (VerdictError, EndpointError) as error:
            return JudgeFailure(
                answer_unit=answer_key, call=call, kind=_kind(error), message=str(error), replies=tuple(log.replies)
            )
        return log.judgement(answer_key, call, _as_written(question, verdicts))

    async def _verdicts(
        self,
        question: Question,
        criteria: Sequence[Criterion],
        answer: str,
        call: JudgeCall,
        evidence: str,
        log: "_CallLog",
    ) -> tuple[Verdict, ...]:
        messages = judge_messages(
            self._templates,
            question,
            criteria,
            self._scale,
            answer,
            nonce=self._mark(answer),
            evidence=evidence,
            criteria_last=call.mode == "per_criterion",
        )
        reply = await self._ask(messages, criteria, call.replicate, log)
        try:
            return parse_verdicts(reply.text, criteria)
        except VerdictError as error:
            log.repaired = True
            messages = repair_messages(self._templates, messages, reply.text, _problem(error, reply), criteria)
        repaired = await self._ask(messages, criteria, call.replicate, log)
        return parse_verdicts(repaired.text, criteria)

    async def _ask(self, messages: Messages, criteria: Sequence[Criterion], replicate: int, log: "_CallLog") -> Reply:
        fields = _fields(self._dialect, tuple(criteria))
        sampling = self._sampling.for_sample(replicate)
        # A local judge may think for many minutes: only a stream shows that it is alive.
        send = self._client.stream if self._client.endpoint.server == "llama-cpp-python" else self._client.complete
        reply, timing = await retried(
            lambda: metered(self._log, lambda: send(messages, sampling, **fields)), self._retry
        )
        log.add(reply, timing)
        return reply

    def _mark(self, answer: str) -> str:
        """Return the mark of an answer: the same for all requests about it, so that they share a prefix; unguessable for it."""
        return hashlib.blake2b(answer.encode(), key=self._secret, digest_size=MARK_BYTES).hexdigest()


@functools.lru_cache
def _fields(dialect: Dialect, criteria: tuple[Criterion, ...]) -> dict[str, Any]:
    return request_fields(dialect, verdict_schema(criteria))


class _CallLog:
    """What the requests of one judgement cost."""

    def __init__(self) -> None:
        self.replies: list[str] = []
        self.repaired = False
        self._latency_s = 0.0
        self._prompt_tokens: int | None = None
        self._completion_tokens: int | None = None
        self._reused_tokens: int | None = None

    def add(self, reply: Reply, timing: ServerTiming | None) -> None:
        self.replies.append(reply.text)
        self._latency_s += reply.stamps.ended_s - reply.stamps.sent_s
        counted = timing.prompt_tokens + timing.reused_tokens if timing else reply.usage.prompt_tokens
        self._prompt_tokens = _sum(self._prompt_tokens, counted)
        self._reused_tokens = _sum(self._reused_tokens, timing.reused_tokens if timing else None)
        self._completion_tokens = _sum(self._completion_tokens, reply.usage.completion_tokens)

    def judgement(self, answer_key: str, call: JudgeCall, verdicts: tuple[Verdict, ...]) -> Judgement:
        return Judgement(
            answer_unit=answer_key,
            call=call,
            verdicts=verdicts,
            replies=tuple(self.replies),
            repaired=self.repaired,
            latency_s=self._latency_s,
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
            reused_tokens=self._reused_tokens,
        )


def _as_written(question: Question, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Return the verdicts in the order of the rubric, whatever order the judge was asked in."""
    by_id = {verdict.criterion: verdict for verdict in verdicts}
    return tuple(by_id[criterion.id] for criterion in question.criteria)


def _problem(error: VerdictError, reply: Reply) -> str:
    if reply.repetition is not None:
        return f"{error} (the reply repeated itself over and over and was cut: say everything once)"
    cut = " (the reply was cut at the token limit: be briefer)" if reply.finish_reason == "length" else ""
    return f"{error}{cut}"


def _kind(error: VerdictError | EndpointError) -> JudgeFailureKind:
    if isinstance(error, VerdictError):
        return "bad_verdict"
    return "context_exceeded" if isinstance(error, ContextExceeded) else "endpoint"


def _sum(total: int | None, more: int | None) -> int | None:
    return total if more is None else (total or 0) + more
