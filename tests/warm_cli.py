"""The command line in a process of its own, within milliseconds: a process that has imported it forks itself for every command.

What runs is the whole of ``judge ARGS``, from the arguments to the exit code; only the imports are shared. For tests that
start it hundreds of times.
"""

import ctypes
import importlib
import json
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

KILLED = -signal.SIGKILL
POLL_S = 0.001
CAPABILITY_VERSION = 0x20080522
"""_LINUX_CAPABILITY_VERSION_3 of linux/capability.h."""


class WarmCli:
    """One warm process. Runs one command at a time."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(env)
        )
        self._pid: int | None = None
        self._cwd = Path()

    def start(
        self,
        *args: str | Path,
        cwd: Path,
        file_bytes: int | None = None,
        unprivileged: bool = False,
        patience_s: float | None = None,
    ) -> None:
        """Begin ``judge ARGS``.

        No file may grow beyond ``file_bytes``. Permissions of files bind one that is ``unprivileged``, even when it is root.
        A model that is silent in the middle of a reply for ``patience_s`` is given up; ``None``: as for everybody.
        """
        self._cwd = cwd
        self.said_file.unlink(missing_ok=True)
        command = {"args": [*map(str, args)], "cwd": str(cwd), "said": str(self.said_file)}
        command |= {"file_bytes": file_bytes, "unprivileged": unprivileged, "patience_s": patience_s}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
        self._pid = int(self._line())

    @property
    def said_file(self) -> Path:
        """Where stdout and stderr of the command go, beside its folder."""
        return self._cwd.parent / f"{self._cwd.name}.{self._process.pid}.said"

    @property
    def said(self) -> str:
        """What the command has printed so far."""
        return self.said_file.read_text()

    def ended(self) -> bool:
        """True when the command has ended by itself."""
        return bool(select.select([self._process.stdout], [], [], 0)[0])

    def wait_until(self, happened: Callable[[], bool], *, at_most_s: float = 120.0) -> None:
        """Return once that has happened or the command has ended."""
        deadline_s = time.monotonic() + at_most_s
        while not happened() and not self.ended():
            assert time.monotonic() < deadline_s, "it neither happened nor ended"
            time.sleep(POLL_S)

    def kill(self) -> int:
        """Kill -9 the command, and return its exit code: ``KILLED``, unless it had ended."""
        assert self._pid is not None
        os.kill(self._pid, signal.SIGKILL)  # it stays a zombie until the next command, so the id is its own
        return self.wait()

    def wait(self) -> int:
        """Return the exit code once the command has ended."""
        code = int(self._line())
        self._pid = None
        return code

    def close(self) -> None:
        """End the command, if there is one, and the warm process."""
        if self._pid is not None:
            self.kill()
        self._process.kill()
        self._process.communicate()

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def warm_cli(env: Mapping[str, str]) -> Iterator[WarmCli]:
    """Keep a warm process for the length of the block."""
    cli = WarmCli(env)
    try:
        yield cli
    finally:
        cli.close()


# --- the warm process -------------------------------------------------------------------------------------------------


def _carry_out(command: dict[str, Any]) -> None:
    """Become ``judge ARGS``. Never returns."""
    from judge.cli import main

    os.chdir(command["cwd"])
    said = os.open(command["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream, file in ((0, os.open(os.devnull, os.O_RDONLY)), (1, said), (2, said)):
        os.dup2(file, stream)
    if command["file_bytes"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (command["file_bytes"], command["file_bytes"]))
    if command["unprivileged"]:
        _drop_capabilities()
    if command["patience_s"] is not None:
        _lose_patience(command["patience_s"])
    sys.argv = ["judge", *command["args"]]
    code: Any = 1
    try:
        main()
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:  # noqa: BLE001 - printed, as the interpreter does
        traceback.print_exc()
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(int(code))


def _lose_patience(after_s: float) -> None:
    """Shorten the time after which silence is death: minutes for everybody, which no test can wait."""
    from runner import client

    class Impatient(client.Timeouts):
        idle_s: float = after_s
        reply_s: float = after_s

    vars(client)["Timeouts"] = Impatient


def _drop_capabilities() -> None:
    """Give up what makes root more than the owner of its files."""
    header, nothing = struct.pack("Ii", CAPABILITY_VERSION, 0), bytes(24)
    if ctypes.CDLL(None, use_errno=True).capset(header, nothing) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _serve() -> None:
    for module in ("judge.cli", "judge.app", "judge.importing", "judge.report.plots"):
        importlib.import_module(module)
    last = None
    for line in sys.stdin.buffer:
        if last is not None:
            os.waitpid(last, 0)
        last = os.fork()
        if last == 0:
            _carry_out(json.loads(line))
        os.write(1, b"%d\n" % last)
        ended = os.waitid(os.P_PID, last, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        os.write(1, b"%d\n" % code)


if __name__ == "__main__":
    _serve()
