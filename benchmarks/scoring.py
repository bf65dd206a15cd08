"""What the pipeline costs: `judge score` of stored answers at a mock endpoint, against a bare loop of the `openai` package.

python benchmarks/scoring.py [--answers 1000] [--in-flight 64] [--latency-ms 50] [--runs 3] [--json]

Every figure is the median over the runs; the two take turns, so that whatever else the machine does hits both.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from judge.library import load_judge_prompts, load_suite
from judge.prompting import judge_messages, verdict_schema
from runner.dialects import Dialect, request_fields

HERE = Path(__file__).parent
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


def measure(*command: str | Path, cwd: Path) -> Cost:
    """Run a command to its end. Raises SystemExit with its words when it fails."""
    with tempfile.TemporaryFile("w+") as said:
        began_s = time.perf_counter()
        process = subprocess.Popen([sys.executable, *map(str, command)], cwd=cwd, env=clean(), stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began_s
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            raise SystemExit(f"{command}: exit {process.returncode}\n{said.read()[-2000:]}")
    return Cost(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def clean() -> dict[str, str]:
    """Return the environment without settings of ours, with the checkout first on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUDGE_", "OPENAI_"))}
    return {**kept, "PYTHONPATH": str(HERE.parent)}


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
            one = {"model": "benchmark", "question_id": ids[number % len(ids)], "sample": number // len(ids)}
            lines.write(json.dumps({**one, "answer": ANSWER.format(number=number)}) + "\n")
    measure("-m", "judge.cli", "import", "answers.jsonl", cwd=folder)


def request() -> dict[str, object]:
    """Return the body of the request that our judge sends about an answer."""
    suite = load_suite()
    question, text = suite.questions[0], ANSWER.format(number=1)
    templates = load_judge_prompts().templates
    messages = judge_messages(templates, question, question.criteria, suite.scale, text, nonce="0" * 16)
    fields = request_fields(Dialect.JSON_SCHEMA, verdict_schema(question.criteria))
    return {"model": "mock", "messages": messages, "temperature": 0, "max_tokens": 4096, "seed": 1, **fields}


def score_line(url: str, in_flight: int, *more: str) -> list[str]:
    """Return the command line of a scoring."""
    named = ["--judge-url", url, "--judge-model", "mock", "--judge-family", "none"]
    return ["-m", "judge.cli", "score", "latest", *named, "--max-concurrency", str(in_flight), *more]


def scored(url: str, answers: int, in_flight: int, *more: str) -> Cost:
    """Score that many stored answers in a fresh store."""
    with tempfile.TemporaryDirectory() as folder:
        store_answers(Path(folder), answers)
        return measure(*score_line(url, in_flight, *more), cwd=Path(folder))


def bare(url: str, requests: int, in_flight: int) -> Cost:
    """Send as many requests with the client library alone."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "request.json").write_text(json.dumps(request()))
        line = [HERE / "bare_loop.py", url, "request.json", "--requests", str(requests), "--in-flight", str(in_flight)]
        return measure(*line, cwd=Path(folder))


def in_flight_share(url: str, answers: int, in_flight: int) -> float:
    """Return the share of the scoring window in which as many requests were open as are allowed.

    The window ends when the last request is sent: from then on there is nothing left to send.
    """
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / "log.jsonl"
        scored(url, answers, in_flight, "--log-file", str(log))
        records = [json.loads(line) for line in log.read_text().splitlines()]
    changes = [
        (r["monotonic_s"], {"request": 1, "reply": -1}[r["event"]])
        for r in records
        if r.get("event") in ("request", "reply") and r.get("unit")
    ]
    return full_share(sorted(changes), in_flight)


def full_share(changes: list[tuple[float, int]], limit: int) -> float:
    """Return the share of time at ``limit`` between the moment it is first reached and the last request."""
    last_s = max(at_s for at_s, by in changes if by > 0)
    open_now, since_s, full_s, first_s = 0, 0.0, 0.0, None
    for at_s, by in changes:
        if at_s > last_s:
            break
        full_s += at_s - since_s if open_now >= limit else 0.0
        open_now, since_s = open_now + by, at_s
        if open_now >= limit and first_s is None:
            first_s = at_s
    return full_s / (last_s - first_s) if first_s is not None and last_s > first_s else 0.0


def median(costs: list[Cost]) -> Cost:
    """Return the median of every figure."""
    return Cost(
        *(statistics.median(figures) for figures in zip(*(asdict(cost).values() for cost in costs), strict=True))
    )


def main(answers: int, in_flight: int, latency_ms: float, runs: int) -> dict[str, object]:
    """Return the figures."""
    ours, theirs, our_one, their_one = [], [], [], []
    with endpoint(latency_ms) as url:
        for _ in range(runs):
            theirs.append(bare(url, answers, in_flight))
            ours.append(scored(url, answers, in_flight))
            their_one.append(bare(url, 1, 1))
            our_one.append(scored(url, 1, 1))
    return {
        "judge score": asdict(median(ours)),
        "bare": asdict(median(theirs)),
        "one": asdict(median(our_one)),
        "bare one": asdict(median(their_one)),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=1000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    parser.add_argument("--runs", type=int, default=3)
    o = parser.parse_args()
    print(json.dumps(main(o.answers, o.in_flight, o.latency_ms, o.runs), indent=1))
