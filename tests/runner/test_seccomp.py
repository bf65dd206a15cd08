"""The system-call filter, run by an interpreter of BPF instead of the kernel."""

import errno
import struct

import pytest

from runner.errors import SandboxError
from runner.seccomp import program

X86_64, AARCH64 = 0xC000003E, 0xC00000B7
ALLOW, KILL = 0x7FFF0000, 0x80000000
CLONE_OF_A_THREAD = 0x3D0F00
CLONE_OF_A_PROCESS = 0x1200011


def verdict(code: bytes, number: int, *args: int, arch: int = X86_64) -> int:
    data = struct.pack("<IIQ6Q", number, arch, 0, *(list(args) + [0] * 6)[:6])
    instructions = [struct.unpack_from("<HBBI", code, i) for i in range(0, len(code), 8)]
    accumulator = position = 0
    while True:
        operation, if_true, if_false, k = instructions[position]
        position += 1
        if operation == 0x20:
            accumulator = struct.unpack_from("<I", data, k)[0]
        elif operation == 0x06:
            return k
        else:
            taken = {0x15: accumulator == k, 0x35: accumulator >= k, 0x45: accumulator & k != 0}[operation]
            position += if_true if taken else if_false


def refused(number: int) -> int:
    return 0x00050000 | number


def test_ordinary_calls_are_allowed() -> None:
    code = program("x86_64")
    assert [verdict(code, number) for number in (0, 1, 2, 9, 202, 262)] == [ALLOW] * 6


@pytest.mark.parametrize("number", [101, 272, 165, 321, 425, 319, 29, 308, 250])
def test_dangerous_calls_are_refused(number: int) -> None:
    assert verdict(program("x86_64"), number) == refused(errno.EPERM)


@pytest.mark.parametrize("number", [57, 58])
def test_processes_are_refused_as_if_there_were_too_many(number: int) -> None:
    assert verdict(program("x86_64"), number) == refused(errno.EAGAIN)


def test_clone_makes_threads_but_neither_processes_nor_namespaces() -> None:
    code = program("x86_64")
    assert verdict(code, 56, CLONE_OF_A_THREAD) == ALLOW
    assert verdict(code, 56, CLONE_OF_A_PROCESS) == refused(errno.EAGAIN)
    assert verdict(code, 56, CLONE_OF_A_THREAD | 0x10000000) == refused(errno.EPERM)
    assert verdict(code, 435) == refused(errno.ENOSYS), "glibc falls back to clone, whose flags can be read"


@pytest.mark.parametrize(
    ("family", "name"), [(2, "ipv4"), (10, "ipv6"), (16, "netlink"), (17, "packet"), (40, "vsock")]
)
def test_only_unix_sockets_are_allowed(family: int, name: str) -> None:
    assert verdict(program("x86_64"), 41, 1) == ALLOW
    assert verdict(program("x86_64"), 41, family) == refused(errno.EPERM)


def test_a_network_adds_internet_sockets_and_nothing_else() -> None:
    code = program("x86_64", network=True)
    assert [verdict(code, 41, family) for family in (1, 2, 10)] == [ALLOW] * 3
    assert [verdict(code, 41, family) for family in (16, 17, 38, 40)] == [refused(errno.EPERM)] * 4


def test_high_bits_of_an_argument_do_not_hide_a_terminal_command() -> None:
    code = program("x86_64")
    assert verdict(code, 16, 0, 0x5412) == refused(errno.EPERM)
    assert verdict(code, 16, 0, 0xFFFFFFFF_0000541C) == refused(errno.EPERM)
    assert verdict(code, 16, 0, 0x5401) == ALLOW


def test_foreign_architectures_and_x32_are_killed() -> None:
    code = program("x86_64")
    assert verdict(code, 1, arch=0x40000003) == KILL
    assert verdict(code, 0x40000000 + 1) == KILL


def test_aarch64_has_its_own_numbers() -> None:
    code = program("aarch64")
    assert verdict(code, 220, CLONE_OF_A_PROCESS, arch=AARCH64) == refused(errno.EAGAIN)
    assert verdict(code, 117, arch=AARCH64) == refused(errno.EPERM)
    assert verdict(code, 198, 2, arch=AARCH64) == refused(errno.EPERM)
    assert verdict(code, 57, arch=AARCH64) == ALLOW, "close, not fork"
    assert verdict(code, 1, arch=X86_64) == KILL


def test_an_unknown_machine_is_refused_by_name() -> None:
    with pytest.raises(SandboxError, match=r"'riscv64'.*x86_64 and aarch64"):
        program("riscv64")
