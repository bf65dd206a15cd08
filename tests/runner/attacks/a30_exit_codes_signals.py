"""Stop instead of ending: neither an exit status nor a reply ever comes."""

import os
import signal


def attack(world):
    return []


def solve(n):
    os.kill(os.getpid(), signal.SIGSTOP)
    return -1
