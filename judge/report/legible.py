"""Text of models and judges, made fit to show: what does not show, or would turn the text around, is shown as a mark. Pure."""

import re

HIDDEN = "\N{REPLACEMENT CHARACTER}"
UNFIT = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"  # controls and no letters: XML 1.0 has no such thing
    r"|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # turn the direction of the text that follows
)


def legible(text: str) -> str:
    """Return ``text`` with a mark for every letter that is unfit to show; line breaks and tabs stay."""
    return UNFIT.sub(HIDDEN, text)


def one_line(text: str) -> str:
    """Return the legible text with white space run together."""
    return " ".join(legible(text).split())
