"""Time of the executable checks: seconds for one right answer of each question, answers a second, and processor time of
an answer.

Processor time is all that the machine has done meanwhile, because what is killed with its sandbox appears in no account
of its parents: on a machine that does something else it means nothing.

python benchmarks/checks.py [--exam FOLDER] [--answers N]
"""

import argparse
import asyncio
import os
import statistics
import time
from pathlib import Path

from judge.checks.evidence import examine_all, examine_answer
from judge.checks.modules import load_checks
from judge.exam_answers import load_exam
from judge.library import load_suite
from judge.shipped import shipped
from judge.types import Question
from runner.isolation import Isolation, isolation

AT_ONCE = 2


async def main(exam: Path | None, answers: int) -> None:
    """Print one line a question."""
    found = await isolation()
    if found.level == "none":
        raise SystemExit(f"no isolation: {found.reason}")
    print(f"{'question':<10} {'median s':>9} {'answers/s':>10} {'CPU ms':>8}   ({AT_ONCE} at once)")
    for question in load_suite().questions:
        right = [a.text for a in load_exam(question, exam or shipped("rubrics") / "exam") if a.right]
        if right and load_checks(question) is not None:
            await measure(question, (right * answers)[:answers], found)


async def measure(question: Question, texts: list[str], found: Isolation) -> None:
    """Each answer by itself, then all of them together."""
    checks = load_checks(question)
    times_s = []
    for text in texts:
        started_s = time.perf_counter()
        await examine_answer(question, text, checks=checks, isolated=found)
        times_s.append(time.perf_counter() - started_s)
    started_s, busy_s = time.perf_counter(), machine_busy_s()
    await examine_all(question, texts, at_once=AT_ONCE, isolated=found)
    rate = len(texts) / (time.perf_counter() - started_s)
    cpu_ms = (machine_busy_s() - busy_s) / len(texts) * 1e3
    print(f"{question.id:<10} {statistics.median(times_s):>9.3f} {rate:>10.1f} {cpu_ms:>8.0f}", flush=True)


def machine_busy_s() -> float:
    """Return the seconds that all cores have worked so far, in user mode and in the kernel."""
    user, nice, system, _idle, _waiting, irq, softirq = Path("/proc/stat").read_text().split()[1:8]
    return sum(map(int, (user, nice, system, irq, softirq))) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exam", type=Path, help="folder of exam answers; default: the project's own")
    parser.add_argument("--answers", type=int, default=10, help="right answers of each question (default 10)")
    options = parser.parse_args()
    asyncio.run(main(options.exam, options.answers))
