"""The system-call filter, run by an interpreter of BPF instead of the kernel."""

import errno
import os
import struct

import pytest

from runner.errors import SandboxError
from runner.seccomp import program, strict_program

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
        elif operation == 0x54:
            accumulator &= k
        else:
            compared = {0x15: accumulator == k, 0x25: accumulator > k, 0x35: accumulator >= k}
            taken = {**compared, 0x45: accumulator & k != 0}[operation]
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
    for make in (program, lambda machine: strict_program(machine, pid=1)):
        with pytest.raises(SandboxError, match=r"'riscv64'.*x86_64 and aarch64"):
            make("riscv64")


# --- without namespaces -------------------------------------------------------------------------------------------

PID, OTHER = 4711, 4712
STRICT = strict_program("x86_64", pid=PID)
EPERM = refused(errno.EPERM)


def test_strictly_whatever_is_refused_anyway_is_refused_and_ordinary_calls_are_not() -> None:
    base = program("x86_64")
    before = [number for number in range(463) if verdict(base, number) != ALLOW]
    assert [verdict(STRICT, number) for number in before if number not in (16, 41)] == [
        verdict(base, number) for number in before if number not in (16, 41)
    ]
    assert [verdict(STRICT, number) for number in (0, 1, 3, 9, 202, 231, 318)] == [ALLOW] * 7


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param((76, 90, 91, 92, 93, 132, 188, 190, 235, 260, 268, 280, 452), id="changing files by name"),
        pytest.param((82, 83, 84, 85, 86, 87, 88, 133, 263, 265, 316), id="making and removing names"),
        pytest.param((59, 322), id="executing programs"),
        pytest.param((41, 42, 43, 49, 50, 288), id="sockets of every family"),
        pytest.param((129, 141, 203, 297, 424, 434), id="other processes"),
        pytest.param((65, 69, 241, 254, 294), id="queues, segments and watches"),
    ],
)
def test_strictly_what_landlock_lets_pass_is_refused(numbers: tuple[int, ...]) -> None:
    assert [verdict(STRICT, number, 1) for number in numbers] == [EPERM] * len(numbers)


@pytest.mark.parametrize("number", [62, 200, 234])
def test_strictly_signals_go_to_the_process_itself_alone(number: int) -> None:
    assert verdict(STRICT, number, PID, 9) == ALLOW
    assert [verdict(STRICT, number, pid & 0xFFFFFFFF, 9) for pid in (OTHER, 0, 1, -1, -PID)] == [EPERM] * 5


def test_strictly_the_kernel_is_not_made_to_send_signals_either() -> None:
    assert [verdict(STRICT, 72, 1, command) for command in (8, 10, 15)] == [EPERM] * 3
    assert [verdict(STRICT, 72, 1, command) for command in (0, 1, 2, 3, 4, 1030)] == [ALLOW] * 6
    assert [verdict(STRICT, 16, 1, command) for command in (0x8901, 0x8902)] == [EPERM] * 2


def test_strictly_limits_are_set_for_the_process_itself_alone() -> None:
    assert [verdict(STRICT, 302, pid) for pid in (0, PID, OTHER)] == [ALLOW, ALLOW, EPERM]


def test_strictly_a_file_is_emptied_only_by_who_may_write_to_it() -> None:
    """Landlock itself refuses to open for writing; before ABI 3 it knows nothing of the other ways."""
    for number, before in ((2, ()), (257, (0,))):
        flags = (os.O_RDONLY, os.O_WRONLY | os.O_TRUNC, os.O_RDWR | os.O_TRUNC, os.O_RDONLY | os.O_CLOEXEC)
        assert [verdict(STRICT, number, *before, 0, flag) for flag in flags] == [ALLOW] * 4
        harmful = (os.O_RDONLY | os.O_TRUNC, 3, 3 | os.O_TRUNC, os.O_RDONLY | os.O_TRUNC | os.O_CLOEXEC)
        assert [verdict(STRICT, number, *before, 0, flag) for flag in harmful] == [EPERM] * 4
    assert verdict(STRICT, 437) == refused(errno.ENOSYS), "its flags lie in memory, where no filter reads"


def test_strictly_an_event_loop_may_wake_itself_and_nobody_else() -> None:
    assert verdict(STRICT, 53, 1, 1 | 0o2004000) == ALLOW
    assert [verdict(STRICT, 53, *pair) for pair in ((1, 2), (1, 5), (2, 1))] == [EPERM] * 3


def test_strictly_open_files_are_asked_and_not_changed() -> None:
    assert [verdict(STRICT, 16, 3, command) for command in (0x5401, 0x541B, 0x5421, 0x5451)] == [ALLOW] * 4
    flags, verity = 0x40086602, 0x40806685
    assert [verdict(STRICT, 16, 3, command) for command in (flags, verity, 0x5412)] == [EPERM] * 3


def test_strictly_calls_that_nobody_has_looked_at_do_not_exist() -> None:
    assert [verdict(STRICT, number) for number in (462, 463, 600)] == [ALLOW, *[refused(errno.ENOSYS)] * 2]


def test_strictly_aarch64_has_its_own_numbers() -> None:
    code = strict_program("aarch64", pid=PID)
    assert verdict(code, 45, arch=AARCH64) == EPERM, "truncate"
    assert [verdict(code, 129, pid, arch=AARCH64) for pid in (PID, OTHER)] == [ALLOW, EPERM]
    assert verdict(code, 56, 0, 0, os.O_TRUNC, arch=AARCH64) == EPERM
    assert verdict(code, 62, OTHER, arch=AARCH64) == ALLOW, "lseek, not kill"
