"""Undoing what rendering and copying do to code. A repair counts only when it makes code parse that did not. Pure."""

import html
import itertools
import re
import textwrap
from collections.abc import Callable

from judge.extract.source import Source, read

_INVISIBLE = str.maketrans(
    {"\u00a0": " ", "\u202f": " ", "\u2007": " ", "\u3000": "  ", "\u2028": "\n", "\u2029": "\n"}
    | dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff")
)
_STRAIGHT = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "‚": "'", "′": "'", "″": '"'})
_NOTEBOOK = re.compile(r"^[ \t]*(?:[!%]\S.*|(?:\$ )?(?:pip3?|python3? -m pip|conda|uv pip) install .*)$", re.MULTILINE)
_NUMBERED = re.compile(r"^[ \t]*(\d{1,4})(?:[ \t]*[|:.)│]|(?=[ \t]|$))", re.MULTILINE)

MAX_CUTS = 8
"""Places that are tried when the tail of a cut answer is dropped; the first or second one is nearly always right."""


def repaired(code: str) -> tuple[Source, tuple[str, ...]]:
    """Return the code as it parses and the flags of the repairs it took; unchanged when nothing helps."""
    original = read(code)
    if original.tree is not None:
        return original, ()
    current = code
    flags: list[str] = []
    for flag, repair in _REPAIRS:
        if (changed := repair(current)) == current:
            continue
        current, flags = changed, [*flags, flag]
        if (source := read(current)).tree is not None:
            return source, tuple(flags)
    return original, ()


def trimmed(source: Source) -> tuple[Source, str] | None:
    """Drop an incomplete end: return what parses and the text dropped, or ``None`` when no definition would remain.

    Cuts only where a statement of the module begins, at or before the syntax error, so no definition loses a part.
    """
    lines = source.code.split("\n")
    error_line = min(source.error_line or len(lines), len(lines))
    starts = [i for i in range(error_line) if re.match(r"[^\s#)\]}]", lines[i])]
    for cut in reversed(starts[-MAX_CUTS:]):
        kept = read("\n".join(lines[:cut]).rstrip() + "\n")
        if kept.tree is not None and kept.defines:
            return kept, "\n".join(lines[cut:])
    return None


def _visible(code: str) -> str:
    return code.translate(_INVISIBLE)


def _straight(code: str) -> str:
    return code.translate(_STRAIGHT)


def _plain_lines(code: str) -> str:
    return _NOTEBOOK.sub("", code)


def _expanded(code: str) -> str:
    # A tab is four columns in most editors and eight in old ones; only one of them lines the blocks up.
    four = code.expandtabs(4)
    return four if read(four).tree is not None else code.expandtabs(8)


def _numbers_blanked(code: str) -> str:
    if not _is_numbered(code):
        return code
    return textwrap.dedent(_NUMBERED.sub(lambda match: " " * len(match[0]), code))


def _numbers_removed(code: str) -> str:
    return textwrap.dedent(_NUMBERED.sub("", code)) if _is_numbered(code) else code


def _is_numbered(code: str) -> bool:
    lines = [line for line in code.split("\n") if line.strip()]
    numbers = [int(match[1]) for match in map(_NUMBERED.match, lines) if match]
    rising = all(later > earlier for earlier, later in itertools.pairwise(numbers))
    return len(lines) > 1 and len(numbers) == len(lines) and rising


def _line_numbers(code: str) -> str:
    # "1  def f():" keeps its columns when the number becomes spaces; "9 x" before "10 x" only when it goes.
    blanked = _numbers_blanked(code)
    return blanked if read(blanked).tree is not None else _numbers_removed(code)


_REPAIRS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("dedented", textwrap.dedent),
    ("invisible_characters", _visible),
    ("html_entities", html.unescape),
    ("smart_quotes", _straight),
    ("notebook_lines", _plain_lines),
    ("line_numbers", _line_numbers),
    ("tabs", _expanded),
)
"""In the order tried; each works on what the ones before made of the code."""
