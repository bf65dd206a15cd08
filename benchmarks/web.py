"""What the service costs over a large store: every page and every route of the API, as a browser and a program ask for them.

python benchmarks/web.py [--answers 10000] [--repeats 5] [--store FOLDER] [--json]

The store is filled with ten judgements an answer, `judge report` is run on it, and `judge serve` in a process of its own is asked over
loopback: every address once right after the start (cold), then several times. Milliseconds are from request to last byte, and what
the process of the service computed meanwhile, other threads included. The report of a run is computed in a process of its own
while its page says so: how long that takes is a line of its own. Left out is what waits for a judge
(POST /api/v1/judge), and what is about one job.
"""

import argparse
import http.client
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from large_store import fill, queue_and_rate
from scoring import clean, machine, measure

from judge.plan import wanted_answers
from judge.records import RunRecord
from judge.review.desk import next_item, queues_of
from judge.store import Store
from judge.web.access import Access
from judge.web.application import application
from judge.web.rating import opaque
from judge.web.service import RATER, REVIEWED, Service

LIMIT_MS = 300.0
READY_S = 1800.0
"""Longest wait for a report."""
NOT_MEASURED = "{job_id}"
"""Routes of one job: it is one row, whatever else the store holds, and its stream of events has no end."""
MADE = {
    f"{prefix}/runs/{{run_id}}{kind}"
    for prefix, kinds in (("", ("", "/labels", "/cross", "/arms")), ("/api/v1", ("", "/cross", "/compare")))
    for kind in kinds
}
"""What is computed beside the requests."""


@dataclass(frozen=True)
class Ask:
    """One address, and the route that it belongs to."""

    route: str
    path: str
    form: tuple[tuple[str, str], ...] = ()
    """Of a form that is sent; empty: it is got."""
    body: str = ""
    """JSON that is sent; empty: none."""


@dataclass
class Cost:
    """What one address cost."""

    route: str
    cold_ms: float
    times_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    kilobytes: float = 0.0

    def figures(self) -> dict[str, float | str]:
        """Return the figures of the table."""
        return {
            "route": self.route,
            "cold_ms": self.cold_ms,
            "median_ms": statistics.median(self.times_ms),
            "worst_ms": max(self.times_ms),
            "cpu_ms": statistics.median(self.cpu_ms),
            "worst_cpu_ms": max(self.cpu_ms),
            "kilobytes": self.kilobytes,
        }


# --- what is asked ----------------------------------------------------------------------------------------------------


def asks(store: Store, run: RunRecord) -> list[Ask]:
    """Return every address: that of each page and of each route of the API, of the largest run."""
    units = [unit for record in run.arms for unit in wanted_answers(run, record)]
    one, other, late = units[0].key, units[len(run.question_ids)].key, units[len(units) * 9 // 10].key
    line = queues_of(run, store)
    item = next_item(line, "carl")
    assert item is not None and line.ratings, "nothing is queued, or nothing rated"
    places = {
        "run_id": run.id,
        "answer_id": one,
        "other_answer_id": other,
        "item_id": item.id,
        "rated_id": line.ratings[0].item,
        "rater": line.ratings[0].rater,
        "left_arm": run.arms[0].arm.fingerprint,
        "right_arm": run.arms[1].arm.fingerprint,
    }
    rating = json.dumps({"rater": "dora", "score": 4, "comment": "fine"})
    page = f"/runs/{quote(run.id)}/answers"
    extra = [
        Ask("/runs/{run_id}/answers, deep", f"{page}?after={late}&size=200"),
        Ask("/runs/{run_id}/answers, one arm", f"{page}?arm={run.arms[-1].arm.fingerprint}&state=length"),
        Ask("/api/v1/runs/{run_id}/answers, deep", f"/api/v1{page}?after={late}&size=200"),
        Ask("POST /review/items/{item_id}", f"/review/items/{item.id}", form=(("score", "4"), ("action", "rate"))),
        Ask("POST /api/v1/.../ratings", f"/api/v1/runs/{run.id}/review/items/{item.id}/ratings", body=rating),
    ]
    return [*(Ask(route, filled(route, places)) for route in sorted(routes(store))), *extra]


def routes(store: Store) -> set[str]:
    """Return the path of every route that is got."""
    app = application(Service(store, Access(host="127.0.0.1"))).app
    groups = [getattr(route, "original_router", None) for route in app.routes]  # type: ignore[attr-defined]
    found = [route for group in groups if group is not None for route in group.routes]
    return {route.path for route in found if "GET" in route.methods and NOT_MEASURED not in route.path}


ARMS = {"left": "left_arm", "right": "right_arm"}
NEEDED = {
    "/runs/{run_id}/compare": {"left": "answer_id", "right": "other_answer_id"},
    "/runs/{run_id}/arms": ARMS,
    "/api/v1/runs/{run_id}/compare": ARMS,
    "/api/v1/runs/{run_id}/ratings": {"rater": "rater"},
    "/api/v1/runs/{run_id}/review/next": {"rater": "rater"},
    "/api/v1/runs/{run_id}/review/progress": {"rater": "rater"},
    "/api/v1/runs/{run_id}/review/items/{item_id}/revealed": {"rater": "rater"},
}
"""Route -> what its query has to have."""


def filled(route: str, places: dict[str, str]) -> str:
    """Return an address of a route. Raises SystemExit for one that this benchmark does not know."""
    known = {**places, "item_id": places["rated_id"]} if route.startswith("/api") else places
    try:
        path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda name: quote(known[name[1]], safe=""), route)
    except KeyError as error:
        raise SystemExit(f"{route}: this benchmark does not know what to put for {error}") from error
    query = {name: known[value] for name, value in NEEDED.get(route, {}).items()}
    return path + (f"?{urlencode(query)}" if query else "")


# --- the service ------------------------------------------------------------------------------------------------------


class Visitor:
    """Somebody with a browser, and a look at what the process of the service computes."""

    def __init__(self, port: int, pid: int, cookies: dict[str, str]) -> None:
        self.pid = pid
        self.cookies = cookies
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_S)
        self._csrf = ""

    def ask(self, one: Ask) -> tuple[float, float, http.client.HTTPResponse, bytes]:
        """Return milliseconds, milliseconds of CPU, the reply and its body."""
        headers = {"Cookie": "; ".join(f"{name}={quote(value)}" for name, value in self.cookies.items())}
        if one.form:
            sent = urlencode({**dict(one.form), "csrf": self._csrf})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        else:
            sent = one.body
            headers["Content-Type"] = "application/json"
        before_s, began_s = cpu_s(self.pid), time.perf_counter()
        self._connection.request("POST" if sent else "GET", one.path, sent or None, headers)
        reply = self._connection.getresponse()
        body = reply.read()
        took_s = time.perf_counter() - began_s
        spent_s = cpu_s(self.pid) - before_s
        self._remember(reply, body)
        return 1000 * took_s, 1000 * spent_s, reply, body

    def _remember(self, reply: http.client.HTTPResponse, body: bytes) -> None:
        for line in reply.msg.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        if found := re.search(rb'name="csrf" value="([0-9a-f]+)"', body):
            self._csrf = found[1].decode()


def cpu_s(pid: int) -> float:
    """Return the seconds that all threads of a process have computed, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


@contextmanager
def service(folder: Path) -> Iterator[tuple[int, int, float]]:
    """Run `judge serve` on the store; gives port, process and the seconds until it listened."""
    line = [sys.executable, "-m", "judge.cli", "serve", "--port", "0"]
    began_s = time.perf_counter()
    with subprocess.Popen(line, cwd=folder, env=clean(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            place = process.stderr.readline()
            yield int(place.rpartition(":")[2].partition("/")[0]), process.pid, time.perf_counter() - began_s
        finally:
            process.terminate()


# --- figures ----------------------------------------------------------------------------------------------------------


def measured(folder: Path, run: RunRecord, todo: list[Ask], repeats: int) -> tuple[list[Cost], float]:
    """Return the cost of every address, and the seconds until the report of the run was ready."""
    with service(folder) as (port, pid, _):
        began_s = time.perf_counter()
        visitor = Visitor(port, pid, {RATER: "carl", REVIEWED: opaque(run)})
        costs = [Cost(one.route, checked(one, visitor)[0]) for one in todo]
        while any(visitor.ask(one)[2].status == 202 for one in todo if one.route in MADE):
            if time.perf_counter() - began_s > READY_S:
                raise SystemExit(f"the report of {run.id} was not ready after {READY_S:g} s")
            time.sleep(0.5)
        ready_s = time.perf_counter() - began_s
        for _ in range(repeats):
            for one, cost in zip(todo, costs, strict=True):
                took_ms, spent_ms, body = checked(one, visitor)
                cost.times_ms.append(took_ms)
                cost.cpu_ms.append(spent_ms)
                cost.kilobytes = len(body) / 1000
    return costs, ready_s


def checked(one: Ask, visitor: Visitor) -> tuple[float, float, bytes]:
    """Ask, and return the figures and the body. Raises SystemExit for a refusal."""
    took_ms, spent_ms, reply, body = visitor.ask(one)
    if reply.status >= 400:
        raise SystemExit(f"{one.path}: {reply.status} {body[:300]!r}")
    return took_ms, spent_ms, body


def table(costs: list[Cost]) -> str:
    """Return the figures as a Markdown table, the slowest first."""
    lines = [
        "| route | cold ms | median ms | worst ms | CPU ms | worst CPU ms | kB |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in sorted((cost.figures() for cost in costs), key=lambda row: -float(row["worst_ms"])):
        names = ("cold_ms", "median_ms", "worst_ms", "cpu_ms", "worst_cpu_ms", "kilobytes")
        lines.append(f"| `{one['route']}` | " + " | ".join(f"{one[name]:.0f}" for name in names) + " |")
    return "\n".join(lines)


def store_in(folder: Path, answers: int) -> tuple[Path, float]:
    """Return the store in a folder, and the seconds that filling it took; 0 when it was there."""
    path = folder / "results" / "judge.db"
    began_s = time.perf_counter()
    if path.exists():
        return path, 0.0
    store = Store.open(path)
    try:
        queue_and_rate(store, fill(store, answers)[-1])
    finally:
        store.close()
    return path, time.perf_counter() - began_s


def benchmark(folder: Path, answers: int, repeats: int) -> dict[str, object]:
    """Measure everything; the names say the units."""
    path, fill_s = store_in(folder, answers)
    report = measure("-m", "judge.cli", "report", "latest", cwd=folder)
    store = Store.open(path)
    try:
        run = store.run("latest")[0]
        todo = asks(store, run)
    finally:
        store.close()
    costs, ready_s = measured(folder, run, todo, repeats)
    return {
        "fill_s": fill_s,
        "report": asdict(report),
        "report_ready_s": ready_s,
        "store_mb": path.stat().st_size / 1e6,
        "routes": [cost.figures() for cost in costs],
        "over_limit": sorted(cost.route for cost in costs if max(cost.cold_ms, *cost.times_ms) > LIMIT_MS),
        "table": table(costs),
    }


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--store", type=Path, help="folder of a store to fill, or that was filled before")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    where = machine()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.store or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = benchmark(folder, asked.answers, asked.repeats)
    if asked.json:
        print(json.dumps({"machine": where, **{k: v for k, v in found.items() if k != "table"}}, indent=2))
        return
    report = found["report"]
    assert isinstance(report, dict)
    print(f"{asked.answers} answers, {10 * asked.answers} judgements, {found['store_mb']:.0f} MB; {where}\n")
    print(found["table"])
    over = ", ".join(found["over_limit"]) or "none"  # type: ignore[arg-type]
    print(f"\nover {LIMIT_MS:g} ms: {over}")
    print(f"the report of the largest run is ready {found['report_ready_s']:.1f} s after the start of the service")
    print(f"judge report: {report['wall_s']:.1f} s, {report['cpu_s']:.1f} s of CPU, {report['rss_mb']:.0f} MB")


if __name__ == "__main__":
    main()
