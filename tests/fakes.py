"""A model server on loopback that does what a test tells it to: faults on purpose, or a judge with known opinions.

It speaks real HTTP from its own thread, so what is tested is the real client on a real socket. A handler is a function from
``Request`` to ``Response``; a body is a list of steps, so every break can be put exactly where it hurts.
"""

import asyncio
import json
import random
import re
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from runner.dialects import Dialect
from runner.types import Endpoint

# --- what is asked and what is answered -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    """The parsed JSON; ``None`` when there was none."""


class Fault(Enum):
    """A step of a body that is no data."""

    RESET = "reset"
    """The connection is torn down at once."""
    HANG = "hang"
    """Nothing more comes, and the connection stays open until the server is closed."""


Step = bytes | float | Fault
"""Bytes that are sent, seconds that are waited, or a fault."""


@dataclass(frozen=True)
class Response:
    """What is sent back. The body goes out in chunked encoding, so an end that was not meant is seen as one."""

    steps: tuple[Step, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    headerless: bool = False
    """True does the steps before any status line: a reset or a hang where nothing was answered at all."""


Handler = Callable[[Request], Response]


def json_response(body: Any, status: int = 200, **headers: str) -> Response:
    """A JSON body. ``retry_after="3"`` sends the header ``retry-after``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response((json.dumps(body).encode(),), status, {"content-type": "application/json"} | named)


def error_response(status: int, message: str, *, code: str | None = None, **headers: str) -> Response:
    """An error in the form of the OpenAI API and of llama-cpp-python."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return json_response({"error": error}, status, **headers)


def html_response(status: int = 200) -> Response:
    """What a proxy says instead of the model."""
    page = b"<html><head><title>Bad Gateway</title></head>\n<body>nginx</body></html>"
    return Response((page,), status, {"content-type": "text/html"})


def models_response(*names: str) -> Response:
    """The listing of ``/v1/models``."""
    return json_response({"object": "list", "data": [{"id": name, "object": "model"} for name in names]})


def completion(
    text: str, *, finish: str | None = "stop", usage: tuple[int, int] | None = (7, 5), **extra: Any
) -> Response:
    """A whole chat completion; ``extra`` goes into the message."""
    message = {"role": "assistant", "content": text, **extra}
    body: dict[str, Any] = {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }
    if usage:
        body["usage"] = dict(zip(("prompt_tokens", "completion_tokens"), usage, strict=True)) | {
            "total_tokens": sum(usage)
        }
    return json_response(body)


# --- streams --------------------------------------------------------------------------------------------------------

DONE = b"data: [DONE]\n\n"
PING = b": ping - 2026-01-01 00:00:00\n\n"


def event(data: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def delta(content: str | None = None, *, finish: str | None = None, **fields: Any) -> bytes:
    """One chunk of a streamed completion; ``fields`` go into the delta (``role``, ``reasoning_content``)."""
    piece = fields if content is None else {"content": content, **fields}
    choice = {"index": 0, "delta": piece, "finish_reason": finish}
    return event({"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]})


def usage_event(prompt: int, completion_tokens: int) -> bytes:
    """The last chunk of a server that counts: no choices, only usage."""
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt + completion_tokens,
    }
    return event(
        {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [], "usage": usage}
    )


def sse(*steps: Step) -> Response:
    """A stream, exactly as given."""
    return Response(steps, headers={"content-type": "text/event-stream"})


def streamed(text: str, *, finish: str = "stop") -> Response:
    """A stream as llama-cpp-python sends it: role, pieces, finish, no usage."""
    pieces = [delta(piece) for piece in re.findall(r"\S+\s*|\s+", text)]
    return sse(delta(role="assistant"), *pieces, delta(finish=finish), DONE)


# --- the server -----------------------------------------------------------------------------------------------------


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
        server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._closing.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # a connection that was closed is gone in the next turn of the loop

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read_request(reader)
            self.requests.append(request)
            await self._answer(reader, writer, self._handler(request))
        except ConnectionError:
            self.hung_up.set()  # in the middle of a reply, as some tests make it do
        except asyncio.IncompleteReadError:
            pass  # before it had asked for anything
        except asyncio.CancelledError:
            pass  # the server is being closed while this connection hangs
        finally:
            writer.close()

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


# --- a judge with known opinions --------------------------------------------------------------------------------------

Scores = Mapping[str, int | str]
"""Criterion id -> 1-5 or "cannot_assess"."""


@dataclass(frozen=True)
class Asked:
    """What a judge was asked: the keys of its reply, the answer between the marks, and all that it was told."""

    keys: tuple[str, ...]
    answer: str
    text: str
    """System and user messages, joined."""
    turn: int
    """0 for the first request, 1 for the repair turn."""


Opinion = Callable[[Asked], Scores | str]
"""Returns the scores, or the raw text of the reply."""


def perfect(truth: Mapping[str, int], *, otherwise: int = 1) -> Opinion:
    """Knows the truth: the score of the first mark of ``truth`` that stands in the answer."""

    def opinion(asked: Asked) -> Scores:
        score = next((score for mark, score in truth.items() if mark in asked.answer), otherwise)
        return dict.fromkeys(asked.keys, score)

    return opinion


def lenient(asked: Asked) -> Scores:
    """Finds everything excellent."""
    return dict.fromkeys(asked.keys, 5)


def at_random(seed: int = 0) -> Opinion:
    """Throws dice."""
    dice = random.Random(seed)
    return lambda asked: {key: dice.randint(1, 5) for key in asked.keys}


def verdict_json(scores: Scores) -> str:
    """A reply as a good judge writes it."""
    return json.dumps(
        {key: {"evidence": "line 1", "reasoning": "seen", "score": score} for key, score in scores.items()}
    )


@dataclass
class ScriptedJudge:
    """A handler that judges by a Python function, on a server that enforces one way of asking for JSON.

    What it does not enforce it ignores with HTTP 200, as real servers do, unless ``refusals`` says otherwise. A schema that is
    enforced rules the reply: its only word is written where it leaves no choice.
    """

    opinion: Opinion
    enforces: Dialect = Dialect.JSON_SCHEMA
    refusals: Mapping[Dialect, Response] = field(default_factory=dict)
    """Dialect -> the error that asking in it gives."""
    name: str = "m"

    def __call__(self, request: Request) -> Response:
        if request.path == "/v1/models":
            return models_response(self.name)
        if request.path != "/v1/chat/completions":
            return json_response({"detail": "Not Found"}, 404)
        dialect, rule = _asked_dialect(request.body)
        if dialect in self.refusals:
            return self.refusals[dialect]
        text = self._reply(request.body["messages"], rule if dialect is self.enforces else None)
        return streamed(text) if request.body.get("stream") else completion(text)

    def _reply(self, messages: list[dict[str, str]], rule: str | None) -> str:
        text = "\n".join(message["content"] for message in messages if message["role"] != "assistant")
        keys = re.search(r"with exactly these keys, in this order: (.*)", text)
        if keys is None:  # not a grading: the handshake, which only a rule can answer as it wants
            word = re.search(r"kiwi-\d+", rule or "")
            return json.dumps({"fruit": word[0] if word else "apple"})
        wanted = tuple(re.findall(r"\w+", messages[-1]["content"].partition("in this order: ")[2].partition("\n")[0]))
        # The first message has an example of a graded answer.
        shown = "\n".join(message["content"] for message in messages[1:] if message["role"] != "assistant")
        answer = re.search(r"<<<ANSWER (\w+)\n(.*)\nANSWER \1>>>", shown, re.DOTALL)
        said = self.opinion(
            Asked(
                wanted,
                answer[2] if answer else "",
                text,
                turn=sum(message["role"] == "assistant" for message in messages),
            )
        )
        return said if isinstance(said, str) else verdict_json(said)


def _asked_dialect(body: Mapping[str, Any]) -> tuple[Dialect, str]:
    """Return in which dialect JSON was asked for, and the rule that came with it."""
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return Dialect.JSON_SCHEMA, json.dumps(wanted)
    if wanted.get("type") == "json_object":
        return Dialect.JSON_OBJECT_SCHEMA, json.dumps(wanted)
    if "grammar" in body:
        return Dialect.GRAMMAR, body["grammar"]
    return Dialect.PROMPTED, ""


NO_JSON_SCHEMA = error_response(
    500,
    "[{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), 'msg': \"Input should be 'text' or 'json_object'\","
    " 'input': 'json_schema'}]",
    code=None,
)
"""What llama-cpp-python says to the nested form."""
