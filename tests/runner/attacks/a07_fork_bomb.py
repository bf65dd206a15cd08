"""Start processes in every way there is, endlessly."""

import ctypes
import multiprocessing
import os
import subprocess
import time

SYSCALLS = {"fork": (57,), "vfork": (58,), "clone": (56, 17, 0, 0, 0, 0), "clone3": (435, 0, 0)}


def attack(world):
    started = []
    for _ in range(200):
        try:
            if os.fork() == 0:
                while True:
                    time.sleep(1)
            started.append("fork")
        except OSError:
            break
    for name, start in {
        "subprocess": lambda: subprocess.Popen(["/usr/bin/sleep", "100"]),
        "posix_spawn": lambda: os.posix_spawn("/usr/bin/sleep", ["sleep", "100"], {}),
        "system": lambda: os.system("exit 0") == 0 or 1 / 0,
        "multiprocessing": lambda: multiprocessing.get_context("fork").Process(target=time.sleep, args=(100,)).start(),
        "forkpty": os.forkpty,
    }.items():
        try:
            start()
            started.append(name)
        except (OSError, ZeroDivisionError):
            continue
    libc = ctypes.CDLL(None)
    for name, call in SYSCALLS.items():
        child = libc.syscall(*call)
        if child == 0:
            os._exit(0)
        if child > 0:
            started.append(f"syscall {name}")
    return started
