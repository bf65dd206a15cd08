"""A model's free-form answer -> the one Python program in it, with a record of what was taken and why. Pure."""

from functools import lru_cache

from judge.extract.blocks import (
    MAX_BLOCKS,
    Found,
    find_blocks,
    find_html,
    find_inline,
    find_json,
    find_unfenced,
    outside,
)
from judge.extract.candidates import Candidate, classify, is_echo, prompt_sources
from judge.extract.choice import Choice, choose
from judge.extract.patch import with_diff
from judge.extract.sentences import find_corrections
from judge.extract.source import Source, read
from judge.extract.text import normalise, without_echo, without_later_turns, without_reasoning
from judge.extract.values import Block, Extraction, Role

Readings = dict[int, Candidate | tuple[Role, str]]


def extract(answer: str, *, prompt: str | None = None) -> Extraction:
    """Return the program of an answer. Never raises; linear in the length of the answer.

    ``prompt`` is the question as it was asked: an echo of its text is skipped, its own code is never taken as the
    answer, and a correction of a single line of it is applied to it. ``None``: nothing is known of the question.
    """
    text, flags = _clean(answer, prompt)
    shown = _shown(prompt) if prompt is not None else ()
    blocks = _find(text, shown)
    if len(blocks) > MAX_BLOCKS:
        blocks, flags = blocks[:MAX_BLOCKS], (*flags, "too_many_blocks")
    readings = _with_diffs(blocks, {i: classify(block) for i, block in enumerate(blocks)}, shown)
    candidates = {i: r for i, r in readings.items() if isinstance(r, Candidate)}
    choice = choose(candidates, shown)
    before = choose({i: c for i, c in candidates.items() if i not in choice.unannounced}, shown)
    return _record(blocks, readings, choice, flags, before.program if choice.unannounced and before.kept else "")


@lru_cache(16)
def _shown(prompt: str) -> tuple[Source, ...]:
    """Return the code of a question. All its answers come with it."""
    return prompt_sources(find_blocks(normalise(prompt)))


def _clean(answer: str, prompt: str | None) -> tuple[str, tuple[str, ...]]:
    text, flags = without_reasoning(normalise(answer))
    if prompt is not None:
        text, echoed = without_echo(text, normalise(prompt))
        flags = (*flags, "prompt_echo") if echoed else flags
    text, cut = without_later_turns(text)
    return text, (*flags, "later_turns_cut") if cut else flags


def _find(text: str, shown: tuple[Source, ...]) -> tuple[Found, ...]:
    """Return the blocks of the first form of code that holds a program: fences, JSON, HTML, bare code, inline code."""
    fenced = find_blocks(text)
    marked = tuple(block for block in fenced if block.form == "fence")
    if _has_program(marked, shown):
        return fenced
    inner = tuple(found for block in marked if block.language == "json" for found in find_json(block.code))
    rest = outside(text, marked)
    for others in (find_json(text), inner, find_html(text), find_unfenced(rest), fenced):
        if _has_program(others, shown):
            return _in_order(marked, others)
    scripts = find_unfenced(rest) if not marked else ()
    lines = find_inline(rest) if shown else ()
    corrected = find_corrections(rest, shown[0]) if shown and not lines and not marked else ()
    return (*fenced, *scripts, *lines, *corrected)


def _in_order(some: tuple[Found, ...], others: tuple[Found, ...]) -> tuple[Found, ...]:
    return tuple(sorted({*some, *others}, key=lambda block: (block.first_line, block.last_line)))


def _has_program(blocks: tuple[Found, ...], shown: tuple[Source, ...]) -> bool:
    """Tell whether a block defines something that is not the question's own."""
    for reading in map(classify, blocks[:MAX_BLOCKS]):
        if isinstance(reading, Candidate) and reading.defines and not (shown and is_echo(reading, shown)):
            return True
    return False


def _with_diffs(blocks: tuple[Found, ...], readings: Readings, shown: tuple[Source, ...]) -> Readings:
    """Read a diff as the program it makes of the question's code, when no block is a program by itself."""
    if _has_program(blocks, shown):
        return readings
    base = shown[0].code if shown else None
    for i, block in enumerate(blocks):
        if readings[i] == ("fragment", "a diff") and (code := with_diff(base, block.code)) is not None:
            return {**readings, i: Candidate(block, read(code), ("diff",))}
    return readings


def _record(
    blocks: tuple[Found, ...], readings: Readings, choice: Choice, flags: tuple[str, ...], earlier: str
) -> Extraction:
    reading_roles = {i: reading for i, reading in readings.items() if not isinstance(reading, Candidate)}
    roles: dict[int, tuple[Role, str]] = {**reading_roles, **choice.roles}
    source = read(choice.program)
    return Extraction(
        state="ok" if choice.kept else "no_code",
        code=choice.program,
        earlier=earlier,
        reason=_reason(blocks, choice, roles, flags),
        blocks=tuple(
            Block(
                language=b.language, first_line=b.first_line, last_line=b.last_line, role=roles[i][0], why=roles[i][1]
            )
            for i, b in enumerate(blocks)
        ),
        parses=bool(choice.kept) and source.tree is not None,
        syntax_error=source.error if choice.kept else None,
        flags=tuple(sorted({*flags, *choice.flags})),
    )


def _reason(
    blocks: tuple[Found, ...], choice: Choice, roles: dict[int, tuple[Role, str]], flags: tuple[str, ...]
) -> str:
    if choice.kept:
        places = ", ".join(f"{blocks[i].first_line}-{blocks[i].last_line}" for i in sorted(choice.kept))
        return f"took lines {places}: {roles[max(choice.kept)][1]}" + _left(roles)
    if "unclosed_reasoning" in flags:
        return "the answer ends inside its reasoning"
    return "nothing in the answer is a Python program" + _left(roles)


def _left(roles: dict[int, tuple[Role, str]]) -> str:
    others = [role for role, _ in roles.values() if role != "taken"]
    counts = ", ".join(f"{others.count(role)} {role}" for role in dict.fromkeys(others))
    return f"; left {counts}" if counts else ""
