"""The only file that other files ask models through: whole replies and the control plane go over ``runner.connections``, streams
over ``runner.streams``.

There is no total timeout while tokens still arrive: a slow model is not a fault. One call is one request; trying again belongs to
``runner.retry``.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from runner.arriving import ArrivingReply
from runner.completions import ending, read_completion, read_usage
from runner.connections import Connections, Exchange, Timeouts, parsed
from runner.errors import BadReply, EndpointError, StreamCut, UsageError
from runner.foreign_text import Blackout
from runner.guard import guarded
from runner.statuses import one_line, status_error, where
from runner.types import Endpoint, Reply, Sampling, Stamps, Usage

if TYPE_CHECKING:
    from runner.streams import Streams

__all__ = ["Clock", "Messages", "ModelClient", "Timeouts"]

SUCCESS = range(200, 300)
FAILURES = range(400, 600)
PLACEHOLDER_KEY = "none"
"""Local servers take any key, and the client library insists on one."""

Clock = Callable[[], float]
Messages = Sequence[Mapping[str, str]]


class ModelClient:
    """Asks one endpoint. Use as an async context manager."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        api_key: str | None = None,
        timeouts: Timeouts | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        """``timeouts``: ``None`` takes those that fit the address.

        Raises UsageError for a key that cannot be sent, or a proxy that cannot be spoken to.
        """
        self.endpoint = endpoint
        self.clock = clock
        self.timeouts = timeouts or Timeouts.of(endpoint.base_url)
        self._tokenizer_marks: int | None = None
        self._api = endpoint.base_url.removesuffix("/")
        self._key = _sendable(api_key or PLACEHOLDER_KEY)
        self._connections = Connections(endpoint.base_url, self._key, self.timeouts.connect_s)
        self.hidden = self._connections.hidden
        """What was sent to prove who asks, and must not come back in anything."""
        self._opened_streams: Streams | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connections.close()
        if self._opened_streams is not None:
            await self._opened_streams.close()

    @guarded
    async def stream(self, messages: Messages, sampling: Sampling, **fields: Any) -> Reply:
        """Generate one reply as a stream. Raises StreamCut when it ends without a finish reason, else EndpointError.

        A model that goes round in circles is cut: the reply says so, and the closed connection makes the server stop.
        """
        streams = self._streams()
        stream = ArrivingReply(self.clock)
        try:
            await streams.read(stream, _body(self.endpoint, messages, sampling, fields))
        except EndpointError as error:
            if stream.first_s is None:
                raise
            raise StreamCut(
                f"the stream broke off after {len(stream.text)} characters: {error}", reply=stream.reply()
            ) from error
        reply = stream.reply()
        if reply.finish_reason is None and reply.repetition is None:
            raise StreamCut("the stream ended without a finish reason", reply=reply)
        return _not_given_up(self.endpoint, reply)

    @guarded
    async def complete(self, messages: Messages, sampling: Sampling, **fields: Any) -> Reply:
        """Generate one reply in one piece. Raises EndpointError, BadReply when no finish reason says that it is whole."""
        here, sent_s = where(self.endpoint), self.clock()
        body = _body(self.endpoint, messages, sampling, fields)
        body |= body.pop("extra_body")
        url = f"{self._api}/chat/completions"
        exchange = await self._connections.send(here, url, body, timeout_s=self.timeouts.reply_s)
        reply = _whole_reply(self.endpoint, _accepted(here, exchange, self.hidden), sent_s, self.clock())
        if reply.finish_reason is None:
            raise BadReply(f"{here}: the reply came without a finish reason, so it may be cut", transient=True)
        return _not_given_up(self.endpoint, reply)

    async def models(self) -> list[str]:
        """Return the names that the endpoint lists under ``/v1/models``. Raises EndpointError."""
        return [str(entry.get("id")) for entry in await self.listing()]

    @guarded
    async def listing(self) -> list[dict[str, Any]]:
        """Return what the endpoint says under ``/v1/models``, one entry a model. Raises EndpointError."""
        url = f"{self._api}/models"
        exchange = await self._connections.send(url, url, timeout_s=self.timeouts.control_s)
        reply = _accepted(url, exchange, self.hidden)
        data = reply.get("data") if isinstance(reply, dict) else None
        if not isinstance(data, list):
            raise EndpointError(f"{url}: found {one_line(str(reply))[:80]!r} instead of a list of models")
        return [entry for entry in data if isinstance(entry, dict)]

    async def count_tokens(self, text: str) -> int | None:
        """Count ``text`` by ``/extras/tokenize/count`` of a llama-cpp-python server; ``None`` where there is no such thing.

        Raises EndpointError when the endpoint may have it and could not be asked: it broke off, or was busy.

        Marks that the tokenizer puts around every text (such as a beginning-of-text token) are not counted: nobody generated them.
        """
        count = await self._tokenized(text)
        if count is not None and self._tokenizer_marks is None:
            self._tokenizer_marks = await self._tokenized("")
        return None if count is None or self._tokenizer_marks is None else count - self._tokenizer_marks

    async def _tokenized(self, text: str) -> int | None:
        url = f"{self._api.removesuffix('/v1')}/extras/tokenize/count"
        try:
            exchange = await self._connections.send(url, url, {"input": text}, timeout_s=self.timeouts.control_s)
            reply = _accepted(url, exchange, self.hidden)
        except EndpointError as error:
            if error.transient:
                raise
            return None  # it has no such path, or what answers there is something else
        count = reply.get("count") if isinstance(reply, dict) else None
        return count if type(count) is int else None

    def _streams(self) -> "Streams":
        if self._opened_streams is None:
            # Imported here because judges at an endpoint are never streamed, and the library takes a second to import.
            from runner.streams import Streams

            self._opened_streams = Streams(self.endpoint, self._key, self.timeouts, self.hidden)
        return self._opened_streams


def _sendable(key: str) -> str:
    """Return the key. Raises UsageError, without showing it, when it cannot stand in a header."""
    if not (key.isascii() and key.isprintable()):
        raise UsageError(
            "the key for the endpoint has a character that cannot be sent, such as a line break; check JUDGE_API_KEY"
        )
    return key


def _accepted(here: str, exchange: Exchange, hidden: Blackout) -> Any:
    """Return the JSON of a reply (or its text, if it is no JSON). Raises EndpointError for a status that is none of success."""
    if exchange.status not in SUCCESS:
        raise status_error(here, exchange.status, exchange.text, exchange.headers, hidden)
    return parsed(here, exchange, hidden)


def _body(endpoint: Endpoint, messages: Messages, sampling: Sampling, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the request: standard fields as themselves, llama.cpp's own ones in the extra body; unset ones are left out."""
    standard = {"temperature": sampling.temperature, "top_p": sampling.top_p, "seed": sampling.seed}
    extra = {"top_k": sampling.top_k, "min_p": sampling.min_p, "repeat_penalty": sampling.repeat_penalty}
    return {
        "model": endpoint.model,
        "messages": [dict(message) for message in messages],
        "max_tokens": sampling.max_tokens,
        **{name: value for name, value in standard.items() if value is not None},
        "extra_body": {name: value for name, value in extra.items() if value is not None} | fields,
    }


def _whole_reply(endpoint: Endpoint, completion: object, sent_s: float, ended_s: float) -> Reply:
    message = read_completion(completion)
    if message is None:
        raise _unreadable(endpoint, completion)
    return Reply(
        text=message.text,
        reasoning=message.reasoning,
        finish_reason=message.finish_reason,
        stamps=Stamps(sent_s=sent_s, first_token_s=None, last_token_s=None, ended_s=ended_s),
        usage=read_usage(completion) or Usage(),
    )


def _not_given_up(endpoint: Endpoint, reply: Reply) -> Reply:
    """Return the reply. Raises BadReply when its finish reason says that the endpoint, and not the model, ended it.

    Asking again helps after a fault of the server, and not where a filter objects to what was asked or written.
    """
    ended = ending(reply.finish_reason or "")
    reason = f"{where(endpoint)}: finish reason {reply.finish_reason!r}"
    if ended == "withheld":
        raise BadReply(f"{reason}: a filter of the endpoint withheld the reply")
    if ended == "broken":
        raise StreamCut(f"{reason}: the server gave up within the reply", reply=reply)
    return reply


def _unreadable(endpoint: Endpoint, completion: object) -> EndpointError:
    """Return the error for a reply that is no completion; an empty one may be what a server left that is just going down."""
    said = completion.get("error") if isinstance(completion, dict) else None
    code = said.get("code") if isinstance(said, dict) else None
    if type(code) is int and code in FAILURES:  # of a router, which had said that all is well before it asked the model
        return status_error(where(endpoint), code, json.dumps(completion), {})
    found = one_line(str(said or completion))[:80]
    said_nothing = f"{where(endpoint)}: found {found!r} instead of a chat completion"
    return EndpointError(said_nothing) if found else BadReply(said_nothing, transient=True)
