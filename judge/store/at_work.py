"""Which runs are being carried out: a lock file each, that the system takes from a process that dies, however it dies.

A state in the store cannot tell a run that works from one whose process was killed. A lock can: it needs no heartbeat, survives no
process, and is not fooled by process ids that are given out again. It is known on one machine only, so a run of another machine over
the same PostgreSQL keeps the state that it wrote.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from judge.errors import StoreError


@contextmanager
def held(lock: Path | None) -> Iterator[None]:
    """Hold the lock for the length of the block; ``None``: there is no place for one. Raises StoreError when it cannot be made.

    It is removed when the block ends well. Else it stays, unheld: whether the run got to say how it ended is not known here.
    """
    descriptor = _taken(lock) if lock else None
    if lock is None or descriptor is None:
        yield
        return
    try:
        yield
        lock.unlink(missing_ok=True)  # while it is held, so that nobody finds it free
    finally:
        os.close(descriptor)


def was_left(lock: Path | None) -> bool:
    """True when a process took the lock and died with it; False while it is held, and where there is none."""
    if lock is None:
        return False
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:  # nobody took it here, or it is not ours to look at
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two that look do not take each other for a run
    except OSError:  # it is held
        return False
    finally:
        os.close(descriptor)
    return lock.exists()  # or it was let go and removed just now


def _taken(lock: Path) -> int | None:
    """Return the descriptor that holds the lock; ``None`` on a file system without locks."""
    try:
        lock.parent.mkdir(exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(
            f"{lock}: cannot be made ({error.strerror}); make its folder writable, or free some space"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        os.close(descriptor)
        lock.unlink(missing_ok=True)
        return None
    return descriptor
