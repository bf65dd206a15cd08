"""``judge review`` as a rater uses it."""

import io
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from reviews import SECRETS, add_code, add_evidence, add_judgements, review_run
from rich.console import Console
from typer.testing import CliRunner

from judge.cli import app
from judge.commands.review_dialogue import dialogue
from judge.commands.reviewing import AUDIT_SEED, review
from judge.errors import UserError
from judge.review.desk import make_queues, progress, queues_of, say
from judge.store import Store, utc_now

ROOT = Path(__file__).parents[3]
RUN = review_run()
Review = Callable[..., Any]


@pytest.fixture(scope="module")
def queued_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a scored run and its queues: made once, copied for each test."""
    path = tmp_path_factory.mktemp("scored") / "judge.db"
    opened = Store.open(path)
    add_code(opened, RUN)
    add_evidence(opened, RUN, fails=lambda unit: unit.sample == 1)
    add_judgements(opened, RUN, lambda judge, unit, c: 2 if (judge, unit.sample, c) == ("parasol", 0, "c1") else 4)
    make_queues(RUN, opened, per_arm=15, seed=AUDIT_SEED)
    opened.close()
    return path


@pytest.fixture
def path(queued_store: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(queued_store, tmp_path / "judge.db"))


@pytest.fixture
def judge_review(path: Path, monkeypatch: pytest.MonkeyPatch) -> Review:
    """Run ``judge review ARGS`` as Ann."""
    monkeypatch.setenv("JUDGE_RATER", "ann")

    def run(*args: str, ok: bool = True) -> Any:
        done = CliRunner().invoke(app, ["--store", str(path), "review", *args])
        assert (done.exit_code == 0) is ok, (done.output, done.exception)
        return done

    return run


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store.open(path)
    yield opened
    opened.close()


COMMANDS = [command.name or command.callback.__name__ for command in review.registered_commands if command.callback]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_the_readme_shows_it(judge_review: Review, name: str) -> None:
    assert "Usage" in judge_review(name, "--help").stdout
    readme = (ROOT / "README.md").read_text()
    assert f"judge review {name}" in readme or f"{name} ITEM" in readme or f"or {name}" in readme


def test_queue_tops_up_and_says_by_how_much(judge_review: Review) -> None:
    assert "audit: 32 of 80 units, 0 new" in judge_review("queue", "--per-model", "15").stdout
    more = json.loads(judge_review("queue", "run-77", "--json").stdout)
    assert (more["audit"], more["audit_added"], more["units"]) == (60, 28, 80)


def test_next_shows_a_sheet_and_no_name(judge_review: Review) -> None:
    for shown in (judge_review("next").output, judge_review("next", "--json").output):
        assert "def f(n: int)" in shown and "Criterion number" in shown
        assert not [name for name in SECRETS if name in shown]
    assert "checks passed" not in judge_review("next", "--no-evidence").stdout


def test_rate_stores_and_then_shows_what_the_judges_gave(judge_review: Review) -> None:
    sheet = json.loads(judge_review("next", "--json").stdout)
    shown = judge_review("rate", sheet["item"], "--score", f"{sheet['criterion']}=3", "--comment", "so so").stdout
    assert "You: 3" in shown and "umbrella: 4" in shown and "You and the judges so far" in shown
    assert json.loads(judge_review("next", "--json").stdout)["item"] != sheet["item"]
    history = [json.loads(line) for line in judge_review("export").stdout.splitlines()]
    assert (history[-1]["item"], history[-1]["score"], history[-1]["comment"]) == (sheet["item"], 3, "so so")


def test_cannot_assess_skip_and_undo_are_counted_by_status(judge_review: Review) -> None:
    def mine() -> dict[str, object]:
        found: list[dict[str, object]] = json.loads(judge_review("status", "--json").stdout)
        return found[0]

    before = mine()
    judge_review("skip", json.loads(judge_review("next", "--json").stdout)["item"])
    judge_review("rate", json.loads(judge_review("next", "--json").stdout)["item"], "--score", "cannot_assess")
    rated = mine()
    assert (rated["cannot_assess"], rated["skipped"]) == (1, 1)
    assert "taken back" in judge_review("undo").stdout
    assert mine() == {**before, "skipped": 1}


@pytest.mark.parametrize(
    ("score", "message"),
    [("6", "--score '6' is no score; use c"), ("beauty=4", "not 'beauty'; use --score c"), ("", "is no score")],
)
def test_a_score_that_is_none_is_refused(judge_review: Review, score: str, message: str) -> None:
    item = json.loads(judge_review("next", "--json").stdout)["item"]
    done = judge_review("rate", item, "--score", score, ok=False)
    assert isinstance(done.exception, UserError) and message in str(done.exception)


def test_who_rates_must_be_known(judge_review: Review, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JUDGE_RATER", "USER"):
        monkeypatch.delenv(name, raising=False)
    assert "use --rater NAME" in str(judge_review("next", ok=False).exception)
    assert "use at most 80" in str(judge_review("next", "--rater", "x" * 81, ok=False).exception)


def test_options_before_the_command_are_refused_and_not_passed_over(judge_review: Review) -> None:
    said = str(judge_review("--rater", "bob", "next", ok=False).exception)
    assert said == "options were given before next; put them after it: judge review next ..."


def test_after_scoring_again_the_new_judges_are_shown_on_request(judge_review: Review, store: Store) -> None:
    rescored = review_run("run-78", judges=("third",))
    store.add_run(rescored)
    add_judgements(store, rescored, lambda *_: 1)
    item = json.loads(judge_review("next", "--json").stdout)["item"]
    assert "umbrella: 4" in judge_review("rate", item, "--score", "4").stdout
    assert "third: 1" in judge_review("rate", item, "--score", "4", "--run", "run-78").stdout


def test_without_a_terminal_and_a_command_one_is_told_what_to_use(judge_review: Review) -> None:
    assert "use judge review next and rate" in str(judge_review(ok=False).exception)


def test_open_items_go_out_and_ratings_come_in(judge_review: Review, tmp_path: Path) -> None:
    first, *rest = judge_review("export", "--open", "--rater", "bob").stdout.splitlines()
    file = tmp_path / "bob.jsonl"
    file.write_text("\n".join([json.dumps({**json.loads(first), "score": 5}), *rest]))
    assert judge_review("import", str(file)).stdout == f"1 ratings taken in, {len(rest)} lines not filled in\n"


def test_a_file_that_is_no_text_is_refused(judge_review: Review, tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(b"\xff\xfe")
    assert "is not UTF-8 text" in str(judge_review("import", str(file), ok=False).exception)


def test_the_report_says_who_is_audited_and_what_moved(judge_review: Review, store: Store) -> None:
    for item in queues_of(RUN, store).items:
        say(store, item, "ann", utc_now(), score=2 if item.criterion == "c0" else 3)
    text = judge_review("report").stdout
    assert "zebrafish/moe4: audited, 16 labels of 16 drawn" in text
    assert "umbrella - people" in text and "human only" in text
    found = json.loads(judge_review("report", "--json").stdout)
    assert {tier["by"] for tier in found["tiers"]} == {"audit"}
    assert found["repaired"] > 0 and "say nothing about bias" in text


# --- the dialogue -----------------------------------------------------------------------------------------------------


def test_the_dialogue_rates_skips_takes_back_and_stops(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = ["u", "4", "fine", "s", "9", "c", "", "u", "q"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(typed) + "\n"))
    shown = io.StringIO()
    dialogue(store, RUN, "ann", evidence=True, console=Console(file=shown, width=120))
    found = progress(queues_of(RUN, store), "ann")
    assert (found.audit_rated, found.cannot_assess, found.skipped) == (1, 0, 1)
    assert [rating.state for rating in queues_of(RUN, store).ratings] == ["rated", "skipped", "rated", "withdrawn"]
    assert "there is nothing to take back" in shown.getvalue() and "Please select" in shown.getvalue()


def test_the_dialogue_ends_with_its_input(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    dialogue(store, RUN, "carl", evidence=False, console=Console(file=io.StringIO()))
    assert progress(queues_of(RUN, store), "carl").left == len(queues_of(RUN, store).items)
