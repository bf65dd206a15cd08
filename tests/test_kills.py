"""``kill -9`` at random moments, at servers full of faults: what was stored is never asked for again, the next command owes the rest,
and no server stays.

``pytest tests/test_kills.py --kills 200 -rP`` takes minutes and says how many kills there were; the suite makes a few.
"""

import collections
import dataclasses
import itertools
import json
import os
import random
import sqlite3
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

from exam_judges import gradings
from fakes import Fault, Request, Response, ScriptedJudge, lenient, serving
from faulty_llama import FAULTS, GOOD, ON_THE_WIRE, Faulty
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
KILLS_AT_ONCE = 10
"""So many kills are worth another process that has imported everything; there are never more of them than cores."""
PATIENCE_S = 2.0
"""Longer than any reply takes that is meant to come, on a machine that does much else."""
DONE, INCOMPLETE = 0, 3
MOST_ROUNDS = 30
"""Commands after the last kill, each of which leaves owed what met a fault that is not tried again."""


class Quota:
    """Kills that are left to be made, for several stores at once."""

    def __init__(self, kills: int) -> None:
        self._left = kills
        self._lock = threading.Lock()
        self._stories = itertools.count()

    def next_story(self) -> int | None:
        """Return the number of the next store; ``None`` when all kills were made or are being made."""
        with self._lock:
            return next(self._stories) if self._left > 0 else None

    def take(self) -> bool:
        """Take one kill; False when none is left."""
        with self._lock:
            self._left -= 1
            is_left = self._left >= 0
            self._left = max(0, self._left)
            return is_left

    def give_back(self) -> None:
        """The command ended before it was killed."""
        with self._lock:
            self._left += 1


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
        self.commands = 0
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

    def play(self, dice: random.Random, quota: Quota) -> None:
        """Kill the command at random moments, as often as there is a kill left or until nothing is owed, and let it finish."""
        while quota.take():
            code = self._run_until(dice)
            if code == KILLED:
                self.kills += 1
                continue
            quota.give_back()
            if code == DONE:
                break
        for _ in range(MOST_ROUNDS):
            if self._run() == DONE:
                return
        raise AssertionError(f"still incomplete: {self._cli.said}")

    def stored(self) -> set[Unit]:
        """Return all units that are stored."""
        return stored(self._folder / "results" / "judge.db")

    def _start(self) -> None:
        self.commands += 1
        self._asked_before = len(self.asked)
        self._cli.start(*self._command, cwd=self._folder, patience_s=PATIENCE_S)

    def _run(self) -> int:
        """Run the command to its end."""
        before = self.stored()
        self._start()
        code = self._cli.wait()
        self._check(code, before)
        return code

    def _run_until(self, dice: random.Random) -> int:
        """Run until some request, most often an early one, and a moment longer, and kill it; return how it ended."""
        requests = int(self._requests * dice.random() ** 4)
        longer_s = dice.uniform(0, 0.05 if requests else 0.5)
        before = self.stored()
        self._start()
        self._cli.wait_until(lambda: self._number_asked() - self._asked_before >= requests)
        ends_s = time.monotonic() + longer_s
        self._cli.wait_until(lambda: time.monotonic() > ends_s)
        code = self._cli.kill()
        self._settle()
        self._check(code, before)
        return code

    def _number_asked(self) -> int:
        """Return how many requests counted so far; asked a thousand times a second."""
        file = self._folder / "asked"
        return file.read_bytes().count(b"\n") if file.exists() else 0

    def _check(self, code: int, before: set[Unit]) -> None:
        """What was stored at the start was not asked for, nothing was answered twice, and no answer that arrived was lost."""
        assert code in (DONE, INCOMPLETE, KILLED), self._cli.said
        asked, after = self.asked[self._asked_before :], self.stored()
        assert before <= after
        assert not {line[:2] for line in asked} & before
        answered = collections.Counter(line[:2] for line in asked if line.outcome in GOOD)
        assert set(answered.values()) <= {1}
        lost = set(answered) - after
        assert len(lost) <= (2 * self._in_flight if code == KILLED else 0), "what was in flight or just arriving"


Play = Callable[[WarmCli, Path, random.Random, Quota], Story]
"""Plays one story in a folder."""


def play_all(env: dict[str, str], folder: Path, kills: int, play: Play) -> list[Story]:
    """Play stories until there were ``kills`` kills, several at once; the dice of each are seeded by its number."""
    quota = Quota(kills)

    def plays(_worker: int) -> list[Story]:
        found = []
        with warm_cli(env) as cli:
            while (number := quota.next_story()) is not None:
                found.append(play(cli, folder / str(number), random.Random(f"{SEED} {number}"), quota))
        return found

    workers = max(1, min(os.cpu_count() or 1, kills // KILLS_AT_ONCE))
    with ThreadPoolExecutor(workers) as pool:
        return [story for stories in pool.map(plays, range(workers)) for story in stories]


def kills_of_runs(kills: int) -> int:
    """Return how many of all kills are for ``judge run``."""
    return kills * RUNS_OF_TEN // 10


def killed(stories: Sequence[Story]) -> int:
    """Return how often a command was killed."""
    return sum(story.kills for story in stories)


def outcomes(stories: Sequence[Story]) -> collections.Counter[str]:
    """Return how often each fault was met, and how often none."""
    return collections.Counter(line.outcome for story in stories for line in story.asked)


def tell(command: str, stories: Sequence[Story]) -> None:
    """Say what was done; ``pytest -rP`` shows it."""
    found, commands = outcomes(stories), sum(story.commands for story in stories)
    said = ", ".join(f"{name} {count}" for name, count in sorted(found.items()))
    told = f"{killed(stories)} kills of {commands} commands in {len(stories)} stores, {found.total()} requests: {said}"
    sys.stdout.write(f"{command}: {told}\n")


def scoring_story(cli: WarmCli, folder: Path, dice: random.Random, quota: Quota) -> Story:
    """Have imported answers scored at an endpoint."""
    marks = imported(cli, folder)
    with serving(Faulty(folder / "asked")) as server:

        def settle(url: str = f"{server.base_url}/models") -> None:
            urllib.request.urlopen(url).close()  # answered after all that came before

        story = Story(cli, folder, score_command(server), settle, requests=ANSWERS, in_flight=IN_FLIGHT)
        story.play(dice, quota)
    assert story.stored() == {(phase, mark) for phase in ("answer", "judgement") for mark in marks}
    return story


def test_a_scoring_that_is_killed_again_and_again_stores_every_score_once_and_asks_for_none_twice(
    cli_environment: dict[str, str], tmp_path: Path, kills: int
) -> None:
    wanted = kills - kills_of_runs(kills)
    stories = play_all(cli_environment, tmp_path, wanted, scoring_story)
    tell("judge score", stories)
    assert killed(stories) == wanted
    assert {line.outcome for story in stories for line in story.asked} == {*FAULTS, "ok"}


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


def test_a_run_is_known_to_be_at_work_before_it_can_be_listed(cli: WarmCli, tmp_path: Path) -> None:
    """Killed between the two, it would be listed as running for ever."""
    imported(cli, tmp_path, 1)
    at_work = tmp_path / "results" / "judge.db-running"
    with serving(silent) as slow, closing(sqlite3.connect(tmp_path / "results" / "judge.db")) as other:
        other.execute("BEGIN IMMEDIATE")  # nothing can be stored until this is over
        cli.start(*score_command(slow), cwd=tmp_path)
        cli.wait_until(lambda: at_work.is_dir() and any(at_work.iterdir()), at_most_s=20)
        assert cli.kill() == KILLED
        (run_id,) = (lock.name for lock in at_work.iterdir())
        assert other.execute("SELECT count(*) FROM runs WHERE id = ?", (run_id,)).fetchone() == (0,)


def run_story(demo: DemoModels, cli: WarmCli, folder: Path, dice: random.Random, quota: Quota) -> Story:
    """Serve a candidate and a judge, ask, execute and score."""
    folder.mkdir()
    units, settle = len(QUESTIONS) * SAMPLES, partial(all_gone, folder)
    story = Story(cli, folder, run_command(demo), settle, requests=2 * units, in_flight=1)
    story.play(dice, quota)
    all_gone(folder)
    phases = collections.Counter(phase for phase, _ in story.stored())
    assert phases == dict.fromkeys(("answer", "evidence", "judgement"), units)
    return story


def test_a_run_that_is_killed_again_and_again_leaves_no_server_and_stores_every_unit_once(
    cli_environment: dict[str, str], demo: DemoModels, tmp_path: Path, kills: int
) -> None:
    wanted, servers = kills_of_runs(kills), steady_servers(tmp_path, "faulty_llama")
    stories = play_all({**cli_environment, **servers}, tmp_path, wanted, partial(run_story, demo))
    tell("judge run", stories)
    assert killed(stories) == wanted
    assert len(outcomes(stories).keys() & ON_THE_WIRE.keys()) >= 2, "its servers have faults, too"


def all_gone(folder: Path) -> None:
    """No server outlives its run."""
    assert gone("steady_moe", folder) and gone("demo_judge", folder)
