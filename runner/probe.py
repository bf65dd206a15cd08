"""Handshake with an endpoint: is the model really there, and which way of asking for JSON does it enforce?

Servers answer an unknown model name with another model, and accept a schema with HTTP 200 without enforcing it. Both are found
out here, before anything is asked that counts.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from runner.client import ModelClient
from runner.dialects import LADDER, Dialect, json_objects, request_fields
from runner.errors import AccessDenied, EndpointError, NoReply, ServerError
from runner.loading import UNAVAILABLE, when_loaded
from runner.retry import RetryPolicy, retried
from runner.standing import ELSEWHERE
from runner.statuses import where
from runner.types import Endpoint, Reply, Sampling, Value

logger = logging.getLogger(__name__)

T = TypeVar("T")
NO_LISTING = frozenset({404, 405, 501})
"""Statuses of hosted endpoints that have no ``/v1/models``; there an unknown name is refused by the request itself."""
_WORD = "kiwi-7"
"""Stands in the schema and not in the prompt: only a server that enforces the schema can answer it."""
_SCHEMA = {
    "type": "object",
    "properties": {"fruit": {"type": "string", "enum": [_WORD]}},
    "required": ["fruit"],
    "additionalProperties": False,
}
_QUESTION = ({"role": "user", "content": 'Name a fruit that is not a kiwi, as JSON: {"fruit": "..."}'},)
_SAMPLING = Sampling(temperature=0, max_tokens=64)


class Asked(Protocol):
    """Asks an endpoint patiently."""

    async def __call__(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what ``call`` returns once it succeeds."""
        ...


class Capabilities(Value):
    """What an endpoint was seen to do."""

    dialect: Dialect
    """The best rung that is enforced; ``prompted`` when none is."""
    counts_tokens: bool | None
    """True for a llama-cpp-python server: ``/extras/tokenize/count`` answers. ``None``: that could not be found out."""


def check_listed(endpoint: Endpoint, names: Sequence[str]) -> None:
    """Raise ServerError when the model that will be asked for is not among ``names``, those that the endpoint lists."""
    if endpoint.model not in names:
        found = ", ".join(map(repr, names[:8])) or "none"
        raise ServerError(
            f"{endpoint.base_url}: asked for model {endpoint.model!r}, the endpoint lists {found}; give one of these names"
        )


async def probe(
    client: ModelClient,
    *,
    retry: RetryPolicy | None = None,
    load_timeout_s: float = 0.0,
    needed: Callable[[], bool] = lambda: True,
    reply_s: float | None = None,
) -> Capabilities:
    """Find the best dialect that the endpoint enforces. Costs at most one short request a rung.

    One that refuses whatever it is asked is no endpoint of this model, and refused here rather than once a scoring.

    One that loads is waited for, for ``load_timeout_s`` at most and as long as it is ``needed``. ``reply_s``: how long each request
    may take; ``None``: as long as any reply. Raises EndpointError when it could not be found out.
    """
    policy = retry or RetryPolicy()

    async def asked(call: Callable[[], Awaitable[T]]) -> T:
        return await retried(lambda: when_loaded(call, within_s=load_timeout_s, needed=needed), policy)

    counts = await _counts_tokens(client, asked)
    dialect = await _best_rung(client, asked, reply_s)
    if not isinstance(counts, EndpointError):
        return Capabilities(dialect=dialect, counts_tokens=counts)
    # No reason not to ask the endpoint: a proxy may know no other path than those of the API. Said when it is known to be of use.
    logger.warning("%s; so it is not known whether this is a llama-cpp-python server", counts)
    return Capabilities(dialect=dialect, counts_tokens=None)


async def _counts_tokens(client: ModelClient, asked: Asked) -> bool | EndpointError:
    """Return whether the endpoint counts tokens, or why that could not be found out."""
    try:
        return await asked(lambda: client.count_tokens("one two")) is not None
    except EndpointError as error:
        if error.status == UNAVAILABLE and not error.transient:  # it was waited for in vain
            raise
        return error


async def _best_rung(client: ModelClient, asked: Asked, reply_s: float | None) -> Dialect:
    *enforceable, last = LADDER
    refused = True
    for dialect in enforceable:
        enforced = await _enforces(client, dialect, asked, reply_s)
        if enforced:
            return dialect
        refused = refused and enforced is None
    if refused:
        await _check_answers(client, asked, reply_s)
    return last


async def _check_answers(client: ModelClient, asked: Asked, reply_s: float | None) -> None:
    """Raise EndpointError when the endpoint refuses even a plain request."""
    try:
        await asked(lambda: _reply(client, Dialect.PROMPTED, reply_s))
    except EndpointError as error:
        if error.status in ELSEWHERE:
            advice = (
                "see whether the URL is right, which usually ends with /v1, and whether the model has that name there"
            )
            raise EndpointError(f"{error}; {advice}", status=error.status) from error
        raise


async def _enforces(client: ModelClient, dialect: Dialect, asked: Asked, reply_s: float | None) -> bool | None:
    """Tell whether the endpoint does what it is told in this dialect; ``None``: it refuses to be told so."""
    try:
        reply = await asked(lambda: _reply(client, dialect, reply_s))
    except AccessDenied:
        raise
    except EndpointError as error:
        if error.transient or error.status in (None, UNAVAILABLE):
            raise
        return None
    return any(found == {"fruit": _WORD} for found in json_objects(reply.text))


async def _reply(client: ModelClient, dialect: Dialect, within_s: float | None) -> Reply:
    try:
        async with asyncio.timeout(within_s):
            return await client.complete(_QUESTION, _SAMPLING, **request_fields(dialect, _SCHEMA))
    except TimeoutError as error:
        raise NoReply(f"{where(client.endpoint)}: no reply to a short question within {within_s:g} s") from error
