"""The command line of bubblewrap: which parts of the machine an answer sees. Pure.

It sees ``/usr``, one interpreter, ``/proc`` of its own process namespace and four harmless devices, all read-only, as
nobody, without capabilities, without a network and without an environment.
"""

from collections.abc import Mapping, Sequence

from pydantic import Field

from runner.types import Value

INSIDE = "/run/inside"
ANSWER_ENV = "/answer_env"
_DEVICES = ("null", "zero", "random", "urandom")
_START = "import sys;sys.path.insert(0,'/run');from inside.server import main;main({requests},{replies})"

NETWORK_FILES = {"/etc/hosts": b"127.0.0.1 localhost\n::1 localhost\n", "/etc/nsswitch.conf": b"hosts: files\n"}
"""With a loopback network: names other than localhost fail at once instead of waiting for a name server."""


class Interpreter(Value):
    """The Python that runs answers, and the trusted inside part compiled for it."""

    executable: str
    """Resolved path, the same inside and outside: an interpreter finds its library relative to itself."""
    prefix: str
    """Folder to bind so that the executable and its standard library are there."""
    version: str
    """``3.11.2``."""
    compiled: dict[str, bytes] = Field(repr=False)
    """File name inside -> content of the ``.pyc`` file."""


class Jail(Value):
    """Everything about this machine that starting a sandbox depends on."""

    bwrap: str | None
    """``None``: no isolation at all, only resource limits; must have been asked for explicitly."""
    disable_userns: bool
    """Whether this bwrap knows ``--disable-userns`` (0.8 and later); the system-call filter blocks them anyway."""
    machine: str
    """Architecture, as ``os.uname().machine``."""
    uid: int | None
    """User and group to become before anything else; ``None``: stay who we are (never root)."""
    gid: int | None
    interpreter: Interpreter
    library_links: tuple[tuple[str, str], ...]
    """(path, link target) of ``/lib``, ``/lib64`` where they are links; real folders have an empty target."""


def python_command(jail: Jail, requests_fd: int, replies_fd: int) -> list[str]:
    """Return the command that serves requests inside the sandbox."""
    start = _START.format(requests=requests_fd, replies=replies_fd)
    return [jail.interpreter.executable, "-I", "-S", "-c", start]


def arguments(jail: Jail, *, files: Mapping[str, int], answer_env: str | None, seccomp_fd: int) -> list[str]:
    """Return bwrap's arguments; ``files`` maps paths inside to descriptors that hold their content.

    The root is made read-only last: bwrap's root is a tmpfs without a size limit.
    """
    return [
        *_namespaces(),
        *_system(jail),
        *(["--ro-bind", answer_env, ANSWER_ENV] if answer_env is not None else []),
        *(word for path, fd in files.items() for word in ("--ro-bind-data", str(fd), path)),
        *_environment(),
        *(["--disable-userns"] if jail.disable_userns else []),
        *("--remount-ro", "/", "--seccomp", str(seccomp_fd)),
    ]


def _namespaces() -> list[str]:
    # --unshare-user is explicit because --disable-userns refuses to work without it.
    return [
        *("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"),
        *("--uid", "65534", "--gid", "65534", "--hostname", "sandbox"),
        *("--new-session", "--die-with-parent", "--clearenv", "--cap-drop", "ALL"),
    ]


def _system(jail: Jail) -> list[str]:
    prefix = jail.interpreter.prefix
    devices = [word for name in _DEVICES for word in ("--dev-bind", f"/dev/{name}", f"/dev/{name}")]
    return [
        *("--ro-bind", "/usr", "/usr"),
        *_libraries(jail.library_links),
        *("--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"),
        *([] if prefix == "/usr" or prefix.startswith("/usr/") else ["--ro-bind", prefix, prefix]),
        *("--proc", "/proc", "--dir", "/dev", *devices, "--dir", "/work", "--dir", "/tmp"),
    ]


def _libraries(links: Sequence[tuple[str, str]]) -> list[str]:
    words: list[str] = []
    for path, target in links:
        words += ["--symlink", target, path] if target else ["--ro-bind", path, path]
    return words


def _environment() -> list[str]:
    # One malloc arena: every further one takes 64 MiB of the address space that the memory limit counts.
    variables = {
        "PATH": "/usr/bin",
        "HOME": "/work",
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return [*(word for name, value in variables.items() for word in ("--setenv", name, value)), "--chdir", "/work"]
