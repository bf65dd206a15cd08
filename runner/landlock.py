"""The wall where no namespaces are to be had: what Landlock lets a process open, and the stricter system-call filter.

An answer may read ``/usr``, the libraries, its interpreter and the packages for answers, read four harmless devices,
and write to ``/dev/null``. The rights come from ``linux/landlock.h``; Landlock itself leaves much open (truncation
before ABI 3, permissions, times, unix sockets, signals before ABI 6), which ``seccomp.strict_program`` closes.
"""

import ctypes
from pathlib import Path
from typing import Any

from runner import seccomp
from runner.jail import Jail

_CREATE_RULESET, _VERSION_FLAG = 444, 1

_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_FILE_RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""ABI -> the rights over files that it added: the first thirteen, moving between folders, truncating, device ioctls."""
_NETWORK_RIGHTS_BY_ABI = {4: 0b11}
"""Binding and connecting TCP sockets."""
_SCOPES_BY_ABI = {6: 0b11}
"""Abstract unix sockets, and signals."""

_READABLE_FOLDERS = ("/usr",)
_READABLE_FILES = ("/etc/ld.so.cache", "/dev/zero", "/dev/random", "/dev/urandom")


def kernel_abi() -> int:
    """Return the version of Landlock that the running kernel offers; 0 when it has none or it is switched off."""
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION_FLAG))))


def confinement(jail: Jail, *, pid: int, answer_env: Path | None) -> dict[str, Any]:
    """Return what ``inside/confine.py`` has to do to the process ``pid`` before it loads the answer. Pure."""
    return {
        "handled": [_handled(by_abi, jail.landlock_abi) for by_abi in _ATTRIBUTES if min(by_abi) <= jail.landlock_abi],
        "rules": _rules(jail, answer_env),
        "filter": seccomp.strict_program(jail.machine, pid=pid).hex(),
    }


_ATTRIBUTES = (_FILE_RIGHTS_BY_ABI, _NETWORK_RIGHTS_BY_ABI, _SCOPES_BY_ABI)
"""The fields of ``struct landlock_ruleset_attr``, in order: an older kernel knows only the first of them."""


def _handled(by_abi: dict[int, int], abi: int) -> int:
    return sum(rights for since, rights in by_abi.items() if since <= abi)


def _rules(jail: Jail, answer_env: Path | None) -> list[tuple[str, int]]:
    folders = [*_READABLE_FOLDERS, *(path for path, _ in jail.library_links), jail.interpreter.prefix]
    folders += [str(answer_env)] if answer_env is not None else []
    return [
        *((folder, _READ_FILE | _READ_DIR) for folder in dict.fromkeys(folders)),
        *((file, _READ_FILE) for file in _READABLE_FILES),
        ("/dev/null", _READ_FILE | _WRITE_FILE),
    ]
