"""Takes rights away from this process for good, where no namespaces do it: Landlock, then a system-call filter.

Called once, before anything of the answer is loaded, and by the only thread: others would keep their rights. Importing
ctypes costs a start several milliseconds; there is no other way to these calls without a compiled extension.
"""

import _thread
import ctypes
import os
import struct
from typing import Any

_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 22, 38
_SECCOMP_MODE_FILTER = 2
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULE_PATH_BENEATH = 1
_CAPABILITY_VERSION_3 = 0x20080522
_libc = ctypes.CDLL(None, use_errno=True)


def confine(plan: dict[str, Any]) -> None:
    """Do what ``landlock.confinement`` planned. Raises OSError when any of it fails: then nothing may be loaded."""
    if 0 in os.getresuid():
        raise PermissionError("untrusted code never runs as root")
    if _thread._count():
        raise PermissionError("there are threads already, which would keep their rights")
    _done(_libc.capset(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), bytes(24)))
    ruleset = _ruleset(plan["handled"])
    for path, rights in plan["rules"]:
        _allow(ruleset, path, rights)
    _done(_libc.prctl(_PR_SET_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0))))
    _call(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    _filter(bytes.fromhex(plan["filter"]))


def _ruleset(handled: list[int]) -> int:
    attributes = struct.pack(f"={len(handled)}Q", *handled)
    return _call(_CREATE_RULESET, attributes, len(attributes), 0)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        folder = os.open(path, os.O_PATH)
    except FileNotFoundError:
        return  # what is not there needs no right
    _call(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, struct.pack("=Qi", rights, folder), 0)
    os.close(folder)


def _filter(program: bytes) -> None:
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    _done(_libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), header))


def _call(number: int, *arguments: int | bytes) -> int:
    return _done(_libc.syscall(ctypes.c_long(number), *map(_word, arguments)))


def _word(argument: int | bytes) -> Any:
    return ctypes.c_char_p(argument) if isinstance(argument, bytes) else ctypes.c_long(argument)


def _done(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
