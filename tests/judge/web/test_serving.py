"""``judge serve`` as a user has it: where it listens, what it prints, and how it ends."""

import json
import signal
import subprocess
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from commands import command
from examples import add_answers, run_record

from judge.errors import UserError
from judge.store import Store
from judge.web.serving import listening


def test_it_tells_address_and_token_once_answers_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    asked = command("serve", "--host", "0.0.0.0", "--port", "0")
    with subprocess.Popen(asked, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stderr is not None and service.stdout is not None
            place, token = service.stderr.readline(), service.stderr.readline().rpartition(": ")[2].strip()
            address = f"http://127.0.0.1:{place.partition('0.0.0.0:')[2].partition('/')[0]}/api/v1/runs"
            with pytest.raises(HTTPError, match="401"):
                urlopen(address, timeout=30)
            with urlopen(Request(address, headers={"Authorization": f"Bearer {token}"}), timeout=30) as response:
                assert json.load(response) == []
                assert "server" not in response.headers
            service.send_signal(signal.SIGINT)
            assert service.wait(30) == 130
            assert service.stderr.read() == "error: the service was stopped; everything that was rated is stored\n"
            assert service.stdout.read() == ""
        finally:
            service.kill()


def children(pid: int) -> set[int]:
    """Return the processes that a process started, and those that these started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    direct = {int(child) for task in tasks for child in task.read_text().split()}
    return direct.union(*map(children, direct))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_reports_are_computed_ahead_and_the_process_that_does_ends_with_the_service(tmp_path: Path, end: int) -> None:
    store = Store.open(tmp_path / "results" / "judge.db")
    add_answers(store, run_record(id="one"))
    store.set_run_state("one", "complete")
    store.close()
    asked = command("serve", "--port", "0")
    with subprocess.Popen(asked, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as service:
        try:
            assert service.stderr is not None
            service.stderr.readline()
            deadline_s = time.monotonic() + 60
            while not children(service.pid) and time.monotonic() < deadline_s:
                time.sleep(0.05)
            started = children(service.pid)
            assert started, "nobody asked, and it is computed all the same"
            service.send_signal(end)
            service.wait(30)
            deadline_s = time.monotonic() + 30
            while any(map(alive, started)) and time.monotonic() < deadline_s:
                time.sleep(0.05)
            assert not any(map(alive, started))
            if end == signal.SIGINT:
                assert service.stderr.read() == "error: the service was stopped; everything that was rated is stored\n"
        finally:
            service.kill()


def test_a_port_that_is_taken_is_said_on_one_line() -> None:
    with listening("127.0.0.1", 0) as taken, pytest.raises(UserError, match="use another --port or --host"):
        listening("127.0.0.1", taken.getsockname()[1])
