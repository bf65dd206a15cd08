"""What the pipeline costs: `judge score` of stored answers at a mock endpoint, against a bare loop of the `openai` package.

python benchmarks/scoring.py [--answers 1000] [--in-flight 64] [--latency-ms 50] [--runs 3] [--json]
python benchmarks/scoring.py --sizes 1000,20000,100000

Every figure is the median over the runs; the two take turns, so that whatever else the machine does hits both. ``--sizes`` scores as
many stored answers as each number says, once, and prints what that takes: memory should not grow with them.
"""

import argparse
import atexit
import compileall
import functools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

from judge.importing import import_source
from judge.judge_prompts import load_judge_prompts
from judge.library import load_suite
from judge.machine import environment
from judge.places import Places
from judge.prompting import judge_messages, verdict_schema
from runner.dialects import Dialect, request_fields

HERE = Path(__file__).parent
MOST_SAMPLES = 1000
"""Answers of one model to one question that can be imported."""
ANSWER = '''Here is the function:

```python
def solve(value: int) -> int:
    """Return what was asked for, variant {number}."""
    if value < 0:
        raise ValueError("negative")
    result = {number}
    for step in range(1, value + 1):
        result = result * step + {number}
    return result
```

It is linear in `value`, and refuses negative numbers.'''


@dataclass(frozen=True)
class Cost:
    """What one process took."""

    wall_s: float
    cpu_s: float
    rss_mb: float
    """Largest resident memory, 10^6 bytes."""


# The kernel counts the memory of whoever starts a program as that program's own, so a small process starts what is measured.
_STARTER = """
import json, os, subprocess, sys, time
began_s = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=sys.stderr)
_, status, used = os.wait4(process.pid, 0)
wall_s = time.perf_counter() - began_s
process.returncode = code = os.waitstatus_to_exitcode(status)
print(json.dumps([code, wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6]))
"""


def measure(*command: str | Path, cwd: Path) -> Cost:
    """Run a command to its end. Raises SystemExit with its words when it fails."""
    line = [sys.executable, "-I", "-S", "-c", _STARTER, sys.executable, *map(str, command)]
    done = subprocess.run(line, cwd=cwd, env=clean(), capture_output=True, text=True, check=True)
    code, wall_s, cpu_s, rss_mb = json.loads(done.stdout)
    if code != 0:
        raise SystemExit(f"{command}: exit {code}\n{done.stderr[-2000:]}")
    return Cost(wall_s, cpu_s, rss_mb)


def clean() -> dict[str, str]:
    """Return the environment without settings of ours, with the checkout first on the path."""
    left_out = ("JUDGE_", "OPENAI_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**kept, "PYTHONPATH": str(HERE.parent)}


@functools.cache
def _all_places() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
    atexit.register(shutil.rmtree, folder)
    return folder


def place() -> Path:
    """Return a fresh folder. All are deleted at the end, because ext4 takes minutes to give the place of a deleted file away again,
    and what makes files in the meantime looks for one five times as long."""
    return Path(tempfile.mkdtemp(dir=_all_places()))


@contextmanager
def endpoint(latency_ms: float) -> Iterator[str]:
    """Serve the mock endpoint in a process of its own; gives its URL."""
    line = [sys.executable, HERE / "endpoint.py", "--latency-ms", str(latency_ms)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()


def store_answers(folder: Path, answers: int) -> None:
    """Make ``folder`` a place with that many stored answers."""
    ids = load_suite().ids
    with (folder / "answers.jsonl").open("w") as lines:
        for number in range(answers):
            nth, place = divmod(number, len(ids) * MOST_SAMPLES)
            one = {"model": f"benchmark{nth}", "question_id": ids[place % len(ids)], "sample": place // len(ids)}
            lines.write(json.dumps({**one, "answer": ANSWER.format(number=number)}) + "\n")
    import_source(Places(results=folder / "results"), folder / "answers.jsonl", ("judge", "import", "answers.jsonl"))


def request() -> dict[str, object]:
    """Return the body of the request that our judge sends about an answer."""
    suite = load_suite()
    question, text = suite.questions[0], ANSWER.format(number=1)
    templates = load_judge_prompts().templates
    messages = judge_messages(templates, question, question.criteria, suite.scale, text, nonce="0" * 16)
    fields = request_fields(Dialect.JSON_SCHEMA, verdict_schema(question.criteria))
    return {"model": "mock", "messages": messages, "temperature": 0, "max_tokens": 4096, "seed": 1, **fields}


def score_line(url: str, in_flight: int, *before: str | Path) -> list[str]:
    """Return the command line of a scoring; ``before`` are options that stand before the command."""
    named = ["--judge-url", url, "--judge-model", "mock", "--judge-family", "none", "--no-exam"]
    return ["-m", "judge.cli", *map(str, before), "score", "latest", *named, "--max-concurrency", str(in_flight)]


def scored(url: str, answers: int, in_flight: int, *before: str | Path) -> Cost:
    """Score that many stored answers in a fresh store."""
    folder = place()
    store_answers(folder, answers)
    return measure(*score_line(url, in_flight, *before), cwd=folder)


def bare(url: str, requests: int, in_flight: int) -> Cost:
    """Send as many requests with the client library alone."""
    folder = place()
    (folder / "request.json").write_text(json.dumps(request()))
    line = [HERE / "bare_loop.py", url, "request.json", "--requests", str(requests), "--in-flight", str(in_flight)]
    return measure(*line, cwd=folder)


# --- requests in flight ---------------------------------------------------------------------------------------------


def in_flight_share(url: str, answers: int, in_flight: int) -> float:
    """Score with a log, and return the share of the scoring window in which as many requests were open as are allowed."""
    log = place() / "log.jsonl"
    scored(url, answers, in_flight, "--log-file", log)
    records = [json.loads(line) for line in log.read_text().splitlines()]
    kinds = {"request": 1, "reply": -1, "failed": -1}
    changes = [(r["monotonic_s"], kinds[r["event"]]) for r in records if r["unit"] and r["event"] in kinds]
    return full_share(sorted(changes), in_flight)


def full_share(changes: list[tuple[float, int]], limit: int) -> float:
    """Return the share of time at ``limit``, from the first request to the last one: after it there is nothing left to send.

    ``changes`` are times, ascending, with 1 for a request and -1 for its end. The gap between a reply and the request that takes
    its place counts as not full.
    """
    last_s = max(at_s for at_s, by in changes if by > 0)
    open_now, since_s, full_s = 0, changes[0][0], 0.0
    for at_s, by in changes:
        if at_s > last_s:
            break
        full_s += at_s - since_s if open_now >= limit else 0.0
        open_now, since_s = open_now + by, at_s
    return full_s / (last_s - changes[0][0]) if last_s > changes[0][0] else 1.0


# --- memory ---------------------------------------------------------------------------------------------------------


def by_size(sizes: list[int], in_flight: int, latency_ms: float) -> dict[int, Cost]:
    """Score each number of stored answers once."""
    with endpoint(latency_ms) as url:
        return {answers: scored(url, answers, in_flight) for answers in sizes}


def size_table(found: dict[int, Cost]) -> str:
    """Return what each size took as a Markdown table."""
    lines = ["| answers | wall s | CPU s | CPU ms a judgement | RSS MB |", "|---|---|---|---|---|"]
    for answers, cost in found.items():
        each_ms = 1000 * cost.cpu_s / answers
        lines.append(f"| {answers} | {cost.wall_s:.1f} | {cost.cpu_s:.1f} | {each_ms:.2f} | {cost.rss_mb:.0f} |")
    return "\n".join(lines)


# --- the table ------------------------------------------------------------------------------------------------------


def median(costs: list[Cost]) -> Cost:
    """Return the median of every figure."""
    return Cost(*(statistics.median(column) for column in zip(*map(astuple, costs), strict=True)))


def figures(answers: int, in_flight: int, latency_ms: float, runs: int) -> dict[str, float]:
    """Measure everything; the names say the units."""
    ours, theirs, our_one, their_one = [], [], [], []
    with endpoint(latency_ms) as url:
        for _ in range(runs):
            theirs.append(bare(url, answers, in_flight))
            ours.append(scored(url, answers, in_flight))
            their_one.append(bare(url, 1, 1))
            our_one.append(scored(url, 1, 1))
        share = in_flight_share(url, answers, in_flight)
    our, their = median(ours), median(theirs)
    return {
        **{f"score_{name}": value for name, value in asdict(our).items()},
        **{f"bare_{name}": value for name, value in asdict(their).items()},
        "score_one_wall_s": median(our_one).wall_s,
        "bare_one_wall_s": median(their_one).wall_s,
        "score_cpu_ms_each": 1000 * our.cpu_s / answers,
        "times_bare_wall": our.wall_s / their.wall_s,
        "in_flight_share": share,
    }


def table(found: dict[str, float]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| | wall s | CPU s | RSS MB | one item, wall s |", "|---|---|---|---|---|"]
    for name, start in (("`judge score`", "score"), ("bare loop, `openai`", "bare")):
        cells = [found[f"{start}_{column}"] for column in ("wall_s", "cpu_s", "rss_mb", "one_wall_s")]
        lines.append(f"| {name} | " + " | ".join(f"{cell:.2f}" for cell in cells) + " |")
    return "\n".join(lines)


def machine() -> str:
    """Return processor, cores and how busy they were with other things."""
    known = environment()
    return (
        f"{known['processor']}, {known['cores']} cores, Python {known['python']}, load {os.getloadavg()[0]:.1f} before"
    )


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=1000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sizes", type=lambda text: [int(size) for size in text.split(",")], help="such as 1000,20000")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    where = machine()
    for package in ("judge", "runner"):  # as they are where they are installed, whatever ran in this checkout before
        compileall.compile_dir(HERE.parent / package, quiet=1)
    if asked.sizes:
        sized = by_size(asked.sizes, asked.in_flight, asked.latency_ms)
        print(
            json.dumps({size: asdict(cost) for size, cost in sized.items()}, indent=2)
            if asked.json
            else size_table(sized)
        )
        return
    found = figures(asked.answers, asked.in_flight, asked.latency_ms, asked.runs)
    if asked.json:
        print(json.dumps({"machine": where, **found}, indent=2))
        return
    print(
        f"{asked.answers} answers, {asked.latency_ms:g} ms latency, {asked.in_flight} in flight, medians of {asked.runs}; {where}\n"
    )
    print(table(found))
    print(
        f"\n{found['times_bare_wall']:.2f} times the wall time of the bare loop, {found['score_cpu_ms_each']:.2f} ms CPU a judgement, "
        f"requests at the limit for {found['in_flight_share']:.0%} of the window"
    )


if __name__ == "__main__":
    main()
