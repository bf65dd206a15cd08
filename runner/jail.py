"""What starting a sandbox depends on: the interpreter that runs answers, and what stands around it. Values, pure."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from runner.types import Value

Wall = Literal["bwrap", "landlock", "unsafe"]
"""What stands between an answer and the machine: namespaces and a system-call filter; Landlock and a stricter filter;
nothing but resource limits, which must have been asked for explicitly."""

ANSWER_ENV = "/answer_env"
"""Where bubblewrap shows the packages for answers; elsewhere they are at their own path."""

# One malloc arena: every further one takes 64 MiB of the address space that the memory limit counts.
ENVIRONMENT = {
    "PATH": "/usr/bin",
    "HOME": "/work",
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""All environment variables of an answer that is walled in."""

_START = (
    "import marshal,posix;codes=marshal.loads(posix.pread({bundle},{size},0));posix.close({bundle});"
    "start={{}};exec(marshal.loads(codes.pop('start')),start);start['start'](codes,{requests},{replies})"
)


class Interpreter(Value):
    """The Python that runs answers, and the trusted inside part compiled for it."""

    executable: str
    """Resolved path, the same inside and outside: an interpreter finds its library relative to itself."""
    prefix: str
    """Folder to show so that the executable and its standard library are there."""
    version: str
    """``3.11.2``."""
    bundle: bytes = Field(repr=False)
    """Module name -> its compiled code, marshalled by that interpreter, and the whole marshalled again: each start reads only
    what it imports."""


class Jail(Value):
    """Everything about this machine that starting a sandbox depends on."""

    wall: Wall
    bwrap: str | None = None
    """Path of bubblewrap; ``None`` for the other walls."""
    disable_userns: bool = False
    """Whether this bwrap knows ``--disable-userns`` (0.8 and later); the system-call filter blocks them anyway."""
    landlock_abi: int = Field(default=0, ge=0)
    """Version of Landlock whose rights are used; 0 for the other walls."""
    machine: str
    """Architecture, as ``os.uname().machine``."""
    uid: int | None
    """User and group to become before anything else; ``None``: stay who we are (never root)."""
    gid: int | None
    setpriv: str | None = None
    """Path of the program that becomes that user, proven to do so; ``None``: Python does it, which copies the page table of the
    service at every start."""
    interpreter: Interpreter
    library_links: tuple[tuple[str, str], ...]
    """(path, link target) of ``/lib``, ``/lib64`` where they are links; real folders have an empty target."""

    @property
    def has_namespaces(self) -> bool:
        """True when the answer has processes, a network and a user of its own; only then can it use a network."""
        return self.wall == "bwrap"

    def packages_at(self, answer_env: Path) -> str:
        """Return the path under which the answer finds the packages of ``answer_env``."""
        return ANSWER_ENV if self.has_namespaces else str(answer_env)


def python_command(jail: Jail, bundle_fd: int, requests_fd: int, replies_fd: int) -> list[str]:
    """Return the command that serves requests; it reads the inside part from ``bundle_fd``."""
    size = len(jail.interpreter.bundle)
    start = _START.format(bundle=bundle_fd, size=size, requests=requests_fd, replies=replies_fd)
    return [jail.interpreter.executable, "-I", "-S", "-c", start]
