"""``judge serve`` over a results folder, in a process of its own, as a user has it."""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commands import command


@contextmanager
def served(results: Path) -> Iterator[str]:
    """Serve a folder on a free port of loopback, and yield the address without a slash at its end."""
    asked = command("--results", results, "serve", "--port", "0")
    with subprocess.Popen(asked, stderr=subprocess.PIPE, text=True) as service:
        try:
            assert service.stderr is not None
            line = service.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert found, line + service.stderr.read()
            yield found[0]
        finally:
            service.send_signal(signal.SIGINT)
            service.communicate(timeout=30)
