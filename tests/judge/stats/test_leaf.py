"""What it costs to import."""

import subprocess
import sys


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    code = "import sys, judge.cli; print(sorted({'scipy', 'pandas', 'evalica'} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
