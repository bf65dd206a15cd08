"""The only file that speaks HTTP to models: openai for completions, httpx for the control plane.

Errors of both libraries are mapped here, once, to ``EndpointError`` and its kin. There is no total timeout while tokens still
arrive: a slow model is not a fault. One call is one request; trying again belongs to ``runner.retry``.
"""

import asyncio
import email.utils
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import httpx
import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from runner.errors import AccessDenied, ContextExceeded, EndpointError, StreamCut
from runner.types import Endpoint, Reply, Sampling, Stamps, Usage, Value

TRANSIENT_STATUS = frozenset({408, 409, 425, 429, 502, 503, 504})
PLACEHOLDER_KEY = "none"
"""Local servers take any key, and the client library insists on one."""
_VALIDATION_MARKS = ("validation error", "literal_error", "value_error", "type_error")
_CONTEXT_MARKS = (
    "context_length_exceeded",
    "exceed context window",
    "maximum context length",
    "exceeds the available context",
)

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
        key = api_key or PLACEHOLDER_KEY
        self._openai = openai.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=key,
            max_retries=0,
            timeout=openai.Timeout(self._timeouts.reply_s, connect=self._timeouts.connect_s),
        )
        self._control = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"}, timeout=self._timeouts.control_s, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._openai.close()
        await self._control.aclose()

    async def stream(self, messages: Messages, sampling: Sampling, **fields: Any) -> Reply:
        """Generate one reply as a stream. Raises StreamCut when it ends without a finish reason, else EndpointError."""
        stream = _Stream(self.clock)
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
        if reply.finish_reason is None:
            raise StreamCut("the stream ended without a finish reason", reply=reply)
        return reply

    async def complete(self, messages: Messages, sampling: Sampling, **fields: Any) -> Reply:
        """Generate one reply in one piece. Raises EndpointError."""
        sent_s = self.clock()
        with _MappedErrors(self.endpoint):
            completion = await self._openai.chat.completions.create(**_body(self.endpoint, messages, sampling, fields))
        return _whole_reply(completion, sent_s, self.clock())

    async def models(self) -> list[str]:
        """Return the names that the endpoint lists under ``/v1/models``. Raises EndpointError."""
        reply = await self._get_json("/models")
        data = reply.get("data") if isinstance(reply, dict) else None
        if not isinstance(data, list):
            raise EndpointError(
                f"{self.endpoint.base_url}/models: found {str(reply)[:80]!r} instead of a list of models"
            )
        return [str(entry.get("id")) for entry in data if isinstance(entry, dict)]

    async def count_tokens(self, text: str) -> int | None:
        """Count ``text`` by ``/extras/tokenize/count`` of a llama-cpp-python server; ``None`` where there is no such thing."""
        root = self.endpoint.base_url.removesuffix("/").removesuffix("/v1")
        try:
            response = await self._control.post(f"{root}/extras/tokenize/count", json={"input": text})
            count = response.json().get("count") if response.status_code == httpx.codes.OK else None
        except (httpx.HTTPError, json.JSONDecodeError, AttributeError):
            return None
        return count if isinstance(count, int) else None

    async def _read(self, stream: "_Stream", body: dict[str, Any]) -> None:
        async with asyncio.timeout(self._timeouts.first_token_s) as patience:
            chunks = await self._openai.chat.completions.create(stream=True, **body)
            async for chunk in chunks:
                stream.add(chunk)
                patience.reschedule(asyncio.get_running_loop().time() + self._timeouts.idle_s)

    async def _get_json(self, path: str) -> Any:
        url = f"{self.endpoint.base_url}{path}"
        try:
            response = await self._control.get(url)
        except httpx.HTTPError as error:
            raise EndpointError(f"{url}: {type(error).__name__}: {error}", transient=True) from error
        if response.status_code in (401, 403):
            raise AccessDenied(
                f"{url}: the endpoint refused the key (HTTP {response.status_code})", status=response.status_code
            )
        if response.status_code != httpx.codes.OK:
            raise EndpointError(f"{url}: HTTP {response.status_code}", status=response.status_code)
        try:
            return response.json()
        except json.JSONDecodeError as error:
            raise EndpointError(f"{url}: found {response.text[:60]!r} instead of JSON") from error


class _Stream:
    """What has arrived of one streamed reply."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent_s = clock()
        self.first_s: float | None = None
        self._last_s: float | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._finish_reason: str | None = None
        self._usage = Usage()

    @property
    def text(self) -> str:
        return "".join(self._text)

    def add(self, chunk: ChatCompletionChunk) -> None:
        if chunk.usage is not None:
            self._usage = _usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        for choice in chunk.choices[:1]:
            self._finish_reason = choice.finish_reason or self._finish_reason
            if choice.delta is not None:
                self._add_text(choice.delta.content or "", _reasoning(choice.delta))

    def _add_text(self, text: str, reasoning: str) -> None:
        if text or reasoning:
            self._last_s = self._clock()
            self.first_s = self._last_s if self.first_s is None else self.first_s
            self._text.append(text)
            self._reasoning.append(reasoning)

    def reply(self) -> Reply:
        stamps = Stamps(
            sent_s=self._sent_s, first_token_s=self.first_s, last_token_s=self._last_s, ended_s=self._clock()
        )
        return Reply(
            text=self.text,
            reasoning="".join(self._reasoning),
            finish_reason=self._finish_reason,
            stamps=stamps,
            usage=self._usage,
        )


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


def _whole_reply(completion: ChatCompletion, sent_s: float, ended_s: float) -> Reply:
    if not isinstance(completion, ChatCompletion) or not completion.choices:
        raise EndpointError(f"found {str(completion)[:80]!r} instead of a chat completion")
    choice, usage = completion.choices[0], completion.usage
    return Reply(
        text=choice.message.content or "",
        reasoning=_reasoning(choice.message),
        finish_reason=choice.finish_reason,
        stamps=Stamps(sent_s=sent_s, first_token_s=None, last_token_s=None, ended_s=ended_s),
        usage=_usage(usage.prompt_tokens, usage.completion_tokens) if usage else Usage(),
    )


def _reasoning(part: Any) -> str:
    """Return the text that servers deliver apart as reasoning (two spellings are in use)."""
    extra = part.model_extra or {}
    return str(extra.get("reasoning_content") or extra.get("reasoning") or "")


def _usage(prompt: int, completion: int) -> Usage:
    return Usage(prompt_tokens=prompt, completion_tokens=completion, source="usage")


# --- errors ---------------------------------------------------------------------------------------------------------


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
        where = f"{self._endpoint.base_url} ({self._endpoint.model})"
        match error:
            case openai.APIStatusError():
                return status_error(where, error.status_code, _detail(error), error.response.headers)
            case openai.APITimeoutError() | TimeoutError():
                return EndpointError(f"{where}: nothing arrived in time", transient=True)
            case openai.APIConnectionError():
                return EndpointError(f"{where}: {_cause(error)}", transient=True)
            case openai.APIError() | json.JSONDecodeError() | UnicodeDecodeError():
                return EndpointError(f"{where}: the reply cannot be read: {str(error)[:200]}")
        return None


def status_error(where: str, status: int, detail: str, headers: Mapping[str, str]) -> EndpointError:
    """Return the error for an HTTP status: which kind it is, and whether asking again could help."""
    message = f"{where}: HTTP {status}: {detail}"
    if status in (401, 403):
        return AccessDenied(f"{where}: the endpoint refused the key (HTTP {status}): {detail}", status=status)
    if any(mark in detail.lower() for mark in _CONTEXT_MARKS):
        return ContextExceeded(message, status=status)
    # llama-cpp-python answers a malformed request with 500: the same request would fail for ever.
    is_fault = status == 500 and not any(mark in detail.lower() for mark in _VALIDATION_MARKS)
    transient = is_fault or status in TRANSIENT_STATUS
    return EndpointError(
        message, status=status, transient=transient, retry_after_s=retry_after(headers.get("retry-after"))
    )


def retry_after(header: str | None, *, now: Callable[[], float] = time.time) -> float | None:
    """Return the seconds that a Retry-After header asks for (a number or an HTTP date), or ``None``."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        date = email.utils.parsedate_tz(header)
        return None if date is None else max(0.0, email.utils.mktime_tz(date) - now())


def _detail(error: openai.APIStatusError) -> str:
    """Return message and code of the error body on one line; HTML and other bodies are cut short."""
    body = error.body if isinstance(error.body, dict) else {}
    parts = [str(body[key]) for key in ("message", "code") if body.get(key)]
    text = " ".join(parts) or error.response.text or error.message
    return " ".join(text.split())[:300]


def _cause(error: BaseException) -> str:
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__
