"""A folder with a store, commands that work on it with ``steady_llama`` as the model, and what is stored in it."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import steady_llama
from fakes import FakeServer
from steady_llama import MARK, answer_text
from warm_cli import WarmCli

from runner.moe import DemoModels

ANSWERS, IN_FLIGHT = 40, 4
QUESTIONS, SAMPLES = ("C-T1-Q1", "C-T1-Q2", "C-T1-Q3"), 3

Unit = tuple[str, str]
"""answer, evidence or judgement, and the mark of the answer."""


def imported(cli: WarmCli, folder: Path, answers: int = ANSWERS) -> set[str]:
    """Import answers to be scored into a store of ``folder``, and return their marks."""
    folder.mkdir(exist_ok=True)
    marks = [f"mark-{sample:04x}-0" for sample in range(answers)]
    whose = {"model": "coder", "config": "baseline", "question_id": QUESTIONS[0]}
    rows = [{**whose, "answer": answer_text(mark), "sample": sample} for sample, mark in enumerate(marks)]
    (folder / "answers.jsonl").write_text("\n".join(map(json.dumps, rows)))
    cli.start("import", "answers.jsonl", cwd=folder)
    assert cli.wait() == 0, cli.said
    return set(marks)


def score_command(server: FakeServer, in_flight: int = IN_FLIGHT) -> Sequence[str | Path]:
    """Return what has the newest run scored at ``server``."""
    return ("score", "latest", "--judge-model", "m", "--judge-url", server.base_url, "-j", str(in_flight), "--no-exam")


def run_command(demo: DemoModels) -> Sequence[str | Path]:
    """Return what serves, asks, executes and scores, each unit once."""
    return (
        "run", "--model", demo.moe, "--name", "steady_moe", "--arch", "llama_moe", "--configs", "baseline",
        "--judge", "demo_judge", "--questions", ",".join(QUESTIONS), "--samples", str(SAMPLES), "--no-exam",
    )  # fmt: skip


def steady_servers(folder: Path, module: str = "steady_llama") -> dict[str, str]:
    """Return the environment in which ``python -m llama_cpp.server`` is ``module`` of these tests."""
    package = folder / "modules" / "llama_cpp"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "server.py").write_text(f"from {module} import main\nmain()\n")
    return {"PYTHONPATH": f"{package.parent}:{Path(steady_llama.__file__).parent}"}


def stored(store: Path) -> set[Unit]:
    """Return all units that are stored; one that is stored twice, and a broken file, fail the test."""
    if not store.exists():
        return set()
    with closing(sqlite3.connect(store)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if ("judgements",) not in db.execute("SELECT name FROM sqlite_master").fetchall():
            return set()  # killed before the tables were made
        marks = {unit: marked(doc) for unit, doc in db.execute("SELECT unit, doc FROM answers")}
        units = [("answer", mark) for mark in marks.values()]
        units += [("evidence", marks[unit]) for (unit,) in db.execute("SELECT answer_unit FROM evidence")]
        units += [("judgement", marks[unit]) for (unit,) in db.execute("SELECT answer_unit FROM judgements")]
    assert len(units) == len(set(units)), "every unit is stored once"
    return set(units)


def marked(document: str) -> str:
    """Return the mark in a stored answer."""
    found = MARK.search(document)
    assert found is not None
    return found[0]
