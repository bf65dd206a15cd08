"""Print and return what breaks decoders, terminals and databases."""

import os

NASTY = "\0\ud800\udfff\x1b[2J\x1b]0;owned\a\u202e\ufeff\r\n\x85"


def attack(world):
    os.write(1, bytes(range(256)) * 4)
    print(NASTY)
    return []


def solve(n):
    print(NASTY)
    if n == 7:
        raise ValueError(NASTY)
    return {NASTY: [NASTY.encode("utf-8", "surrogatepass"), float("nan"), n * n]}
