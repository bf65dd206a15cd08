"""What is asked of a model server on loopback, and what it answers: whole, as a stream, or broken on purpose."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


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
