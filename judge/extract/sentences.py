"""A correction that a sentence gives: "replace `a` by `b`", "use `b` instead of `a`". Pure."""

import re
from collections.abc import Iterator

from judge.extract.blocks import Found
from judge.extract.patch import with_expression
from judge.extract.source import Source, read

_CODE = r"`([^`\n]{1,200})`"
_GAP = r"[^`.\n]{0,80}?"
_OLD_NEW = re.compile(
    rf"\b(?:replac\w*|chang\w*|substitut\w*|swap\w*|turn\w*)\b{_GAP}{_CODE}{_GAP}\b(?:by|with|to|into|for)\b{_GAP}{_CODE}"
    rf"|{_CODE}{_GAP}\b(?:should|must|has to|needs to|ought to)\b{_GAP}\b(?:be|become|read)\b{_GAP}{_CODE}",
    re.IGNORECASE,
)
_NEW_OLD = re.compile(
    rf"\b(?:use|take|write|assign|store|set)\b{_GAP}{_CODE}{_GAP}\b(?:instead of|rather than|in place of)\b{_GAP}{_CODE}",
    re.IGNORECASE,
)


def find_corrections(text: str, base: Source) -> tuple[Found, ...]:
    """Return the question's code with what the sentences of an answer replace in it; empty when they replace nothing."""
    code, last = base.code, 0
    for at, old, new in _pairs(text):
        statement = read(new.strip() + "\n").tree
        changed = with_expression(read(code), old, new) if statement is not None else None
        if changed is not None:
            code, last = changed, text.count("\n", 0, at) + 1
    return (Found("python", code, last, last, form="inline"),) if last else ()


def _pairs(text: str) -> Iterator[tuple[int, str, str]]:
    for match in _OLD_NEW.finditer(text):
        old, new = (match[1], match[2]) if match[1] is not None else (match[3], match[4])
        yield match.start(), old, new
    for match in _NEW_OLD.finditer(text):
        yield match.start(), match[2], match[1]
