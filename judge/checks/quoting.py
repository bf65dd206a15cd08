"""Text from an answer as it may be quoted: ASCII, escaped, short. It is printed in reports and shown to judges, and must neither flood
nor instruct them."""

from typing import Annotated

from pydantic import AfterValidator

SHOWN_CHARS = 200
"""Longest text that is quoted from an answer or from an input."""


def _quotable(text: str) -> str:
    if not (text.isascii() and text.isprintable() and len(text) <= SHOWN_CHARS):
        raise ValueError(f"not short printable ASCII: {text[:40]!a} ({len(text)} characters)")
    return text


Quote = Annotated[str, AfterValidator(_quotable)]
"""Short ASCII text without line breaks; made by ``quoted`` and ``shown``."""


def quoted(text: str) -> str:
    """Return ``text`` as it may be quoted: one line, everything unusual escaped, cut at ``SHOWN_CHARS``."""
    return cut(ascii(text)[1:-1].replace("\\'", "'"))


def escaped(text: str) -> str:
    """Return plain text as it is, and anything else as it may be quoted; cut at ``SHOWN_CHARS``."""
    return cut(text) if text.isascii() and text.isprintable() else quoted(text)


def cut(text: str) -> str:
    """Return ``text``, cut at ``SHOWN_CHARS``."""
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 3] + "..."
