"""The system calls that untrusted code may not make, as a classic BPF program for ``seccomp``. Pure: values in, bytes
out.

A deny list on top of the namespaces: whatever reaches other processes, namespaces, kernel keys, raw devices or memory
that no resource limit counts is refused with EPERM. New processes are refused (EAGAIN) because resource limits count
per process.
"""

import errno
import struct
from collections.abc import Mapping

from runner.errors import SandboxError

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# name -> (x86_64, aarch64); None: the architecture has no such call.
_Calls = Mapping[str, tuple[int | None, int | None]]
_DENIED: _Calls = {
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    # kernel interfaces with a history of escapes
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    "lookup_dcookie": (212, 18),
    "syslog": (103, 116),
    "nfsservctl": (180, 42),
    "landlock_create_ruleset": (444, 444),
    # mounts and namespaces
    "mount": (165, 40),
    "umount2": (166, 39),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "setns": (308, 268),
    "unshare": (272, 97),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # the machine itself
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "personality": (135, 92),
    "iopl": (172, None),
    "ioperm": (173, None),
    "vhangup": (153, 58),
    # memory that RLIMIT_AS does not count or that moves between nodes
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "mbind": (237, 235),
    "set_mempolicy": (238, 237),
    "get_mempolicy": (239, 236),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "set_mempolicy_home_node": (450, 450),
}

_PROCESS_CALLS: _Calls = {"fork": (57, None), "vfork": (58, None)}
_SPECIAL = {"clone": (56, 220), "clone3": (435, 435), "socket": (41, 198), "ioctl": (16, 29)}

_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
"""Both put characters into a terminal's input: the shell that started the service would read them."""
_CLONE_THREAD = 0x00010000
_CLONE_NEW = 0x7E020080
"""All CLONE_NEW* bits: time, mount, cgroup, uts, ipc, user, pid and network namespaces."""
_X32_BIT = 0x40000000
"""x86_64 only: calls of the x32 ABI have other numbers and would pass by the list."""

_LD_ABS, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
_OFFSET_NR, _OFFSET_ARCH, _OFFSET_ARG = 0, 4, 16
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

Instruction = tuple[int, int, int, int]
"""(code, jump if true, jump if false, k) of ``struct sock_filter``."""


def program(machine: str, *, network: bool = False) -> bytes:
    """Return the filter for ``machine`` (as ``os.uname().machine``); ``network`` also allows IPv4 and IPv6 sockets.

    The network namespace decides what such sockets reach. Raises SandboxError for an architecture without a table.
    """
    if machine not in _AUDIT_ARCH:
        raise SandboxError(f"no system-call table for machine {machine!r}: untrusted code runs only on {_known()}")
    column = list(_AUDIT_ARCH).index(machine)
    families = (_AF_UNIX, _AF_INET, _AF_INET6) if network else (_AF_UNIX,)
    instructions = [
        *_guard_architecture(machine),
        *_when(_numbers(_DENIED, column), _refuse(errno.EPERM)),
        *_when(_numbers(_PROCESS_CALLS, column), _refuse(errno.EAGAIN)),
        *_block(_SPECIAL["clone3"][column], [_refuse(errno.ENOSYS)]),
        *_block(_SPECIAL["clone"][column], _only_threads()),
        *_block(_SPECIAL["socket"][column], _only_families(families)),
        *_block(_SPECIAL["ioctl"][column], _no_terminal_input()),
        (_RET, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)


def _known() -> str:
    return " and ".join(_AUDIT_ARCH)


def _numbers(calls: _Calls, column: int) -> list[int]:
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


def _block(number: int, body: list[Instruction]) -> list[Instruction]:
    """``body`` runs for one system call and must end in a verdict on every path."""
    return [(_JEQ, 0, len(body), number), *body]


def _argument(index: int) -> Instruction:
    """Load the low 32 bits of an argument: both tables are of little-endian machines."""
    return (_LD_ABS, 0, 0, _OFFSET_ARG + 8 * index)


def _only_threads() -> list[Instruction]:
    return [
        _argument(0),
        (_JSET, 0, 1, _CLONE_NEW),
        _refuse(errno.EPERM),
        (_JSET, 1, 0, _CLONE_THREAD),
        _refuse(errno.EAGAIN),
        (_RET, 0, 0, _ALLOW),
    ]


def _only_families(families: tuple[int, ...]) -> list[Instruction]:
    allowed = [step for family in families for step in ((_JEQ, 0, 1, family), (_RET, 0, 0, _ALLOW))]
    return [_argument(0), *allowed, _refuse(errno.EPERM)]


def _no_terminal_input() -> list[Instruction]:
    return [
        _argument(1),
        (_JEQ, 1, 0, _TIOCSTI),
        (_JEQ, 0, 1, _TIOCLINUX),
        _refuse(errno.EPERM),
        (_RET, 0, 0, _ALLOW),
    ]
