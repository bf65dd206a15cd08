"""A program in the place of a llama-cpp-python server: it takes its command line, answers as a lenient judge does, and may die.

``python -m fake_llama FOLDER -m llama_cpp.server --port N --model_alias NAME ...``. ``FOLDER/deaths`` says how many processes die: each
in the second request that counts. Every request that counts (no warm-up, no handshake) leaves a line in ``FOLDER/asked``.
"""

import os
import signal
import sys
from pathlib import Path

from fake_log import perf
from fakes import Fault, Request, Response, ScriptedJudge, delta, lenient, serving, sse

from runner.dialects import Dialect


class Mortal:
    """A handler that dies in its second request that counts, while deaths are left."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._judge = ScriptedJudge(lenient, enforces=Dialect.JSON_OBJECT_SCHEMA, name=name)
        self._asked = 0

    def __call__(self, request: Request) -> Response:
        if request.path == "/v1/chat/completions":
            log(perf())
            if self._counts(request.body["messages"][-1]["content"]) and self._is_due():
                os.kill(os.getpid(), signal.SIGKILL)
                return sse(delta("half"), Fault.RESET)
        return self._judge(request)

    def _counts(self, text: str) -> bool:
        if "red green blue" in text or "not a kiwi" in text:
            return False
        with (self._folder / "asked").open("a") as file:
            file.write(text.replace("\n", " ")[:60] + "\n")
        self._asked += 1
        return True

    def _is_due(self) -> bool:
        file = self._folder / "deaths"
        left = int(file.read_text())
        if self._asked < 2 or left == 0:
            return False
        file.write_text(str(left - 1))
        return True


def log(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def program(folder: Path) -> Path:
    """Write an executable that stands in for the Python of a model server, and return it."""
    found = folder / "python"
    found.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} {folder} "$@"\n')
    found.chmod(0o755)
    return found


def main() -> None:
    folder, options = Path(sys.argv[1]), sys.argv[2:]
    port, name = (options[options.index(option) + 1] for option in ("--port", "--model_alias"))
    log("llama_context: n_ctx = 1000000")
    with serving(Mortal(folder, name), int(port)):
        signal.pause()


if __name__ == "__main__":
    main()
