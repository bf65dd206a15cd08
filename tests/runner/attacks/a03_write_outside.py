"""Write into the home folder, the temporary folder, the system and the interpreter."""

import os
import sys
from pathlib import Path


def attack(world):
    targets = [world["important_file"], f"{world['home']}/.bashrc", f"{world['home']}/new", "/tmp/escaped"]
    targets += ["/usr/lib/escaped", "/etc/cron.d/escaped", f"{os.path.dirname(os.__file__)}/sitecustomize.py"]
    targets += [f"/proc/1/root{world['important_file']}", "/run/inside/server.pyc", sys.executable, "/work/escaped"]
    targets += ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/1/oom_score_adj", "/dev/mem", "/dev/sda"]
    written = []
    for path in targets:
        try:
            with Path(path).open("ab") as file:
                file.write(b"escaped")
            written.append(path)
        except OSError:
            continue
    return written
