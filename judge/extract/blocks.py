"""Finding code in Markdown, and in what models write instead of Markdown. Pure; the only file that uses markdown-it-py.

Only block structure is parsed: inline markup cannot hold a program, and its rules are the slow ones on hostile input.
"""

import html
import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from markdown_it import MarkdownIt
from markdown_it.token import Token

from judge.extract.source import read
from judge.extract.text import blank

MAX_BLOCKS = 200
"""More blocks than any answer has; the rest is left out and flagged."""
INTRO_LINES = 3
"""Lines before a block that are read for what they say about it ("A corrected version:")."""


@dataclass(frozen=True)
class Found:
    """A piece of the answer that may be code."""

    language: str
    """Its label in lower case; empty when it has none."""
    code: str
    first_line: int
    """1-based line of the answer where the block begins, its fence included."""
    last_line: int
    closed: bool = True
    """False when the answer ends inside this block."""
    intro: str = ""
    """The text just before it."""
    form: str = "fence"
    """``fence``, ``indented``, ``unfenced``, ``inline``, ``html`` or ``json``."""


def _block_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark")
    # An HTML block swallows a fence right after it, as in "<details>"; what the model means is plain.
    parser.disable(["html_block", "reference", "lheading"])
    parser.core.ruler.disable(["inline", "text_join"])
    return parser


_MARKDOWN = _block_parser()

_LABEL = re.compile(r"[{.\s]*([\w+#-]*)")
_CODELLAMA = re.compile(r"^[ \t]*\[(/?)(?:PYTHON|TESTS)\][ \t]*$", re.MULTILINE)
_GLUED_OPENING = re.compile(r"```(?:python3?|py)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_INLINE = re.compile(r"`([^`\n]{1,200}[^=<>!`\n]=[^=`\n][^`\n]{0,200})`")
_GLUED_CLOSING = re.compile(r"^(.*[^\s`])(```)[ \t]*$", re.MULTILINE)
_INNER_OPENING = re.compile(r"[ \t]{0,3}(`{3,}|~{3,})[ \t]*[{.]?[A-Za-z][\w+#.-]*[ \t}]*$")
_ANY_FENCE = re.compile(r"[ \t]{0,3}(`{3,}|~{3,})[ \t]*([\w+#.-]*)[ \t]*$")

_REGION_START = re.compile(
    r"(?:async def|def|class|import|@\w)\b|from [\w.]+ import\b|@\w|[A-Za-z_]\w* = (?:lambda\b|\S)"
)
_REGION_LINE = re.compile(
    r"[ \t]|$|[#)\]}]|(?:try|finally|else):|(?:async def|def|class|import|from|if|for|while|except|elif|with|assert)\b"
    r"|@\w|[A-Za-z_][\w.\[\]]*[ \t]*(?::[^=]*)?[-+*/|&]?=[^=]|[A-Za-z_][\w.]*\(|\"\"\"|'''"
)


def find_blocks(text: str) -> tuple[Found, ...]:
    """Return fenced and indented blocks in order of appearance."""
    text = _CODELLAMA.sub(lambda match: "```" if match[1] else "```python", text)
    text = blank(text, _glued_openings(text))
    blocks = _parse(text)
    if any(not block.closed and _GLUED_CLOSING.search(block.code) for block in blocks):
        # "return x```" closes no fence in Markdown: give the mark a line of its own.
        text = _GLUED_CLOSING.sub(lambda m: m[0] if "```" in m[1] else f"{m[1]}\n{m[2]}", text)
        blocks = _parse(text)
    return tuple(blocks)


def find_html(text: str) -> tuple[Found, ...]:
    """Return the contents of ``<pre>`` elements, tags dropped and entities decoded."""
    found: list[Found] = []
    at = 0
    while (
        len(found) < MAX_BLOCKS and (start := text.find("<pre", at)) >= 0 and (end := text.find("</pre>", start)) >= 0
    ):
        body = html.unescape(re.sub(r"</?[a-zA-Z][^<>]*>", "", text[start : end + len("</pre>")]))
        first = text.count("\n", 0, start) + 1
        found.append(Found("", body.strip("\n") + "\n", first, text.count("\n", 0, end) + 1, form="html"))
        at = end
    return tuple(found)


def find_json(text: str) -> tuple[Found, ...]:
    """Return the strings of a JSON document that look like programs or hold fenced ones; empty when it is none."""
    body = text.strip()
    if not body.startswith(("{", "[")):
        return ()
    try:
        pending = [json.loads(body, strict=False)]
    except (ValueError, RecursionError):
        return ()
    lines = text.count("\n") + 1
    texts: list[str] = []
    while pending and len(texts) < MAX_BLOCKS:
        value = pending.pop()
        if isinstance(value, dict | list):
            pending.extend(reversed(list(value.values()) if isinstance(value, dict) else value))
        elif isinstance(value, str) and re.search(r"```|\n|def |lambda", value):
            texts.append(value)
    return tuple(replace(b, first_line=1, last_line=lines, form="json") for t in texts for b in _in_string(t))


def find_inline(text: str) -> tuple[Found, ...]:
    """Return assignments in inline code, such as a corrected line in the middle of a sentence."""
    spans = list(islice(_INLINE.finditer(text), MAX_BLOCKS))
    places = [text.count("\n", 0, span.start()) + 1 for span in spans]
    return tuple(Found("python", s[1] + "\n", at, at, form="inline") for s, at in zip(spans, places, strict=True))


def find_unfenced(text: str) -> tuple[Found, ...]:
    """Return code that stands in the text without any mark: all of it, a REPL session, or runs of lines of code."""
    whole = read(text)
    if whole.tree is not None:
        return _unfenced(text, 0, text.count("\n")) if _is_program(text) else ()
    if re.search(r"^[ \t]*>>> \S", text, re.MULTILINE) and not re.search(
        r"^(?:async def|def|class) ", text, re.MULTILINE
    ):
        return _unfenced(text, 0, text.count("\n"))
    lines = text.split("\n")
    found: list[Found] = []
    at = 0
    while at < len(lines) and len(found) < MAX_BLOCKS:
        if not _REGION_START.match(lines[at]):
            at += 1
            continue
        end = _region_end(lines, at)
        found += _unfenced("\n".join(lines[at:end]) + "\n", at, end - 1, intro=_intro(lines, 0, at))
        at = end
    return tuple(found)


def outside(text: str, blocks: tuple[Found, ...]) -> str:
    """Return the text with the lines of the blocks emptied."""
    lines = text.split("\n")
    for block in blocks:
        lines[block.first_line - 1 : block.last_line] = [""] * (block.last_line - block.first_line + 1)
    return "\n".join(lines)


def _in_string(text: str) -> tuple[Found, ...]:
    if "```" in text:
        return find_blocks(text)
    return (Found("", text, 1, 1),) if read(text).defines else ()


def _glued_openings(text: str) -> Iterator[tuple[int, int]]:
    # "Here it is: ```python" opens no fence in Markdown; a list marker or a quote before it does no harm.
    for match in _GLUED_OPENING.finditer(text):
        start = text.rfind("\n", 0, match.start()) + 1
        before = text[start : match.start()]
        if "`" not in before and not re.fullmatch(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])?[ \t]*", before):
            yield start, match.start()


def _parse(text: str) -> list[Found]:
    lines = text.split("\n")
    last = max((i for i, line in enumerate(lines) if line.strip()), default=0)
    found: list[Found] = []
    done = 0
    for token in _MARKDOWN.parse(text):
        if token.type not in ("fence", "code_block") or token.map is None or len(found) > MAX_BLOCKS:
            continue
        first, end = token.map
        block = Found(
            language=_label(token),
            code=token.content if token.type == "fence" else textwrap.dedent(token.content),
            first_line=first + 1,
            last_line=end,
            closed=token.type != "fence" or _is_closed(token, lines, last),
            intro=_intro(lines, done, first),
            form="fence" if token.type == "fence" else "indented",
        )
        found += _split_nested(block)
        done = end
    return found


def _label(token: Token) -> str:
    match = _LABEL.match(token.info.strip()) if token.type == "fence" else None
    return match[1].lower() if match else ""


def _is_closed(token: Token, lines: list[str], last: int) -> bool:
    """Tell whether a fence has its end mark; ``last`` is the index of the last line of the text that is not blank."""
    first, end = token.map or (0, 0)
    if last >= end:
        return True  # something follows, so the answer does not end in here
    closing = lines[end - 1].strip(" \t>") if end - 1 > first else ""
    return len(closing) >= len(token.markup) and not closing.strip(token.markup[0])


def _intro(lines: list[str], done: int, first: int) -> str:
    near = [line.strip()[:200] for line in lines[max(done, first - 12) : first] if line.strip()]
    return "\n".join(near[-INTRO_LINES:])


def _split_nested(block: Found) -> list[Found]:
    """Split a block that holds fences: Markdown in a Markdown fence, or a fence left open until the next one."""
    lines = block.code.split("\n")
    nested = _ANY_FENCE if block.form == "indented" or block.language in ("markdown", "md") else _INNER_OPENING
    if not any(nested.match(line) for line in lines):
        return [block]
    offset = block.first_line + (block.form == "fence")
    head = nested is _INNER_OPENING
    parts: list[Found] = []
    language, start, inside = block.language, 0, head
    for i, line in enumerate([*lines, "```"]):
        mark = _ANY_FENCE.match(line)
        if mark is None or (head and not mark[2] and i < len(lines)):
            continue
        if inside:
            body, closed = "\n".join(lines[start:i]).rstrip() + "\n", not head and (block.closed or i < len(lines))
            first, last = offset + start, offset + max(i - 1, start)
            parts.append(replace(block, language=language, code=body, first_line=first, last_line=last, closed=closed))
        inside, language, start, head = bool(mark[2]) or not inside, mark[2].lower(), i + 1, False
    return [part for part in parts if part.code.strip()]


def _unfenced(code: str, first: int, last: int, intro: str = "") -> tuple[Found, ...]:
    return (Found("", code, first + 1, last + 1, closed=False, intro=intro, form="unfenced"),)


def _is_program(text: str) -> bool:
    # One word is an expression and "Yes: no" an annotation; a call, an assignment or a definition is none by chance.
    return bool(re.search(r"\w\(|\w\s*=|^(?:import|from) ", text, re.MULTILINE))


def _region_end(lines: list[str], start: int) -> int:
    end = start
    while end < len(lines) and _REGION_LINE.match(lines[end]):
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    return end
