"""The only file that starts processes for untrusted code: one cell is one process tree, two pipes and what it printed.

Start and kill happen in the thread of the event loop: bwrap dies with the thread that started it. Nothing here blocks
the loop for longer than starting a process takes.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner import bwrap, seccomp
from runner.bwrap import Jail
from runner.errors import SandboxError
from runner.outcomes import Limits
from runner.protocol import Frames, Reply, Tampered, frame, new_nonce

_MAX_UNREAD_BYTES = 2 << 20
_READ_BYTES = 1 << 16
_MAX_DRAIN_READS = 64
"""Reads of leftover output after a reply: an answer that prints without end must not hold the loop."""
_KILL_GRACE_S = 1.0


class Died(Exception):
    """The process ended, or closed its pipe, while a reply was due."""


class Cell:
    """A started process that serves requests. Made by ``Cell.start``; ``close`` must be called."""

    def __init__(
        self, process: subprocess.Popen[bytes], pipes: "_Pipes", limits: Limits, *, confined: bool, scratch: str | None
    ) -> None:
        self._process = process
        self._pipes = pipes
        self._confined = confined
        self._scratch = scratch
        self._loop = asyncio.get_running_loop()
        self._frames = Frames(limits.reply_bytes)
        self._arrived: deque[bytes] = deque()
        self._unread = self._due = 0
        self._failure: Exception | None = None
        self._wake = asyncio.Event()
        self._exited = asyncio.Event()
        self._inner_gone = asyncio.Event()
        self._inner_gone.set()
        self._output = bytearray()
        self._output_limit = limits.stdout_bytes
        self._inner: int | None = None
        self.inner_pid: int | None = None
        """Process 1 of the sandbox as seen from outside; known after the first reply, ``None`` without bwrap."""
        self._exit_fd = os.pidfd_open(process.pid)
        self._loop.add_reader(self._exit_fd, self._on_exit)
        self._loop.add_reader(pipes.replies, self._on_replies)
        self._loop.add_reader(pipes.output, self._on_output)

    @classmethod
    def start(cls, jail: Jail, limits: Limits, *, network: bool = False, answer_env: Path | None = None) -> "Cell":
        """Start a process in ``jail``. Raises SandboxError when it cannot even be started."""
        with contextlib.ExitStack() as stack:
            child = _ChildEnds(stack)
            pipes = _Pipes(child, confined=jail.bwrap is not None)
            scratch = None
            if jail.bwrap is not None:
                command = _confined(jail, child, network=network, answer_env=answer_env)
            else:
                scratch = _unpack(jail)
                command = _unconfined(jail, child, scratch)
            try:
                process = _spawn(command, jail, child)
            except OSError as error:
                pipes.close()
                raise SandboxError(f"cannot start {command[0]!r} for untrusted code: {error}") from error
        return cls(process, pipes, limits, confined=jail.bwrap is not None, scratch=scratch)

    # --- asking --------------------------------------------------------------------------------------------------

    def ask(self, requests: Sequence[Mapping[str, Any]], wall_s: float, until: float) -> "Replies":
        """Send requests without waiting between them and return the replies to come, each within ``wall_s``.

        ``until`` is the end of the cell's time on ``time.monotonic``.
        """
        nonces = [new_nonce() for _ in requests]
        data = b"".join(frame({**request, "id": nonce}) for request, nonce in zip(requests, nonces, strict=True))
        self._due += len(nonces)
        return Replies(self, nonces, asyncio.create_task(self._write(data)), wall_s, until)

    async def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._pipes.requests, rest) :]
            except BlockingIOError:
                await self._writable()
            except OSError:
                return  # the reader sees the end of the process, with its reason

    async def _writable(self) -> None:
        ready = asyncio.Event()
        self._loop.add_writer(self._pipes.requests, ready.set)
        try:
            await ready.wait()
        finally:
            self._loop.remove_writer(self._pipes.requests)

    async def next_reply(self, nonce: str) -> Reply:
        """Wait for the reply with this nonce. Raises Tampered or Died."""
        while not self._arrived:
            if self._failure is not None:
                raise self._failure
            self._wake.clear()
            await self._wake.wait()
        body = self._arrived.popleft()
        self._unread -= len(body)
        return Reply.parse(body, nonce)

    def unasked_reply(self) -> bool:
        """True when something came through the pipe, until now, that nobody asked for."""
        if self._failure is None:
            self._on_replies()
        return isinstance(self._failure, Tampered)

    def _on_replies(self) -> None:
        try:
            data = os.read(self._pipes.replies, _READ_BYTES)
            if not data:
                raise Died("the reply pipe was closed")
            for body in self._frames.feed(data):
                self._accept(body)
        except BlockingIOError:
            return
        except (Tampered, Died) as failure:
            self._failure = failure
            self._loop.remove_reader(self._pipes.replies)
        self._wake.set()

    def _accept(self, body: bytes) -> None:
        self._due -= 1
        self._unread += len(body)
        if self._due < 0:
            raise Tampered("a reply while none was due")
        if self._unread > _MAX_UNREAD_BYTES:
            raise Tampered(f"more than {_MAX_UNREAD_BYTES} bytes of unread replies")
        self._arrived.append(body)

    # --- output --------------------------------------------------------------------------------------------------

    def take_output(self) -> str:
        """Return what was printed since the last time, its last bytes, and forget it."""
        for _ in range(_MAX_DRAIN_READS):
            if not self._on_output():
                break
        text = self._output.decode(errors="replace")
        self._output.clear()
        return text

    def _on_output(self) -> bool:
        try:
            data = os.read(self._pipes.output, _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self._pipes.output)
            return False
        self._output += data
        del self._output[: max(0, len(self._output) - self._output_limit)]
        return True

    # --- the end -------------------------------------------------------------------------------------------------

    def learn_inner_pid(self) -> None:
        """Read which process to kill; bwrap has written it before the first reply. Raises SandboxError."""
        if not self._confined:
            return
        try:
            self.inner_pid = int(json.loads(os.read(self._pipes.info, 4096))["child-pid"])
            self._inner = os.pidfd_open(self.inner_pid)
            self._inner_gone.clear()
            self._loop.add_reader(self._inner, self._inner_gone.set)
        except (OSError, ValueError, KeyError) as error:
            raise SandboxError(f"bwrap did not say which process runs the answer: {error}") from error

    def _on_exit(self) -> None:
        if self._process.poll() is not None:
            self._loop.remove_reader(self._exit_fd)
            self._exited.set()

    async def ending(self) -> str:
        """Kill what is left and say in a few words how the process ended."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._exited.wait(), 0.2)
        if not self._exited.is_set():
            await self.kill()
            return "the answer closed its pipe"
        return _ending(self._process.returncode)

    async def kill(self) -> None:
        """End everything inside. Killing process 1 of the namespace takes all others with it, and bwrap reaps it.

        Also needed after bwrap has exited: it does not wait for process 1.
        """
        if self._inner is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._inner, signal.SIGKILL)
            await self._inner_gone.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._exited.wait(), _KILL_GRACE_S)
        if not self._exited.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._exited.wait()

    async def close(self) -> None:
        """Kill and give back every descriptor. May be called once, also after ``kill``."""
        await self.kill()
        for fd in (self._pipes.replies, self._pipes.output, self._exit_fd):
            self._loop.remove_reader(fd)
        self._pipes.close()
        os.close(self._exit_fd)
        if self._inner is not None:
            self._loop.remove_reader(self._inner)
            os.close(self._inner)
            self._inner = None
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)


class Replies:
    """The replies to a series of requests, in order. The writing goes on beside the reading: both pipes are short."""

    def __init__(self, cell: Cell, nonces: list[str], writing: asyncio.Task[None], wall_s: float, until: float) -> None:
        self._cell = cell
        self._nonces = deque(nonces)
        self._writing = writing
        self._wall_s = wall_s
        self._until = until

    async def next(self) -> Reply:
        """Return the next reply. Raises Tampered, Died, or TimeoutError."""
        wall_s = min(self._wall_s, self._until - time.monotonic())
        try:
            async with asyncio.timeout(max(wall_s, 0)):
                return await self._cell.next_reply(self._nonces.popleft())
        except BaseException:
            self._writing.cancel()
            raise


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
        fd = self.add(os.memfd_create("content"))
        os.write(fd, content)
        os.lseek(fd, 0, os.SEEK_SET)
        return fd


class _Pipes:
    """Our ends of the pipes."""

    def __init__(self, child: _ChildEnds, *, confined: bool) -> None:
        child_requests, self.requests = os.pipe()
        self.replies, child_replies = os.pipe()
        self.output, child_output = os.pipe()
        self.info, child_info = os.pipe()
        child.requests, child.replies = child.add(child_requests), child.add(child_replies)
        # The child gets it as 1 and 2; only bwrap gets the last, and closes it.
        child.output = child.add(child_output, inherited=False)
        child.info = child.add(child_info, inherited=confined)
        for fd in (self.requests, self.replies, self.output, self.info):
            os.set_blocking(fd, False)

    def close(self) -> None:
        for fd in (self.requests, self.replies, self.output, self.info):
            os.close(fd)


def _confined(jail: Jail, child: _ChildEnds, *, network: bool, answer_env: Path | None) -> list[str]:
    """The command line carries no host path but bwrap's and the interpreter's: it can be read inside."""
    contents = {f"{bwrap.INSIDE}/{name}": code for name, code in jail.interpreter.compiled.items()}
    contents |= bwrap.NETWORK_FILES if network else {}
    words = bwrap.arguments(
        jail,
        files={path: child.holding(content) for path, content in contents.items()},
        answer_env=str(answer_env) if answer_env is not None else None,
        seccomp_fd=child.holding(seccomp.program(jail.machine, network=network)),
    )
    arguments = child.holding(b"".join(word.encode() + b"\0" for word in words))
    python = bwrap.python_command(jail, child.requests, child.replies)
    return [str(jail.bwrap), "--info-fd", str(child.info), "--args", str(arguments), *python]


def _unpack(jail: Jail) -> str:
    scratch = tempfile.mkdtemp(prefix="coder-judge-")
    folder = Path(scratch, "inside")
    folder.mkdir()
    for name, code in jail.interpreter.compiled.items():
        (folder / name).write_bytes(code)
    for path in (Path(scratch), folder):
        path.chmod(0o755)
    return scratch


def _unconfined(jail: Jail, child: _ChildEnds, scratch: str) -> list[str]:
    command = bwrap.python_command(jail, child.requests, child.replies)
    return [*command[:-1], command[-1].replace("'/run'", repr(scratch))]


def _spawn(command: list[str], jail: Jail, child: _ChildEnds) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        # Not only bwrap's --clearenv: its own environment can be read inside as /proc/1/environ.
        env={},
        stdin=subprocess.DEVNULL,
        stdout=child.output,
        stderr=child.output,
        pass_fds=child.inherited,
        start_new_session=True,
        cwd="/",
        **_identity(jail.uid, jail.gid),
    )


def _identity(uid: int | None, gid: int | None) -> dict[str, Any]:
    return {} if uid is None else {"user": uid, "group": gid, "extra_groups": []}


def _ending(returncode: int) -> str:
    """bwrap passes the end of the answer on as an exit status: 128 + signal."""
    number = -returncode if returncode < 0 else returncode - 128
    if number == signal.SIGKILL:
        return "killed: out of processor time or memory, or by its own hand"
    if number in signal.valid_signals():
        return f"ended by {signal.Signals(number).name}"
    return f"exited with status {returncode}"


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
