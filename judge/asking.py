"""One question to a judge -> its reply, understood: through the retry policy, with one repair turn, and what it cost."""

import hashlib
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from judge.errors import VerdictError
from judge.prompting import Messages
from judge.types import JudgeFailureKind
from runner.balance import Asks
from runner.collect import metered
from runner.completions import ending
from runner.dialects import Dialect
from runner.errors import ContextExceeded, EndpointError
from runner.retry import RetryPolicy, retried
from runner.serve import ServerLog
from runner.standing import counts_against, is_useless
from runner.types import Reply, Sampling, ServerTiming

SECRET_BYTES = 32
REFUSING = frozenset({413, 451})
"""HTTP statuses that are about the request, beside those that ``runner.standing`` knows: too large, and kept back by a law."""
MARK_BYTES = 4
"""One chance in four billion to guess it; a longer mark is more text that no two prompts share."""

Understood = TypeVar("Understood")


class CallLog:
    """What the requests of one judgement, or of one comparison, cost."""

    def __init__(self) -> None:
        self.replies: list[str] = []
        self.repaired = False
        self.latency_s = 0.0
        self.prompt_tokens: int | None = None
        self.completion_tokens: int | None = None
        self.reused_tokens: int | None = None

    def add(self, reply: Reply, timing: ServerTiming | None) -> None:
        """Count one more request."""
        self.replies.append(reply.text)
        self.latency_s += reply.stamps.ended_s - reply.stamps.sent_s
        counted = timing.prompt_tokens + timing.reused_tokens if timing else reply.usage.prompt_tokens
        self.prompt_tokens = _sum(self.prompt_tokens, counted)
        self.reused_tokens = _sum(self.reused_tokens, timing.reused_tokens if timing else None)
        self.completion_tokens = _sum(self.completion_tokens, reply.usage.completion_tokens)

    def kept(self) -> dict[str, Any]:
        """Return what a judgement and a comparison both keep of it, by the names of their fields."""
        return {
            "replies": tuple(self.replies),
            "repaired": self.repaired,
            "latency_s": self.latency_s,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "reused_tokens": self.reused_tokens,
        }


class Asker:
    """A judge's endpoint that is ready to be asked for JSON."""

    def __init__(
        self,
        client: Asks,
        dialect: Dialect,
        sampling: Sampling,
        retry: RetryPolicy | None = None,
        log: ServerLog | None = None,
    ) -> None:
        """``log``: that of a server that answers nobody else; it says how much of a prompt was reused."""
        self.dialect = dialect
        self._client = client
        self._sampling = sampling
        self._retry = retry or RetryPolicy()
        self._log = log
        self._secret = secrets.token_bytes(SECRET_BYTES)

    async def understood(
        self,
        messages: Messages,
        fields: dict[str, Any],
        log: CallLog,
        *,
        replicate: int,
        parse: Callable[[str], Understood],
        repair: Callable[[str, str], Messages],
    ) -> Understood:
        """Return what ``parse`` makes of the reply, or of the one after ``repair`` (bad reply, what is wrong with it).

        Raises VerdictError when both are bad, and EndpointError. A reply that was cut is bad whatever stands in it: a whole
        object may be a draft whose correction is what was lost.
        """
        reply = await self._ask(messages, fields, replicate, log)
        try:
            return parse(self._ended(reply))
        except VerdictError as error:
            log.repaired = True
            messages = repair(reply.text, f"{error}{_advice(reply)}")
        return parse(self._ended(await self._ask(messages, fields, replicate, log)))

    def mark(self, answer: str) -> str:
        """Return the mark of an answer: the same for all requests about it, so that they share a prefix; unguessable for it."""
        return hashlib.blake2b(answer.encode(), key=self._secret, digest_size=MARK_BYTES).hexdigest()

    def _ended(self, reply: Reply) -> str:
        """Return the text of a reply that the judge ended itself. Raises VerdictError for one that was cut."""
        if reply.repetition is not None:
            raise VerdictError(f"the reply repeated itself over and over and was cut ({reply.repetition})")
        if _at_limit(reply):
            raise VerdictError(f"the reply was cut at the token limit (max_tokens {self._sampling.max_tokens})")
        return reply.text

    async def _ask(self, messages: Messages, fields: dict[str, Any], replicate: int, log: CallLog) -> Reply:
        sampling = self._sampling.for_sample(replicate)
        # A local judge may think for many minutes: only a stream shows that it is alive.
        send = self._client.stream if self._client.endpoint.server == "llama-cpp-python" else self._client.complete
        reply, timing = await retried(
            lambda: metered(self._log, lambda: send(messages, sampling, **fields)), self._retry
        )
        log.add(reply, timing)
        return reply


def failure_kind(error: VerdictError | EndpointError) -> JudgeFailureKind:
    """Return what sort of failure it is that a judge gave no verdict."""
    if isinstance(error, VerdictError):
        return "bad_verdict"
    if isinstance(error, ContextExceeded):
        return "context_exceeded"
    # A page of a proxy in place of a reply, or a path that is not there just now, says nothing of what was asked.
    is_about_endpoint = (counts_against(error) or is_useless(error)) and error.status not in REFUSING
    return "endpoint" if error.transient or is_about_endpoint else "refused"


def _advice(reply: Reply) -> str:
    """Return what a judge whose reply was cut can do about it."""
    if reply.repetition is not None:
        return ": say everything once"
    return ": be briefer" if _at_limit(reply) else ""


def _at_limit(reply: Reply) -> bool:
    return ending(reply.finish_reason or "") == "limit"


def _sum(total: int | None, more: int | None) -> int | None:
    return total if more is None else (total or 0) + more
