"""``kill -9`` at random moments: what was stored is never asked for again, the next command owes the rest, and no server stays.

``pytest tests/test_kills.py --kills 200`` takes minutes and says how many kills there were; the suite makes a few.
"""

import collections
import json
import random
import sqlite3
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import steady_llama
from fakes import serving
from processes import gone
from steady_llama import MARK, Line, Steady, answer_text, lines
from warm_cli import KILLED, WarmCli, warm_cli

from runner.moe import DemoModels

SEED = 5
ANSWERS, IN_FLIGHT = 40, 4
QUESTIONS, SAMPLES = ("C-T1-Q1", "C-T1-Q2", "C-T1-Q3"), 4
RUNS_OF_TEN = 2
"""Of ten kills so many meet ``judge run``, which starts servers, and the others ``judge score``."""


@pytest.fixture(scope="module")
def cli(cli_environment: dict[str, str]) -> Iterator[WarmCli]:
    with warm_cli(cli_environment) as warm:
        yield warm


class Story:
    """One store, and one command that is begun again after every kill until it has come to its end."""

    def __init__(
        self,
        cli: WarmCli,
        folder: Path,
        command: Sequence[str | Path],
        settle: Callable[[], None],
        *,
        wanted: int,
        in_flight: int,
    ) -> None:
        self.folder = folder
        self.kills = 0
        self._cli = cli
        self._command = command
        self._settle = settle
        """Returns when nothing that the killed process sent is still on its way to be written down."""
        self._wanted = wanted
        self._in_flight = in_flight
        self._asked_before = 0

    @property
    def asked(self) -> list[Line]:
        """Every request that counted, since the first start."""
        return lines(self.folder / "asked")

    def play(self, dice: random.Random, at_most: int) -> None:
        """Kill the command at ``at_most`` random moments, or fewer when it came to its end, and then let it finish."""
        while self.kills < at_most and self._is_killed(dice):
            self.kills += 1
        stored = self.stored()
        self._start()
        code, said = self._cli.wait(), (self.folder / "said").read_text()
        assert code == 0, said
        self._check_requests(stored)

    def stored(self) -> set[tuple[str, str]]:
        """Return (phase, mark) of all that is stored; what is stored twice, and a broken file, fail the test."""
        store = self.folder / "results" / "judge.db"
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

    def _start(self) -> None:
        self._asked_before = len(self.asked)
        self._cli.start(*self._command, cwd=self.folder, said=self.folder / "said")

    def _is_killed(self, dice: random.Random) -> bool:
        """Run until some request, most often an early one, and a moment longer; True when it was still running then."""
        requests = int(self._wanted * dice.random() ** 4)
        longer_s = dice.uniform(0, 0.05 if requests else 0.5)
        stored = self.stored()
        self._start()
        self._cli.wait_until(lambda: len(self.asked) - self._asked_before >= requests)
        ends_s = time.monotonic() + longer_s
        self._cli.wait_until(lambda: time.monotonic() > ends_s)
        killed = self._cli.kill() == KILLED
        self._settle()
        self._check_requests(stored)
        lost = {line[:2] for line in self.asked[self._asked_before :]} - self.stored()
        assert len(lost) <= 2 * self._in_flight, "no more is lost than was in flight or just arriving"
        return killed

    def _check_requests(self, stored: set[tuple[str, str]]) -> None:
        """What was stored at the start was not asked for, and nothing twice but after a fault."""
        asked = self.asked[self._asked_before :]
        assert not {line[:2] for line in asked} & stored
        faults = collections.Counter(line[:2] for line in asked if line.outcome != "ok")
        answered = collections.Counter(line[:2] for line in asked if line.outcome == "ok")
        assert set(answered.values()) <= {1}
        assert max(faults.values(), default=0) <= 3


def marked(document: str) -> str:
    """Return the mark in a stored answer."""
    found = MARK.search(document)
    assert found is not None
    return found[0]


def tell(record: Callable[[str, object], None], stories: Sequence[Story]) -> None:
    """Say in the test's report how often what was killed."""
    record("kills", sum(story.kills for story in stories))
    record("stories", len(stories))
    record("requests", sum(len(story.asked) for story in stories))


# --- judge score ------------------------------------------------------------------------------------------------------


def imported(cli: WarmCli, folder: Path) -> set[str]:
    """Import answers to be scored, and return their marks."""
    folder.mkdir()
    marks = [f"mark-{sample:04x}-0" for sample in range(ANSWERS)]
    whose = {"model": "coder", "config": "baseline", "question_id": QUESTIONS[0]}
    rows = [{**whose, "answer": answer_text(mark), "sample": sample} for sample, mark in enumerate(marks)]
    (folder / "answers.jsonl").write_text("\n".join(map(json.dumps, rows)))
    cli.start("import", "answers.jsonl", cwd=folder, said=folder / "said")
    assert cli.wait() == 0, (folder / "said").read_text()
    return set(marks)


def test_a_scoring_that_is_killed_again_and_again_stores_every_score_once_and_asks_for_none_twice(
    cli: WarmCli, tmp_path: Path, kills: int, record_property: Callable[[str, object], None]
) -> None:
    dice, stories = random.Random(SEED), list[Story]()
    while (left := kills - kills_of_runs(kills) - sum(story.kills for story in stories)) > 0:
        folder = tmp_path / str(len(stories))
        marks = imported(cli, folder)
        with serving(Steady(folder / "asked")) as server:

            def settle(url: str = f"{server.base_url}/models") -> None:
                urllib.request.urlopen(url).close()  # answered after all that came before

            command = (
                "score",
                "latest",
                "--judge-model",
                "m",
                "--judge-url",
                server.base_url,
                "-j",
                IN_FLIGHT,
                "--no-exam",
            )
            story = Story(cli, folder, command, settle, wanted=ANSWERS, in_flight=IN_FLIGHT)
            story.play(dice, left)
        assert story.stored() == {(phase, mark) for phase in ("answer", "judgement") for mark in marks}
        stories.append(story)
    tell(record_property, stories)


# --- judge run --------------------------------------------------------------------------------------------------------


@pytest.fixture
def steady_servers(tmp_path: Path) -> Path:
    """A folder of modules in which ``llama_cpp.server`` is the program of this test."""
    package = tmp_path / "modules" / "llama_cpp"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "server.py").write_text("from steady_llama import main\nmain()\n")
    return package.parent


def test_a_run_that_is_killed_again_and_again_leaves_no_server_and_stores_every_unit_once(
    cli_environment: dict[str, str],
    demo: DemoModels,
    steady_servers: Path,
    tmp_path: Path,
    kills: int,
    record_property: Callable[[str, object], None],
) -> None:
    dice, stories = random.Random(SEED), list[Story]()
    modules = {"PYTHONPATH": f"{steady_servers}:{Path(steady_llama.__file__).parent}"}
    with warm_cli({**cli_environment, **modules}) as cli:
        while (left := kills_of_runs(kills) - sum(story.kills for story in stories)) > 0:
            folder = tmp_path / str(len(stories))
            folder.mkdir()
            command = (
                "run", "--model", demo.moe, "--name", "killed_moe", "--arch", "llama_moe", "--configs", "baseline", "--judge",
                "demo_judge", "--questions", ",".join(QUESTIONS), "--samples", SAMPLES, "--no-exam",
            )  # fmt: skip
            wanted = len(QUESTIONS) * SAMPLES
            story = Story(cli, folder, command, partial(all_gone, folder), wanted=2 * wanted, in_flight=1)
            story.play(dice, left)
            all_gone(folder)
            stored = collections.Counter(phase for phase, _ in story.stored())
            assert stored == dict.fromkeys(("answer", "evidence", "judgement"), wanted)
            stories.append(story)
    tell(record_property, stories)


def kills_of_runs(kills: int) -> int:
    """Return how many of all kills are for ``judge run``."""
    return kills * RUNS_OF_TEN // 10


def all_gone(folder: Path) -> None:
    """No server outlives its run."""
    assert gone("killed_moe", folder) and gone("demo_judge", folder)
