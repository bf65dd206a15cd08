"""The command line in a process of its own, as a user has it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from judge.cli import main

Run = Callable[..., subprocess.CompletedProcess[str]]


def command(*args: str | Path) -> list[str]:
    """Return the command line that ``judge ARGS`` is."""
    return [sys.executable, "-m", "judge.cli", *map(str, args)]


def typed(*args: str | Path) -> int:
    """Run ``judge ARGS`` in this process, where there is nothing to kill, and return its exit code."""
    with mock.patch.object(sys, "argv", ["judge", *map(str, args)]):
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0)
    return 0
