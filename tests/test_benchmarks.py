"""The benchmark of the pipeline runs, and its figures are figures; how fast this machine is just now is not asserted."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def full_share(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import scoring

    return scoring.full_share


def test_the_scoring_benchmark_measures_our_command_against_the_bare_loop() -> None:
    line = [
        sys.executable,
        FOLDER / "scoring.py",
        "--answers",
        "8",
        "--in-flight",
        "4",
        "--latency-ms",
        "20",
        "--runs",
        "1",
    ]
    done = subprocess.run([*map(str, line), "--json"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["machine"]
    assert found["times_bare_wall"] == pytest.approx(found["score_wall_s"] / found["bare_wall_s"])
    assert found["score_cpu_ms_each"] == pytest.approx(found["score_cpu_s"] * 1000 / 8)
    assert found["score_wall_s"] > 2 * 0.020, "two rounds of four"
    assert 20 < found["bare_rss_mb"] < found["score_rss_mb"] < 1000
    assert 0 < found["in_flight_share"] <= 1


def test_the_share_at_the_limit_leaves_out_the_gap_between_a_reply_and_the_next_request(full_share) -> None:
    changes = [(0.0, 1), (0.0, 1), (6.0, -1), (7.0, 1), (8.0, -1), (8.5, -1)]
    assert full_share(changes, 2) == pytest.approx(6 / 7)


def test_the_benchmark_of_the_service_asks_for_every_page_and_every_route(tmp_path: Path) -> None:
    line = [sys.executable, FOLDER / "web.py", "--answers", "20", "--repeats", "1", "--store", tmp_path, "--json"]
    done = subprocess.run([*map(str, line)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    routes = {one["route"]: one for one in found["routes"]}
    pages = {
        "/runs",
        "/runs/{run_id}",
        "/runs/{run_id}/arms",
        "/review/items/{item_id}",
        "/api/v1/runs/{run_id}/answers",
    }
    assert pages <= set(routes)
    assert routes["/runs/{run_id}"]["kilobytes"] > 50, "the report is there in the end"
    assert all(one["cpu_ms"] > 0 and one["median_ms"] <= one["worst_ms"] for one in routes.values())
    assert found["report_ready_s"] > 0 and found["report"]["rss_mb"] > 20
