"""``--budget-hours``: it ends between two units, what is left is owed to the next command, and where nothing is left it is not told."""

import dataclasses
import time
from pathlib import Path

from fakes import Request, Response, ScriptedJudge, lenient, serving
from steady_llama import MARK
from steady_place import Unit, imported, score_command, stored
from warm_cli import WarmCli

ANSWERS = 5
BUDGET_S = 3.0
OK, INCOMPLETE = 0, 3
TOLD = "hours is spent: nothing new is begun"


class Timekeeper:
    """A judge that lets the budget run out in the middle of one scoring, and remembers which it was asked for."""

    def __init__(self, slow_at: int) -> None:
        self.asked: list[Unit] = []
        self._slow_at = slow_at
        """Which scoring, from 1; 0: none."""

    def __call__(self, request: Request) -> Response:
        mark = MARK.search(str(request.body))
        response = ScriptedJudge(lenient)(request)
        if mark is None:  # a handshake
            return response
        self.asked.append(("judgement", mark[0]))
        is_slow = len(self.asked) == self._slow_at
        return dataclasses.replace(response, steps=(BUDGET_S + 0.1, *response.steps)) if is_slow else response


def scored(place: Path) -> set[Unit]:
    return {unit for unit in stored(place / "results" / "judge.db") if unit[0] == "judgement"}


def test_a_budget_ends_after_the_unit_that_was_begun_and_the_next_command_owes_exactly_the_rest(
    cli: WarmCli, tmp_path: Path
) -> None:
    marks = imported(cli, tmp_path / "place", ANSWERS)
    place, judge = tmp_path / "place", Timekeeper(slow_at=2)
    with serving(judge) as server:
        line = (*score_command(server, in_flight=1), "--budget-hours", str(BUDGET_S / 3600))
        cli.start(*line, cwd=place)
        assert cli.wait() == INCOMPLETE, cli.said
        kept = scored(place)
        assert cli.said.count(TOLD) == 1
        assert f"{ANSWERS - len(kept)} scorings are owed" in cli.said
        assert judge.asked == sorted(kept), "what was begun was finished and stored"
        assert len(kept) == 2, "and nothing was begun after it"

        judge.asked.clear()
        cli.start(*score_command(server, in_flight=1), cwd=place)
        assert cli.wait() == OK, cli.said
    everything = {("judgement", mark) for mark in marks}
    assert sorted(judge.asked) == sorted(everything - kept)
    assert scored(place) == everything


def test_nothing_is_begun_after_the_budget_that_was_prepared_before_it_was_spent(cli: WarmCli, tmp_path: Path) -> None:
    """Each scoring takes a second, and two go at a time: after 1.5 seconds two have ended and two are on their way."""
    imported(cli, tmp_path / "place", 12)
    came_s: list[float] = []

    def slowly(request: Request) -> Response:
        response = ScriptedJudge(lenient)(request)
        if MARK.search(str(request.body)) is None:  # a handshake
            return response
        came_s.append(time.monotonic())
        return dataclasses.replace(response, steps=(1.0, *response.steps))

    with serving(slowly) as server:
        line = (*score_command(server, in_flight=2), "--budget-hours", str(1.5 / 3600))
        cli.start(*line, cwd=tmp_path / "place")
        assert cli.wait() == INCOMPLETE, cli.said
    assert came_s[-1] - came_s[0] < 1.9
    assert len(scored(tmp_path / "place")) == len(came_s), "what was begun was finished and stored"


def test_a_budget_that_is_spent_when_everything_is_done_is_not_told(cli: WarmCli, tmp_path: Path) -> None:
    imported(cli, tmp_path / "place", ANSWERS)
    place, judge = tmp_path / "place", Timekeeper(slow_at=ANSWERS)
    with serving(judge) as server:
        for budget_s, asked in ((BUDGET_S, ANSWERS), (0.0, ANSWERS)):
            cli.start(*score_command(server, in_flight=1), "--budget-hours", str(budget_s / 3600), cwd=place)
            assert cli.wait() == OK, cli.said
            assert TOLD not in cli.said
            assert len(judge.asked) == asked, "the second time nothing is owed"


def test_a_budget_that_is_spent_when_only_the_exam_of_the_judge_is_left_is_told(cli: WarmCli, tmp_path: Path) -> None:
    imported(cli, tmp_path / "place", ANSWERS)
    place, judge = tmp_path / "place", Timekeeper(slow_at=0)
    with serving(judge) as server:
        line = score_command(server, in_flight=1)
        cli.start(*line, cwd=place)
        assert cli.wait() == OK, cli.said
        cli.start(*(word for word in line if word != "--no-exam"), "--budget-hours", "0", cwd=place)
        assert cli.wait() == INCOMPLETE, cli.said
        assert TOLD in cli.said
        assert "0 scorings and 1 exam are owed" in cli.said
        assert len(judge.asked) == ANSWERS
