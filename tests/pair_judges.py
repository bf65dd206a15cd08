"""A judge that compares two answers by a Python function; as light as ``fakes``, for programs in the place of a server."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from fakes import ScriptedJudge, lenient


@dataclass(frozen=True)
class AskedPair:
    """Two answers between their marks, and all that the judge was told."""

    first: str
    second: str
    text: str
    """System and user messages, joined."""
    turn: int
    """0 for the first request, 1 for the repair turn."""


PairOpinion = Callable[[AskedPair], str]
"""Returns ``first``, ``second`` or ``tie``, or the raw text of the reply."""


def preference_json(winner: str) -> str:
    """A reply as a good judge writes it."""
    return json.dumps({"reasoning": "seen", "winner": winner})


@dataclass
class PairJudge(ScriptedJudge):
    """Compares by a Python function; scores, where it is asked to, by its opinion."""

    prefers: PairOpinion = field(kw_only=True)

    def _reply(self, messages: list[dict[str, str]], rule: str | None) -> str:
        text = "\n".join(message["content"] for message in messages if message["role"] != "assistant")
        found = [
            re.search(rf"<<<ANSWER {place} (\w+)\n(.*)\nANSWER {place} \1>>>", text, re.DOTALL)
            for place in ("first", "second")
        ]
        first, second = found
        if first is None or second is None:
            return super()._reply(messages, rule)
        turn = sum(message["role"] == "assistant" for message in messages)
        said = self.prefers(AskedPair(first[2], second[2], text, turn))
        return preference_json(said) if said in ("first", "second", "tie") else said


def preferring(prefers: PairOpinion) -> PairJudge:
    """A judge that compares like this."""
    return PairJudge(lenient, prefers=prefers)


def always_first(asked: AskedPair) -> str:
    """Looks at the place only."""
    return "first"
