"""Locks on files: the kernel lets them go with the process that holds them, however that ends."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


class Lock:
    """A lock that one process at a time holds. Its file says who does, and is left behind: its being there means nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def take(self, note: str = "") -> bool:
        """Take the lock, and write down the process and a note; False when somebody else holds it. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()} {note}".encode())
        self._fd = fd
        return True

    @property
    def is_held(self) -> bool:
        """True when it is held here."""
        return self._fd is not None

    def release(self) -> None:
        """Let go of it, if it is held here."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def is_free(self) -> bool:
        """True when nobody holds it now."""
        if not self.take():
            return False
        self.release()
        return True

    def holder(self) -> tuple[int, str] | None:
        """Return process id and note of who took it last; ``None`` when that cannot be read. Only for when it is not free."""
        with contextlib.suppress(OSError, ValueError):
            pid, _, note = self.path.read_text(encoding="utf-8").partition(" ")
            return int(pid), note
        return None


@contextlib.contextmanager
def held(lock: Lock, note: str = "") -> Iterator[bool]:
    """Try to hold the lock for the length of the block, and yield whether it is held."""
    taken = lock.take(note)
    try:
        yield taken
    finally:
        if taken:
            lock.release()
