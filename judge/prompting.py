"""Question + answer -> messages and JSON schema for a judge: fenced, neutralised, in seeded order. Pure.

A local server reuses the state of the prompt before as far as the two are the same: so what is the same for all answers comes
first (system, question, criteria), then the answer with its random mark, and the evidence last, which a blind scoring of the
same answer leaves out. A criterion that is asked for by itself comes last: nothing else is evaluated anew. The judge never sees
the candidate's name, the weights, the thresholds or the candidate's hidden reasoning.
"""

import random
import re
from collections.abc import Mapping, Sequence
from string import Template
from typing import Any

from judge.extract.text import without_reasoning
from judge.types import Criterion, Level, Question

CANNOT_ASSESS = "cannot_assess"
MAX_EVIDENCE_CHARS = 200
MAX_REASONING_CHARS = 400
MAX_ANSWER_CHARS = 40_000
EMPTY_ANSWER = "(the answer is empty)"
# Three marks and not two: ``answer >>= 1`` and ``cout << answer`` are code, and a judge must see code as it was written.
_FENCE_LIKE = re.compile(r"<{3,}\s*(ANSWER|EVIDENCE)\b|\b(ANSWER|EVIDENCE)\b[^\n>]{0,40}>{3,}", re.IGNORECASE)

Messages = list[dict[str, str]]


def criteria_order(question: Question, replicate: int) -> tuple[Criterion, ...]:
    """Return the criteria in the order of this replicate: replicate 0 as written, the others shuffled by a fixed seed."""
    criteria = list(question.criteria)
    if replicate:
        random.Random(f"{question.id}/{replicate}").shuffle(criteria)
    return tuple(criteria)


def judge_messages(
    templates: Mapping[str, Template],
    question: Question,
    criteria: Sequence[Criterion],
    scale: Sequence[Level],
    answer: str,
    *,
    nonce: str,
    evidence: str = "",
    criteria_last: bool = False,
) -> Messages:
    """Return system and user message for scoring ``answer`` on ``criteria``. ``nonce`` must be unguessable for the answer.

    ``evidence`` is what executing the answer showed; empty: the judge is told nothing about it. ``criteria_last`` is for asking
    several times about one answer; otherwise what several answers share comes first.
    """
    head = templates["question"].substitute(question=question.prompt, expected=question.expected)
    asked = _asked(templates, criteria)
    told = templates["answer"].substitute(
        answer=presentable(answer), evidence=evidence_block(templates, evidence, nonce), nonce=nonce
    )
    return [
        {"role": "system", "content": templates["system"].substitute(scale=_scale(scale))},
        {"role": "user", "content": "".join([head, told, "\n", asked] if criteria_last else [head, asked, told])},
    ]


def evidence_block(templates: Mapping[str, Template], findings: str, nonce: str) -> str:
    """Return what executing an answer showed, fenced by the answer's mark; empty when nothing is told."""
    return templates["evidence"].substitute(findings=_defused(findings), nonce=nonce) if findings else ""


def _asked(templates: Mapping[str, Template], criteria: Sequence[Criterion]) -> str:
    return templates["criteria"].substitute(
        criteria="\n".join(f"- {criterion.id}: {criterion.name}" for criterion in criteria), keys=_keys(criteria)
    )


def repair_messages(
    templates: Mapping[str, Template], asked: Messages, reply: str, problem: str, criteria: Sequence[Criterion]
) -> Messages:
    """Return the conversation with the bad reply and one request to do it again."""
    return repaired(asked, reply, templates["repair"].substitute(problem=problem, keys=_keys(criteria)))


def repaired(asked: Messages, reply: str, request: str) -> Messages:
    """Return a conversation that goes on with the bad reply and ``request``."""
    return [*asked, {"role": "assistant", "content": reply or "(empty)"}, {"role": "user", "content": request}]


def verdict_schema(criteria: Sequence[Criterion]) -> dict[str, Any]:
    """Return the JSON schema of a complete reply. Scores are enums, because servers do not enforce minimum and maximum."""
    return {
        "type": "object",
        "properties": {criterion.id: _VERDICT for criterion in criteria},
        "required": [criterion.id for criterion in criteria],
        "additionalProperties": False,
    }


_VERDICT = {
    "type": "object",
    # In this order: a score that is written before its reasons is not reasoned.
    "properties": {
        "evidence": {"type": "string", "maxLength": MAX_EVIDENCE_CHARS},
        "reasoning": {"type": "string", "maxLength": MAX_REASONING_CHARS},
        "score": {"anyOf": [{"type": "integer", "enum": [1, 2, 3, 4, 5]}, {"type": "string", "enum": [CANNOT_ASSESS]}]},
    },
    "required": ["evidence", "reasoning", "score"],
    "additionalProperties": False,
}


def presentable(answer: str) -> str:
    """Return the answer as a judge sees it: without hidden reasoning and fence-like marks, cut at a generous length."""
    shown = _defused(without_reasoning(answer)[0]).strip()
    if len(shown) > MAX_ANSWER_CHARS:
        shown = f"{shown[:MAX_ANSWER_CHARS]}\n[... {len(shown) - MAX_ANSWER_CHARS} more characters]"
    return shown or EMPTY_ANSWER


def _defused(text: str) -> str:
    if "<<<" not in text and ">>>" not in text:
        return text
    return _FENCE_LIKE.sub(lambda match: match[0].replace("<", "‹").replace(">", "›"), text)


def _keys(criteria: Sequence[Criterion]) -> str:
    return ", ".join(criterion.id for criterion in criteria)


def _scale(scale: Sequence[Level]) -> str:
    return "\n".join(f"- {'-'.join(map(str, level.scores))}: {level.text}" for level in scale)
