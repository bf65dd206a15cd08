"""Commands of this program in a process of their own, which ends with the one that started it.

The starter holds the writing end of the child's stdin and writes nothing: when the starter is gone, however that came, the child
reads the end and interrupts itself, as Ctrl-C would.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Child:
    """A process that was started by this one."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def wait(self, at_most_s: float) -> int | None:
        """Return the exit code, -N for signal N; ``None`` when it still runs after ``at_most_s``."""
        try:
            return self._process.wait(at_most_s)
        except subprocess.TimeoutExpired:
            return None

    def interrupt(self) -> None:
        """Have it stop cleanly."""
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End it now."""
        self._process.kill()

    def let_go(self) -> None:
        """Close our end of its stdin, by which it knows us; only after it has ended."""
        assert self._process.stdin is not None
        self._process.stdin.close()


def start_child(module: str, arguments: Sequence[str], log: Path, environ: Mapping[str, str] = _NOTHING) -> Child:
    """Start ``python -m MODULE ARGUMENTS``; what it says goes to the end of ``log``. ``environ`` comes on top of our environment.

    Raises OSError when it cannot be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env={**os.environ, **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,  # Ctrl-C in the terminal is for the starter, which then tells the child
        )
    return Child(process)


def end_with_starter() -> None:
    """In the child: be interrupted as soon as the starter is gone, and whenever it says so."""
    # A shell lets programs in the background ignore Ctrl-C, and their children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGINT)
