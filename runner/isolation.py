"""Which isolation this machine has for untrusted code, found out by trying to escape from it, and how to get a better
one.

The ways are tried in order, bubblewrap first, then Landlock; the first whose self-test passes is used. Nothing is
inferred from settings of the kernel: distributions show user namespaces as allowed and then refuse them.
"""

import asyncio
import os
import platform
import pwd
import shutil
import stat
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal
from weakref import WeakKeyDictionary

from pydantic import Field

from runner import seccomp
from runner.errors import IsolationMissing, SandboxError
from runner.interpreter import find_interpreter
from runner.jail import Jail, Wall
from runner.landlock import kernel_abi
from runner.self_test import escapes
from runner.spawn import run_trusted, setpriv_command
from runner.types import Value

RUN_AS = "nobody"
"""Who runs untrusted code when the service runs as root: even without capabilities root could write kernel settings."""

_BWRAP = "/usr/bin/bwrap"
"""Preferred over any other on PATH: AppArmor grants user namespaces by path."""

_INSTALL = (
    "install bubblewrap: `apt install bubblewrap` (Debian, Ubuntu), `dnf install bubblewrap` (Fedora), "
    "`pacman -S bubblewrap` (Arch)"
)
_ENABLE_LANDLOCK = "use Linux 5.13 or newer and add `landlock` to the kernel's `lsm=` boot parameter"
_REPORT = "report the kernel, distribution and bubblewrap version of this machine"

Level = Literal[Wall, "none"]


class Isolation(Value):
    """What the self-test found. ``none`` means that untrusted code is not run at all."""

    level: Level
    reason: str
    """One line: what holds, or what is missing."""
    fix: str | None = None
    """What to do to get isolation, or a better one; ``None`` when there is nothing to do."""
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


Way = Callable[[Jail], Awaitable[Jail]]
"""Turns what every sandbox needs into one with a wall around it. Raises IsolationMissing."""

_known: dict[tuple[int, str], Isolation] = {}
_testing: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
"""One self-test at a time: two at once would slow each other down, and a slow one looks like a failed one."""


async def isolation(*, run_as: str = RUN_AS) -> Isolation:
    """Return what this machine offers. What passed the self-test is not tested again in this process; a failure is, since
    it may have been that of a moment. ``run_as`` counts only when the service runs as root.
    """
    key = (os.getuid(), run_as)
    async with _testing.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        if key not in _known:
            found = await examine(run_as=run_as)
            if found.level == "none":
                return found
            _known[key] = found
        return _known[key]


async def examine(*, run_as: str = RUN_AS, ways: Sequence[Way] | None = None) -> Isolation:
    """Do the self-test now. ``ways`` None tries bubblewrap, then Landlock."""
    missing: list[IsolationMissing] = []
    try:
        bare = await _bare_jail(run_as)
    except IsolationMissing as lacking:
        return Isolation(level="none", reason=str(lacking), fix=lacking.fix)
    for way in ways or (bubblewrap(), landlock()):
        try:
            return _found(await _proven(await way(bare)), run_as, missing)
        except IsolationMissing as lacking:
            missing.append(lacking)
    return Isolation(level="none", reason="; ".join(map(str, missing)), fix=missing[0].fix)


async def unsafe(*, run_as: str = RUN_AS) -> Isolation:
    """Return no isolation but resource limits. For a user who typed that the code may do anything."""
    try:
        jail = await _bare_jail(run_as)
    except IsolationMissing as lacking:
        return Isolation(level="none", reason=str(lacking), fix=lacking.fix)
    return Isolation(
        level="unsafe", reason="resource limits only: the code can read, write and send anything", jail=jail
    )


def bubblewrap(path: str | None = None) -> Way:
    """The best way: namespaces and a system-call filter. ``path`` None looks for the system's bubblewrap."""

    async def walled(bare: Jail) -> Jail:
        found = _find_bwrap(path)
        knows = await _knows_disable_userns(found)
        return bare.model_copy(update={"wall": "bwrap", "bwrap": found, "disable_userns": knows})

    return walled


def landlock(at_most: int | None = None) -> Way:
    """The way without user namespaces: Landlock and a stricter filter. ``at_most`` uses only the rights of that ABI."""

    async def walled(bare: Jail) -> Jail:
        abi = kernel_abi()
        if abi < 1:
            raise IsolationMissing("the kernel offers no Landlock", _ENABLE_LANDLOCK)
        return bare.model_copy(update={"wall": "landlock", "landlock_abi": min(abi, at_most or abi)})

    return walled


# --- looking ------------------------------------------------------------------------------------------------------


async def _proven(jail: Jail) -> Jail:
    if escaped := await escapes(jail):
        raise IsolationMissing(
            f"the {jail.wall} sandbox does not hold: code inside could {', '.join(escaped)}", _REPORT
        )
    return jail


def _found(jail: Jail, run_as: str, missing: Sequence[IsolationMissing]) -> Isolation:
    name = run_as if jail.uid is not None else None
    who = f"answers run on {jail.interpreter.executable}" + (f" as {name}" if name is not None else "")
    better = f"; bubblewrap would give a network to the answers that need one, but {missing[0]}" if missing else ""
    return Isolation(
        level=jail.wall,
        reason=f"{_describe(jail)}; {who}{better}",
        fix=missing[0].fix if missing else None,
        run_as=name,
        jail=jail,
    )


def _describe(jail: Jail) -> str:
    if jail.wall == "bwrap":
        return "bubblewrap and a system-call filter"
    return f"Landlock (ABI {jail.landlock_abi}) and a strict system-call filter"


async def _bare_jail(run_as: str) -> Jail:
    if sys.platform != "linux":
        raise IsolationMissing(
            f"there is no sandbox on {sys.platform}", "run on Linux, in a virtual machine if need be"
        )
    uid, gid = _identity(run_as)
    interpreter = await find_interpreter(uid, gid)
    machine = platform.machine()
    try:
        seccomp.program(machine)
    except SandboxError as error:
        raise IsolationMissing(str(error), "run on such a machine") from error
    return Jail(
        wall="unsafe",
        machine=machine,
        uid=uid,
        gid=gid,
        setpriv=await find_setpriv(uid, gid, interpreter.executable) if uid is not None else None,
        interpreter=interpreter,
        library_links=_library_links(),
    )


def _identity(run_as: str) -> tuple[int | None, int | None]:
    if os.getuid() != 0:
        return None, None
    try:
        user = pwd.getpwnam(run_as)
    except KeyError as error:
        raise IsolationMissing(
            f"there is no user {run_as!r} to run untrusted code as", "name an ordinary user"
        ) from error
    if user.pw_uid == 0:
        raise IsolationMissing("untrusted code never runs as root", "name an ordinary user to run it as")
    return user.pw_uid, user.pw_gid


async def find_setpriv(uid: int, gid: int | None, python: str, *, folders: str = "/usr/bin:/bin") -> str | None:
    """Return the program if it is there and does what it should: there are smaller ones of the same name."""
    path = shutil.which("setpriv", path=folders)
    if path is None or gid is None:
        return None
    shows = "import os;print(*os.getresuid(),*os.getresgid(),*os.getgroups())"
    status, stdout, _ = await run_trusted([*setpriv_command(path, uid, gid), python, "-I", "-S", "-c", shows])
    became = stdout.split() == [str(number).encode() for number in (uid, uid, uid, gid, gid, gid)]
    return path if status == 0 and became else None


def _find_bwrap(asked: str | None) -> str:
    path = asked or (_BWRAP if os.access(_BWRAP, os.X_OK) else shutil.which("bwrap"))
    if path is None or not os.access(path, os.X_OK):
        raise IsolationMissing(f"bubblewrap is not installed (looked for {asked or _BWRAP})", _INSTALL)
    if Path(path).stat().st_mode & stat.S_ISUID:
        raise IsolationMissing(f"{path} is setuid root", f"`chmod u-s {path}` and allow user namespaces instead")
    return path


async def _knows_disable_userns(bwrap: str) -> bool:
    _, stdout, stderr = await run_trusted([bwrap, "--help"])
    return b"--disable-userns" in stdout + stderr


def _library_links() -> tuple[tuple[str, str], ...]:
    paths = [path for path in map(Path, ("/lib", "/lib64")) if path.exists()]
    return tuple((str(path), str(path.readlink()) if path.is_symlink() else "") for path in paths)
