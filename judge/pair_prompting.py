"""Question + two answers -> messages and JSON schema for a judge that says which is better: fenced and neutralised. Pure.

What all comparisons of a question share comes first, then the first answer with what executing it showed: a local server that is
asked about one first answer and several second ones evaluates the first one once. Each answer stands between marks of its own, so
that neither can end itself and begin the other. The judge never sees a name.
"""

from collections.abc import Mapping
from string import Template
from typing import Any

from judge.pairs import Shown
from judge.prompting import MAX_REASONING_CHARS, Messages, evidence_block, presentable, repaired
from judge.types import Question

PREFERENCE_SCHEMA: dict[str, Any] = {
    "type": "object",
    # In this order: a winner that is named before the reasons is not reasoned.
    "properties": {
        "reasoning": {"type": "string", "maxLength": MAX_REASONING_CHARS},
        "winner": {"type": "string", "enum": ["first", "second", "tie"]},
    },
    "required": ["reasoning", "winner"],
    "additionalProperties": False,
}


def pair_messages(
    templates: Mapping[str, Template], question: Question, first: Shown, second: Shown, *, marks: tuple[str, str]
) -> Messages:
    """Return system and user message for comparing two answers. ``marks`` must be unguessable for the answers."""
    head = templates["question"].substitute(question=question.prompt, expected=question.expected)
    told = templates["pair"].substitute(
        criteria="\n".join(f"- {criterion.name}" for criterion in question.criteria),
        first=presentable(first.text),
        first_nonce=marks[0],
        first_evidence=evidence_block(templates, first.findings, marks[0]),
        second=presentable(second.text),
        second_nonce=marks[1],
        second_evidence=evidence_block(templates, second.findings, marks[1]),
    )
    return [
        {"role": "system", "content": templates["pair_system"].substitute()},
        {"role": "user", "content": head + told},
    ]


def pair_repair_messages(templates: Mapping[str, Template], asked: Messages, reply: str, problem: str) -> Messages:
    """Return the conversation with the bad reply and one request to do it again."""
    return repaired(asked, reply, templates["pair_repair"].substitute(problem=problem))
