"""Create empty files, folders, links and pipes: each takes kernel memory though it has no content."""

import os


def attack(world):
    created = []
    for folder in ("/", "/tmp", "/work", "/run", "/dev", "/dev/shm", "/etc", "/run/inside"):
        for name, create in {
            "folder": os.mkdir,
            "link": lambda path: os.symlink("x", path),
            "pipe": os.mkfifo,
            "file": lambda path: os.close(os.open(path, os.O_CREAT)),
            "node": os.mknod,
        }.items():
            try:
                for number in range(10_000):
                    create(f"{folder}/{name}{number}")
                created.append(f"{name}s in {folder}")
            except OSError:
                continue
    return created
