"""The only file that speaks HTTP to models: openai for completions, httpx for the control plane.

Errors of both libraries are mapped here, once, to ``EndpointError`` and its kin. There is no total timeout while tokens still
arrive: a slow model is not a fault. One call is one request; trying again belongs to ``runner.retry``.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import httpx
import openai

from runner.arriving import ArrivingReply
from runner.completions import read_completion, read_usage, well_formed
from runner.connections import http_client
from runner.errors import EndpointError, StreamCut
from runner.guard import guarded
from runner.statuses import one_line, status_error
from runner.types import Endpoint, Reply, Sampling, Stamps, Usage, Value

_STREAM_TYPE = "text/event-stream"
PLACEHOLDER_KEY = "none"
"""Local servers take any key, and the client library insists on one."""

Clock = Callable[[], float]
Messages = Sequence[Mapping[str, str]]


class Timeouts(Value):
    """How long silence is taken for life. None of these limits a request whose tokens keep arriving."""

    connect_s: float = 10.0
    first_token_s: float = 1800.0
    """Request sent to first chunk: prefill of a long prompt on a 480B model takes minutes."""
    idle_s: float = 180.0
    """Between two chunks."""
    reply_s: float = 3600.0
    """A whole reply that is not streamed."""
    control_s: float = 10.0
    """Requests to the control plane."""


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
        self.endpoint = endpoint
        self.clock = clock
        self._timeouts = timeouts or Timeouts()
        self._tokenizer_marks: int | None = None
        self._api = endpoint.base_url.removesuffix("/")
        self.key = api_key or PLACEHOLDER_KEY
        self._openai = openai.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=self.key,
            max_retries=0,
            http_client=http_client(
                endpoint.base_url, openai.Timeout(self._timeouts.reply_s, connect=self._timeouts.connect_s)
            ),
        )
        self._control = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {self.key}"}, timeout=self._timeouts.control_s, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._openai.close()
        await self._control.aclose()

    @guarded
    async def stream(self, messages: Messages, sampling: Sampling, **fields: Any) -> Reply:
        """Generate one reply as a stream. Raises StreamCut when it ends without a finish reason, else EndpointError.

        A model that goes round in circles is cut: the reply says so, and the closed connection makes the server stop.
        """
        stream = ArrivingReply(self.clock)
        try:
            with _MappedErrors(self.endpoint):
                await self._read(stream, _body(self.endpoint, messages, sampling, fields))
        except EndpointError as error:
            if stream.first_s is None:
                raise
            raise StreamCut(
                f"the stream broke off after {len(stream.text)} characters: {error}", reply=stream.reply()
            ) from error
        reply = stream.reply()
        if reply.finish_reason is None and reply.repetition is None:
            raise StreamCut("the stream ended without a finish reason", reply=reply)
        return reply

    @guarded
    async def complete(self, messages: Messages, sampling: Sampling, **fields: Any) -> Reply:
        """Generate one reply in one piece. Raises EndpointError."""
        sent_s = self.clock()
        with _MappedErrors(self.endpoint):
            body = _body(self.endpoint, messages, sampling, fields)
            # As plain JSON: the library's own types cost more than the request, and are not checked anyway.
            completion = await self._openai.post(
                "/chat/completions", cast_to=object, body=body | body.pop("extra_body")
            )
        return _whole_reply(self.endpoint, completion, sent_s, self.clock())

    async def models(self) -> list[str]:
        """Return the names that the endpoint lists under ``/v1/models``. Raises EndpointError."""
        return [str(entry.get("id")) for entry in await self.listing()]

    @guarded
    async def listing(self) -> list[dict[str, Any]]:
        """Return what the endpoint says under ``/v1/models``, one entry a model. Raises EndpointError."""
        reply = await self._get_json("/models")
        data = reply.get("data") if isinstance(reply, dict) else None
        if not isinstance(data, list):
            raise EndpointError(
                f"{self.endpoint.base_url}/models: found {str(reply)[:80]!r} instead of a list of models"
            )
        return [entry for entry in data if isinstance(entry, dict)]

    async def count_tokens(self, text: str) -> int | None:
        """Count ``text`` by ``/extras/tokenize/count`` of a llama-cpp-python server; ``None`` where there is no such thing.

        Marks that the tokenizer puts around every text (such as a beginning-of-text token) are not counted: nobody generated them.
        """
        count = await self._tokenized(text)
        if count is not None and self._tokenizer_marks is None:
            self._tokenizer_marks = await self._tokenized("")
        return None if count is None or self._tokenizer_marks is None else count - self._tokenizer_marks

    async def _tokenized(self, text: str) -> int | None:
        url = f"{self._api.removesuffix('/v1')}/extras/tokenize/count"
        try:
            response = await self._control.post(url, json={"input": text})
            reply = response.json() if response.status_code == httpx.codes.OK else None
        except (httpx.HTTPError, ValueError):  # no answer, or one that is no JSON
            return None
        count = reply.get("count") if isinstance(reply, dict) else None
        return count if type(count) is int else None

    async def _read(self, stream: ArrivingReply, body: dict[str, Any]) -> None:
        async with asyncio.timeout(self._timeouts.first_token_s) as patience:
            async with await self._openai.chat.completions.create(stream=True, **body) as chunks:
                async for chunk in chunks:
                    stream.add(chunk)
                    if stream.endless:
                        return
                    if stream.first_s is not None:  # a role alone may come long before the first token
                        patience.reschedule(asyncio.get_running_loop().time() + self._timeouts.idle_s)
                if not stream.heard:
                    _check_is_stream(self.endpoint, chunks.response.headers.get("content-type", _STREAM_TYPE))

    async def _get_json(self, path: str) -> Any:
        url = f"{self._api}{path}"
        try:
            response = await self._control.get(url)
        except httpx.HTTPError as error:
            raise EndpointError(f"{url}: {type(error).__name__}: {error}", transient=True) from error
        if response.status_code != httpx.codes.OK:
            raise status_error(url, response.status_code, one_line(response.text), response.headers)
        try:
            return response.json()
        except ValueError as error:  # no JSON, or no UTF-8
            raise EndpointError(f"{url}: found {response.text[:60]!r} instead of JSON") from error


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
        text=well_formed(message.text),
        reasoning=well_formed(message.reasoning),
        finish_reason=message.finish_reason,
        stamps=Stamps(sent_s=sent_s, first_token_s=None, last_token_s=None, ended_s=ended_s),
        usage=read_usage(completion) or Usage(),
    )


# --- errors ---------------------------------------------------------------------------------------------------------


def _unreadable(endpoint: Endpoint, completion: object) -> EndpointError:
    """Return the error for a reply that is no completion; an empty one may be what a server left that is just going down."""
    said = getattr(completion, "error", None) or completion
    found = one_line(str(said))[:80]
    return EndpointError(f"{_where(endpoint)}: found {found!r} instead of a chat completion", transient=not found)


def _check_is_stream(endpoint: Endpoint, content_type: str) -> None:
    """Raise EndpointError for a body without a single event that never claimed to be a stream: the wrong address, or a proxy."""
    if not content_type.startswith(_STREAM_TYPE):
        raise EndpointError(f"{_where(endpoint)}: found a body of type {content_type!r} instead of a stream of events")


def _where(endpoint: Endpoint) -> str:
    return f"{endpoint.base_url} ({endpoint.model})"


class _MappedErrors:
    """Turns the errors of the client library, and our own timeouts, into this package's errors."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        mapped = self._map(error)
        if mapped is not None:
            raise mapped from error

    def _map(self, error: BaseException | None) -> EndpointError | None:
        where = _where(self._endpoint)
        match error:
            case openai.APIStatusError():
                return status_error(where, error.status_code, _detail(error), error.response.headers)
            case openai.APITimeoutError() | TimeoutError():
                return EndpointError(f"{where}: nothing arrived in time", transient=True)
            case openai.APIConnectionError():
                return EndpointError(f"{where}: the connection failed ({_cause(error)})", transient=True)
            case json.JSONDecodeError(doc=doc) if not doc.strip():
                return EndpointError(f"{where}: found an empty body instead of JSON", transient=True)
            case openai.APIError() | json.JSONDecodeError() | UnicodeDecodeError():
                return EndpointError(f"{where}: the reply cannot be read: {one_line(str(error))}")
        return None


def _detail(error: openai.APIStatusError) -> str:
    """Return message and code of the error body on one line; HTML and other bodies are cut short."""
    body = error.body if isinstance(error.body, dict) else {}
    parts = [str(body[key]) for key in ("message", "code") if body.get(key)]
    return one_line(" ".join(parts) or error.response.text or error.message)


def _cause(error: BaseException) -> str:
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return f"{type(cause).__name__}: {one_line(str(cause))}" if str(cause) else type(cause).__name__
