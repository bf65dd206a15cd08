"""The command line in a process of its own, as a user has it."""

import atexit
import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
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
        thresholds, on_term = gc.get_threshold(), signal.getsignal(signal.SIGTERM)
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0)
        finally:
            gc.set_threshold(*thresholds)
            gc.unfreeze()
            signal.signal(signal.SIGTERM, on_term)
    return 0


def import_answers(judge: Run, folder: Path, marks: Sequence[str]) -> None:
    """Import one right answer a mark, sample 0, 1 ... of C-T1-Q1; the mark stands in a comment, as ``# mark``."""
    program = "```python\ndef factorial(n: int) -> int:\n    return 1 if n < 2 else n * factorial(n - 1)  # {}\n```\n"
    place = {"model": "coder", "config": "baseline", "question_id": "C-T1-Q1"}
    lines = [{**place, "answer": program.format(mark), "sample": sample} for sample, mark in enumerate(marks)]
    source = folder / "answers.jsonl"
    source.write_text("\n".join(map(json.dumps, lines)))
    done = judge("import", source, cwd=folder)
    assert done.returncode == 0, done.stderr
