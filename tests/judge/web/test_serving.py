"""``judge serve`` as a user has it: where it listens, what it prints, and how it ends."""

import json
import signal
import subprocess
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from commands import command

from judge.errors import UserError
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


def test_a_port_that_is_taken_is_said_on_one_line() -> None:
    with listening("127.0.0.1", 0) as taken, pytest.raises(UserError, match="use another --port or --host"):
        listening("127.0.0.1", taken.getsockname()[1])
