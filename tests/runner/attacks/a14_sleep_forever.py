"""Wait without using the processor, so that no limit of processor time is reached."""

import signal
import time


def attack(world):
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
    while True:
        time.sleep(10_000)
