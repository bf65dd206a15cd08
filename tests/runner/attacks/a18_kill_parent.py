"""Kill the service, its other processes, and everything else; or make their lives short and hard."""

import ctypes
import fcntl
import os
import resource
import signal

F_SETSIG = 10


def signal_by_the_kernel(process):
    """Have the kernel send a signal whenever a pipe has something to read."""
    reading, writing = os.pipe()
    fcntl.fcntl(reading, fcntl.F_SETOWN, process)
    fcntl.fcntl(reading, F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC)
    os.write(writing, b"x")


def queue(process):
    if ctypes.CDLL(None, use_errno=True).sigqueue(process, int(signal.SIGKILL), None) != 0:
        raise OSError


HARMS = {
    "signal by the kernel": signal_by_the_kernel,
    "queued signal": queue,
    "limit": lambda process: resource.prlimit(process, resource.RLIMIT_CPU, (1, 1)),
    "priority": lambda process: os.setpriority(os.PRIO_PROCESS, process, 19),
    "processor": lambda process: os.sched_setaffinity(process, {0}),
    "scheduling": lambda process: os.sched_setscheduler(process, os.SCHED_IDLE, os.sched_param(0)),
}


def succeeds(harm, process):
    try:
        harm(process)
    except OSError:
        return False
    return True


def attack(world):
    killed = []
    for process in (world["service_pid"], world["victim_pid"], os.getppid(), 1, -1):
        for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
            if process == -1 and number != signal.SIGTERM:
                continue
            try:
                if process == -1:
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                os.kill(process, number)
            except OSError:
                continue
    for process in (world["service_pid"], world["victim_pid"]):
        killed += [f"{name} of process {process}" for name, harm in HARMS.items() if succeeds(harm, process)]
    for process in (world["service_pid"], world["victim_pid"]):
        try:
            signal.pidfd_send_signal(os.pidfd_open(process), signal.SIGKILL)
            killed.append(f"process {process}")
        except OSError:
            continue
    return killed
