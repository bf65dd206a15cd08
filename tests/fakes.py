"""A model server on loopback that does what a test tells it to: faults on purpose, or a judge with known opinions.

It speaks real HTTP from its own thread, so what is tested is the real client on a real socket. A handler is a function from
``Request`` to ``Response``; a body is a list of steps, so every break can be put exactly where it hurts.
"""

import asyncio
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fake_replies import (
    DONE,
    PING,
    Fault,
    Request,
    Response,
    Step,
    completion,
    delta,
    error_response,
    event,
    html_response,
    json_response,
    models_response,
    sse,
    streamed,
    usage_event,
)
from scripted_judge import (
    NO_JSON_SCHEMA,
    Asked,
    Opinion,
    Scores,
    ScriptedJudge,
    at_random,
    lenient,
    perfect,
    verdict_json,
)

from runner.types import Endpoint

# A test that needs a server needs what it answers too: all of it may be imported from here.
__all__ = [
    "DONE",
    "NO_JSON_SCHEMA",
    "PING",
    "Asked",
    "Fault",
    "Opinion",
    "Request",
    "Response",
    "Scores",
    "ScriptedJudge",
    "Step",
    "at_random",
    "completion",
    "delta",
    "error_response",
    "event",
    "html_response",
    "json_response",
    "lenient",
    "models_response",
    "perfect",
    "sse",
    "streamed",
    "usage_event",
    "verdict_json",
]

Handler = Callable[[Request], Response]


class FakeServer:
    """Answers on loopback, from a thread of its own, until it is closed. ``requests`` has everything that was asked."""

    def __init__(self, handler: Handler, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.hung_up = threading.Event()
        """Set once the client has closed a connection whose reply was not at its end."""
        self._handler = handler
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._closing = asyncio.Event()
        self._open: set[asyncio.Task[None]] = set()
        """What answers the connections that there are."""
        self._port = port
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def endpoint(self, model: str = "m", *, local: bool = False) -> Endpoint:
        """This server as an endpoint; ``local`` says that it behaves like llama-cpp-python."""
        return Endpoint(base_url=self.base_url, model=model, server="llama-cpp-python" if local else "openai")

    def asked(self, path: str = "/v1/chat/completions") -> list[Request]:
        """The requests for ``path``."""
        return [request for request in self.requests if request.path == path]

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()
        self._loop.close()

    async def _run(self) -> None:
        server = await asyncio.start_server(self._take, "127.0.0.1", self._port)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._closing.wait()
        # What was just accepted is asyncio's own task for a few turns, and then one of ours. Closed meanwhile, or cancelled before
        # its first step, it leaves its socket to the garbage collector, which warns: seen where a loaded machine had a client
        # connect, give up, and the server closed, all in one turn of this loop.
        while arriving := asyncio.all_tasks() - self._open - {asyncio.current_task()}:
            await asyncio.wait(arriving)
        server.close()
        for connection in self._open:
            connection.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await asyncio.sleep(0)  # transports close their sockets a turn after they are told to

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection, which is closed however that ends, and even if it never began."""
        connection = asyncio.create_task(self._serve(reader, writer))
        self._open.add(connection)
        # A reply that nobody reads to its end would keep the socket open for as long as the loop is.
        connection.add_done_callback(lambda done: writer.transport.abort() if done.cancelled() else writer.close())
        connection.add_done_callback(self._open.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read_request(reader)
            self.requests.append(request)
            await self._answer(reader, writer, self._handler(request))
        except ConnectionError:
            self.hung_up.set()  # in the middle of a reply, as some tests make it do
        except asyncio.IncompleteReadError:
            pass  # before it had asked for anything

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, response: Response) -> None:
        if not response.headerless:
            writer.write(_head(response))
        for step in response.steps:
            match step:
                case bytes():
                    writer.write(b"%x\r\n%b\r\n" % (len(step), step))
                    await writer.drain()
                case Fault.RESET:
                    _reset(writer)
                    return
                case Fault.HANG:
                    await reader.read()  # returns when the client hangs up
                    self.hung_up.set()
                    return
                case seconds:
                    await asyncio.sleep(seconds)
        writer.write(b"0\r\n\r\n")
        await writer.drain()


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, json.loads(raw) if raw else None)


def _head(response: Response) -> bytes:
    lines = [f"HTTP/1.1 {response.status} status", "transfer-encoding: chunked", "connection: close"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side sees a reset and not an end."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def serving(handler: Handler, port: int = 0) -> Iterator[FakeServer]:
    """Run a server for the length of the block; port 0 takes a free one."""
    server = FakeServer(handler, port)
    try:
        yield server
    finally:
        server.close()


async def until(seen: Callable[[], bool], *, within_s: float = 20.0) -> None:
    """Wait until something is seen, such as a request at a server, which has a thread of its own and can wake nobody here."""
    async with asyncio.timeout(within_s):
        while not seen():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@dataclass
class Script:
    """A handler that plays responses in order, the last one for ever; it lists ``models`` and counts tokens by words."""

    responses: Iterable[Response]
    models: Sequence[str] = ("m",)
    counts_tokens: bool = False
    bos_tokens: int = 0
    """Tokens that this tokenizer puts in front of every text."""

    def __post_init__(self) -> None:
        self._left = deque(self.responses)

    def __call__(self, request: Request) -> Response:
        match request.path:
            case "/v1/models":
                return models_response(*self.models)
            case "/extras/tokenize/count" if self.counts_tokens:
                return json_response({"count": len(request.body["input"].split()) + self.bos_tokens})
            case "/v1/chat/completions":
                return self._left.popleft() if len(self._left) > 1 else self._left[0]
        return json_response({"detail": "Not Found"}, 404)


def script(*responses: Response, **options: Any) -> Script:
    """Short for a ``Script`` of these responses."""
    return Script(responses, **options)
