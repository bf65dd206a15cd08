"""Whether untrusted code may run at all on this machine, and what to do if not."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.errors import SandboxError
from runner.isolation import Isolation, escapes, examine, isolation, unsafe
from runner.sandbox import Sandbox

ANSWER = "def double(n):\n    return 2 * n\n"


async def test_this_machine_isolates_and_says_which_interpreter_runs_answers() -> None:
    found = await isolation()
    assert found.level == "bwrap", f"{found.reason}; {found.fix}"
    assert found.fix is None
    assert found.interpreter is not None
    assert found.interpreter in found.reason


async def test_the_self_test_runs_once_a_process() -> None:
    assert await isolation() is await isolation()


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes somebody else")
async def test_root_never_runs_untrusted_code_as_root() -> None:
    found = await isolation()
    assert found.run_as == "nobody"
    assert found.required().uid != 0
    refused = await examine(run_as="root")
    assert (refused.level, refused.reason) == ("none", "untrusted code never runs as root")
    unknown = await examine(run_as="no-such-user")
    assert "'no-such-user'" in unknown.reason


async def test_without_bubblewrap_nothing_runs_and_the_message_says_how_to_get_it() -> None:
    missing = await examine(bwrap="/nonexistent/bwrap")
    assert missing.level == "none"
    with pytest.raises(SandboxError, match=r"not run: bubblewrap is not installed.*apt install bubblewrap"):
        async with Sandbox(isolation=missing):
            pytest.fail("the sandbox started without isolation")


@pytest.fixture
def setuid_bwrap(tmp_path: Path) -> str:
    copy = Path(shutil.copy("/usr/bin/bwrap", tmp_path))
    copy.chmod(copy.stat().st_mode | stat.S_ISUID)
    return str(copy)


async def test_a_setuid_bubblewrap_is_refused(setuid_bwrap: str) -> None:
    found = await examine(bwrap=setuid_bwrap)
    assert (found.level, found.reason) == ("none", f"{setuid_bwrap} is setuid root")


@pytest.fixture
def failing_bwrap() -> Iterator[Callable[[str], str]]:
    """Makes a bwrap that says something and fails, in a folder that everybody may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "bwrap")

        def make(says: str) -> str:
            path.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n")
            path.chmod(0o755)
            return str(path)

        yield make


@pytest.mark.parametrize(
    ("says", "fix"),
    [("bwrap: setting up uid map: Permission denied", "apparmor_parser"), ("Segmentation fault", "ordinary user")],
)
async def test_a_bubblewrap_that_fails_is_diagnosed_by_what_it_says(
    failing_bwrap: Callable[[str], str], says: str, fix: str
) -> None:
    found = await examine(bwrap=failing_bwrap(says))
    assert found.level == "none"
    assert says in found.reason
    assert fix in (found.fix or "")


async def test_the_self_test_notices_a_sandbox_that_does_not_hold() -> None:
    escaped = await escapes((await unsafe()).required())
    assert {"read a file of the user", "connect to a local port", "fork", "write to /tmp"} <= set(escaped)


async def test_unsafe_has_to_be_asked_for_and_says_so() -> None:
    found: Isolation = await unsafe()
    assert found.level == "unsafe"
    async with Sandbox(isolation=found) as sandbox:
        await sandbox.load(ANSWER)
        assert (await sandbox.call("double", 4)).value == 8
        assert sandbox.level == "unsafe"
