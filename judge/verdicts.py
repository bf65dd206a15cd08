"""A judge's reply -> verdicts or a preference, or VerdictError: the right object, complete, every score on the menu. Pure.

Servers enforce less than they promise, so everything is checked again here. Nothing is guessed: "4/5" is no score.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, get_args

from judge.errors import VerdictError
from judge.pairs import Winner
from judge.prompting import CANNOT_ASSESS
from judge.types import Criterion, Grade, Verdict
from runner.dialects import json_objects
from runner.foreign_text import well_formed

MENU: tuple[Grade, ...] = get_args(Grade)
WINNERS: tuple[Winner, ...] = get_args(Winner)
_SHOWN_CHARS = 60
_SHOWN_KEYS_CHARS = 120
Said = TypeVar("Said")


def parse_verdicts(reply: str, criteria: Sequence[Criterion]) -> tuple[Verdict, ...]:
    """Return one verdict a criterion, in the order of ``criteria``.

    Of several complete objects in a reply the last one counts: judges draft, then correct themselves. Raises VerdictError
    with the problem of the last object when none is complete.
    """
    return _last_good(reply, lambda found: tuple(_verdict(found, criterion.id) for criterion in criteria))


def parse_preference(reply: str) -> tuple[Winner, str]:
    """Return which of two answers is better, and why. Raises VerdictError; as with verdicts the last complete object counts."""
    return _last_good(reply, _preference)


def _last_good(reply: str, understand: Callable[[dict[str, Any]], Said]) -> Said:
    objects = json_objects(reply)
    if not objects:
        raise VerdictError(f"no JSON object found in {_shown(reply.strip()) if reply.strip() else 'an empty reply'}")
    problems: list[str] = []
    for found in reversed(objects):
        try:
            return understand(found)
        except VerdictError as error:
            problems.append(str(error))
    raise VerdictError(problems[0])


def _preference(reply: dict[str, Any]) -> tuple[Winner, str]:
    reasoning, winner = reply.get("reasoning"), reply.get("winner")
    if not isinstance(reasoning, str):
        raise VerdictError(f"reasoning: expected text, found {_shown(reasoning)}")
    for known in WINNERS:
        if winner == known:
            return known, well_formed(reasoning)
    raise VerdictError(f'winner: expected "first", "second" or "tie", found {_shown(winner)}')


def _verdict(reply: dict[str, Any], criterion: str) -> Verdict:
    if criterion not in reply:
        found = _cut(", ".join(map(repr, reply)), _SHOWN_KEYS_CHARS) or "an empty object"
        raise VerdictError(f"criterion {criterion!r} is missing (found {found})")
    entry = reply[criterion]
    if not isinstance(entry, dict):
        raise VerdictError(f"{criterion}: expected an object with evidence, reasoning and score, found {_shown(entry)}")
    return Verdict(
        criterion=criterion,
        evidence=_text(entry, criterion, "evidence"),
        reasoning=_text(entry, criterion, "reasoning"),
        score=_score(entry, criterion),
    )


def _text(entry: dict[str, Any], criterion: str, field: str) -> str:
    text = entry.get(field)
    if not isinstance(text, str):
        raise VerdictError(f"{criterion}.{field}: expected text, found {_shown(text)}")
    return well_formed(text)


def _score(entry: dict[str, Any], criterion: str) -> Grade | None:
    score = entry.get("score")
    if score == CANNOT_ASSESS:
        return None
    for grade in MENU:
        if (score == grade and type(score) is int) or score == str(grade):
            return grade
    raise VerdictError(f'{criterion}.score: expected 1, 2, 3, 4, 5 or "{CANNOT_ASSESS}", found {_shown(score)}')


def _shown(value: Any) -> str:
    return _cut(repr(value), _SHOWN_CHARS)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}..."
