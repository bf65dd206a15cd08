"""The only file that starts processes for untrusted code. Its callers only ever hold pipes and a process.

Starting happens in the thread of the event loop, because bwrap dies with the thread that started it; it blocks the loop
no longer than a fork takes.
"""

import asyncio
import contextlib
import fcntl
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner import bwrap, landlock, seccomp
from runner.errors import SandboxError
from runner.jail import ENVIRONMENT, Jail, python_command

_SEALED = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


@dataclass(frozen=True, slots=True)
class Started:
    """A process that serves requests, and our ends of its pipes."""

    process: subprocess.Popen[bytes]
    pipes: "Pipes"
    has_namespaces: bool
    """True when bwrap says which process is the inner one."""
    confinement: dict[str, Any] | None
    """What the process has to do to itself before it loads an answer; ``None``: nothing."""


def spawn(jail: Jail, *, network: bool, answer_env: Path | None) -> Started:
    """Start a process in ``jail``. Raises SandboxError when it cannot even be started."""
    with contextlib.ExitStack() as child_only, contextlib.ExitStack() as on_failure:
        child = _ChildEnds(child_only)
        pipes = Pipes(child, info=jail.has_namespaces)
        on_failure.callback(pipes.close)
        program = str(jail.bwrap) if jail.has_namespaces else jail.interpreter.executable
        try:
            command = python_command(jail, child.holding(jail.interpreter.bundle), child.requests, child.replies)
            if jail.has_namespaces:
                command = [program, *_bwrap(jail, child, network=network, answer_env=answer_env), *command]
            process = _popen(command, jail, child)
        except OSError as error:
            raise SandboxError(f"cannot start a process for untrusted code with {program!r}: {error}") from error
        on_failure.pop_all()
    walled = jail.wall == "landlock"
    plan = landlock.confinement(jail, pid=process.pid, answer_env=answer_env) if walled else None
    return Started(process, pipes, jail.has_namespaces, plan)


class _ChildEnds:
    """Descriptors that the child inherits; closed here as soon as it is started."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self.inherited: list[int] = []
        self.requests = self.replies = self.output = self.info = -1

    def add(self, fd: int, *, inherited: bool = True) -> int:
        self._stack.callback(os.close, fd)
        if inherited:
            self.inherited.append(fd)
        return fd

    def holding(self, content: bytes) -> int:
        """Return a descriptor from which the child reads ``content``: no path has to be readable to its user."""
        fd = self.add(os.memfd_create("content", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING))
        os.write(fd, content)
        os.lseek(fd, 0, os.SEEK_SET)
        # What stays open inside must be no memory that an answer can fill.
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALED)
        return fd


class Pipes:
    """Our ends of the pipes."""

    def __init__(self, child: _ChildEnds, *, info: bool) -> None:
        child_requests, self.requests = os.pipe()
        self.replies, child_replies = os.pipe()
        self.output, child_output = os.pipe()
        self.info, child_info = os.pipe()
        child.requests, child.replies = child.add(child_requests), child.add(child_replies)
        # The child gets it as 1 and 2; only bwrap gets the last, and closes it.
        child.output = child.add(child_output, inherited=False)
        child.info = child.add(child_info, inherited=info)
        for fd in (self.requests, self.replies, self.output, self.info):
            os.set_blocking(fd, False)

    def close(self) -> None:
        """Give back our ends."""
        for fd in (self.requests, self.replies, self.output, self.info):
            os.close(fd)


def _bwrap(jail: Jail, child: _ChildEnds, *, network: bool, answer_env: Path | None) -> list[str]:
    """The command line carries no host path but bwrap's and the interpreter's: it can be read inside."""
    contents = bwrap.NETWORK_FILES if network else {}
    words = bwrap.arguments(
        jail,
        files={path: child.holding(content) for path, content in contents.items()},
        answer_env=str(answer_env) if answer_env is not None else None,
        seccomp_fd=child.holding(seccomp.program(jail.machine, network=network)),
    )
    arguments = child.holding(b"".join(word.encode() + b"\0" for word in words))
    return ["--info-fd", str(child.info), "--args", str(arguments)]


def setpriv_command(setpriv: str, uid: int, gid: int) -> list[str]:
    """Return the words before a command that is to run as this user, in no other group."""
    return [setpriv, "--reuid", str(uid), "--regid", str(gid), "--clear-groups", "--"]


def _popen(command: list[str], jail: Jail, child: _ChildEnds) -> subprocess.Popen[bytes]:
    uid, gid = jail.uid, jail.gid
    if jail.setpriv is not None and uid is not None and gid is not None:
        command, uid, gid = [*setpriv_command(jail.setpriv, uid, gid), *command], None, None
    return subprocess.Popen(
        command,
        # Not only bwrap's --clearenv: its own environment can be read inside as /proc/1/environ.
        env=ENVIRONMENT if jail.wall == "landlock" else {},
        stdin=subprocess.DEVNULL,
        stdout=child.output,
        stderr=child.output,
        pass_fds=child.inherited,
        start_new_session=True,
        cwd="/",
        **_identity(uid, gid),
    )


def _identity(uid: int | None, gid: int | None) -> dict[str, Any]:
    return {} if uid is None else {"user": uid, "group": gid, "extra_groups": []}


async def run_trusted(
    command: Sequence[str],
    *,
    data: bytes = b"",
    uid: int | None = None,
    gid: int | None = None,
    pass_fds: Sequence[int] = (),
    env: Mapping[str, str] | None = None,
    wall_s: float = 30.0,
) -> tuple[int, bytes, bytes]:
    """Run a program of ours to its end as the given user; return exit status, stdout and stderr.

    ``env`` None is an empty environment. Raises OSError when it cannot be started and TimeoutError when it takes too
    long.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        env=dict(env or {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=tuple(pass_fds),
        cwd="/",
        **_identity(uid, gid),
    )
    try:
        async with asyncio.timeout(wall_s):
            stdout, stderr = await process.communicate(data)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return process.returncode or 0, stdout, stderr
