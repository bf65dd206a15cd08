"""The command line of bubblewrap: which parts of the machine an answer sees. Pure.

It sees ``/usr``, one interpreter, ``/proc`` of its own process namespace and four harmless devices, all read-only, as
nobody, without capabilities, without a network and without an environment.
"""

from collections.abc import Mapping, Sequence

from runner.jail import ANSWER_ENV, ENVIRONMENT, Jail

_DEVICES = ("null", "zero", "random", "urandom")

NETWORK_FILES = {"/etc/hosts": b"127.0.0.1 localhost\n::1 localhost\n", "/etc/nsswitch.conf": b"hosts: files\n"}
"""With a loopback network: names other than localhost fail at once instead of waiting for a name server."""


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
    words = [word for name, value in ENVIRONMENT.items() for word in ("--setenv", name, value)]
    return [*words, "--chdir", "/work"]
