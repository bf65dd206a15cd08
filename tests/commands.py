"""The command line in a process of its own, as a user has it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[str]]


def command(*args: str | Path) -> list[str]:
    """Return the command line that ``judge ARGS`` is."""
    return [sys.executable, "-m", "judge.cli", *map(str, args)]
