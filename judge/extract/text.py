"""What of a reply is the answer: reasoning, an echo of the question and end-of-turn marks are blanked out. Pure.

Blanked text leaves its line breaks behind, so that line numbers stay those of the reply.
"""

import re
from collections.abc import Iterable

Span = tuple[int, int]

_TAGS = "think|thinking|thought|thoughts|reasoning|reflection|scratchpad|seed:think"
_OPEN = re.compile(
    rf"^[ \t>*]*(?:<(?P<tag>{_TAGS})(?:\s[^<>\n]{{0,80}})?>|(?P<mistral>\[THINK\])|(?P<kimi>◁think▷)"
    r"|(?P<cohere><\|START_THINKING\|>)|(?P<gemma><\|channel>thought\b)|(?P<openthinker><\|begin_of_thought\|>))",
    re.IGNORECASE | re.MULTILINE,
)
_CLOSERS = {
    "mistral": "[/THINK]",
    "kimi": "◁/think▷",
    "cohere": "<|END_THINKING|>",
    "gemma": "<channel|>",
    "openthinker": "<|end_of_thought|>",
}
# Code that handles such tags has them in quotes: a closing tag right before a quote or bracket is text, not markup.
_BARE_CLOSE = re.compile(
    rf"(?:</(?:{_TAGS})>|\[/THINK\]|◁/think▷|<\|END_THINKING\|>|<\|end_of_thought\|>)(?![\"'`)\]])", re.IGNORECASE
)
_HARMONY = re.compile(r"<\|channel\|>\s*(\w+)[^<\n]{0,80}(?:<\|constrain\|>[^<\n]{0,80})?<\|message\|>")
_HARMONY_END = re.compile(r"<\|(?:end|return|start|call|channel)\|>")
_BARE_HARMONY = re.compile(r"\A\s*analysis(?=[A-Z\s])")
_TURN_START = re.compile(r"\A\s*<\|(?:im_start|start_header_id)\|>\s*assistant\s*(?:<\|end_header_id\|>)?")
_TURN_END = re.compile(
    r"(?:<\|(?:im_end|endoftext|eot_id|end_of_text|end|return|im_start)\|>|<end_of_turn>|<｜end▁of▁sentence｜>|</s>)"
    r"(?=[ \t]*(?:\n|\Z|<)|user|assistant)|^### (?:Instruction|User|Human)\b",
    re.MULTILINE,
)

MIN_ECHO_CHARS = 20
"""A shorter question could stand at the start of an answer by chance."""
MAX_ECHO_PREFACE_CHARS = 60
"""What may stand before an echo, without spaces: "Question:", "### Instruction:"."""


def normalise(reply: str) -> str:
    """Return the reply with plain line ends and without a byte order mark."""
    return reply.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def without_reasoning(text: str) -> tuple[str, tuple[str, ...]]:
    """Blank out reasoning; the second value has the flags ``reasoning_removed`` and ``unclosed_reasoning``.

    A tag that is never closed hides the rest: the model never came to its answer. A closing tag alone hides what
    is before it: chat templates put the opening one into the prompt.
    """
    if _HARMONY.search(text):
        return _final_channel(text)
    spans, unclosed = _paired(text)
    kept = blank(text, spans)
    closers = [match.end() for match in _BARE_CLOSE.finditer(kept)]
    if closers:
        kept = blank(kept, [(0, closers[-1])])
    kept, bare = _bare_final(kept)
    flags = ["reasoning_removed"] if spans or closers or bare else []
    return kept, (*flags, *(["unclosed_reasoning"] if unclosed else []))


def without_echo(text: str, prompt: str) -> tuple[str, bool]:
    """Blank out the question where the text begins with it; spaces, quotes and emphasis do not matter."""
    wanted, _ = _squeeze(prompt)
    head, places = _squeeze(text[: 3 * len(prompt) + 500])
    at = head.find(wanted)
    if len(wanted) < MIN_ECHO_CHARS or not 0 <= at <= MAX_ECHO_PREFACE_CHARS:
        return text, False
    start, end = places[at], places[at + len(wanted) - 1] + 1
    if re.search(r"```|~~~|\"\"\"|'''|^[ \t]*#(?!#)[^\n]*\Z", text[:start], re.MULTILINE):
        return text, False  # the question as a comment or docstring of the answer's own code
    while end < len(text) and text[end] in "`\"'*":
        end += 1
    return blank(text, [(start, end)]), True


def without_later_turns(text: str) -> tuple[str, bool]:
    """Cut at the mark where the model's turn ends; what follows is a conversation that the model made up."""
    if start := _TURN_START.match(text):
        text = blank(text, [start.span()])
    for match in _TURN_END.finditer(text):
        if text[: match.start()].strip():
            return text[: match.start()], True
    return text, False


def blank(text: str, spans: Iterable[Span]) -> str:
    """Remove ascending, separate spans but leave their line breaks."""
    parts, done = [], 0
    for start, end in spans:
        parts += [text[done:start], "\n" * text.count("\n", start, end)]
        done = end
    return "".join([*parts, text[done:]])


def _paired(text: str) -> tuple[list[Span], bool]:
    spans: list[Span] = []
    at = 0
    while opened := _OPEN.search(text, at):
        group = opened.lastgroup or "tag"
        closer = f"</{opened['tag']}>" if group == "tag" else _CLOSERS[group]
        closed = re.compile(re.escape(closer), re.IGNORECASE).search(text, opened.end())
        at = closed.end() if closed else len(text)
        spans.append((opened.start(), at))
        if closed is None:
            return spans, True
    return spans, False


def _final_channel(text: str) -> tuple[str, tuple[str, ...]]:
    hidden: list[Span] = []
    done, answered = 0, False
    for header in _HARMONY.finditer(text):
        if header.start() < done or header[1] != "final":
            continue
        end = _HARMONY_END.search(text, header.end())
        hidden.append((done, header.end()))
        done, answered = (end.start() if end else len(text)), True
    kept = blank(text, [*hidden, (done, len(text))])
    return kept, ("reasoning_removed",) if answered else ("reasoning_removed", "unclosed_reasoning")


def _bare_final(text: str) -> tuple[str, bool]:
    # The same channels after a server has dropped the special tokens: "analysisWe need...assistantfinalHere is".
    final = text.find("assistantfinal")
    if final < 0 or not _BARE_HARMONY.match(text):
        return text, False
    return blank(text, [(0, final + len("assistantfinal"))]), True


def _squeeze(text: str) -> tuple[str, list[int]]:
    places = [i for i, char in enumerate(text) if not char.isspace() and char not in ">*`\"'“”‘’_"]
    return "".join(text[i] for i in places), places
