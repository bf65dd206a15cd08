"""Which isolation this machine has for untrusted code, found out by trying to escape from it, and how to get it if
none.

Nothing is inferred from settings of the kernel: distributions show user namespaces as allowed and then refuse them.
"""

import base64
import functools
import json
import os
import platform
import pwd
import re
import shutil
import socket
import stat
import sys
import tempfile
import time
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import Field

from runner import seccomp
from runner.bwrap import Interpreter, Jail
from runner.cell import Cell, Died
from runner.errors import SandboxError
from runner.outcomes import Limits
from runner.protocol import Call, load_request, setup_request
from runner.replies import Tampered
from runner.spawn import run_trusted
from runner.types import Value

RUN_AS = "nobody"
"""Who runs untrusted code when the service runs as root: even without capabilities root could write kernel settings."""

_SYSTEM_PYTHON = "/usr/bin/python3"
_MIN_VERSION = (3, 11)
_BWRAP = "/usr/bin/bwrap"
"""Preferred over any other on PATH: AppArmor grants user namespaces by path."""

_COMPILE = """
import base64, importlib.util, json, marshal, sys
sources = json.load(sys.stdin)
head = importlib.util.MAGIC_NUMBER + bytes(12)
print(json.dumps({
    "version": "%d.%d.%d" % sys.version_info[:3],
    "prefix": sys.base_prefix,
    "compiled": {
        name + "c": base64.b64encode(head + marshal.dumps(compile(text, "inside/" + name, "exec"))).decode()
        for name, text in sources.items()
    },
}))
"""

_INSTALL = (
    "install bubblewrap: `apt install bubblewrap` (Debian, Ubuntu), `dnf install bubblewrap` (Fedora), "
    "`pacman -S bubblewrap` (Arch)"
)
_REPORT = "do not run untrusted code on this machine, and report its kernel, distribution and bubblewrap version"
_USERNS = (
    "allow user namespaces to /usr/bin/bwrap alone: put `abi <abi/4.0>, include <tunables/global> profile bwrap "
    "/usr/bin/bwrap flags=(unconfined) { userns, }` into /etc/apparmor.d/bwrap and run `apparmor_parser -r "
    "/etc/apparmor.d/bwrap`; in a container, start it with permission to create user namespaces"
)
_USERNS_SIGNS = re.compile(
    r"RTM_NEWADDR|uid map|new namespace|unprivileged|Creating new namespace|Operation not permitted"
)

Level = Literal["bwrap", "unsafe", "none"]


class Isolation(Value):
    """What the self-test found. ``none`` means that untrusted code is not run at all."""

    level: Level
    reason: str
    """One line: what holds, or what is missing."""
    fix: str | None = None
    """What to do to get isolation; ``None`` when there is nothing to do."""
    run_as: str | None = None
    """The user that runs untrusted code; ``None``: the one who runs the service."""
    jail: Jail | None = Field(default=None, repr=False)
    """How to start a sandbox; ``None`` at level ``none``."""

    @property
    def interpreter(self) -> str | None:
        """Path of the Python that runs answers."""
        return self.jail.interpreter.executable if self.jail is not None else None

    def required(self) -> Jail:
        """Return how to start a sandbox. Raises SandboxError that says how to get isolation."""
        if self.jail is None:
            raise SandboxError(f"untrusted code is not run: {self.reason}; {self.fix or 'see `judge doctor`'}")
        return self.jail


class _Unavailable(Exception):
    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.fix = fix


_known: dict[tuple[int, str, str | None], Isolation] = {}


async def isolation(*, run_as: str = RUN_AS, bwrap: str | None = None) -> Isolation:
    """Return what this machine offers; the self-test runs once a process.

    ``run_as`` counts only when the service runs as root. ``bwrap`` None looks for the system's bubblewrap.
    """
    key = (os.getuid(), run_as, bwrap)
    if key not in _known:
        _known[key] = await examine(run_as=run_as, bwrap=bwrap)
    return _known[key]


async def examine(*, run_as: str = RUN_AS, bwrap: str | None = None) -> Isolation:
    """Do the self-test now."""
    try:
        uid, gid = _identity(run_as)
        path = _find_bwrap(bwrap)
        jail = await _jail(path, uid, gid)
        if escaped := await escapes(jail):
            raise _Unavailable(f"the sandbox does not hold: code inside could {', '.join(escaped)}", _REPORT)
    except _Unavailable as missing:
        return Isolation(level="none", reason=str(missing), fix=missing.fix)
    name = run_as if uid is not None else None
    reason = f"bubblewrap and a system-call filter; answers run on {jail.interpreter.executable}" + (
        f" as {name}" if name is not None else ""
    )
    return Isolation(level="bwrap", reason=reason, run_as=name, jail=jail)


async def unsafe(*, run_as: str = RUN_AS) -> Isolation:
    """Return no isolation but resource limits. For a user who typed that the code may do anything."""
    try:
        uid, gid = _identity(run_as)
        jail = await _jail(None, uid, gid)
    except _Unavailable as missing:
        return Isolation(level="none", reason=str(missing), fix=missing.fix)
    return Isolation(
        level="unsafe", reason="resource limits only: the code can read, write and send anything", jail=jail
    )


# --- looking ------------------------------------------------------------------------------------------------------


def _identity(run_as: str) -> tuple[int | None, int | None]:
    if os.getuid() != 0:
        return None, None
    try:
        user = pwd.getpwnam(run_as)
    except KeyError as error:
        raise _Unavailable(f"there is no user {run_as!r} to run untrusted code as", "name an ordinary user") from error
    if user.pw_uid == 0:
        raise _Unavailable("untrusted code never runs as root", "name an ordinary user to run it as")
    return user.pw_uid, user.pw_gid


def _find_bwrap(asked: str | None) -> str:
    if sys.platform != "linux":
        raise _Unavailable(f"there is no sandbox on {sys.platform}", "run on Linux, in a virtual machine if need be")
    path = asked or (_BWRAP if os.access(_BWRAP, os.X_OK) else shutil.which("bwrap"))
    if path is None or not os.access(path, os.X_OK):
        raise _Unavailable(f"bubblewrap is not installed (looked for {asked or _BWRAP})", _INSTALL)
    if Path(path).stat().st_mode & stat.S_ISUID:
        raise _Unavailable(f"{path} is setuid root", f"`chmod u-s {path}` and allow user namespaces instead")
    return path


async def _jail(bwrap: str | None, uid: int | None, gid: int | None) -> Jail:
    machine = platform.machine()
    try:
        seccomp.program(machine)
    except SandboxError as error:
        raise _Unavailable(str(error), "run on such a machine") from error
    return Jail(
        bwrap=bwrap,
        disable_userns=bwrap is not None and await _knows_disable_userns(bwrap),
        machine=machine,
        uid=uid,
        gid=gid,
        interpreter=await _interpreter(uid, gid),
        library_links=_library_links(),
    )


async def _knows_disable_userns(bwrap: str) -> bool:
    _, stdout, stderr = await run_trusted([bwrap, "--help"])
    return b"--disable-userns" in stdout + stderr


def _library_links() -> tuple[tuple[str, str], ...]:
    paths = [path for path in map(Path, ("/lib", "/lib64")) if path.exists()]
    return tuple((str(path), str(path.readlink()) if path.is_symlink() else "") for path in paths)


async def _interpreter(uid: int | None, gid: int | None) -> Interpreter:
    """The product's own interpreter where the unprivileged user can run it, else the system's."""
    own = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    tried = [str(path.resolve()) for path in (own, Path(_SYSTEM_PYTHON)) if os.access(path, os.X_OK)]
    for executable in tried:
        found = await _compile_with(executable, uid, gid)
        if found is not None:
            return found
    raise _Unavailable(
        f"no Python >= 3.11 that untrusted code may run on (tried {', '.join(tried) or 'none'})",
        f"install {_SYSTEM_PYTHON} 3.11 or newer",
    )


@functools.cache
def _sources() -> dict[str, str]:
    folder = resources.files("runner") / "inside"
    return {entry.name: entry.read_text() for entry in folder.iterdir() if entry.name.endswith(".py")}


@functools.cache
def _escape_attempts() -> str:
    return (resources.files("runner") / "escape_attempts.py").read_text()


async def _compile_with(executable: str, uid: int | None, gid: int | None) -> Interpreter | None:
    """Compiling the inside part both prepares it (no start has to) and proves that this user can run this
    interpreter."""
    try:
        status, stdout, _ = await run_trusted(
            [executable, "-I", "-S", "-c", _COMPILE], data=json.dumps(_sources()).encode(), uid=uid, gid=gid
        )
    except OSError:
        return None
    if status != 0:
        return None
    said = json.loads(stdout)
    if tuple(map(int, said["version"].split("."))) < _MIN_VERSION:
        return None
    compiled = {name: base64.b64decode(code) for name, code in said["compiled"].items()}
    return Interpreter(executable=executable, prefix=said["prefix"], version=said["version"], compiled=compiled)


# --- trying to escape ---------------------------------------------------------------------------------------------


async def escapes(jail: Jail) -> list[str]:
    """Return what code inside a sandbox got away with; empty when it holds."""
    home = _folder_of_the_user()
    with tempfile.NamedTemporaryFile(dir=home) as canary, socket.create_server(("127.0.0.1", 0)) as listener:
        # Readable to everybody: only the sandbox, not the permissions, keeps it away.
        os.fchmod(canary.fileno(), 0o644)
        listener.setblocking(False)
        escaped = await _attempt(jail, canary.name, str(home), listener.getsockname()[1])
        if _was_contacted(listener):
            escaped = [*escaped, "connect to a listener"]
    return escaped


def _folder_of_the_user() -> Path:
    """Root's own home folder would prove nothing: its permissions alone keep everybody else out."""
    reachable = os.getuid() != 0 and os.access(Path.home(), os.W_OK)
    return Path.home() if reachable else Path(tempfile.gettempdir())


async def _attempt(jail: Jail, canary: str, home: str, port: int) -> list[str]:
    limits = Limits()
    cell = Cell.start(jail, limits)
    try:
        requests = [
            setup_request(limits),
            load_request(_escape_attempts()),
            Call(target="attempts", args=(canary, home, port)).request(),
        ]
        replies = cell.ask(requests, limits.call_wall_s, time.monotonic() + limits.answer_wall_s)
        for _ in requests:
            reply = await replies.next()
        escaped: list[str] = reply.value()
        return escaped if isinstance(escaped, list) else [f"break the self-test: {reply.error}"]
    except (Died, Tampered, TimeoutError) as failure:
        raise _diagnosis(f"{await cell.ending()}, {failure}", cell.take_output()) from failure
    finally:
        await cell.close()


def _was_contacted(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _diagnosis(ending: str, output: str) -> _Unavailable:
    said = " ".join(output.split())[-300:]
    reason = f"the sandbox does not start ({ending}): {said or 'no output'}"
    return _Unavailable(reason, _USERNS if _USERNS_SIGNS.search(output) else "run `judge doctor` as an ordinary user")
