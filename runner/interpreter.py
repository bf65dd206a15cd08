"""Which Python runs answers: the product's own where the unprivileged user can run it, else the system's."""

import base64
import functools
import json
import os
import sys
from importlib import resources
from pathlib import Path

from runner.errors import IsolationMissing
from runner.jail import Interpreter
from runner.spawn import run_trusted

_SYSTEM_PYTHON = "/usr/bin/python3"
_MIN_VERSION = (3, 11)

_COMPILE = """
import base64, json, marshal, sys
sources = json.load(sys.stdin)
codes = {
    name: marshal.dumps(compile(text, "inside/" + name + ".py", "exec", optimize=2)) for name, text in sources.items()
}
print(json.dumps({
    "version": "%d.%d.%d" % sys.version_info[:3],
    "prefix": sys.base_prefix,
    "bundle": base64.b64encode(marshal.dumps(codes)).decode(),
}))
"""


async def find_interpreter(uid: int | None, gid: int | None) -> Interpreter:
    """Return the first that this user can run and that shows no more than itself. Raises IsolationMissing."""
    own = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    tried = [str(path.resolve()) for path in (own, Path(_SYSTEM_PYTHON)) if os.access(path, os.X_OK)]
    for executable in tried:
        found = await compile_for(executable, uid, gid)
        if found is not None and not _shows_the_home(found.prefix):
            return found
    raise IsolationMissing(
        f"no Python >= 3.11 that untrusted code may run on (tried {', '.join(tried) or 'none'})",
        f"install {_SYSTEM_PYTHON} 3.11 or newer",
    )


async def compile_for(executable: str, uid: int | None, gid: int | None) -> Interpreter | None:
    """Compile the inside part, which both prepares it (no start has to) and proves that this user can run this
    interpreter; ``None`` when it cannot."""
    try:
        status, stdout, _ = await run_trusted(
            [executable, "-I", "-S", "-c", _COMPILE], data=json.dumps(_sources()).encode(), uid=uid, gid=gid
        )
    except OSError:
        return None
    if status != 0:
        return None
    said = json.loads(stdout)
    if tuple(map(int, said["version"].split("."))) < _MIN_VERSION:
        return None
    bundle = base64.b64decode(said["bundle"])
    return Interpreter(executable=executable, prefix=said["prefix"], version=said["version"], bundle=bundle)


@functools.cache
def _sources() -> dict[str, str]:
    folder = resources.files("runner") / "inside"
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".py")]
    return {entry.name.removesuffix(".py"): entry.read_text() for entry in files}


def _shows_the_home(prefix: str) -> bool:
    """An interpreter that was installed into the home folder itself cannot be shown without all that is in it."""
    return Path.home().is_relative_to(prefix)
