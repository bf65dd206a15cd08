"""JSON as it goes through the pipe, without the ``json`` module: importing that costs more than the interpreter's start.

What ``json`` itself does its work with is imported instead, where the interpreter has it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # not imported: see the package
if TYPE_CHECKING:
    from typing import Any


class _Strict:
    """How the scanner is to read: as ``json.loads`` without options does."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


def _refuse(value: Any) -> Any:
    raise TypeError(f"a {type(value).__name__} cannot be sent")


try:
    from _json import encode_basestring_ascii, make_encoder, make_scanner

    _encode = make_encoder(None, _refuse, encode_basestring_ascii, None, ":", ",", False, False, True)
    _scan = make_scanner(_Strict)  # type: ignore[arg-type]

    def dumps(value: Any) -> bytes:
        """Return ``value`` as ASCII JSON."""
        return "".join(_encode(value, 0)).encode()

    def loads(data: bytes | bytearray) -> Any:
        """Read what the service has written with ``json.dumps``."""
        return _scan(data.decode(), 0)[0]

except ImportError:  # another Python than CPython
    import json

    def dumps(value: Any) -> bytes:
        """Return ``value`` as ASCII JSON."""
        return json.dumps(value).encode()

    def loads(data: bytes | bytearray) -> Any:
        """Read what the service has written with ``json.dumps``."""
        return json.loads(data)
