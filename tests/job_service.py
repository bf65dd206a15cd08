"""A service in a process of its own over a store with answers, and a judge on loopback that writes down what it was asked."""

import dataclasses
import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request as Ask
from urllib.request import urlopen

import pytest
from commands import command
from fakes import Fault, Request, Response, ScriptedJudge, error_response, lenient
from steady_llama import MARK, answer_text
from steady_place import stored

from judge.importing import import_source
from judge.job_record import Job
from judge.places import Places
from judge.records import RunRecord

KEY = "sk-0123456789-never-written"
PATIENCE_S = 90.0
Event = tuple[int | None, str, Any]
"""Id, kind and data of a server-sent event."""


def environment(**more: str) -> dict[str, str]:
    """The environment of a user who has set nothing but ``more``."""
    dropped = ("JUDGE_", "OPENAI_", "NO_COLOR", "CI")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)} | more


def imported(folder: Path, answers: int, model: str = "coder") -> RunRecord:
    """Store a run of so many answers of a model in the results of ``folder``; each has a mark of its own."""
    whose = {"model": model, "config": "baseline", "question_id": "C-T1-Q1"}
    rows = [{**whose, "answer": answer_text(f"mark-{n:04x}-0"), "sample": n} for n in range(answers)]
    (folder / "answers.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return import_source(places(folder), folder / "answers.jsonl", ("judge", "import"))[0]


def places(folder: Path) -> Places:
    """Where the service of ``folder`` keeps things."""
    return Places(results=folder / "results")


class Judge:
    """A lenient judge that quotes the key it is sent, takes its time, and hangs or refuses everybody when it is told to."""

    def __init__(self, latency_s: float = 0.0) -> None:
        self.latency_s = latency_s
        self.hangs = threading.Event()
        self.refuses = threading.Event()
        self.asked: Counter[str] = Counter()
        """Requests by the mark of the answer that they are about."""

    def __call__(self, request: Request) -> Response:
        reply = ScriptedJudge(lenient)(request)
        mark = MARK.search(str(request.body))
        if self.refuses.is_set():
            return error_response(401, f"no such key: {request.headers.get('authorization')}\nhere at {__file__}")
        if mark is None:
            return reply
        self.asked[mark[0]] += 1
        if self.hangs.is_set():
            return Response((Fault.HANG,), headerless=True)
        key = request.headers.get("authorization", "").encode()
        said = (step.replace(b"line 1", key) for step in reply.steps if isinstance(step, bytes))
        return dataclasses.replace(reply, steps=(self.latency_s, *said))


class Running:
    """A service that listens."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.address = address

    def get(self, path: str) -> Any:
        """Return the JSON at a path of the API, once it is computed."""
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            with urlopen(f"{self.address}/api/v1{path}", timeout=PATIENCE_S) as response:
                if response.status != HTTPStatus.ACCEPTED:
                    return json.load(response)
            time.sleep(0.1)
        raise AssertionError(f"{path} is being computed for {PATIENCE_S} s")

    def post(self, path: str, body: object = None) -> Any:
        """Send JSON to a path of the API, and return the reply."""
        data = b"" if body is None else json.dumps(body).encode()
        ask = Ask(f"{self.address}/api/v1{path}", data, {"Content-Type": "application/json"}, method="POST")
        with urlopen(ask, timeout=PATIENCE_S) as response:
            return json.load(response)

    def score(self, judge_url: str, run_id: str = "latest") -> str:
        """Ask for a scoring by the judge at an endpoint, one request at a time; return the id of the job."""
        wish = {"judges": [{"urls": [judge_url], "model": "m"}], "exam": None, "concurrency": 1}
        job: dict[str, str] = self.post(f"/runs/{run_id}/score", wish)
        return job["id"]

    def job(self, job_id: str) -> Job:
        """Return a job as it is now."""
        return Job.model_validate(self.get(f"/jobs/{job_id}"))

    def ended(self, job_id: str) -> Job:
        """Wait until a job has ended, and return it."""
        wait_until(lambda: not self.job(job_id).unfinished)
        return self.job(job_id)

    def events(self, job_id: str, last: int | None = None) -> Iterator[Event]:
        """Follow a job until its stream ends, as a browser would that has seen event ``last``."""
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        with urlopen(Ask(f"{self.address}/api/v1/jobs/{job_id}/events", headers=headers), timeout=PATIENCE_S) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines: list[str] = []
            for raw in stream:
                line = raw.decode().rstrip("\n")
                lines.append(line)
                if line == "":
                    if event := parsed(lines):
                        yield event
                    lines = []

    def refusal(self, path: str) -> int:
        """Send nothing to a path of the API that refuses it, and return the status."""
        with pytest.raises(HTTPError) as refused:
            self.post(path)
        with refused.value as reply:
            assert reply.headers["content-type"] == "application/problem+json"
            return reply.code

    def kill(self) -> None:
        """Kill -9, and wait."""
        self.process.kill()
        self.process.wait()


def parsed(lines: list[str]) -> Event | None:
    """Return the event of these lines; ``None`` for what carries no data."""
    fields: Mapping[str, str] = dict(line.split(": ", 1) for line in lines if line and not line.startswith(":"))
    if "data" not in fields:
        return None
    return int(fields["id"]) if "id" in fields else None, fields["event"], json.loads(fields["data"])


@contextmanager
def served(folder: Path, *judge_urls: str, env: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Serve ``folder`` for the length of the block, by a process of its own on a free port."""
    allowed = [part for url in judge_urls for part in ("--allow-judge-url", url)]
    line = command("serve", "--port", "0", *allowed)
    process = subprocess.Popen(
        line, cwd=folder, env=env or environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert said.startswith("serving "), said + process.stderr.read()
        running = Running(process, said.split()[1].rstrip("/"))
        running.get("/jobs")  # its worker is at work before another one is started
        yield running
    finally:
        process.kill()
        process.communicate()


def wait_until(happened: Callable[[], bool], at_most_s: float = PATIENCE_S) -> None:
    """Return once that has happened."""
    deadline_s = time.monotonic() + at_most_s
    while not happened():
        assert time.monotonic() < deadline_s, "it never happened"
        time.sleep(0.2)


def judged(folder: Path) -> set[str]:
    """Return the marks of the answers that have a judgement; one that is stored twice fails the test."""
    return {mark for kind, mark in stored(folder / "results" / "judge.db") if kind == "judgement"}
