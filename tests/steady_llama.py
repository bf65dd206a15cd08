"""A server that writes down what it is asked for: an endpoint for judges, or a program in the place of a llama-cpp-python server.

As a candidate it writes an answer with a mark that tells whose it is (question and seed); as a judge it is lenient and finds the
mark again. A judge called strict finds answers with an odd seed poor. Each request that counts (no warm-up, no handshake) leaves a
line in a file: phase, mark, and how it was answered. Every so many requests it is busy, or says 4/5 first.
"""

import dataclasses
import hashlib
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fake_log import perf
from fakes import Asked, Handler, Request, Response, Scores, ScriptedJudge, error_response, lenient, serving, streamed

from runner.dialects import Dialect

MARK = re.compile(r"mark-[0-9a-f]{4,}-\d+")
BUSY_EVERY, CARELESS_EVERY = 7, 11


class Line(NamedTuple):
    """One request that counted."""

    phase: str
    """answer or judgement."""
    mark: str
    outcome: str
    """ok, or the fault that it was answered with."""


def lines(file: Path, since: int = 0) -> list[Line]:
    """Return what was asked, but for the first ``since`` lines."""
    written = file.read_text().splitlines() if file.exists() else []
    return [Line(*line.split()) for line in written[since:]]


def answer_text(mark: str) -> str:
    """Return an answer that can be told from all others."""
    return f"```python\ndef factorial(n: int) -> int:\n    return 1 if n < 2 else n * factorial(n - 1)  # {mark}\n```\n"


def is_preparation(request: Request) -> bool:
    """True for what is no unit: a list of models, a warm-up, a handshake."""
    said = str(request.body and request.body.get("messages"))
    return request.path != "/v1/chat/completions" or "red green blue" in said or "not a kiwi" in said


def unit_asked(request: Request) -> tuple[str, str]:
    """Return the phase and the mark of the unit that is asked for."""
    said = str(request.body["messages"])
    if mark := MARK.search(said):
        return "judgement", mark[0]
    return "answer", f"mark-{hashlib.sha256(said.encode()).hexdigest()[:8]}-{request.body['seed']}"


class Steady:
    """A handler that answers after ``latency_s`` and writes the request down before."""

    def __init__(self, file: Path, *, name: str = "m", latency_s: float = 0.01, local: bool = False) -> None:
        self._file = file
        self._name = name
        self._latency_s = latency_s
        self._counted = 0
        self._judge = ScriptedJudge(
            self._opinion, enforces=Dialect.JSON_OBJECT_SCHEMA if local else Dialect.JSON_SCHEMA, name=name
        )

    def __call__(self, request: Request) -> Response:
        if request.path != "/v1/chat/completions":
            return self._judge(request)
        response = self._answered(request)
        return dataclasses.replace(response, steps=(self._latency_s, *response.steps))

    def _answered(self, request: Request) -> Response:
        if is_preparation(request):
            return self._judge(request)
        phase, mark = unit_asked(request)
        self._counted += 1
        if self._counted % BUSY_EVERY == 0:
            self._write(phase, mark, "busy")
            return error_response(503, "busy", retry_after="0")
        if phase == "judgement":
            return self._judge(request)
        self._write(phase, mark, "ok")
        return streamed(answer_text(mark))

    def _opinion(self, asked: Asked) -> Scores | str:
        mark = MARK.search(asked.text)
        assert mark is not None
        careless = self._counted % CARELESS_EVERY == 0 and asked.turn == 0
        self._write("judgement", mark[0], "careless" if careless else "ok")
        if careless:
            return "I would say 4/5 overall."
        is_poor = self._name.startswith("strict") and int(mark[0].rpartition("-")[2]) % 2 == 1
        return dict.fromkeys(asked.keys, 2) if is_poor else lenient(asked)

    def _write(self, *words: str) -> None:
        with self._file.open("a") as file:
            file.write(" ".join(words) + "\n")


def main(made: Callable[..., Handler] = Steady) -> None:
    """Serve as ``python -m llama_cpp.server --port N --model_alias NAME ...`` would, and write into the working folder."""
    port, name = (sys.argv[sys.argv.index(option) + 1] for option in ("--port", "--model_alias"))
    handler = made(Path("asked"), name=name, local=True)

    def logged(request: Request) -> Response:
        if request.path == "/v1/chat/completions":
            sys.stderr.write(perf())
            sys.stderr.flush()
        return handler(request)

    sys.stderr.write("llama_context: n_ctx = 1000000\n")
    sys.stderr.flush()
    with serving(logged, int(port)):
        signal.pause()
