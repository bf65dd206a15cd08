"""What stands around every request to a model: it is logged, and the key comes back neither in an error nor in a reply."""

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from runner.errors import EndpointError, StreamCut
from runner.journal import blacked_out, note
from runner.types import Reply

logger = logging.getLogger(__name__)


Method = TypeVar("Method", bound=Callable[..., Awaitable[Any]])
"""A method of a client, which has an ``endpoint`` and a ``key``."""


def guarded(method: Method) -> Method:
    """Log request and reply of ``method`` (or its failure), and black out the key where a server sent it back."""

    @functools.wraps(method)
    async def asked(client: Any, *args: Any, **kwargs: Any) -> Any:
        call = method.__name__
        note(logger, "request", call=call, endpoint=client.endpoint.base_url, model=client.endpoint.model)
        try:
            result = await method(client, *args, **kwargs)
        except EndpointError as error:
            _clean_error(error, client.key)
            note(logger, "failed", call=call, status=error.status, transient=error.transient, error=str(error))
            raise
        note(logger, "reply", call=call, **(_figures(result) if isinstance(result, Reply) else {}))
        return clean_reply(result, client.key) if isinstance(result, Reply) else result

    return cast(Method, asked)


def _figures(reply: Reply) -> dict[str, object]:
    return {
        "finish_reason": reply.finish_reason,
        "latency_s": round(reply.stamps.ended_s - reply.stamps.sent_s, 6),
        "prompt_tokens": reply.usage.prompt_tokens,
        "completion_tokens": reply.usage.completion_tokens,
    }


def clean_reply(reply: Reply, key: str) -> Reply:
    """Return the reply without the key: a server may quote the headers that it was sent."""
    if key not in reply.text and key not in reply.reasoning:
        return reply
    changes = {"text": blacked_out(reply.text, [key]), "reasoning": blacked_out(reply.reasoning, [key])}
    return reply.model_copy(update=changes)


def _clean_error(error: EndpointError, key: str) -> None:
    error.args = tuple(blacked_out(arg, [key]) if isinstance(arg, str) else arg for arg in error.args)
    if isinstance(error, StreamCut):
        error.reply = clean_reply(error.reply, key)
