"""Which judge judges single answers: one that the service serves itself, or the one that the command line names."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fake_llama
import pytest
from browsing import browser
from commands import command
from exam_judges import PROMPTS, SUITE
from examples import judge_record, model_file
from fakes import Fault, Request, Response, ScriptedJudge, lenient, serving
from judging_service import FAST, JSON, KEY, OWN, grading, prompts
from starlette.testclient import TestClient

from judge.errors import UserError
from judge.pipeline import Machinery
from judge.places import Places
from judge.wanted import JudgeChoice
from judge.web.judging import Judging, judging_at
from runner.serve import ServeOptions
from runner.types import Serving

# --- a judge that is served here --------------------------------------------------------------------------------------


@contextmanager
def served(folder: Path, *, deaths: int) -> Iterator[tuple[TestClient, int]]:
    """A service that serves its judge itself, by a program in the place of a model server that dies so often; and its port."""
    (folder / "deaths").write_text(str(deaths))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve = ServeOptions(python=str(fake_llama.program(folder)), port=port)
    own = judge_record(endpoint=None, model=model_file(), serving=Serving(n_threads=1))
    judging = Judging(own, SUITE, PROMPTS, Machinery(folder=folder, serve=serve, retry=FAST))
    with browser(folder / "judge.db", judging=judging) as client:
        yield client, port


def test_a_judge_that_is_served_here_stays_loaded_between_requests_and_is_stopped_at_the_end(tmp_path: Path) -> None:
    with served(tmp_path, deaths=0) as (client, port):
        for _ in range(2):
            got = client.post("/api/v1/judge", json={**OWN, "judge": "j"}).json()
            assert (got["score"], got["judge"]) == (5.0, "j")
        assert [file.name for file in (tmp_path / "logs").iterdir()] == ["judge_j.log"], "it was started once"
        socket.create_connection(("127.0.0.1", port)).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_served_judge_that_dies_is_started_again_and_one_that_always_dies_is_no_score(tmp_path: Path) -> None:
    with served(tmp_path, deaths=4) as (client, _):
        statuses = [client.post("/api/v1/judge", json=OWN).status_code for _ in range(7)]
    assert statuses == [200] * 4 + [502, 502, 200], "three deaths are made good, and what was given up is started anew"


# --- as a user has it -------------------------------------------------------------------------------------------------


def test_judge_serve_judges_with_the_key_of_its_environment_and_gives_up_when_nobody_waits(tmp_path: Path) -> None:
    def handle(request: Request) -> Response:
        hangs = "wait for ever" in grading(request)
        return Response((Fault.HANG,)) if hangs else ScriptedJudge(lenient)(request)

    with serving(handle) as server:
        asked = command("serve", "--port", "0", "--judge-url", server.base_url, "--judge-model", "m")
        environ = {**os.environ, "JUDGE_API_KEY": KEY}
        with subprocess.Popen(asked, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True) as service:
            try:
                assert service.stderr is not None
                port = int(service.stderr.readline().partition("127.0.0.1:")[2].partition("/")[0])
                assert _posted(port, OWN)["score"] == 5.0
                assert server.asked()[-1].headers["authorization"] == f"Bearer {KEY}"
                with socket.create_connection(("127.0.0.1", port)) as impatient:
                    impatient.sendall(_raw({**OWN, "question": "wait for ever"}))
                    while not any("wait for ever" in text for text in prompts(server)):
                        time.sleep(0.01)
                assert server.hung_up.wait(30), "the judge does not go on for nobody"
                assert _posted(port, OWN)["score"] == 5.0
                service.send_signal(signal.SIGINT)
                assert service.wait(30) == 130
                assert KEY not in service.stderr.read()
            finally:
                service.kill()


def _posted(port: int, asked: dict[str, Any]) -> Any:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/judge", json.dumps(asked).encode(), JSON)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def _raw(asked: dict[str, Any]) -> bytes:
    body = json.dumps(asked).encode()
    head = f"POST /api/v1/judge HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


# --- by the options of the command line --------------------------------------------------------------------------------


def test_the_judge_is_the_one_that_judge_score_would_ask(tmp_path: Path) -> None:
    choice = JudgeChoice(urls=("http://127.0.0.1:1/v1",), model="big", mode="per_criterion")
    found = judging_at(Places(results=tmp_path), choice, 3)
    assert (found.judge.name, found.judge.mode, found.judge.prompt_hash) == ("big", "per_criterion", PROMPTS.hash)
    with pytest.raises(UserError, match="needs --judge-model"):
        judging_at(Places(results=tmp_path), JudgeChoice(urls=("http://127.0.0.1:1/v1",)), None)
