"""What comes out of a sandbox, read as what it is: untrusted. Pure.

A reply is rebuilt in exact builtin types, must carry the nonce that is due and nothing unexpected; anything else is
Tampered: not a failed check but a dishonest answer.
"""

import json
import secrets
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import Field, ValidationError

from runner.inside.codec import Malformed, decode
from runner.outcomes import CallState, Inventory, Raised, Work
from runner.protocol import Handle, Opaque
from runner.types import Value

_HEADER = struct.Struct(">I")
_NONCE_BYTES = 8
_MAX_SHARED_BYTES = 1 << 18
"""Of a frame with several requests: what is read inside at once counts as memory of the answer."""


class Tampered(Exception):
    """What came through the pipe is not what the trusted part inside writes."""


def decode_value(data: Any) -> Any:
    """Rebuild a result. Raises Tampered."""
    try:
        return decode(data, _decode_special)
    except Malformed as error:
        raise Tampered(str(error)) from error


def _decode_special(data: list[Any]) -> Opaque:
    match data:
        case ["opaque", str(type_name)]:
            return Opaque(type_name=type_name[:400])
        case ["handle", str(handle), str(type_name)]:
            return Handle(id=handle[:64], type_name=type_name[:400])
    raise Malformed(f"unknown tag {data[0][:40]!r}")


# --- frames and replies -------------------------------------------------------------------------------------------


def new_nonces(count: int) -> list[str]:
    """Return what the replies to ``count`` requests have to carry."""
    digits = secrets.token_hex(_NONCE_BYTES * count)
    return [digits[i : i + 2 * _NONCE_BYTES] for i in range(0, len(digits), 2 * _NONCE_BYTES)]


def frames(requests: Sequence[Mapping[str, Any]]) -> bytes:
    """Return requests as they go through the pipe: small ones in one frame, because each frame costs more than a call."""
    body = json.dumps(requests).encode()
    if len(body) > _MAX_SHARED_BYTES and len(requests) > 1:
        return b"".join(frames([request]) for request in requests)
    return _HEADER.pack(len(body)) + body


class Frames:
    """Cuts what arrives into frames; holds no more than one unfinished frame."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._data = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the bodies of the frames that ``data`` completes. Raises Tampered for a length over the limit."""
        self._data += data
        bodies: list[bytes] = []
        while (size := self._next_size()) is not None and len(self._data) >= _HEADER.size + size:
            bodies.append(bytes(self._data[_HEADER.size : _HEADER.size + size]))
            del self._data[: _HEADER.size + size]
        return bodies

    def _next_size(self) -> int | None:
        if len(self._data) < _HEADER.size:
            return None
        size: int = _HEADER.unpack_from(self._data)[0]
        if size > self._limit:
            raise Tampered(f"a reply of {size} bytes, the limit is {self._limit}")
        return size


class Reply(Value):
    """One checked reply; its encoded values are decoded by ``value`` and ``args_after``."""

    id: str
    state: CallState
    encoded: Any = Field(default=None, alias="value")
    inventory: Inventory | None = None
    error: Raised | None = None
    after: dict[str, Any] = Field(default_factory=dict)
    awaited: bool = False
    work: Work | None = None
    message: str | None = None

    @classmethod
    def parse(cls, body: bytes, nonce: str) -> Self:
        """Read a reply that has to carry ``nonce``. Raises Tampered."""
        try:
            reply = cls.model_validate_json(body, strict=True)
        except (ValidationError, RecursionError) as error:
            raise Tampered(f"not a reply: {_first_line(error)}") from error
        if reply.id != nonce:
            raise Tampered("a reply to a request that is not due")
        if reply.state not in ("returned", "raised", "missing", "aborted"):
            raise Tampered(f"a reply that claims the state {reply.state!r}")
        if (reply.state == "raised") != (reply.error is not None):
            raise Tampered(f"state {reply.state!r} does not fit the error")
        return reply

    def value(self) -> Any:
        """Return the decoded value. Raises Tampered."""
        return decode_value(self.encoded)

    def args_after(self, args: Sequence[Any]) -> tuple[Any, ...] | None:
        """Return the positional arguments with the changed ones replaced; ``None`` when none changed."""
        if not self.after:
            return None
        changed = {index: decode_value(data) for index, data in self.after.items()}
        if not set(changed) <= set(map(str, range(len(args)))):
            raise Tampered("a change to an argument that was not passed")
        return tuple(changed.get(str(i), argument) for i, argument in enumerate(args)) if changed else None


def _first_line(error: Exception) -> str:
    return ascii(str(error).partition("\n")[0])[:200]
