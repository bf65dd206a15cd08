"""Where user namespaces are not to be had: what Landlock and the strict filter leave to a good answer, and what not to a
bad one that runs as the very user of the service."""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from walls import LANDLOCKS, NOBODY, as_nobody, walled

from runner.errors import SandboxError
from runner.outcomes import CallResult, Limits
from runner.sandbox import Sandbox

on_every_kernel = pytest.mark.parametrize("wall", LANDLOCKS)
on_this_kernel = pytest.mark.parametrize("wall", LANDLOCKS[:1])


async def called(wall: str, code: str, *args: Any, **options: Any) -> CallResult:
    async with Sandbox(isolation=await walled(wall), **options) as sandbox:
        loaded = await sandbox.load(code)
        assert loaded.ok, loaded
        return await sandbox.call("f", *args)


GOOD = """
import asyncio, contextlib, os, signal, sys, threading, time

async def waits():
    return await asyncio.gather(asyncio.to_thread(lambda: 1), asyncio.sleep(0.01, 2))

def silent():
    with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
        print("nothing")

def interrupts_itself():
    heard = []
    signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
    os.kill(os.getpid(), signal.SIGUSR1)
    threading.Event().wait(0.01)
    return heard

def f():
    silent()
    import decimal, json, random, zoneinfo
    return asyncio.run(waits()), interrupts_itself(), sys.stdout.isatty(), len(os.urandom(2))
"""


@on_every_kernel
async def test_a_good_answer_has_what_it_needs(wall: str) -> None:
    result = await called(wall, GOOD)
    assert result.value == ([1, 2], [1], False, 2), result


@on_this_kernel
async def test_a_network_of_its_own_is_not_to_be_had_and_that_is_said(wall: str) -> None:
    with pytest.raises(SandboxError, match=r"needs a network of its own, and with 'landlock' it has none.*bubblewrap"):
        async with Sandbox(isolation=await walled(wall), network="loopback"):
            pytest.fail("started without a network")


@pytest.mark.skipif(os.getuid() != 0, reason="only root could run answers as root")
@on_this_kernel
async def test_root_does_not_even_start(wall: str) -> None:
    found = await walled(wall)
    as_root = found.model_copy(update={"jail": found.required().model_copy(update={"uid": None, "gid": None})})
    with pytest.raises(SandboxError, match="untrusted code never runs as root"):
        async with Sandbox(isolation=as_root):
            pytest.fail("started as root")


MANY = 40
THREADS = """
import threading
def f():
    workers = [threading.Thread(target=threading.Event().wait, args=(0.1,)) for _ in range(8)]
    for worker in workers:
        worker.start()
    return len(workers)
"""


@pytest.fixture
def many_processes() -> Iterator[None]:
    """More processes of the user that runs answers than an answer may have threads."""
    identity: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    others = [subprocess.Popen(["/usr/bin/sleep", "100"], **identity) for _ in range(MANY)]
    yield
    for other in others:
        other.kill()
        other.wait()


@on_this_kernel
@pytest.mark.usefixtures("many_processes")
async def test_a_user_with_many_processes_still_has_threads(wall: str) -> None:
    """Without a user namespace a limit on processes counts all of them."""
    assert (await called(wall, THREADS, limits=Limits(threads=16))).value == 8


# --- what may be read may not be changed --------------------------------------------------------------------------

CHANGES = """
import array, ctypes, fcntl, os

def f(folder):
    path = folder + "/package.py"
    fd = os.open(path, os.O_RDONLY)
    attempts = {
        "empty while reading": lambda: os.open(path, os.O_RDONLY | os.O_TRUNC),
        "empty while neither": lambda: os.open(path, 3 | os.O_TRUNC),
        "open for writing": lambda: os.open(path, os.O_RDWR),
        "append": lambda: os.open(path, os.O_WRONLY | os.O_APPEND),
        "truncate": lambda: os.truncate(path, 0),
        "permissions": lambda: os.fchmod(fd, 0o777),
        "owner": lambda: os.fchown(fd, os.getuid(), -1),
        "times": lambda: os.utime(fd, (0, 0)),
        "attributes": lambda: os.setxattr(fd, "user.x", b"x"),
        "flags": lambda: fcntl.ioctl(fd, 0x40086602, array.array("l", [0x80])),
        "lease": lambda: fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK),
        "remove": lambda: os.unlink(path),
        "add": lambda: os.mkdir(folder + "/new"),
        "watch": lambda: 0 if ctypes.CDLL(None).inotify_init() >= 0 else fail(),
    }
    return open(path).read(), [name for name, attempt in attempts.items() if succeeds(attempt)]

def fail(): raise OSError
def succeeds(attempt):
    try:
        attempt()
    except OSError:
        return False
    return True
"""


@on_every_kernel
async def test_what_an_answer_may_read_it_may_not_change(wall: str) -> None:
    await walled(wall)
    assert await asyncio.to_thread(as_nobody, lambda: changes_its_own_package(wall)) is None


def changes_its_own_package(wall: str) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        package = Path(folder, "package.py")
        package.write_text("x = 1\n")
        before = package.stat()
        result = asyncio.run(called(wall, CHANGES, folder, answer_env=Path(folder)))
        assert result.value == ("x = 1\n", []), result
        after = package.stat()
        assert (after.st_mode, after.st_mtime_ns, after.st_size) == (before.st_mode, before.st_mtime_ns, 6)
        assert list(Path(folder).iterdir()) == [package]


@pytest.fixture
def packages() -> Iterator[Path]:
    """A folder of packages for answers that everybody may read."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "package.py").write_text("value = 7\n")
        yield folder


@on_this_kernel
async def test_packages_for_answers_are_found_at_their_own_path(wall: str, packages: Path) -> None:
    code = "import package\ndef f(): return package.value\n"
    assert (await called(wall, code, answer_env=packages)).value == 7
