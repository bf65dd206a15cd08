"""Fill whatever can be written to, memory-backed file systems above all."""

import os

FOLDERS = ("/", "/tmp", "/work", "/run", "/etc", "/dev", "/dev/shm", "/var/tmp", "/proc", "/usr/tmp", ".", "/run/inside")


def attack(world):
    written = []
    for folder in FOLDERS:
        for flags in (os.O_CREAT | os.O_WRONLY, os.O_TMPFILE | os.O_WRONLY):
            path = folder if flags & os.O_TMPFILE == os.O_TMPFILE else os.path.join(folder, "fill")
            try:
                file = os.open(path, flags, 0o600)
                for _ in range(64):
                    os.write(file, b"x" * (1 << 20))
            except OSError:
                continue
            written.append(folder)
    return written
