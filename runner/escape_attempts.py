"""What the self-test runs inside a sandbox in place of an answer: it tries to get out and says what it reached.

Only run inside; ``attempts`` returns the name of each attempt that succeeded. Standard library only.
"""

import ctypes
import os
import resource
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


def _signal(process: int) -> bool:
    os.kill(process, 0)
    return True


def _limit(process: int) -> bool:
    limits = resource.prlimit(process, resource.RLIMIT_CORE)
    return resource.prlimit(process, resource.RLIMIT_CORE, limits) == limits


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


def attempts(canary: str, home: str, port: int, service: int | None) -> list[str]:
    """Try everything; ``canary`` is a file of the user, ``port`` a listener on the loopback of the machine, ``service``
    the process number of the service, where its number means the same inside."""
    tried: dict[str, Callable[[], object]] = {
        "read a file of the user": lambda: Path(canary).read_bytes(),
        "truncate a file of the user": lambda: os.truncate(canary, 0),
        "empty a file of the user by opening it": lambda: os.open(canary, 3 | os.O_TRUNC),
        "change the permissions of a file of the user": lambda: Path(canary).chmod(0o777),
        "change the times of a file of the user": lambda: os.utime(canary, (0, 0)),
        "write to the home folder": lambda: _write(f"{home}/escaped"),
        "write to the working folder": lambda: _write("escaped"),
        "write to /tmp": lambda: _write("/tmp/escaped"),
        "see an environment variable of the service": _environments,
        "connect to a local port": lambda: _connect(port),
        "open a vsock": lambda: socket.socket(_AF_VSOCK, socket.SOCK_STREAM),
        "signal the service": lambda: service is not None and _signal(service),
        "limit the resources of the service": lambda: service is not None and _limit(service),
        "fork": _fork,
        "open core_pattern for writing": lambda: os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY),
        "create a user namespace": _unshare,
    }
    return [name for name, attempt in tried.items() if _try(attempt)]
