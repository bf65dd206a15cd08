"""An HTTP server for answers that fetch URLs: it listens inside the sandbox's own empty network and runs outside of it.

The listening socket is opened in the sandbox's network namespace and handed out; requests are served by the service's
event loop. So the answer can reach nothing but this server, and cannot touch its log.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Mapping
from importlib import resources
from types import TracebackType
from typing import Literal, Self

from pydantic import Field

from runner.errors import SandboxError
from runner.jail import Jail
from runner.spawn import run_trusted
from runner.types import Value

_MAX_HEAD_BYTES = 16 << 10
_MAX_CONNECTIONS = 256
_READ_BYTES = 1 << 16
_MAX_LOG = 10_000
_HEAD_WALL_S = 10.0
"""A connection that sends no complete request head within this is dropped."""

Behaviour = Literal["respond", "hang", "reset"]


class Route(Value):
    """What a path does."""

    status: int = Field(default=200, ge=200, le=599)
    body: str = ""
    delay_s: float = Field(default=0.0, ge=0)
    """Wait before the response (or reset)."""
    behaviour: Behaviour = "respond"
    """``hang`` accepts and never answers; ``reset`` breaks the connection."""
    location: str | None = None
    """The ``Location`` header, for redirects."""


class Request(Value):
    """One request as it arrived."""

    method: str
    path: str
    at_s: float
    """Seconds since the server started."""
    concurrent: int
    """Requests being served at that moment, this one included."""


class LoopbackServer:
    """The running server; made by ``Sandbox.http_server``. Paths without a route are 404."""

    def __init__(self, routes: Mapping[str, Route], *, inside_pid: int, jail: Jail) -> None:
        self._routes = dict(routes)
        self._inside_pid = inside_pid
        self._jail = jail
        self._log: list[Request] = []
        self._active = 0
        self._connections: set[asyncio.Task[None]] = set()
        self._started_s = time.monotonic()
        self._server: asyncio.Server | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        listener = await _listener_inside(self._inside_pid, self._jail)
        self._port = listener.getsockname()[1]
        self._server = await asyncio.start_server(self._on_connection, sock=listener, limit=_MAX_HEAD_BYTES)
        self._started_s = time.monotonic()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def url(self, path: str) -> str:
        """Return the URL of ``path`` as it is reachable from the answer."""
        return f"http://127.0.0.1:{self._port}{path}"

    def log(self) -> tuple[Request, ...]:
        """Return the requests so far, in order of arrival."""
        return tuple(self._log)

    async def _on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= _MAX_CONNECTIONS:
            writer.transport.abort()
            return
        self._connections.add(task)
        try:
            with contextlib.suppress(
                OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError
            ):
                await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the server is closing; letting it through would be reported as an error of the stream
        finally:
            self._connections.discard(task)
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_HEAD_WALL_S):
            head = await reader.readuntil(b"\r\n\r\n")
        method, path, _ = head.decode("latin-1").split("\r\n", 1)[0].split(" ", 2)
        self._active += 1
        try:
            self._note(method, path)
            await self._respond(self._routes.get(path.partition("?")[0], Route(status=404)), method, reader, writer)
        finally:
            self._active -= 1

    def _note(self, method: str, path: str) -> None:
        if len(self._log) < _MAX_LOG:
            at_s = time.monotonic() - self._started_s
            self._log.append(Request(method=method[:16], path=path[:500], at_s=at_s, concurrent=self._active))

    async def _respond(
        self, route: Route, method: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if await _client_left(reader, None if route.behaviour == "hang" else route.delay_s):
            return
        if route.behaviour == "reset":
            _reset(writer)
            return
        body = route.body.encode()
        location = f"Location: {route.location}\r\n" if route.location is not None else ""
        head = f"HTTP/1.1 {route.status} Test\r\nContent-Length: {len(body)}\r\n{location}Connection: close\r\n\r\n"
        writer.write(head.encode() + (b"" if method == "HEAD" else body))
        await writer.drain()


async def _client_left(reader: asyncio.StreamReader, within_s: float | None) -> bool:
    """Wait and say whether the client gave up meanwhile; ``None`` waits until it does."""
    try:
        async with asyncio.timeout(within_s):
            while await reader.read(_READ_BYTES):
                pass
    except TimeoutError:
        return False
    return True


def _reset(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket = writer.get_extra_info("socket")
    # Lingering for no time turns close into a reset.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


async def _listener_inside(pid: int, jail: Jail) -> socket.socket:
    source = (resources.files("runner") / "join_network.py").read_text()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [jail.interpreter.executable, "-I", "-S", "-c", source, str(pid), str(theirs.fileno())]
        status, _, stderr = await run_trusted(command, uid=jail.uid, gid=jail.gid, pass_fds=[theirs.fileno()])
        if status != 0:
            last = stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise SandboxError(f"cannot listen inside the network of the sandbox: {last!r}")
        _, fds, _, _ = socket.recv_fds(ours, 16, 1)
    listener = socket.socket(fileno=fds[0])
    os.set_inheritable(listener.fileno(), False)
    listener.setblocking(False)
    return listener
