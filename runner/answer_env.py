"""The third-party packages that answers may import: a folder of their own, built for the interpreter that runs answers.

The service's own packages are never shown to an answer. The folder is bound read-only into a sandbox that asks for it.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

from runner.errors import SandboxError
from runner.isolation import isolation
from runner.jail import Interpreter, Jail
from runner.spawn import run_trusted

PACKAGES = ("aiohttp", "httpx", "requests")
"""What answers that fetch URLs commonly import."""
_BUILD_WALL_S = 600.0


def answer_env_folder(interpreter: Interpreter) -> Path:
    """Return where the packages for ``interpreter`` are kept: readable to the user that runs answers.

    Compiled packages fit one minor version of Python only, so its number is part of the path.
    """
    cache = Path("/var/cache") if os.getuid() == 0 else Path.home() / ".cache"
    return cache / "coder-judge" / "answer-env" / "python{}.{}".format(*interpreter.version.split(".")[:2])


def find_answer_env(jail: Jail) -> Path | None:
    """Return the folder if it was built, else ``None``."""
    folder = answer_env_folder(jail.interpreter)
    return folder if folder.is_dir() else None


async def build_answer_env(jail: Jail, *, packages: tuple[str, ...] = PACKAGES, folder: Path | None = None) -> Path:
    """Download and install ``packages`` unless they are there, and prove that they can be imported by who runs answers.

    Raises SandboxError when they cannot be installed or imported.
    """
    target = folder or answer_env_folder(jail.interpreter)
    if not target.is_dir():
        await _install(jail.interpreter, packages, target)
    await _prove(jail, packages, target)
    return target


async def _install(interpreter: Interpreter, packages: tuple[str, ...], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Renamed into place when complete: an interrupted installation leaves nothing that looks finished.
    unfinished = tempfile.mkdtemp(dir=target.parent, prefix=".unfinished-")
    try:
        command = [sys.executable, "-m", "pip", "--python", interpreter.executable, "install", "--quiet"]
        command += ["--disable-pip-version-check", "--target", unfinished, *packages]
        status, _, stderr = await run_trusted(command, env=os.environ, wall_s=_BUILD_WALL_S)
        if status != 0:
            last = stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise SandboxError(f"cannot install {' '.join(packages)} for answers: {last!r}; is there a network?")
        await asyncio.to_thread(_publish, Path(unfinished), target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _publish(unfinished: Path, target: Path) -> None:
    for path in (unfinished, *unfinished.rglob("*")):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    unfinished.rename(target)


async def _prove(jail: Jail, packages: tuple[str, ...], target: Path) -> None:
    imports = f"import sys; sys.path.insert(0, {str(target)!r}); import {', '.join(packages)}"
    command = [jail.interpreter.executable, "-I", "-S", "-c", imports]
    status, _, stderr = await run_trusted(command, uid=jail.uid, gid=jail.gid)
    if status != 0:
        last = stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise SandboxError(
            f"answers cannot import the packages in {target}: {last!r}; remove the folder to build it anew"
        )


def main() -> int:
    """Build the packages for answers unless they are there; ``make setup`` calls this."""
    return asyncio.run(_main())


async def _main() -> int:
    try:
        folder = await build_answer_env((await isolation()).required())
    except SandboxError as error:
        sys.stderr.write(f"packages for answers: {error}\n")
        return 1
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
