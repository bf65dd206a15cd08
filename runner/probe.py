"""Handshake with an endpoint: is the model really there, and which way of asking for JSON does it enforce?

Servers answer an unknown model name with another model, and accept a schema with HTTP 200 without enforcing it. Both are found
out here, before anything is asked that counts.
"""

from collections.abc import Sequence

from runner.client import ModelClient
from runner.dialects import LADDER, Dialect, json_objects, request_fields
from runner.errors import AccessDenied, EndpointError, ServerError
from runner.retry import RetryPolicy, retried
from runner.types import Endpoint, Sampling, Value

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


class Capabilities(Value):
    """What an endpoint was seen to do."""

    dialect: Dialect
    """The best rung that is enforced; ``prompted`` when none is."""
    counts_tokens: bool
    """True for a llama-cpp-python server: ``/extras/tokenize/count`` answers."""


async def check_model(client: ModelClient) -> None:
    """Raise ServerError when the endpoint lists its models and not the one that will be asked for."""
    try:
        names = await client.models()
    except EndpointError as error:
        if error.status in NO_LISTING:
            return
        raise
    check_listed(client.endpoint, names)


def check_listed(endpoint: Endpoint, names: Sequence[str]) -> None:
    """Raise ServerError when the model that will be asked for is not among ``names``, those that the endpoint lists."""
    if endpoint.model not in names:
        found = ", ".join(map(repr, names[:8])) or "none"
        raise ServerError(
            f"{endpoint.base_url}: asked for model {endpoint.model!r}, the endpoint lists {found}; give one of these names"
        )


async def probe(client: ModelClient, *, retry: RetryPolicy | None = None) -> Capabilities:
    """Find the best dialect that the endpoint enforces. Costs at most one short request a rung."""
    policy = retry or RetryPolicy()
    counts = await client.count_tokens("one two") is not None
    for dialect in LADDER:
        if dialect is Dialect.PROMPTED or await _enforces(client, dialect, policy):
            return Capabilities(dialect=dialect, counts_tokens=counts)
    raise AssertionError("the ladder ends with a rung that needs no enforcement")


async def _enforces(client: ModelClient, dialect: Dialect, policy: RetryPolicy) -> bool:
    fields = request_fields(dialect, _SCHEMA)
    try:
        reply = await retried(lambda: client.complete(_QUESTION, _SAMPLING, **fields), policy)
    except AccessDenied:
        raise
    except EndpointError as error:
        if error.transient or error.status is None:
            raise
        return False
    return any(found == {"fruit": _WORD} for found in json_objects(reply.text))
