"""``kill -9`` at random moments: what was stored is never asked for again, the next command owes the rest, and no server stays.

``pytest tests/test_kills.py --kills 200 -rP`` takes minutes and says how many kills there were; the suite makes a few.
"""

import collections
import dataclasses
import json
import random
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from exam_judges import gradings
from fakes import Fault, Request, Response, ScriptedJudge, lenient, serving
from processes import gone
from steady_llama import Line, Steady, lines
from steady_place import (
    ANSWERS,
    IN_FLIGHT,
    QUESTIONS,
    SAMPLES,
    Unit,
    imported,
    run_command,
    score_command,
    steady_servers,
    stored,
)
from warm_cli import KILLED, WarmCli, warm_cli

from runner.moe import DemoModels

SEED = 5
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
        requests: int,
        in_flight: int,
    ) -> None:
        self.kills = 0
        self._cli = cli
        self._folder = folder
        self._command = command
        self._settle = settle
        """Returns when nothing that the killed process sent is still on its way to be written down."""
        self._requests = requests
        self._in_flight = in_flight
        self._asked_before = 0

    @property
    def asked(self) -> list[Line]:
        """Every request that counted, since the first start."""
        return lines(self._folder / "asked")

    def play(self, dice: random.Random, at_most: int) -> None:
        """Kill the command at ``at_most`` random moments, or fewer when it came to its end, and then let it finish."""
        while self.kills < at_most and self._is_killed(dice):
            self.kills += 1
        before = self.stored()
        self._start()
        assert self._cli.wait() == 0, self._cli.said
        self._check_requests(before)

    def stored(self) -> set[Unit]:
        """Return all units that are stored."""
        return stored(self._folder / "results" / "judge.db")

    def _start(self) -> None:
        self._asked_before = len(self.asked)
        self._cli.start(*self._command, cwd=self._folder)

    def _is_killed(self, dice: random.Random) -> bool:
        """Run until some request, most often an early one, and a moment longer; True when it was still running then."""
        requests = int(self._requests * dice.random() ** 4)
        longer_s = dice.uniform(0, 0.05 if requests else 0.5)
        before = self.stored()
        self._start()
        self._cli.wait_until(lambda: len(self.asked) - self._asked_before >= requests)
        ends_s = time.monotonic() + longer_s
        self._cli.wait_until(lambda: time.monotonic() > ends_s)
        killed = self._cli.kill() == KILLED
        self._settle()
        self._check_requests(before)
        lost = {line[:2] for line in self.asked[self._asked_before :]} - self.stored()
        assert len(lost) <= 2 * self._in_flight, "no more is lost than was in flight or just arriving"
        return killed

    def _check_requests(self, before: set[Unit]) -> None:
        """What was stored at the start was not asked for, and nothing twice but after a fault."""
        asked = self.asked[self._asked_before :]
        assert not {line[:2] for line in asked} & before
        answered = collections.Counter(line[:2] for line in asked if line.outcome == "ok")
        assert set(answered.values()) <= {1}


def kills_of_runs(kills: int) -> int:
    """Return how many of all kills are for ``judge run``."""
    return kills * RUNS_OF_TEN // 10


def killed(stories: Sequence[Story]) -> int:
    """Return how often a command was killed."""
    return sum(story.kills for story in stories)


def tell(command: str, stories: Sequence[Story]) -> None:
    """Say what was done; ``pytest -rP`` shows it."""
    asked = sum(len(story.asked) for story in stories)
    sys.stdout.write(f"{command}: {killed(stories)} kills in {len(stories)} stores, {asked} requests\n")


def test_a_scoring_that_is_killed_again_and_again_stores_every_score_once_and_asks_for_none_twice(
    cli: WarmCli, tmp_path: Path, kills: int
) -> None:
    dice, stories = random.Random(SEED), list[Story]()
    while (left := kills - kills_of_runs(kills) - killed(stories)) > 0:
        folder = tmp_path / str(len(stories))
        marks = imported(cli, folder)
        with serving(Steady(folder / "asked")) as server:

            def settle(url: str = f"{server.base_url}/models") -> None:
                urllib.request.urlopen(url).close()  # answered after all that came before

            story = Story(cli, folder, score_command(server), settle, requests=ANSWERS, in_flight=IN_FLIGHT)
            story.play(dice, left)
        assert story.stored() == {(phase, mark) for phase in ("answer", "judgement") for mark in marks}
        stories.append(story)
    tell("judge score", stories)


def silent(request: Request) -> Response:
    """Never finishes a scoring."""
    response = ScriptedJudge(lenient)(request)
    is_scoring = "<<<ANSWER" in str(request.body)
    return dataclasses.replace(response, steps=(Fault.HANG,)) if is_scoring else response


def test_a_command_that_was_killed_is_listed_as_interrupted_and_one_at_work_as_running(
    cli: WarmCli, cli_environment: dict[str, str], tmp_path: Path
) -> None:
    def listed(by: WarmCli) -> list[str]:
        by.start("list", "--json", cwd=tmp_path)
        assert by.wait() == 0, by.said
        return [run["State"] for run in json.loads(by.said)]

    imported(cli, tmp_path, 4)
    with serving(silent) as slow, warm_cli(cli_environment) as other:
        cli.start(*score_command(slow), cwd=tmp_path)
        cli.wait_until(lambda: gradings(slow) > 0)
        assert listed(other) == ["running", "complete"]
        assert cli.kill() == KILLED
        assert listed(other) == ["interrupted", "complete"]
    with serving(Steady(tmp_path / "asked")) as server:
        cli.start(*score_command(server), cwd=tmp_path)
        assert cli.wait() == 0, cli.said
    assert listed(cli) == ["incomplete", "interrupted", "complete"], "all is scored, and nothing was executed"


def test_a_run_that_is_killed_again_and_again_leaves_no_server_and_stores_every_unit_once(
    cli_environment: dict[str, str], demo: DemoModels, tmp_path: Path, kills: int
) -> None:
    dice, stories, units = random.Random(SEED), list[Story](), len(QUESTIONS) * SAMPLES
    with warm_cli({**cli_environment, **steady_servers(tmp_path)}) as cli:
        while (left := kills_of_runs(kills) - killed(stories)) > 0:
            folder = tmp_path / str(len(stories))
            folder.mkdir()
            settle = partial(all_gone, folder)
            story = Story(cli, folder, run_command(demo), settle, requests=2 * units, in_flight=1)
            story.play(dice, left)
            all_gone(folder)
            phases = collections.Counter(phase for phase, _ in story.stored())
            assert phases == dict.fromkeys(("answer", "evidence", "judgement"), units)
            stories.append(story)
    tell("judge run", stories)


def all_gone(folder: Path) -> None:
    """No server outlives its run."""
    assert gone("steady_moe", folder) and gone("demo_judge", folder)
