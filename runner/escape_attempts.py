"""What the self-test runs inside a sandbox in place of an answer: it tries to get out and says what it reached.

Only run inside; ``attempts`` returns the name of each attempt that succeeded. Standard library only.
"""

import ctypes
import os
import socket
from collections.abc import Callable
from pathlib import Path

_AF_VSOCK = 40
_CLONE_NEWUSER = 0x10000000


def _try(attempt: Callable[[], object]) -> bool:
    try:
        return attempt() is not False
    except OSError:
        return False


def _write(path: str) -> None:
    with Path(path).open("wb") as file:
        file.write(b"x")
    Path(path).unlink()


def _connect(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.settimeout(1.0)
        connection.connect(("127.0.0.1", port))


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _unshare() -> bool:
    return bool(ctypes.CDLL(None).unshare(_CLONE_NEWUSER) == 0)


def _environments() -> bool:
    """True when any process that can be seen here has a variable that a sandbox does not set."""
    expected = {b"PATH", b"HOME", b"LANG", b"PWD", b"LC_CTYPE", b"MALLOC_ARENA_MAX", b"OPENBLAS_NUM_THREADS", b""}
    for environment in Path("/proc").glob("[0-9]*/environ"):
        content = environment.read_bytes()
        if {variable.partition(b"=")[0] for variable in content.split(b"\0")} - expected:
            return True
    return False


def attempts(canary: str, home: str, port: int) -> list[str]:
    """Try everything; ``canary`` is a file of the user, ``port`` a listener on the loopback of the machine."""
    tried: dict[str, Callable[[], object]] = {
        "read a file of the user": lambda: Path(canary).read_bytes(),
        "write to the home folder": lambda: _write(f"{home}/escaped"),
        "write to the working folder": lambda: _write("escaped"),
        "write to /tmp": lambda: _write("/tmp/escaped"),
        "see an environment variable of the service": _environments,
        "connect to a local port": lambda: _connect(port),
        "open a vsock": lambda: socket.socket(_AF_VSOCK, socket.SOCK_STREAM),
        "fork": _fork,
        "open core_pattern for writing": lambda: os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY),
        "create a user namespace": _unshare,
    }
    return [name for name, attempt in tried.items() if _try(attempt)]
