"""Is there room for the threads of a model server? Other programs make it slower than its figures say."""

import asyncio
import sys

import pytest

from runner.machine_load import CpuTimes, MachineLoad, load_between, machine_load, read_cpu_times

STAT = """\
cpu  100 10 40 800 50 5 5 20 7 3
cpu0 50 5 20 400 25 3 2 10 7 3
cpu1 50 5 20 400 25 2 3 10 0 0
intr 1 2 3
"""


def test_time_that_is_neither_idle_nor_spent_waiting_for_a_disk_is_busy() -> None:
    assert read_cpu_times(STAT) == CpuTimes(busy=180, total=1030, cores=2)


@pytest.mark.parametrize("stat", ["", "intr 1", "cpu", "cpu a b c d e f g h", "cpu 1 2 3"])
def test_a_reading_of_another_form_says_nothing(stat: str) -> None:
    assert read_cpu_times(stat) is None


def test_the_load_is_the_busy_share_of_all_cores() -> None:
    before = CpuTimes(busy=1000, total=5000, cores=8)
    load = load_between(before, CpuTimes(busy=1300, total=5400, cores=8))
    assert load == MachineLoad(busy_cores=6.0, cores=8)
    assert load_between(before, before) is None


@pytest.mark.parametrize(
    ("busy", "threads", "warned"),
    [(0.2, 2, False), (1.0, 1, False), (1.0, 2, True), (0.4, 2, True), (2.0, 1, True), (0.2, 4, False), (0.3, 4, True)],
)
def test_a_warning_says_that_the_threads_have_no_cores_of_their_own(busy: float, threads: int, warned: bool) -> None:
    assert (MachineLoad(busy_cores=busy, cores=2).warning(threads) is not None) == warned


def test_the_warning_is_one_line_with_both_figures_and_what_to_do() -> None:
    assert MachineLoad(busy_cores=1.62, cores=2).warning(2) == (
        "the machine is busy: other programs use 1.6 of 2 cores and 2 are wanted; "
        "speeds will be too low, stop the others or serve with fewer threads"
    )


async def test_another_program_that_computes_is_seen() -> None:
    spin = await asyncio.create_subprocess_exec(sys.executable, "-S", "-c", "while True: pass")
    try:
        load = await machine_load(0.3)
    finally:
        spin.kill()
        await spin.wait()
    assert load is not None
    assert 0.5 < load.busy_cores <= load.cores
