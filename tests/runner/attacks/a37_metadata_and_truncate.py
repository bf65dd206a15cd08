"""Harm files without opening them for writing: truncate, permissions, owners, times, attributes, names."""

import os


def attack(world):
    done = []
    for path in (world["important_file"], world["public_file"], world["home"], "/usr/bin/env", "/run/inside/server.pyc"):
        for name, harm in {
            "truncate": lambda path=path: os.truncate(path, 0),
            "empty while reading": lambda path=path: os.open(path, os.O_RDONLY | os.O_TRUNC),
            "empty while neither reading nor writing": lambda path=path: os.open(path, 3 | os.O_TRUNC),
            "chmod": lambda path=path: os.chmod(path, 0o777),
            "chown": lambda path=path: os.chown(path, 1, 1),
            "utime": lambda path=path: os.utime(path, (0, 0)),
            "xattr": lambda path=path: os.setxattr(path, "user.x", b"x"),
            "unlink": lambda path=path: os.unlink(path),
            "rename": lambda path=path: os.rename(path, path + ".gone"),
            "rmdir": lambda path=path: os.rmdir(path),
        }.items():
            try:
                harm()
                done.append(f"{name} {path}")
            except OSError:
                continue
    return done
