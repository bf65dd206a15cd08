"""Which processes run on this machine, and which of them serve a model."""

import time
from pathlib import Path


def servers(alias: str, cwd: Path) -> list[int]:
    """Return the processes that serve ``alias`` for a command that was started in ``cwd``."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            line = (process / "cmdline").read_bytes().split(b"\0")
            at = (process / "cwd").readlink()
        except OSError:
            continue
        if b"llama_cpp.server" in line and alias.encode() in line and at == cwd:
            found.append(int(process.name))
    return found


def gone(alias: str, cwd: Path) -> bool:
    """True once no server of that name is left; the kernel needs a moment."""
    deadline = time.monotonic() + 5
    while servers(alias, cwd) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not servers(alias, cwd)


def is_running(pid: int) -> bool:
    """True while a process runs; one that has ended and was not yet reaped by its parent, or by init, does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")
