"""Streamed replies, through the client library (``openai``). Its errors, and our own timeouts, are mapped here, once, to EndpointError.

Imported only when a stream is asked for: models that are served here are streamed, one request at a time, and there the second that the
library takes to import and its milliseconds a request are nothing.
"""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import openai

from runner.arriving import ArrivingReply
from runner.connections import Timeouts, cause, is_loopback, unread
from runner.errors import EndpointError, NoReply
from runner.foreign_text import Blackout, well_formed
from runner.statuses import one_line, status_error, where
from runner.types import Endpoint

_STREAM_TYPE = "text/event-stream"
AFTER_FINISH_S = 2.0
"""How long token counts and the end mark may come after the finish reason; they come at once, where they come at all."""


class Streams:
    """Streams from one endpoint."""

    def __init__(self, endpoint: Endpoint, key: str, timeouts: Timeouts, hidden: Blackout) -> None:
        self._endpoint = endpoint
        self._hidden = hidden
        self._timeouts = timeouts
        silence = openai.Timeout(None, connect=timeouts.connect_s)  # how long to wait for what is said in _read
        host = openai.DefaultAsyncHttpxClient(timeout=silence, trust_env=not _is_here(endpoint))
        self._openai = openai.AsyncOpenAI(base_url=endpoint.base_url, api_key=key, max_retries=0, http_client=host)
        self._create = (
            self._openai.chat.completions.create
        )  # imports its part of the library, which is no time to first token

    async def read(self, stream: ArrivingReply, body: dict[str, Any]) -> None:
        """Send ``body``, and add to ``stream`` until it ends or goes round in circles. Raises EndpointError.

        What has its finish reason is whole: that the connection is then held open, or breaks, takes nothing from it.
        """
        try:
            with _MappedErrors(self._endpoint, self._hidden):
                await self._read(stream, body)
        except EndpointError as error:
            if not (stream.finished and error.transient):
                raise

    async def close(self) -> None:
        """Close the connections."""
        await self._openai.close()

    async def _read(self, stream: ArrivingReply, body: dict[str, Any]) -> None:
        async with asyncio.timeout(self._timeouts.first_token_s) as patience:
            async with await self._create(stream=True, **body) as chunks:
                async for chunk in chunks:
                    had_finished = stream.finished
                    stream.add(chunk)
                    if stream.endless:
                        return
                    # A role alone may come long before the first token, and what comes after the end buys no more time.
                    if not had_finished and (stream.finished or stream.first_s is not None):
                        wait_s = AFTER_FINISH_S if stream.finished else self._timeouts.idle_s
                        patience.reschedule(asyncio.get_running_loop().time() + wait_s)
                if not stream.heard:
                    _check_is_stream(self._endpoint, chunks.response.headers.get("content-type", _STREAM_TYPE))


def _is_here(endpoint: Endpoint) -> bool:
    return is_loopback(urlsplit(endpoint.base_url).hostname or "")


def _check_is_stream(endpoint: Endpoint, content_type: str) -> None:
    """Raise EndpointError for a body without a single event that never claimed to be a stream: the wrong address, or a proxy."""
    if not content_type.startswith(_STREAM_TYPE):
        raise EndpointError(f"{where(endpoint)}: found a body of type {content_type!r} instead of a stream of events")


class _MappedErrors:
    """Turns the errors of the client library, and our own timeouts, into this package's errors."""

    def __init__(self, endpoint: Endpoint, hidden: Blackout) -> None:
        self._endpoint = endpoint
        self._hidden = hidden

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        mapped = self._map(error)
        if mapped is not None:
            raise mapped from error

    def _map(self, error: BaseException | None) -> EndpointError | None:
        here = where(self._endpoint)
        match error:
            case openai.APIStatusError(response=response):
                body = response.content.decode("utf-8", "replace")
                return status_error(here, error.status_code, body, response.headers, self._hidden)
            case openai.APITimeoutError():  # of connecting: the other limits are ours
                return EndpointError(f"{here}: nothing arrived in time", transient=True)
            case TimeoutError():
                return NoReply(f"{here}: nothing arrived in time")
            case openai.APIConnectionError():
                return EndpointError(f"{here}: the connection failed ({cause(error, self._hidden)})", transient=True)
            case openai.APIError():  # it quotes what came
                said = one_line(self._hidden.pieces(well_formed(str(error))))
                return EndpointError(f"{here}: the reply cannot be read: {said}")
            case json.JSONDecodeError() | UnicodeDecodeError() | RecursionError():
                return EndpointError(f"{here}: the reply cannot be read: {unread(error)}")
        return None
