"""Identity of a value: a hash of its canonical JSON, so that equal content has one name everywhere."""

import hashlib
import json
from typing import Any

from pydantic import BaseModel

# Made once: json.dumps makes one for every call that has options.
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=lambda value: _plain(value)
)


def canonical_json(value: Any) -> str:
    """Return ``value`` as JSON with sorted keys and no spaces; pydantic models are dumped in JSON mode first."""
    return _ENCODER.encode(value)


def digest(value: Any, *, length: int = 16) -> str:
    """Return the first ``length`` hex digits of the SHA-256 of the canonical JSON (16 digits: 64 bits)."""
    return short_hash(canonical_json(value), length=length)


def short_hash(text: str, *, length: int = 16) -> str:
    """Return the first ``length`` hex digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")
