"""Connections to a model endpoint, one request at a time on each: what the client library stands on.

The library's own pool looks at every open connection, with system calls, whenever a request begins or ends: with 64 in flight that
is a third of all time spent. Here every connection is a pool of its own, taken from a stack, so a request looks at one.
"""

import ssl
from collections.abc import AsyncIterator
from urllib.request import getproxies

import httpx2
import openai

KEPT = 256
"""Idle connections that are kept; further ones are closed."""
_ONE = httpx2.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30.0)


def http_client(base_url: str, timeout: openai.Timeout) -> httpx2.AsyncClient:
    """Return the HTTP client for an endpoint; behind a proxy it is the library's own."""
    if getproxies():
        return openai.DefaultAsyncHttpxClient(timeout=timeout)
    return openai.DefaultAsyncHttpxClient(timeout=timeout, transport=Connections(_trust(base_url)))


def _trust(base_url: str) -> ssl.SSLContext:
    """Return whom TLS trusts. Plain HTTP trusts nobody: loading all certificates takes a tenth of a second."""
    if base_url.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx2.create_ssl_context()


class Connections(httpx2.AsyncBaseTransport):
    """As many connections as there are requests in flight; the one that was free last is used next."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        self._idle: list[httpx2.AsyncHTTPTransport] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send ``request`` on a free connection, or on a new one."""
        connection = self._idle.pop() if self._idle else httpx2.AsyncHTTPTransport(verify=self._trust, limits=_ONE)
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            await connection.aclose()
            raise
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Body(response.stream, connection, self)
        return response

    async def give_back(self, connection: httpx2.AsyncHTTPTransport) -> None:
        """Keep a connection whose reply has been read or given up."""
        if len(self._idle) < KEPT:
            self._idle.append(connection)
        else:
            await connection.aclose()

    async def aclose(self) -> None:
        """Close what is idle."""
        while self._idle:
            await self._idle.pop().aclose()


class _Body(httpx2.AsyncByteStream):
    """The body of a reply, which gives its connection back when it is closed."""

    def __init__(
        self, stream: httpx2.AsyncByteStream, connection: httpx2.AsyncHTTPTransport, owner: Connections
    ) -> None:
        self._stream = stream
        self._connection: httpx2.AsyncHTTPTransport | None = connection
        self._owner = owner

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        await self._stream.aclose()
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._owner.give_back(connection)
