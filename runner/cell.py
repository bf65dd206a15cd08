"""One process tree that serves requests: asking it, what it printed, how it ended, and killing it.

Everything is driven by the event loop; nothing here waits for the process in a blocking way.
"""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.errors import SandboxError
from runner.jail import Jail
from runner.outcomes import Limits
from runner.replies import Frames, Reply, Tampered, frames, new_nonces
from runner.spawn import Started, spawn

_MAX_UNREAD_BYTES = 2 << 20
_READ_BYTES = 1 << 16
_MAX_DRAIN_READS = 64
"""Reads of leftover output after a reply: an answer that prints without end must not hold the loop."""
_KILL_GRACE_S = 1.0


class Died(Exception):
    """The process ended, or closed its pipe, while a reply was due."""


class Cell:
    """A started process that serves requests. Made by ``Cell.start``; ``close`` must be called."""

    def __init__(self, started: Started, limits: Limits) -> None:
        self._process = started.process
        self._pipes = started.pipes
        self._has_namespaces = started.has_namespaces
        self.confinement = started.confinement
        """To be sent with the first request; ``None``: the process is walled in already."""
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
        self._may_have_printed = True
        self._output_limit = limits.stdout_bytes
        self._inner: int | None = None
        self.inner_pid: int | None = None
        """Process 1 of the sandbox as seen from outside; known after the first reply, ``None`` without bwrap."""
        self._exit_fd = os.pidfd_open(self._process.pid)
        self._loop.add_reader(self._exit_fd, self._on_exit)
        self._loop.add_reader(self._pipes.replies, self._on_replies)
        self._loop.add_reader(self._pipes.output, self._on_output)

    @classmethod
    def start(cls, jail: Jail, limits: Limits, *, network: bool = False, answer_env: Path | None = None) -> "Cell":
        """Start a process in ``jail``. Raises SandboxError when it cannot even be started."""
        return cls(spawn(jail, network=network, answer_env=answer_env), limits)

    # --- asking --------------------------------------------------------------------------------------------------

    def ask(self, requests: Sequence[Mapping[str, Any]], wall_s: float, until: float) -> "Replies":
        """Send requests without waiting between them and return the replies to come, each within ``wall_s``.

        ``until`` is the end of the cell's time on ``time.monotonic``.
        """
        nonces = new_nonces(len(requests))
        data = frames([{**request, "id": nonce} for request, nonce in zip(requests, nonces, strict=True)])
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

    async def arrival(self, wall_s: float) -> None:
        """Wait until there is a reply. Raises Died, Tampered, or TimeoutError."""
        async with asyncio.timeout(max(wall_s, 0)):
            while not self._arrived:
                if self._failure is not None:
                    raise self._failure
                self._wake.clear()
                await self._wake.wait()

    @property
    def has_arrived(self) -> bool:
        """True when there is a reply."""
        return bool(self._arrived)

    def next_reply(self, nonce: str) -> Reply:
        """Return the reply that has arrived, which has to carry this nonce. Raises Tampered."""
        body = self._arrived.popleft()
        self._unread -= len(body)
        return Reply.parse(body, nonce)

    def unasked_reply(self) -> bool:
        """True when something came through the pipe, until now, that nobody asked for."""
        if self._failure is None:
            self._on_replies()
        return isinstance(self._failure, Tampered)

    def _on_replies(self) -> None:
        self._may_have_printed = True
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
        # All that was printed before a reply is there when the reply is, so between replies that came together it is known.
        for _ in range(_MAX_DRAIN_READS if self._may_have_printed else 0):
            if not self._on_output():
                break
        self._may_have_printed = False
        if not self._output:
            return ""
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
        if not self._has_namespaces:
            return
        try:
            self.inner_pid = int(json.loads(os.read(self._pipes.info, 4096))["child-pid"])
            self._inner = os.pidfd_open(self.inner_pid)
            self._inner_gone.clear()
            self._loop.add_reader(self._inner, self._on_inner_gone)
        except (OSError, ValueError, KeyError) as error:
            raise SandboxError(f"bwrap did not say which process runs the answer: {error}") from error

    def _on_inner_gone(self) -> None:
        if self._inner is not None:
            self._loop.remove_reader(self._inner)
        self._inner_gone.set()

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
        self._may_have_printed = True
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
        try:
            if not self._cell.has_arrived:  # as a rule many have: the timer costs more than everything else about one
                await self._cell.arrival(min(self._wall_s, self._until - time.monotonic()))
            return self._cell.next_reply(self._nonces.popleft())
        except BaseException:
            self._writing.cancel()
            raise


def _ending(returncode: int) -> str:
    """bwrap passes the end of the answer on as an exit status: 128 + signal."""
    number = -returncode if returncode < 0 else returncode - 128
    if number == signal.SIGKILL:
        return "killed: out of processor time or memory, or by its own hand"
    if number in signal.valid_signals():
        return f"ended by {signal.Signals(number).name}"
    return f"exited with status {returncode}"
