"""Leave with status 0 in the middle of a call."""

import sys


def attack(world):
    return []


def solve(n):
    sys.exit(0)
