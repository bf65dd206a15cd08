"""A model server full of faults, for commands that are killed: an endpoint for judges, or a program as ``steady_llama`` is one.

Which fault a request meets is dealt from a deck that is shuffled by a seed: in every ``len(DECK)`` requests that count, each fault
comes once, and the others are answered well. The deck goes on where it was when a server is started again.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import steady_llama
from fakes import (
    Asked,
    Fault,
    Opinion,
    Request,
    Response,
    ScriptedJudge,
    error_response,
    html_response,
    lenient,
    streamed,
    verdict_json,
)
from steady_llama import answer_text, is_preparation, unit_asked

from runner.dialects import Dialect

Spoil = Callable[[Response], Response]
"""Makes a fault of the reply that was meant."""


def half(response: Response, *more: Fault) -> Response:
    """The first half of a reply, in the middle of whatever stands there, and then ``more`` or an end that looks like one."""
    body = b"".join(step for step in response.steps if isinstance(step, bytes))
    return Response((body[: len(body) // 2], *more), headers=response.headers)


ON_THE_WIRE: Mapping[str, Spoil] = {
    "throttled": lambda _: error_response(429, "slow down", retry_after="1"),
    "throttled_silently": lambda _: error_response(429, "slow down"),
    "busy": lambda _: error_response(503, "busy"),
    "reset": lambda _: Response((Fault.RESET,), headerless=True),
    "reset_midway": lambda meant: half(meant, Fault.RESET),
    "hang": lambda meant: half(meant, Fault.HANG),
    "empty": lambda meant: Response(headers=meant.headers),
    "html": lambda _: html_response(),
    "cut": half,
}
"""What a candidate does as well as a judge: name -> how."""


def well_put(asked: Asked) -> str:
    """The reply of a good judge."""
    return verdict_json(lenient(asked))


IN_THE_VERDICT: Mapping[str, Opinion] = {
    "fenced": lambda asked: f"Here you are:\n```json\n{well_put(asked)}\n```\n",
    "prose": lambda _: "I would say 4/5 overall.",
    "truncated": lambda asked: well_put(asked)[:40],
}
"""What only a judge does: name -> what it says instead."""

FAULTS = (*ON_THE_WIRE, *IN_THE_VERDICT)
GOOD = frozenset({"ok", "fenced"})
"""Outcomes that are a whole answer, or a verdict that can be read."""
WELL = 20
DECK = (*FAULTS, *["ok"] * WELL)


def dealt(seed: str, number: int) -> str:
    """Return the card of request ``number``, 0-based."""
    pack, place = divmod(number, len(DECK))
    return Random(f"{seed} {pack}").sample(DECK, len(DECK))[place]


class Faulty:
    """A handler that writes every request that counts into ``file``, with its outcome, and then answers or does not.

    Its seed is the name of the folder of ``file``.
    """

    def __init__(self, file: Path, *, name: str = "m", local: bool = False) -> None:
        self._file = file
        self._seed = file.absolute().parent.name
        self._dealt = len(steady_llama.lines(file))
        self._name = name
        self._dialect = Dialect.JSON_OBJECT_SCHEMA if local else Dialect.JSON_SCHEMA

    def __call__(self, request: Request) -> Response:
        if is_preparation(request):
            return self._judged(request, well_put)
        phase, mark = unit_asked(request)
        is_answer, card = phase == "answer", self._next_card()
        if is_answer and card in IN_THE_VERDICT:
            card = "ok"
        with self._file.open("a") as file:
            file.write(f"{phase} {mark} {card}\n")
        meant = streamed(answer_text(mark)) if is_answer else self._judged(request, IN_THE_VERDICT.get(card, well_put))
        return ON_THE_WIRE[card](meant) if card in ON_THE_WIRE else meant

    def _next_card(self) -> str:
        self._dealt += 1
        return dealt(self._seed, self._dealt - 1)

    def _judged(self, request: Request, opinion: Opinion) -> Response:
        return ScriptedJudge(opinion, enforces=self._dialect, name=self._name)(request)


def main() -> None:
    """Serve as ``steady_llama`` does, with faults."""
    steady_llama.main(Faulty)
