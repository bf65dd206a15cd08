"""Take memory in many processes: a limit for each is no limit for all."""

import os
import time


def attack(world):
    started = 0
    for _ in range(20):
        try:
            child = os.fork()
        except OSError:
            break
        if child == 0:
            kept = bytearray(b"x") * (200 << 20)
            time.sleep(3)
            os._exit(len(kept) & 1)
        started += 1
    return [f"{started} processes of 200 MB"] if started else []
