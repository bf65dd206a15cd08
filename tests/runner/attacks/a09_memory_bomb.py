"""Take memory in every way that one process has, also such that no address space shows."""

import ctypes
import mmap
import os

STEP = 64 << 20
LIMIT = 1200 << 20


def attack(world):
    kept, taken = [], 0
    try:
        while taken <= LIMIT:
            kept.append(bytearray(b"x") * STEP)
            taken += STEP
    except MemoryError:
        pass
    kept.clear()
    achieved = [f"{taken} bytes of heap"] if taken > LIMIT else []
    return achieved + anonymous_files() + shared_segments() + mappings()


def anonymous_files():
    try:
        return [f"an anonymous file {os.memfd_create('bomb')}"]
    except OSError:
        return []


def shared_segments():
    segment = ctypes.CDLL(None).shmget(0, STEP, 0o1666)
    return [f"a shared segment {segment}"] if segment >= 0 else []


def mappings():
    kept = []
    try:
        for _ in range(LIMIT // STEP + 1):
            kept.append(mmap.mmap(-1, STEP, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS))
            kept[-1][:] = b"x" * STEP
    except (OSError, MemoryError, ValueError):
        return []
    return ["shared mappings"]
