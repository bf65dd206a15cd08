"""A run that is killed leaves no server, loses what was in flight and nothing else, and goes on with the same command."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import command
from processes import gone, servers

from judge.pipeline import work_of
from judge.store import Store
from runner.moe import DemoModels

pytestmark = pytest.mark.real

PATIENCE_S = 120


def run_line(demo: DemoModels, name: str) -> list[str]:
    return command(
        "run", "--model", demo.moe, "--name", name, "--arch", "llama_moe", "--configs", "moe1", "--judge", "demo_judge",
        "--questions", "C-T1-Q1,C-T1-Q2,C-T1-Q3", "--max-tokens", "64", "--judge-max-tokens", "900", "--n-ctx", "2048",
        "--samples", "1", "--no-exam",
    )  # fmt: skip


def wait_for(process: subprocess.Popen[str], mark: str) -> str:
    """Read stderr until a line matches ``mark``, and return everything read."""
    assert process.stderr is not None
    read = ""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        line = process.stderr.readline()
        read += line
        if re.search(mark, line):
            return read
        if not line:
            break
    raise AssertionError(f"{mark!r} never came; stderr was:\n{read}")


def kill(process: subprocess.Popen[str]) -> None:
    """Kill -9, wait, and close the pipe; nothing is done to one that has ended."""
    if process.returncode is None:
        process.kill()
        process.communicate()


def _take_ctrl_c() -> None:
    """Undo what a shell does to the programs that it starts in the background: they ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def started(line: list[str], cwd: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A run, which is gone with the test, however that ends."""
    process = subprocess.Popen(
        line, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=_take_ctrl_c
    )
    try:
        yield process
    finally:
        kill(process)


def test_kill_9_while_collecting_and_again_while_scoring_loses_only_what_was_in_flight(
    demo: DemoModels, cli_environment: dict[str, str], tmp_path: Path
) -> None:
    line = run_line(demo, "killed_moe")
    with started(line, tmp_path, cli_environment) as collecting:
        wait_for(collecting, r"\[1/3\] killed_moe/moe1")
        assert servers("killed_moe", tmp_path)
    assert gone("killed_moe", tmp_path)

    with started(line, tmp_path, cli_environment) as scoring:
        seen = wait_for(scoring, r"\[1/3\] demo_judge on ")
    assert gone("demo_judge", tmp_path)
    answered = re.findall(r"\[\d/(\d)\] killed_moe/moe1", seen)
    assert answered and set(answered) <= {"1", "2"}, "what was stored is not asked again"

    last = subprocess.run(line, cwd=tmp_path, env=cli_environment, capture_output=True, text=True, timeout=300)
    assert last.returncode in (0, 3), last.stderr
    assert "loading killed_moe" not in last.stderr
    assert "[1/2] demo_judge on" in last.stderr or "[1/1] demo_judge on" in last.stderr
    store = Store.open(tmp_path / "results" / "judge.db")
    run, _ = store.run("latest")
    assert [len(work.owed) for work in work_of(run, store)] == [0]
    store.close()


def test_ctrl_c_stops_the_server_and_exits_with_130(
    demo: DemoModels, cli_environment: dict[str, str], tmp_path: Path
) -> None:
    with started(run_line(demo, "stopped_moe"), tmp_path, cli_environment) as process:
        wait_for(process, r"\[1/3\] stopped_moe/moe1")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "error: interrupted; go on with: judge run" in stderr
    assert gone("stopped_moe", tmp_path)


def test_a_server_that_is_killed_mid_run_is_started_again_and_every_answer_arrives_once(
    demo: DemoModels, cli_environment: dict[str, str], tmp_path: Path
) -> None:
    line = command(
        "collect", "--model", demo.moe, "--name", "dying_moe", "--arch", "llama_moe", "--configs", "moe1",
        "--questions", "C-T1-Q1,C-T1-Q2,C-T1-Q3", "--samples", "1", "--max-tokens", "64", "--n-ctx", "1024",
        "--threads", "1",
    )  # fmt: skip
    with started(line, tmp_path, cli_environment) as process:
        seen = wait_for(process, r"\[1/3\] dying_moe/moe1")
        os.kill(servers("dying_moe", tmp_path)[0], signal.SIGKILL)
        seen += process.communicate(timeout=PATIENCE_S)[1]
    assert process.returncode == 0, seen
    assert re.findall(r"\[(\d)/3\] dying_moe/moe1 \S+ (?:ok|length|empty|loop) ", seen) == ["1", "2", "3"]
    assert "dying_moe/moe1: started again, with the same proof, because the server ended with code -9" in seen
    store = Store.open(tmp_path / "results" / "judge.db")
    run, _ = store.run("latest")
    assert [len(work.owed) for work in work_of(run, store)] == [0]
    store.close()
    logs = sorted((tmp_path / "results" / run.id / "logs").glob("dying_moe_moe1*.log"))
    assert [log.name for log in logs] == ["dying_moe_moe1.log", "dying_moe_moe1.restart1.log"]
    asked = sum(log.read_text(errors="replace").count("POST /v1/chat/completions") for log in logs)
    assert asked <= 2 * 2 + 3 + 1, "two warm-ups a start, three answers, and the request that was in flight"
