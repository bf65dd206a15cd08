"""Collect answers from a served arm: one discarded warm-up, then one request at a time, timed, counted and classified.

The server decodes one request at a time and queues the others, so a second request in flight would only turn queueing into TTFT.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import partial

from runner.client import ModelClient
from runner.completions import ending
from runner.errors import AccessDenied, ContextExceeded, EndpointError, ProofError, StreamCut
from runner.proof import drafted_tokens, is_complete, read_timings
from runner.retry import RetryPolicy, retried
from runner.serve import RunningServer, ServerLog
from runner.supervise import Supervised
from runner.types import Answer, AnswerState, Prompt, Reply, Sampling, ServerTiming, Usage

WARM_UP = Prompt(id="warm-up", user="Repeat three times, nothing else: red green blue red green blue red green blue")
WARM_UP_SAMPLING = Sampling(temperature=0, max_tokens=48)
LOG_PATIENCE_S = 1.0
LOG_POLL_S = 0.01

Request = tuple[Prompt, int, Sampling]
"""Prompt, sample g, and the sampling parameters with the seed of that sample."""


async def warm_up(server: RunningServer, client: ModelClient, *, retry: RetryPolicy | None = None) -> None:
    """Ask once and throw the answer away: the first request after a load is several times slower.

    For a speculative arm the log of this request must show draft batches; raises ProofError otherwise. A fault that passes is asked
    through, as for an answer: it is no reason to leave all of an arm's answers owed.
    """
    mark = server.log.size()

    async def attempt() -> Reply:
        if not server.alive:
            raise EndpointError(server.ending())
        return await client.stream(WARM_UP.messages(), WARM_UP_SAMPLING)

    # A second time: only a request that finds its prompt already evaluated announces how many tokens it evaluates.
    for _ in range(2):
        await retried(attempt, retry or RetryPolicy())
    if server.arm.config.draft_tokens is None:
        return
    log = await _finished_log(server.log, mark, requests=2)
    if drafted_tokens(log) == 0:
        raise ProofError(
            f"{server.arm.id}: the log shows no draft batch, so speculation does not run; the arm is not used"
        )


async def collect(
    supervised: Supervised, requests: Iterable[Request], *, retry: RetryPolicy | None = None
) -> AsyncIterator[Answer]:
    """Yield one answer a request, in order, as each completes. Every failure of one request is a state.

    Raises AccessDenied, and ServerError once the server has died more often than it is started again.
    """
    policy = retry or RetryPolicy()
    for request in requests:
        answer = await supervised.ask(
            partial(ask, request=request, policy=policy), good=lambda a: a.state is not AnswerState.SERVER_DIED
        )
        yield answer
        if answer.state is AnswerState.SERVER_DIED and supervised.exhausted:
            raise supervised.given_up()


async def ask(server: RunningServer, client: ModelClient, request: Request, policy: RetryPolicy) -> Answer:
    """Return the answer to one prompt, or the failed attempt at it. Raises AccessDenied."""
    prompt, _, sampling = request
    mark = 0

    async def attempt() -> Reply:
        nonlocal mark
        if not server.alive:
            raise EndpointError(server.ending())
        mark = server.log.size()  # the figures of an attempt that broke off are not this reply's
        return await client.stream(prompt.messages(), sampling)

    try:
        reply = await retried(attempt, policy)
    except AccessDenied:
        raise
    except StreamCut as cut:
        state = AnswerState.TRUNCATED if await server.survives() else AnswerState.SERVER_DIED
        return _answer(request, cut.reply, state=state, message=str(cut))
    except EndpointError as error:
        alive = error.status is not None or await server.survives()
        return _failed(request, error, alive=alive)
    timing = await _server_timing(server.log, mark)
    usage = await _counted(client, reply)
    state = classify(reply)
    return _answer(request, reply, state=state, message=reply.repetition, usage=usage, timing=timing)


async def metered(log: ServerLog | None, send: Callable[[], Awaitable[Reply]]) -> tuple[Reply, ServerTiming | None]:
    """Return the reply and the server's own figures of this one request; without a log, or unless it has them, ``None``."""
    mark = log.size() if log else 0
    reply = await send()
    return reply, await _server_timing(log, mark) if log else None


def classify(reply: Reply) -> AnswerState:
    """Return the state of a reply that ended with a finish reason, or that was cut because the model repeats itself."""
    if reply.repetition is not None:
        return AnswerState.LOOP
    if ending(reply.finish_reason or "") == "limit":
        return AnswerState.LENGTH
    return AnswerState.OK if reply.text.strip() else AnswerState.EMPTY


async def _counted(client: ModelClient, reply: Reply) -> Usage:
    """Return the token counts: the reply's own, else the whole text counted by the server's tokenizer."""
    if reply.usage.source is not None:
        return reply.usage
    try:
        tokens = await client.count_tokens(reply.reasoning + reply.text)
    except EndpointError:  # the answer is there, and what is not known of it is its length
        tokens = None
    return Usage(completion_tokens=tokens, source="tokenize" if tokens is not None else None)


async def _server_timing(log: ServerLog, mark: int) -> ServerTiming | None:
    """Return the server's figures of the request since ``mark``; ``None`` unless they are those of exactly one request."""
    timings = read_timings(await _finished_log(log, mark, requests=1))
    return timings[0] if len(timings) == 1 else None


async def _finished_log(log: ServerLog, mark: int, *, requests: int) -> str:
    """Return the log since ``mark`` once it has the figures of ``requests`` requests: they may come after the last token."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + LOG_PATIENCE_S
    while True:
        text = log.since(mark)
        if (is_complete(text) and len(read_timings(text)) >= requests) or loop.time() > deadline:
            return text
        await asyncio.sleep(LOG_POLL_S)


def _answer(
    request: Request,
    reply: Reply,
    *,
    state: AnswerState,
    message: str | None = None,
    usage: Usage | None = None,
    timing: ServerTiming | None = None,
) -> Answer:
    prompt, sample, sampling = request
    return Answer(
        prompt_id=prompt.id,
        sample=sample,
        sampling=sampling,
        state=state,
        text=reply.text,
        reasoning=reply.reasoning,
        finish_reason=reply.finish_reason,
        message=message,
        stamps=reply.stamps,
        usage=usage or reply.usage,
        server_timing=timing,
    )


def _failed(request: Request, error: EndpointError, *, alive: bool) -> Answer:
    """Return the record of an attempt that gave no text."""
    prompt, sample, sampling = request
    if isinstance(error, ContextExceeded):
        state = AnswerState.CONTEXT_EXCEEDED
    else:
        state = AnswerState.ERROR if alive else AnswerState.SERVER_DIED
    return Answer(
        prompt_id=prompt.id,
        sample=sample,
        sampling=sampling,
        state=state,
        text="",
        finish_reason=None,
        message=str(error),
        stamps=None,
    )
