"""Make every system call that leads out of a sandbox or into the kernel."""

import ctypes
import os
import platform

NEW_USER, NEW_NET, NEW_NS = 0x10000000, 0x40000000, 0x20000
X86_64 = {
    "ptrace": (101, 0, 0, 0, 0),
    "unshare user": (272, NEW_USER),
    "unshare all": (272, NEW_USER | NEW_NET | NEW_NS),
    "clone into a new user namespace": (56, NEW_USER | 17, 0, 0, 0, 0),
    "mount": (165, b"none", b"/tmp", b"tmpfs", 0, 0),
    "pivot_root": (155, b"/", b"/"),
    "chroot": (161, b"/"),
    "setns": (308, 0, 0),
    "bpf": (321, 0, 0, 0),
    "io_uring_setup": (425, 1, ctypes.create_string_buffer(256)),
    "perf_event_open": (298, ctypes.create_string_buffer(256), 0, -1, -1, 0),
    "userfaultfd": (323, 0),
    "keyctl": (250, 0, -3, 1),
    "add_key": (248, b"user", b"a", b"b", 1, -2),
    "process_vm_readv": (310, 1, 0, 0, 0, 0, 0),
    "kcmp": (312, 1, 1, 0, 0, 0),
    "pidfd_getfd": (438, 0, 0, 0),
    "personality": (135, 0x0040000),
    "open_by_handle_at": (304, -100, 0, 0),
    "init_module": (175, 0, 0, 0),
    "kexec_load": (246, 0, 0, 0, 0),
    "reboot": (169, 0xFEE1DEAD, 672274793, 0, 0),
    "swapon": (167, b"/dev/zero", 0),
    "clock_settime": (227, 0, ctypes.create_string_buffer(16)),
    "sethostname": (170, b"x", 1),
    "syslog": (103, 10, 0, 0),
    "iopl": (172, 3),
    "memfd_secret": (447, 0),
    "fsopen": (430, b"tmpfs", 0),
    "open_tree": (428, -100, b"/", 1),
    "mq_open": (240, b"x", os.O_CREAT, 0o600, 0),
    "shmget": (29, 0, 4096, 0o1666),
}


def attack(world):
    libc = ctypes.CDLL(None, use_errno=True)
    calls = X86_64 if platform.machine() == "x86_64" else {}
    succeeded = [name for name, call in calls.items() if libc.syscall(*call) >= 0]
    succeeded += [name for name, call in {"setuid": os.setuid, "setgid": os.setgid}.items() if _becomes_root(call)]
    return succeeded


def _becomes_root(call):
    try:
        call(0)
    except OSError:
        return False
    return True
