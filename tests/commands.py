"""The command line in a process of its own, as a user has it."""

import atexit
import gc
import os
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
    environ = mock.patch.dict(os.environ)  # what a command sets for its own process is none of the next test's
    with mock.patch.object(sys, "argv", ["judge", *map(str, args)]), environ, mock.patch.object(atexit, "register"):
        thresholds = gc.get_threshold()
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0)
        finally:
            gc.set_threshold(*thresholds)
    return 0
