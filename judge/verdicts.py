"""A judge's reply -> verdicts or a preference, or VerdictError: the right object, complete, every score on the menu. Pure.

Servers enforce less than they promise, so everything is checked again here. Nothing is guessed: "4/5" is no score.

Decision: complete objects that differ are no verdict. Judges draft and then correct themselves, so the last one would count, but they
also quote, and an answer may bring a verdict along that wants to be quoted last. From outside the two look the same, so the judge is
asked once more, for one object. What stands in its reasoning is a draft, what stands in the answer word for word is a quote, and
neither counts. Cost: a repair turn for judges that draft in the open. Guarded by ``tests/judge/replies``.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, get_args

from judge.errors import VerdictError
from judge.extract.text import without_reasoning
from judge.pairs import Winner
from judge.prompting import CANNOT_ASSESS
from judge.types import Criterion, Grade, Verdict
from runner.dialects import Repeating, find_objects
from runner.foreign_text import well_formed

MENU: tuple[Grade, ...] = get_args(Grade)
WINNERS: tuple[Winner, ...] = get_args(Winner)
_SHOWN_CHARS = 60
_SHOWN_KEYS_CHARS = 120
_MASK = "\0"
"""Stands around the number of an object that was taken out of a reply; in JSON it cannot stand."""
_MASKED_ALONE = f"{_MASK}0{_MASK}"
"""What a reply of one object and nothing else becomes."""
Said = TypeVar("Said")


class _Object(NamedTuple):
    """An object of a reply."""

    text: str
    """As it is written."""
    value: dict[str, Any]


def parse_verdicts(reply: str, criteria: Sequence[Criterion], shown: str = "") -> tuple[Verdict, ...]:
    """Return one verdict a criterion, in the order of ``criteria``; ``shown``: what the judge may quote from.

    Raises VerdictError with the problem of the last complete object, or of the last object when none has all of the criteria.
    """
    return _said_once(
        reply,
        [criterion.id for criterion in criteria],
        understand=lambda found: tuple(_verdict(found, criterion.id) for criterion in criteria),
        decided=lambda verdicts: [verdict.score for verdict in verdicts],
        shown=shown,
    )


def parse_preference(reply: str, shown: str = "") -> tuple[Winner, str]:
    """Return which of two answers is better, and why. Raises VerdictError, as for verdicts."""
    return _said_once(reply, ("reasoning", "winner"), understand=_preference, decided=lambda said: said[0], shown=shown)


def _said_once(
    reply: str,
    keys: Sequence[str],
    *,
    understand: Callable[[dict[str, Any]], Said],
    decided: Callable[[Said], object],
    shown: str,
) -> Said:
    """Return what the one object with all ``keys`` says, or the last of several that decide the same. Raises VerdictError."""
    objects = _outside_reasoning(reply.replace(_MASK, ""))
    if not objects:
        raise VerdictError(f"no JSON object found in {_shown(reply.strip()) if reply.strip() else 'an empty reply'}")
    complete = [found for found in objects if all(key in found.value for key in keys)]
    own = [found.value for found in complete if not _is_quote(found.text, shown, keys[0])]
    if complete and not own:
        raise VerdictError("the only complete object stands word for word in what is judged, so it is no verdict on it")
    said = [understand(value) for value in reversed(own or [objects[-1].value])]
    if any(decided(one) != decided(said[0]) for one in said):
        raise VerdictError(
            f"found {len(said)} complete objects that do not say the same, and nothing says which one counts"
        )
    return said[0]


def _outside_reasoning(reply: str) -> list[_Object]:
    """Return the objects of a reply but for those in its reasoning.

    They are masked meanwhile: tags of reasoning that are quoted inside of an object are no reasoning.
    """
    objects: list[_Object] = []
    masked, done = "", 0
    for found in find_objects(reply):
        masked += f"{reply[done : found.start]}{_MASK}{len(objects)}{_MASK}"
        objects.append(_Object(reply[found.start : found.end], found.value))
        done = found.end
    masked += reply[done:]
    kept = without_reasoning(masked)[0] if len(masked) > len(_MASKED_ALONE) else masked
    return [objects[int(place)] for place in kept.split(_MASK)[1::2]]


def _is_quote(text: str, shown: str, key: str) -> bool:
    """True when the object stands in what was shown, be it broken into other lines. ``key``: one that it has."""
    if re.search(rf'"{re.escape(key)}"\s*:', shown) is None:  # as in nearly every answer, and much faster
        return False
    return "".join(text.split()) in "".join(shown.split())


def _preference(reply: dict[str, Any]) -> tuple[Winner, str]:
    _check_once(reply)
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
    _check_once(reply)
    entry = reply[criterion]
    if not isinstance(entry, dict):
        raise VerdictError(f"{criterion}: expected an object with evidence, reasoning and score, found {_shown(entry)}")
    _check_once(entry, f"{criterion}: ")
    return Verdict(
        criterion=criterion,
        evidence=_text(entry, criterion, "evidence"),
        reasoning=_text(entry, criterion, "reasoning"),
        score=_score(entry, criterion),
    )


def _check_once(found: dict[str, Any], place: str = "") -> None:
    if isinstance(found, Repeating):
        raise VerdictError(f"{place}the key {_shown(found.repeated)} stands there more than once")


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
