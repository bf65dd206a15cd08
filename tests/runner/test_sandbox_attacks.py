"""Hostile answers, each trying what its file name says, judged from outside: was anything read, written, contacted, left
alive, exhausted, or passed that should not have been?"""

import asyncio
import contextlib
import ctypes
import os
import secrets
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from walls import LANDLOCKS, WALLS, as_nobody, walled

from runner.isolation import Isolation, unsafe
from runner.outcomes import CallResult, Limits, Loaded
from runner.sandbox import Sandbox

ATTACKS = {path.stem: path.read_text() for path in sorted(Path(__file__).with_name("attacks").glob("a*.py"))}
TASKS = {3: 9, 7: 49, 12: 144}
LIMITS = Limits(memory_bytes=256 << 20, cpu_s=4, call_wall_s=3.0)
MAX_MEMORY_TAKEN = 3 << 30
"""Bytes of the whole machine, on which other things may run too; unchecked, the bombs take far more."""
MAX_LOOP_LAG_S = 2.0
MAX_WALL_S = 20.0
PR_SET_CHILD_SUBREAPER = 36
REPOSITORY = Path(__file__).parents[2]

ENDS = {
    "a13_infinite_loop": "timeout",
    "a14_sleep_forever": "timeout",
    "a15_infinite_output": "timeout",
    "a16_daemon_survivor": "died",
    "a20_exit0_before_tests": "died",
    "a22_monkeypatch_harness": "tampered",
    "a24_write_all_fds": "tampered",
    "a29_deep_json_direct": "tampered",
    "a30_exit_codes_signals": "timeout",
    "a31_segfault": "died",
    "a32_pre_answer": "tampered",
    "a34_rpc_reply_flood": "tampered",
}
"""How the sandbox has to end; the attacks not named here leave it alive, with no result that passes."""

ENDS_OTHERWISE = {("a16_daemon_survivor", "landlock"): None}
"""It cannot even become another program."""

HOSTILE_IDENTITY = {
    "a01_read_secret_file",
    "a02_read_env",
    "a03_write_outside",
    "a06_unix_sockets",
    "a07_fork_bomb",
} | {
    "a16_daemon_survivor",
    "a17_peek_parent",
    "a18_kill_parent",
    "a19_symlink_tricks",
    "a33_privileged_syscalls",
    "a36_good_answer_control",
    "a37_metadata_and_truncate",
}
"""Attacks whose outcome depends on who runs the service: these run again as an ordinary user."""

OLD_KERNELS = {
    "a03_write_outside",
    "a06_unix_sockets",
    "a18_kill_parent",
    "a19_symlink_tricks",
    "a36_good_answer_control",
    "a37_metadata_and_truncate",
}
"""Attacks on what later versions of Landlock guard and earlier ones do not: these run again with the rights of those."""

AS_ORDINARY_USER = [(name, wall) for wall in WALLS for name in sorted(HOSTILE_IDENTITY)] + [
    (name, wall) for wall in LANDLOCKS if wall not in WALLS for name in sorted(OLD_KERNELS)
]


class World:
    """What there is to steal, break and contact: a service's user with files, listeners and another process."""

    def __init__(self, stack: contextlib.ExitStack, victim_uid: int | None) -> None:
        self.secret = f"secret-{secrets.token_hex(16)}"
        # Everybody may write into the folder around it: what an attack leaves there is found, too.
        self.around = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp", prefix="world-")))
        self.around.chmod(0o777)
        self.home = self.around / "home"
        self.home.mkdir()
        self.home.chmod(0o755)
        self.private = self._file(".netrc", 0o600)
        self.public = self._file("public.txt", 0o644)
        self.important = self._file("important.db", 0o666)
        self.before = self._snapshot()
        self.listeners = [stack.enter_context(listener) for listener in self._listen()]
        identity: dict[str, Any] = (
            {} if victim_uid is None else {"user": victim_uid, "group": victim_uid, "extra_groups": []}
        )
        self.victim = stack.enter_context(subprocess.Popen(["/usr/bin/sleep", "1000"], **identity))
        stack.callback(self.victim.kill)
        self.circumstances = _circumstances(self.victim.pid)
        # Whatever loses its parent becomes a child of this process, and is found.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        stack.callback(ctypes.CDLL(None).prctl, PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        self.processes = descendants()

    def _file(self, name: str, mode: int) -> Path:
        path = self.home / name
        path.write_text(f"{name} holds {self.secret}")
        path.chmod(mode)
        return path

    def _snapshot(self) -> dict[str, Any]:
        return {str(path): _fingerprint(path) for path in (self.around, *self.around.rglob("*"))}

    def _listen(self) -> Iterator[socket.socket]:
        for family, kind, address in [
            (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            (socket.AF_UNIX, socket.SOCK_STREAM, str(self.home / "service.sock")),
            (socket.AF_UNIX, socket.SOCK_STREAM, f"\0service-{self.secret[:12]}"),
            (socket.AF_UNIX, socket.SOCK_DGRAM, f"\0log-{self.secret[:12]}"),
        ]:
            listener = socket.socket(family, kind)
            listener.bind(address)
            if kind == socket.SOCK_STREAM:
                listener.listen()
            listener.setblocking(False)
            yield listener
        (self.home / "service.sock").chmod(0o777)
        self.before = self._snapshot()

    def told_to_the_attack(self) -> dict[str, Any]:
        tcp, udp, path, abstract, datagrams = self.listeners
        return {
            "home": str(self.home),
            "secret_file": str(self.private),
            "public_file": str(self.public),
            "important_file": str(self.important),
            "address": "127.0.0.1",
            "tcp_port": tcp.getsockname()[1],
            "udp_port": udp.getsockname()[1],
            "unix_path": path.getsockname(),
            "unix_abstract": abstract.getsockname()[1:].decode(),
            "unix_datagrams": datagrams.getsockname()[1:].decode(),
            "service_pid": os.getpid(),
            "victim_pid": self.victim.pid,
        }

    def damage(self) -> list[str]:
        """What an attack did to this world; empty is good."""
        after = self._snapshot()
        found = [f"changed {path}" for path in self.before.keys() | after if self.before.get(path) != after.get(path)]
        found += [f"contacted {listener.getsockname()}" for listener in self.listeners if _contacted(listener)]
        state = _state(Path(f"/proc/{self.victim.pid}"))
        found += [f"victim is in state {state}"] if state not in "SR" else []
        now = _circumstances(self.victim.pid) if state in "SR" else self.circumstances
        found += [f"victim lives under {now}"] if now != self.circumstances else []
        return found + [f"left process {pid} alive" for pid in descendants() - self.processes]


def _fingerprint(path: Path) -> tuple[Any, ...]:
    status = path.lstat()
    content = path.read_bytes() if stat.S_ISREG(status.st_mode) else None
    return status.st_mode, status.st_uid, status.st_mtime_ns, content, os.listxattr(path, follow_symlinks=False)


def _contacted(listener: socket.socket) -> bool:
    try:
        if listener.type == socket.SOCK_DGRAM:
            listener.recv(100)
        else:
            listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _circumstances(pid: int) -> tuple[Any, ...]:
    """What others of the same user could change about a process without ending it."""
    limits = Path(f"/proc/{pid}/limits").read_text()
    return limits, os.getpriority(os.PRIO_PROCESS, pid), os.sched_getaffinity(pid), os.sched_getscheduler(pid)


def descendants() -> set[int]:
    """Living processes that were started by this one, or by those."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(") ")[2].split()[:2]
            if state != "Z":
                parents[int(folder.name)] = int(parent)
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def _state(process: Path) -> str:
    return (process / "stat").read_text().rpartition(") ")[2][0]


class Strain:
    """What the attack cost the machine and the service's event loop while it ran."""

    memory_taken = 0
    lag_s = 0.0

    @classmethod
    @contextlib.asynccontextmanager
    async def watched(cls) -> AsyncIterator["Strain"]:
        strain = cls()
        task = asyncio.create_task(strain._watch())
        yield strain
        task.cancel()

    async def _watch(self) -> None:
        free = _available_bytes()
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.02)
            self.lag_s = max(self.lag_s, time.monotonic() - before - 0.02)
            self.memory_taken = max(self.memory_taken, free - _available_bytes())


def _available_bytes() -> int:
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) << 10


class Trial:
    """One attack from load to close."""

    loaded: Loaded
    attack: CallResult
    solved: dict[int, CallResult]
    end: str | None

    @property
    def passed(self) -> bool:
        """The verdict of a harness: every task returned exactly the expected int."""
        return self.loaded.ok and all(
            result.state == "returned" and type(result.value) is int and result.value == TASKS[n]
            for n, result in self.solved.items()
        )

    @property
    def text(self) -> str:
        """All that came out."""
        return repr([self.loaded, self.attack, self.solved, self.end])


async def run_attack(source: str, world: World, isolation: Isolation, limits: Limits = LIMITS) -> Trial:
    trial = Trial()
    async with Sandbox(limits=limits, isolation=isolation) as sandbox:
        trial.loaded = await sandbox.load(source)
        trial.attack = await sandbox.call("attack", world.told_to_the_attack())
        trial.solved = {n: await sandbox.call("solve", n) for n in TASKS}
    trial.end = sandbox.end[0] if sandbox.end is not None else None
    return trial


async def judge(name: str, world: World, isolation: Isolation) -> None:
    os.environ["SERVICE_KEY"] = world.secret
    end = ENDS_OTHERWISE.get((name, isolation.level), ENDS.get(name))
    # What never comes back need not be waited for as long as what may.
    limits = LIMITS.model_copy(update={"call_wall_s": 1.0}) if end == "timeout" else LIMITS
    started = time.monotonic()
    try:
        async with Strain.watched() as strain:
            trial = await run_attack(ATTACKS[name], world, isolation, limits)
    finally:
        del os.environ["SERVICE_KEY"]
    assert world.damage() == []
    assert world.secret not in trial.text
    assert str(REPOSITORY) not in trial.text, "paths of the service are its own business"
    assert trial.attack.value in (None, []), "the attack says what it achieved"
    assert trial.passed == (name == "a36_good_answer_control")
    assert trial.end == end
    assert time.monotonic() - started < MAX_WALL_S
    assert strain.memory_taken < MAX_MEMORY_TAKEN
    assert strain.lag_s < MAX_LOOP_LAG_S


def test_all_thirty_eight_attacks_are_here() -> None:
    assert [name[:3] for name in ATTACKS] == [f"a{number:02}" for number in range(1, 39)]


@pytest.mark.parametrize("wall", WALLS)
@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_is_contained(name: str, wall: str) -> None:
    """As root the sandbox runs as nobody, and so does the victim; otherwise all three are the same user."""
    found = await walled(wall)
    with contextlib.ExitStack() as stack:
        await judge(name, World(stack, found.required().uid), found)


@pytest.mark.parametrize(("name", "wall"), AS_ORDINARY_USER)
async def test_an_attack_is_contained_when_an_ordinary_user_runs_the_service(name: str, wall: str) -> None:
    await walled(wall)
    assert await asyncio.to_thread(as_nobody, lambda: _judge_as_the_same_user(name, wall)) is None


def _judge_as_the_same_user(name: str, wall: str) -> None:
    async def judged() -> None:
        await judge(name, World(stack, None), await walled(wall))

    with contextlib.ExitStack() as stack:
        asyncio.run(judged())


@pytest.mark.parametrize("name", ["a01_read_secret_file", "a02_read_env", "a04_net_tcp", "a37_metadata_and_truncate"])
async def test_the_attacks_have_teeth(name: str) -> None:
    """Without a sandbox they succeed, so it is the sandbox that stops them."""
    found = await unsafe()
    with contextlib.ExitStack() as stack:
        world = World(stack, found.required().uid)
        trial = await run_attack(ATTACKS[name], world, isolation=found)
        assert trial.attack.value
        assert world.damage() or world.secret in trial.text or name == "a02_read_env"
