"""A judge with known opinions: a handler that judges by a Python function."""

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fake_replies import Request, Response, completion, error_response, json_response, models_response, streamed

from runner.dialects import Dialect

Scores = Mapping[str, int | str]
"""Criterion id -> 1-5 or "cannot_assess"."""


@dataclass(frozen=True)
class Asked:
    """What a judge was asked: the keys of its reply, the answer between the marks, and all that it was told."""

    keys: tuple[str, ...]
    answer: str
    text: str
    """System and user messages, joined."""
    turn: int
    """0 for the first request, 1 for the repair turn."""


Opinion = Callable[[Asked], Scores | str]
"""Returns the scores, or the raw text of the reply."""


def perfect(truth: Mapping[str, int], *, otherwise: int = 1) -> Opinion:
    """Knows the truth: the score of the first mark of ``truth`` that stands in the answer."""

    def opinion(asked: Asked) -> Scores:
        score = next((score for mark, score in truth.items() if mark in asked.answer), otherwise)
        return dict.fromkeys(asked.keys, score)

    return opinion


def lenient(asked: Asked) -> Scores:
    """Finds everything excellent."""
    return dict.fromkeys(asked.keys, 5)


def at_random(seed: int = 0) -> Opinion:
    """Throws dice."""
    dice = random.Random(seed)
    return lambda asked: {key: dice.randint(1, 5) for key in asked.keys}


def verdict_json(scores: Scores) -> str:
    """A reply as a good judge writes it."""
    return json.dumps(
        {key: {"evidence": "line 1", "reasoning": "seen", "score": score} for key, score in scores.items()}
    )


@dataclass
class ScriptedJudge:
    """A handler that judges by a Python function, on a server that enforces one way of asking for JSON.

    What it does not enforce it ignores with HTTP 200, as real servers do, unless ``refusals`` says otherwise. A schema that is
    enforced rules the reply: its only word is written where it leaves no choice.
    """

    opinion: Opinion
    enforces: Dialect = Dialect.JSON_SCHEMA
    refusals: Mapping[Dialect, Response] = field(default_factory=dict)
    """Dialect -> the error that asking in it gives."""
    name: str = "m"

    def __call__(self, request: Request) -> Response:
        if request.path == "/v1/models":
            return models_response(self.name)
        if request.path != "/v1/chat/completions":
            return json_response({"detail": "Not Found"}, 404)
        dialect, rule = _asked_dialect(request.body)
        if dialect in self.refusals:
            return self.refusals[dialect]
        text = self._reply(request.body["messages"], rule if dialect is self.enforces else None)
        return streamed(text) if request.body.get("stream") else completion(text)

    def _reply(self, messages: list[dict[str, str]], rule: str | None) -> str:
        text = "\n".join(message["content"] for message in messages if message["role"] != "assistant")
        keys = re.search(r"with exactly these keys, in this order: (.*)", text)
        if keys is None:  # not a grading: the handshake, which only a rule can answer as it wants
            word = re.search(r"kiwi-\d+", rule or "")
            return json.dumps({"fruit": word[0] if word else "apple"})
        wanted = tuple(re.findall(r"\w+", messages[-1]["content"].partition("in this order: ")[2].partition("\n")[0]))
        # The first message has an example of a graded answer.
        shown = "\n".join(message["content"] for message in messages[1:] if message["role"] != "assistant")
        answer = re.search(r"<<<ANSWER (\w+)\n(.*)\nANSWER \1>>>", shown, re.DOTALL)
        said = self.opinion(
            Asked(
                wanted,
                answer[2] if answer else "",
                text,
                turn=sum(message["role"] == "assistant" for message in messages),
            )
        )
        return said if isinstance(said, str) else verdict_json(said)


def _asked_dialect(body: Mapping[str, Any]) -> tuple[Dialect, str]:
    """Return in which dialect JSON was asked for, and the rule that came with it."""
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return Dialect.JSON_SCHEMA, json.dumps(wanted)
    if wanted.get("type") == "json_object":
        return Dialect.JSON_OBJECT_SCHEMA, json.dumps(wanted)
    if "grammar" in body:
        return Dialect.GRAMMAR, body["grammar"]
    return Dialect.PROMPTED, ""


NO_JSON_SCHEMA = error_response(
    500,
    "[{'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), 'msg': \"Input should be 'text' or 'json_object'\","
    " 'input': 'json_schema'}]",
    code=None,
)
"""What llama-cpp-python says to the nested form."""
