"""How busy the machine is before something is timed on it.

llama.cpp waits for its slowest thread at every layer: with as many threads as cores, one other busy program makes it several times
slower, and nothing in its figures says why. Linux only (``/proc/stat``); elsewhere the load is unknown.
"""

import asyncio
from pathlib import Path

from runner.types import Value

SAMPLE_S = 0.3
SLACK_CORES = 0.25
"""What the system itself, a terminal and this program use is no other work."""
_STAT = Path("/proc/stat")
_IDLE_FIELDS = (3, 4)
"""Of the first line of ``/proc/stat`` (man 5 proc): idle and iowait. Time that the host took away (steal) is not free."""
_GUEST_FIELDS = 2
"""The last two fields are counted in the first two already."""


class CpuTimes(Value):
    """CPU time of the whole machine since it was started, in clock ticks."""

    busy: int
    total: int
    cores: int


class MachineLoad(Value):
    """CPU use of everything on the machine while the model server was idle."""

    busy_cores: float
    """0 to ``cores``, over ``SAMPLE_S``."""
    cores: int

    def warning(self, threads: int) -> str | None:
        """Say that ``threads`` busy threads have to share cores with other programs; ``None`` when there is room for them."""
        if threads + self.busy_cores <= self.cores + SLACK_CORES or self.busy_cores <= SLACK_CORES:
            return None
        return (
            f"the machine is busy: other programs use {self.busy_cores:.1f} of {self.cores} cores and {threads} are wanted; "
            "speeds will be too low, stop the others or serve with fewer threads"
        )


def read_cpu_times(stat: str) -> CpuTimes | None:
    """Return what ``/proc/stat`` says; ``None`` when it has another form."""
    lines = [line.split() for line in stat.splitlines() if line.startswith("cpu")]
    if not lines or not all(field.isdigit() for field in lines[0][1:]) or len(lines[0]) < 9:
        return None
    times = [int(field) for field in lines[0][1:]][: 10 - _GUEST_FIELDS]
    total = sum(times)
    return CpuTimes(busy=total - sum(times[field] for field in _IDLE_FIELDS), total=total, cores=len(lines) - 1)


def load_between(before: CpuTimes, after: CpuTimes) -> MachineLoad | None:
    """Return the load between two readings; ``None`` when no time passed."""
    total = after.total - before.total
    if total <= 0:
        return None
    return MachineLoad(busy_cores=(after.busy - before.busy) / total * after.cores, cores=after.cores)


async def machine_load(seconds: float = SAMPLE_S) -> MachineLoad | None:
    """Watch the machine for ``seconds`` while nothing of ours computes; ``None`` where that cannot be seen."""
    before = _now()
    await asyncio.sleep(seconds)
    after = _now()
    return load_between(before, after) if before and after else None


def _now() -> CpuTimes | None:
    try:
        return read_cpu_times(_STAT.read_text())
    except OSError:
        return None
