"""Whether untrusted code may run at all on this machine, and what to do if not."""

import asyncio
import os
import shutil
import stat
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from walls import HAS_LANDLOCK, WALLS, in_child, walled

from runner.errors import SandboxError
from runner.inside import confine
from runner.interpreter import compile_for
from runner.isolation import Isolation, bubblewrap, examine, find_setpriv, isolation, landlock, unsafe
from runner.sandbox import Sandbox
from runner.self_test import escapes

ANSWER = "def double(n):\n    return 2 * n\n"


async def test_this_machine_isolates_and_says_which_interpreter_runs_answers() -> None:
    found = await isolation()
    assert found.level == "bwrap", f"{found.reason}; {found.fix}"
    assert found.fix is None
    assert found.interpreter is not None
    assert found.interpreter in found.reason


async def test_the_self_test_runs_once_a_process_however_many_ask_at_once() -> None:
    first, *others = await asyncio.gather(*(isolation() for _ in range(5)))
    assert all(other is first for other in others)


async def test_a_failed_self_test_is_done_again() -> None:
    first = await isolation(run_as="no-such-user")
    assert first.level == "none"
    assert await isolation(run_as="no-such-user") is not first


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes somebody else")
async def test_root_never_runs_untrusted_code_as_root() -> None:
    found = await isolation()
    assert found.run_as == "nobody"
    assert found.required().uid != 0
    refused = await examine(run_as="root")
    assert (refused.level, refused.reason) == ("none", "untrusted code never runs as root")
    unknown = await examine(run_as="no-such-user")
    assert "'no-such-user'" in unknown.reason


IDENTITY = """
import os
def identity():
    return [*os.getresuid(), *os.getresgid(), *os.getgroups()]
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes somebody else")
@pytest.mark.parametrize("by", ["setpriv", "python"])
async def test_root_becomes_nobody_and_leaves_all_groups_whoever_does_it(by: str) -> None:
    found = await unsafe()
    jail = found.required()
    assert jail.setpriv is not None, "there is one on every Debian"
    if by == "python":
        found = found.model_copy(update={"jail": jail.model_copy(update={"setpriv": None})})
    async with Sandbox(isolation=found) as sandbox:
        assert (await sandbox.load(IDENTITY)).ok
        assert (await sandbox.call("identity")).value == [*[jail.uid] * 3, *[jail.gid] * 3]


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes somebody else")
@pytest.mark.parametrize(
    "does", ['while [ "$1" != -- ]; do shift; done; shift; exec "$@"', "echo usage; exit 1"], ids=["nothing", "fails"]
)
async def test_a_setpriv_that_does_not_become_that_user_is_not_used(does: str, tmp_path: Path) -> None:
    jail = (await isolation()).required()
    program = tmp_path / "setpriv"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    assert jail.uid is not None
    used = await find_setpriv(jail.uid, jail.gid, jail.interpreter.executable, folders=str(tmp_path))
    assert used is None


async def test_without_bubblewrap_nothing_runs_and_the_message_says_how_to_get_it() -> None:
    missing = await examine(ways=[bubblewrap("/nonexistent/bwrap")])
    assert missing.level == "none"
    with pytest.raises(SandboxError, match=r"not run: bubblewrap is not installed.*apt install bubblewrap"):
        async with Sandbox(isolation=missing):
            pytest.fail("the sandbox started without isolation")


@pytest.mark.skipif(not HAS_LANDLOCK, reason="the kernel has no Landlock: the test below is about that")
async def test_a_folder_of_temporary_files_that_only_the_service_may_enter_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = await examine(ways=[landlock()])
    assert found.level == "landlock", found.reason


@pytest.fixture
def setuid_bwrap(tmp_path: Path) -> str:
    copy = Path(shutil.copy("/usr/bin/bwrap", tmp_path))
    copy.chmod(copy.stat().st_mode | stat.S_ISUID)
    return str(copy)


async def test_a_setuid_bubblewrap_is_refused(setuid_bwrap: str) -> None:
    found = await examine(ways=[bubblewrap(setuid_bwrap)])
    assert (found.level, found.reason) == ("none", f"{setuid_bwrap} is setuid root")


@pytest.fixture
def other_bwrap() -> Iterator[Callable[[str], str]]:
    """Makes a bwrap of a shell script, in a folder that everybody may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "bwrap")

        def make(script: str) -> str:
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
            return str(path)

        yield make


def failing(says: str) -> str:
    return f"echo '{says}' >&2; exit 1"


FORBIDDEN = "bwrap: setting up uid map: Permission denied"
"""What AppArmor makes of user namespaces on Ubuntu 23.10 and later."""


@pytest.mark.parametrize(("says", "fix"), [(FORBIDDEN, "apparmor_parser"), ("Segmentation fault", "ordinary user")])
async def test_a_bubblewrap_that_fails_is_diagnosed_by_what_it_says(
    other_bwrap: Callable[[str], str], says: str, fix: str
) -> None:
    found = await examine(ways=[bubblewrap(other_bwrap(failing(says)))])
    assert found.level == "none"
    assert says in found.reason
    assert fix in (found.fix or "")


async def test_an_old_bubblewrap_does_without_the_option_that_it_does_not_know(
    other_bwrap: Callable[[str], str],
) -> None:
    old = 'if [ "$1" = --help ]; then bwrap --help | grep -v disable-userns; else exec bwrap "$@"; fi'
    found = await examine(ways=[bubblewrap(other_bwrap(f"PATH=/usr/bin:/bin\n{old}"))])
    assert found.level == "bwrap", found.reason
    assert not found.required().disable_userns
    assert (await isolation()).required().disable_userns


# --- Landlock -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not HAS_LANDLOCK, reason="the kernel has no Landlock: the next test is about that")
async def test_where_user_namespaces_are_forbidden_landlock_is_used_and_the_better_way_is_shown(
    other_bwrap: Callable[[str], str],
) -> None:
    found = await examine(ways=[bubblewrap(other_bwrap(failing(FORBIDDEN))), landlock()])
    assert found.level == "landlock"
    assert found.required().wall == "landlock"
    assert "Landlock (ABI" in found.reason
    assert FORBIDDEN in found.reason
    assert "apparmor_parser" in (found.fix or "")
    async with Sandbox(isolation=found) as sandbox:
        await sandbox.load(ANSWER)
        assert (await sandbox.call("double", 4)).value == 8
        assert sandbox.level == "landlock"


LANDLOCK_CREATE_RULESET, ENOSYS = 444, 38


def without_landlock() -> None:
    """Make this process see a kernel from before Landlock, and look for isolation."""
    steps = [(0x20, 0, 0, 0), (0x15, 0, 1, LANDLOCK_CREATE_RULESET), (0x06, 0, 0, 0x50000 | ENOSYS)]
    program = b"".join(struct.pack("=HBBI", *step) for step in [*steps, (0x06, 0, 0, 0x7FFF0000)])
    confine._done(confine._libc.prctl(confine._PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    confine._filter(program)
    found = asyncio.run(examine(ways=[bubblewrap("/nonexistent/bwrap"), landlock()]))
    assert (found.level, found.jail) == ("none", None)
    assert "bubblewrap is not installed" in found.reason
    assert "the kernel offers no Landlock" in found.reason
    assert "apt install bubblewrap" in (found.fix or "")


async def test_a_kernel_without_landlock_is_refused() -> None:
    assert await asyncio.to_thread(in_child, without_landlock) is None


async def test_the_self_test_notices_a_sandbox_that_does_not_hold() -> None:
    escaped = await escapes((await unsafe()).required())
    # A fork fails here, too, while other tests have as many processes of this user as the limit allows.
    assert {"read a file of the user", "connect to a local port", "write to /tmp"} <= set(escaped)
    assert {"truncate a file of the user", "change the permissions of a file of the user"} <= set(escaped)


async def test_unsafe_has_to_be_asked_for_and_says_so() -> None:
    found: Isolation = await unsafe()
    assert found.level == "unsafe"
    async with Sandbox(isolation=found) as sandbox:
        await sandbox.load(ANSWER)
        assert (await sandbox.call("double", 4)).value == 8
        assert sandbox.level == "unsafe"


# --- interpreters -------------------------------------------------------------------------------------------------


@pytest.fixture
def home_python() -> Iterator[str]:
    """A Python in the home folder of a user, as version managers put it there."""
    system = Path("/usr/bin/python3").resolve()
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        prefix = Path(home, ".versions", "python")
        (prefix / "bin").mkdir(parents=True)
        (prefix / "lib").mkdir()
        (prefix / "lib" / system.name).symlink_to(f"/usr/lib/{system.name}")
        shutil.copy(system, prefix / "bin")
        for folder in (Path(home), *Path(home).rglob("*")):
            folder.chmod(0o755)
        yield str(prefix / "bin" / system.name)


@pytest.mark.parametrize("wall", WALLS)
async def test_an_interpreter_in_a_home_folder_is_shown_without_the_rest_of_it(wall: str, home_python: str) -> None:
    found = await walled(wall)
    jail = found.required()
    interpreter = await compile_for(home_python, jail.uid, jail.gid)
    assert interpreter is not None
    assert home_python.startswith(interpreter.prefix)
    secret = Path(home_python).parents[3] / "secret"
    secret.write_text("secret")
    secret.chmod(0o644)
    own = found.model_copy(update={"jail": jail.model_copy(update={"interpreter": interpreter})})
    async with Sandbox(isolation=own) as sandbox:
        await sandbox.load("import json, sys\ndef f(): return sys.executable\ndef g(path): return open(path).read()\n")
        assert (await sandbox.call("f")).value == home_python
        assert (await sandbox.call("g", str(secret))).state == "raised"
