"""Tries to escape from a sandbox of this machine; whether it holds is judged by what was reached, inside and outside."""

import functools
import os
import re
import socket
import tempfile
import time
from importlib import resources
from pathlib import Path

from runner.cell import Cell, Died
from runner.errors import IsolationMissing
from runner.jail import Jail
from runner.outcomes import Limits
from runner.protocol import Call, load_request, setup_request
from runner.replies import Tampered

_USERNS = (
    "allow user namespaces to /usr/bin/bwrap alone: put `abi <abi/4.0>, include <tunables/global> profile bwrap "
    "/usr/bin/bwrap flags=(unconfined) { userns, }` into /etc/apparmor.d/bwrap and run `apparmor_parser -r "
    "/etc/apparmor.d/bwrap`; in a container, start it with permission to create user namespaces"
)
_SYSTEM_CALLS = "in a container, allow it the system calls of Landlock and seccomp, prctl and capset"
_USERNS_SIGNS = re.compile(
    r"RTM_NEWADDR|uid map|new namespace|unprivileged|Creating new namespace|Operation not permitted"
)


async def escapes(jail: Jail) -> list[str]:
    """Return what code inside a sandbox got away with; empty when it holds. Raises IsolationMissing when the sandbox
    does not even start."""
    home = _folder_of_the_user()
    with tempfile.NamedTemporaryFile(dir=home) as canary, socket.create_server(("127.0.0.1", 0)) as listener:
        # Owned by who runs answers and readable to all: only the sandbox, not the permissions, keeps it away.
        os.fchmod(canary.fileno(), 0o644)
        if jail.uid is not None and jail.gid is not None:
            os.fchown(canary.fileno(), jail.uid, jail.gid)
        listener.setblocking(False)
        escaped = await _attempt(jail, canary.name, str(home), listener.getsockname()[1])
        if _was_contacted(listener):
            escaped = [*escaped, "connect to a listener"]
    return escaped


def _folder_of_the_user() -> Path:
    """Root's own folders would prove nothing: their permissions alone keep everybody else out."""
    if os.getuid() == 0:
        return Path("/tmp")
    return Path.home() if os.access(Path.home(), os.W_OK) else Path(tempfile.gettempdir())


@functools.cache
def _escape_attempts() -> str:
    return (resources.files("runner") / "escape_attempts.py").read_text()


async def _attempt(jail: Jail, canary: str, home: str, port: int) -> list[str]:
    limits = Limits()
    # In a process namespace the number of the service is nobody's, or that of a process inside.
    service = None if jail.has_namespaces else os.getpid()
    cell = Cell.start(jail, limits)
    try:
        requests = [
            setup_request(limits, confinement=cell.confinement),
            load_request(_escape_attempts()),
            Call(target="attempts", args=(canary, home, port, service)).request(),
        ]
        replies = cell.ask(requests, limits.call_wall_s, time.monotonic() + limits.answer_wall_s)
        for _ in requests:
            reply = await replies.next()
        escaped: list[str] = reply.value()
        return escaped if isinstance(escaped, list) else [f"break the self-test: {reply.error}"]
    except (Died, Tampered, TimeoutError) as failure:
        raise _diagnosis(jail, f"{await cell.ending()}, {failure}", cell.take_output()) from failure
    finally:
        await cell.close()


def _was_contacted(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _diagnosis(jail: Jail, ending: str, output: str) -> IsolationMissing:
    said = " ".join(output.split())[-300:]
    reason = f"the {jail.wall} sandbox does not start ({ending}): {said or 'no output'}"
    if jail.wall != "bwrap":
        return IsolationMissing(reason, _SYSTEM_CALLS)
    return IsolationMissing(
        reason, _USERNS if _USERNS_SIGNS.search(output) else "run `judge doctor` as an ordinary user"
    )
