"""The system calls that untrusted code may not make, as a classic BPF program for ``seccomp``. Pure: values in, bytes
out.

Two deny lists. ``program`` stands on top of namespaces: whatever reaches other processes, namespaces, kernel keys, raw
devices or memory that no resource limit counts is refused with EPERM. New processes are refused (EAGAIN) because
resource limits count per process. ``strict_program`` does without namespaces, on top of Landlock alone: it also
refuses what Landlock lets pass.
"""

import errno
import struct

from runner.errors import SandboxError
from runner.syscalls import DENIED, EXAMINED, NEWEST, PROCESS_CALLS, STRICTLY_DENIED, Calls

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_SOCK_STREAM, _SOCK_TYPE_MASK = 1, 0xF
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
"""Both put characters into a terminal's input: the shell that started the service would read them."""
_HARMLESS_IOCTLS = {
    "TCGETS": 0x5401,
    "TIOCGWINSZ": 0x5413,
    "FIONREAD": 0x541B,
    "FIONBIO": 0x5421,
    "FIONCLEX": 0x5450,
    "FIOCLEX": 0x5451,
    "TCGETS2": 0x802C542A,
}
"""What Python and the C library ask of files and pipes. Others change files that are open for reading only."""
_HARMFUL_FCNTLS = {"F_SETOWN": 8, "F_SETSIG": 10, "F_SETOWN_EX": 15, "F_SETLEASE": 1024, "F_NOTIFY": 1026}
"""The first three make the kernel send any signal to any process; a lease makes others wait."""
_O_ACCMODE, _O_TRUNC = 0x3, 0x200
_CLONE_THREAD = 0x00010000
_CLONE_NEW = 0x7E020080
"""All CLONE_NEW* bits: time, mount, cgroup, uts, ipc, user, pid and network namespaces."""
_X32_BIT = 0x40000000
"""x86_64 only: calls of the x32 ABI have other numbers and would pass by the list."""

_LD_ABS, _AND, _JEQ, _JGT, _JGE, _JSET, _RET = 0x20, 0x54, 0x15, 0x25, 0x35, 0x45, 0x06
_OFFSET_NR, _OFFSET_ARCH, _OFFSET_ARG = 0, 4, 16
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

Instruction = tuple[int, int, int, int]
"""(code, jump if true, jump if false, k) of ``struct sock_filter``."""


def program(machine: str, *, network: bool = False) -> bytes:
    """Return the filter for ``machine`` (as ``os.uname().machine``); ``network`` also allows IPv4 and IPv6 sockets.

    The network namespace decides what such sockets reach. Raises SandboxError for an architecture without a table.
    """
    column = _column(machine)
    families = (_AF_UNIX, _AF_INET, _AF_INET6) if network else (_AF_UNIX,)
    return _assembled(
        [
            *_guard_architecture(machine),
            *_when(_numbers(DENIED, column), _refuse(errno.EPERM)),
            *_no_processes(column),
            *_examined("socket", column, _only(0, families)),
            *_examined("ioctl", column, _no_terminal_input()),
            (_RET, 0, 0, _ALLOW),
        ]
    )


def strict_program(machine: str, *, pid: int) -> bytes:
    """Return the filter for a process without namespaces of its own, which may send signals to ``pid``, itself, alone.

    Raises SandboxError for an architecture without a table.
    """
    column = _column(machine)
    return _assembled(
        [
            *_guard_architecture(machine),
            # As an older kernel would say: libraries then fall back to a call that is known here.
            *((_JGT, 0, 1, NEWEST), _refuse(errno.ENOSYS)),
            *_when(_numbers({**DENIED, **STRICTLY_DENIED}, column), _refuse(errno.EPERM)),
            *_no_processes(column),
            *_examined("openat2", column, [_refuse(errno.ENOSYS)]),  # its flags lie in memory
            *_examined("open", column, _no_truncating_reader(1)),
            *_examined("openat", column, _no_truncating_reader(2)),
            *_examined("socketpair", column, _only_stream_pairs()),
            *(step for name in ("kill", "tkill", "tgkill") for step in _examined(name, column, _only(0, (pid,)))),
            *_examined("prlimit64", column, _only(0, (0, pid))),
            *_examined("fcntl", column, _none_of(1, tuple(_HARMFUL_FCNTLS.values()))),
            *_examined("ioctl", column, _only(1, tuple(_HARMLESS_IOCTLS.values()))),
            (_RET, 0, 0, _ALLOW),
        ]
    )


def _column(machine: str) -> int:
    if machine not in _AUDIT_ARCH:
        known = " and ".join(_AUDIT_ARCH)
        raise SandboxError(f"no system-call table for machine {machine!r}: untrusted code runs only on {known}")
    return list(_AUDIT_ARCH).index(machine)


def _assembled(instructions: list[Instruction]) -> bytes:
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)


def _numbers(calls: Calls, column: int) -> list[int]:
    return [number for pair in calls.values() if (number := pair[column]) is not None]


def _guard_architecture(machine: str) -> list[Instruction]:
    guard = [
        (_LD_ABS, 0, 0, _OFFSET_ARCH),
        (_JEQ, 1, 0, _AUDIT_ARCH[machine]),
        (_RET, 0, 0, _KILL_PROCESS),
        (_LD_ABS, 0, 0, _OFFSET_NR),
    ]
    x32 = [(_JGE, 0, 1, _X32_BIT), (_RET, 0, 0, _KILL_PROCESS)] if machine == "x86_64" else []
    return [*guard, *x32]


def _refuse(number: int) -> Instruction:
    return (_RET, 0, 0, _ERRNO | number)


def _when(numbers: list[int], verdict: Instruction) -> list[Instruction]:
    """Each number gets its own verdict: a jump to a shared one could be longer than the 255 that BPF allows."""
    return [instruction for number in numbers for instruction in ((_JEQ, 0, 1, number), verdict)]


def _examined(name: str, column: int, body: list[Instruction]) -> list[Instruction]:
    """``body`` runs for one system call and must end in a verdict on every path."""
    number = EXAMINED[name][column]
    return [] if number is None else [(_JEQ, 0, len(body), number), *body]


def _argument(index: int) -> Instruction:
    """Load the low 32 bits of an argument: both tables are of little-endian machines."""
    return (_LD_ABS, 0, 0, _OFFSET_ARG + 8 * index)


def _no_processes(column: int) -> list[Instruction]:
    return [
        *_when(_numbers(PROCESS_CALLS, column), _refuse(errno.EAGAIN)),
        *_examined("clone3", column, [_refuse(errno.ENOSYS)]),  # as for openat2
        *_examined("clone", column, _only_threads()),
    ]


def _only_threads() -> list[Instruction]:
    return [
        _argument(0),
        (_JSET, 0, 1, _CLONE_NEW),
        _refuse(errno.EPERM),
        (_JSET, 1, 0, _CLONE_THREAD),
        _refuse(errno.EAGAIN),
        (_RET, 0, 0, _ALLOW),
    ]


def _only(argument: int, allowed: tuple[int, ...]) -> list[Instruction]:
    steps = [step for value in allowed for step in ((_JEQ, 0, 1, value), (_RET, 0, 0, _ALLOW))]
    return [_argument(argument), *steps, _refuse(errno.EPERM)]


def _none_of(argument: int, refused: tuple[int, ...]) -> list[Instruction]:
    return [_argument(argument), *_when(list(refused), _refuse(errno.EPERM)), (_RET, 0, 0, _ALLOW)]


def _no_terminal_input() -> list[Instruction]:
    return _none_of(1, (_TIOCSTI, _TIOCLINUX))


def _only_stream_pairs() -> list[Instruction]:
    """An event loop wakes itself through a pair. One of datagrams could be connected anew, to a service."""
    return [
        _argument(0),
        (_JEQ, 1, 0, _AF_UNIX),
        _refuse(errno.EPERM),
        _argument(1),
        (_AND, 0, 0, _SOCK_TYPE_MASK),
        (_JEQ, 1, 0, _SOCK_STREAM),
        _refuse(errno.EPERM),
        (_RET, 0, 0, _ALLOW),
    ]


def _no_truncating_reader(flags: int) -> list[Instruction]:
    """Landlock before ABI 3 lets ``O_RDONLY | O_TRUNC`` empty a file that may be read, and access mode 3, which
    neither reads nor writes, open and empty any file."""
    return [
        _argument(flags),
        (_AND, 0, 0, _O_ACCMODE),
        (_JEQ, 0, 1, 3),
        _refuse(errno.EPERM),
        (_JEQ, 1, 0, 0),
        (_RET, 0, 0, _ALLOW),
        _argument(flags),
        (_JSET, 0, 1, _O_TRUNC),
        _refuse(errno.EPERM),
        (_RET, 0, 0, _ALLOW),
    ]
