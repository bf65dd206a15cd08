"""What one chat completion, or one chunk of a streamed one, says. Pure.

Servers leave fields out, set them to null or to forms of their own, and the client library hands them on unchecked. Whatever does not
have the form of the OpenAI API says nothing here.

Decision on finish reasons: those that are known to say that a reply is not whole are told apart, in the spellings of the servers that
people use, and every other one (``stop``, ``eos``, ``end_turn``, ``tool_calls``) is an end that the model chose: a list of good ones
would refuse odd servers whose replies are whole. Without any reason nothing says that the reply is whole.
"""

from typing import Any, Literal

from runner.foreign_text import well_formed
from runner.types import Usage, Value


class Part(Value):
    """A whole message, or what one chunk adds to it."""

    text: str
    reasoning: str
    """What the server delivers apart as reasoning; two spellings of the field are in use."""
    finish_reason: str | None


Ending = Literal["whole", "limit", "withheld", "broken"]
"""How a reply ended: as the model wanted, at a token limit, kept back by a filter of the endpoint, or by a fault of the server."""

_ENDINGS: dict[str, Ending] = {
    **dict.fromkeys(
        ("length", "max_tokens", "max_output_tokens", "max_length", "model_length", "limit", "incomplete"), "limit"
    ),
    **dict.fromkeys(
        (
            "content_filter",
            "safety",
            "image_safety",
            "recitation",
            "blocklist",
            "prohibited_content",
            "spii",
            "refusal",
        ),
        "withheld",
    ),
    **dict.fromkeys(("error", "abort", "cancelled", "timeout", "insufficient_system_resource"), "broken"),
}
_NO_REASON = ("", "null", "none")
"""What some servers write into every chunk but the last."""


def ending(finish_reason: str) -> Ending:
    """Return what a finish reason says of the reply."""
    return _ENDINGS.get(finish_reason.lower(), "whole")


def read_chunk(chunk: object) -> Part:
    """Return what a chunk adds; nothing when it has another form."""
    choice = _choice(chunk)
    return _part(choice, _field(choice, "delta"))


def read_completion(completion: object) -> Part | None:
    """Return the message of a whole completion; ``None`` when there is none in it."""
    choice = _choice(completion)
    message = _field(choice, "message")
    if message is None or not isinstance(_field(message, "content"), str | None):
        return None
    return _part(choice, message)


def read_usage(reply: object) -> Usage | None:
    """Return the token counts of a completion or chunk; ``None`` when it has none."""
    usage = _field(reply, "usage")
    prompt, completion = (_count(_field(usage, name)) for name in ("prompt_tokens", "completion_tokens"))
    if completion is None:
        return None
    return Usage(prompt_tokens=prompt, completion_tokens=completion, source="usage")


def _choice(reply: object) -> object:
    choices = _field(reply, "choices")
    return choices[0] if isinstance(choices, list) and choices else None


def _part(choice: object, message: object) -> Part:
    reason = well_formed(_text(_field(choice, "finish_reason")))
    return Part(
        text=_text(_field(message, "content")),
        reasoning=_text(_field(message, "reasoning_content")) or _text(_field(message, "reasoning")),
        finish_reason=None if reason.lower() in _NO_REASON else reason,
    )


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None
