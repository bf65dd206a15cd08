"""The machine that this runs on, as records name it."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

VERSIONED = ("coder-judge", "llama-cpp-python", "openai")


def cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environment() -> dict[str, str]:
    """Return versions and machine, for the record."""
    return {
        **{name: version(name) for name in VERSIONED},
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": str(cores()),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(errors="replace").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
