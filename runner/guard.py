"""What stands around every request to a model: it is logged, and the key comes back neither in an error nor in a reply."""

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from runner.errors import EndpointError, StreamCut
from runner.foreign_text import Blackout
from runner.journal import note
from runner.types import Reply

logger = logging.getLogger(__name__)


Method = TypeVar("Method", bound=Callable[..., Awaitable[Any]])
"""A method of a client, which has an ``endpoint`` and secrets that are ``hidden``."""


def guarded(method: Method) -> Method:
    """Log request and reply of ``method`` (or its failure), and black out the key where a server sent it back."""

    @functools.wraps(method)
    async def asked(client: Any, *args: Any, **kwargs: Any) -> Any:
        call = method.__name__
        note(logger, "request", call=call, endpoint=client.endpoint.base_url, model=client.endpoint.model)
        try:
            result = await method(client, *args, **kwargs)
        except EndpointError as error:
            _clean_error(error, client.hidden)
            note(logger, "failed", call=call, status=error.status, transient=error.transient, error=str(error))
            raise
        if isinstance(result, Reply) and call == "stream":  # what comes in one piece is cleaned where it is parsed
            result = clean_reply(result, client.hidden)
        note(logger, "reply", call=call, **(_figures(result) if isinstance(result, Reply) else {}))
        return result

    return cast(Method, asked)


def _figures(reply: Reply) -> dict[str, object]:
    return {
        "finish_reason": reply.finish_reason,
        "latency_s": round(reply.stamps.ended_s - reply.stamps.sent_s, 6),
        "prompt_tokens": reply.usage.prompt_tokens,
        "completion_tokens": reply.usage.completion_tokens,
    }


def clean_reply(reply: Reply, hidden: Blackout) -> Reply:
    """Return the reply without the key: a server may quote the headers that it was sent, and a stream in many chunks."""
    changes = {
        "text": hidden.whole(reply.text),
        "reasoning": hidden.whole(reply.reasoning),
        "finish_reason": reply.finish_reason and hidden.whole(reply.finish_reason),
        "repetition": reply.repetition and hidden.pieces(reply.repetition),  # shows the beginning of a text
    }
    changed = any(getattr(reply, name) != value for name, value in changes.items())
    return reply.model_copy(update=changes) if changed else reply


def _clean_error(error: EndpointError, hidden: Blackout) -> None:
    error.args = tuple(hidden.pieces(arg) if isinstance(arg, str) else arg for arg in error.args)
    if isinstance(error, StreamCut):
        error.reply = clean_reply(error.reply, hidden)
