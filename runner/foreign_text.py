"""Text that comes from outside, made fit to be stored and shown: well-formed, and without our secrets however they are written. Pure.

Decision: secrets are taken out of everything that comes from outside where it comes in, before anybody cuts it: of a key that is cut
first no search finds the head. What somebody else has cut already is found by its pieces, and those are looked for in messages only:
an answer that happens to share eight characters with a key is not to be changed.
"""

import binascii
import json
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any
from urllib.parse import quote

MIN_SECRET_CHARS = 6
"""What is shorter cannot be told from ordinary text, and protects nothing."""
PIECE_CHARS = 8
"""So much of a secret is no chance any more."""
HIDDEN = "[key]"
MAX_DEPTH = 100
"""Deepest nesting of JSON from outside that is read: replies have five levels, and Python gives up at a thousand."""
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


class Blackout:
    """Secrets, and texts without them."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # Blanks around a key are lost on its way in a header, and what comes back is the key without them.
        known = dict.fromkeys(secret.strip() for secret in secrets)
        self._secrets = tuple(secret for secret in known if len(secret) >= MIN_SECRET_CHARS)

    def whole(self, text: str) -> str:
        """Return ``text`` with every secret replaced, whichever way it is spelt, and the head of one in which it ends."""
        if len(text) < MIN_SECRET_CHARS:
            return text
        for spelling in self._spellings:
            text = text.replace(spelling, HIDDEN)
        return self._without_head(text) if text[-PIECE_CHARS:] in self._pieces else text

    def pieces(self, text: str) -> str:
        """Return ``text`` with every piece of a secret replaced that is long enough to be one: for messages."""
        text = self.whole(text)
        found = sorted(at for piece in self._pieces for at in _places(text, piece))
        return _without(text, found) if found else text

    def everywhere(self, value: Any, *, depth: int = MAX_DEPTH) -> Any:
        """Return JSON as it was parsed, its texts well-formed and without secrets.

        Raises RecursionError when it is nested too deeply.
        """
        if isinstance(value, str):
            return self.whole(well_formed(value))
        if isinstance(value, dict | list | tuple) and depth == 0:
            raise RecursionError(f"nested more than {MAX_DEPTH} deep")
        if isinstance(value, dict):
            return {self.everywhere(k): self.everywhere(v, depth=depth - 1) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.everywhere(item, depth=depth - 1) for item in value]
        return value

    def is_plain(self, content: bytes) -> bool:
        """True for JSON of which ``everywhere`` would return what was parsed, found without a look at every text of it.

        Half a character comes as an escape or as bytes that begin with ED; a secret, or the head of one, with its first characters.
        """
        few = content.count(b"{") + content.count(b"[") <= MAX_DEPTH
        return few and not any(mark in content for mark in self._marks)

    @cached_property
    def _marks(self) -> tuple[bytes, ...]:
        heads = dict.fromkeys(spelling[:PIECE_CHARS].encode("utf-8", "replace") for spelling in self._spellings)
        return (b"\\u", b"\xed", *heads)

    @cached_property
    def _spellings(self) -> tuple[str, ...]:
        """The longest first: one may be part of another."""
        found = {spelling for secret in self._secrets for spelling in _spellings(secret)}
        return tuple(sorted(found, key=len, reverse=True))

    @cached_property
    def _pieces(self) -> frozenset[str]:
        last = {spelling: len(spelling) - PIECE_CHARS for spelling in self._spellings}
        return frozenset(s[at : at + PIECE_CHARS] for s, end in last.items() for at in range(end + 1))

    def _without_head(self, text: str) -> str:
        heads = (s[:length] for s in self._spellings for length in range(len(s) - 1, PIECE_CHARS - 1, -1))
        longest = max((len(head) for head in heads if text.endswith(head)), default=0)
        return text[:-longest] + HIDDEN if longest else text


NO_SECRETS = Blackout()


def well_formed(text: str) -> str:
    """Return ``text`` with split characters joined and lone halves replaced: those could be neither stored nor sent.

    JSON spells a character like an emoji as two halves, and a server may end a chunk between them.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _spellings(secret: str) -> Iterator[str]:
    """Yield how a secret is written in text, JSON, URLs, HTML and, with whatever stands before it, base64."""
    yield secret
    for escaped in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield escaped
        yield escaped.replace("/", r"\/")
        yield json.dumps(escaped)[1:-1]
    yield repr(secret)[1:-1]
    for safe in ("", "/"):
        escaped = quote(secret, safe=safe)
        yield from (escaped, escaped.replace("%20", "+"), _lower_escapes(escaped))
    yield secret.translate(_HTML)
    for before in range(3):
        core = _base64_core(secret.encode("utf-8", "replace"), before)
        if len(core) >= PIECE_CHARS:
            yield from (core, core.replace("+", "-").replace("/", "_"))


def _lower_escapes(quoted: str) -> str:
    first, *others = quoted.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in others)])


def _base64_core(secret: bytes, before: int) -> str:
    """Return what of the base64 of a text depends on nothing but the secret in it, after ``before`` bytes (modulo three)."""
    encoded = binascii.b2a_base64(bytes(before) + secret, newline=False).decode().rstrip("=")
    known = (before + len(secret)) * 8 // 6
    return encoded[-(-before * 8 // 6) : known]


def _places(text: str, piece: str) -> Iterator[int]:
    at = text.find(piece)
    while at >= 0:
        yield at
        at = text.find(piece, at + 1)


def _without(text: str, found: list[int]) -> str:
    """Return ``text`` with the pieces that begin at these places, in order, replaced; those that overlap, by one mark."""
    parts, kept_to = list[str](), 0
    for at in found:
        if at > kept_to or not parts:
            parts += [text[kept_to:at], HIDDEN]
        kept_to = at + PIECE_CHARS
    return "".join([*parts, text[kept_to:]])
