"""Every wall that this machine has around untrusted code, chosen by name; and work done as an ordinary user."""

import json
import os
import signal
from collections.abc import Callable

from runner.isolation import Isolation, bubblewrap, examine, landlock
from runner.landlock import kernel_abi

NOBODY = 65534
WAYS = {
    "bwrap": bubblewrap(),
    "landlock": landlock(),
    # As on older kernels: Debian 12 has ABI 2, Ubuntu 22.04 has ABI 1.
    "landlock of abi 2": landlock(at_most=2),
    "landlock of abi 1": landlock(at_most=1),
}
HAS_LANDLOCK = kernel_abi() > 0
"""Only a kernel without Landlock may go without these tests; its refusal is tested in test_isolation.py."""
WALLS = ["bwrap", "landlock"] if HAS_LANDLOCK else ["bwrap"]
LANDLOCKS = [name for name in WAYS if name.startswith("landlock")] if HAS_LANDLOCK else []

_found: dict[tuple[int, str], Isolation] = {}


async def walled(name: str) -> Isolation:
    """Return this wall, whose self-test has to pass."""
    key = (os.getuid(), name)
    if key not in _found:
        _found[key] = await examine(ways=[WAYS[name]])
    found = _found[key]
    assert found.level == name.partition(" ")[0], f"{name}: {found.reason}; {found.fix}"
    return found


def in_child(work: Callable[[], None]) -> str | None:
    """Run ``work`` in a child process; returns what it raised."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        problem: str | None = None
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told to the parent, which fails
            problem = f"{type(error).__name__}: {error}"
        os.write(writing, json.dumps(problem).encode()[:60_000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return json.loads(said) if said else f"the child ended without a word (signal {signal.SIGKILL}?)"


def as_nobody(work: Callable[[], None]) -> str | None:
    """Run ``work`` in a child process as nobody. The child cannot import anything new: the interpreter may lie where
    nobody has no access. So ``walled`` something before: it reads what the child needs."""

    def become_nobody() -> None:
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.environ["HOME"] = "/tmp"
        work()

    return in_child(become_nobody)
