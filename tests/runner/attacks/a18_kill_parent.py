"""Kill the service, its other processes, and everything else."""

import os
import signal


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
        try:
            signal.pidfd_send_signal(os.pidfd_open(process), signal.SIGKILL)
            killed.append(f"process {process}")
        except OSError:
            continue
    return killed
