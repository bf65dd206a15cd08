"""A store that cannot be used, through the command line: one line that says what to do, exit code 1, and nothing lost."""

import os
import re
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from commands import command
from fakes import FakeServer, Request, Response, ScriptedJudge, error_response, lenient, script, serving
from steady_llama import MARK, Steady, lines
from steady_place import QUESTIONS, SAMPLES, Unit, imported, run_command, score_command, steady_servers, stored
from warm_cli import WarmCli, warm_cli

from judge.store import HEAD
from runner.moe import DemoModels

ANSWERS = 12
DISK_BYTES = 4_000_000
NOT_WRITTEN = "after an error, the results of the run could not be written"
OK, ERROR = 0, 1


@pytest.fixture(scope="module")
def whole(cli: WarmCli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sound store, which no test touches."""
    folder = tmp_path_factory.mktemp("whole")
    imported(cli, folder, ANSWERS)
    return folder


@pytest.fixture
def place(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "place"))


@pytest.fixture
def server(place: Path) -> Iterator[FakeServer]:
    with serving(Steady(place / "asked")) as running:
        yield running


def store_of(place: Path) -> Path:
    return place / "results" / "judge.db"


def error_of(said: str) -> str:
    """Return the last line, which has to be the only error."""
    *talk, last = said.splitlines()
    assert not [line for line in talk if line.startswith(("error", "Traceback"))], said
    return last


def scored(place: Path) -> set[Unit]:
    return {unit for unit in stored(store_of(place)) if unit[0] == "judgement"}


# --- disks ------------------------------------------------------------------------------------------------------------


def test_a_store_that_cannot_grow_stops_the_scoring_and_the_next_command_owes_the_rest(
    cli: WarmCli, place: Path, server: FakeServer
) -> None:
    cli.start(*score_command(server), cwd=place, file_bytes=100_000)
    assert cli.wait() == ERROR
    hint = "disk I/O error; check the disk, and whether it is full; everything stored so far is safe"
    assert error_of(cli.said) == f"error: results/judge.db: {hint}"
    kept, asked = scored(place), len(lines(place / "asked"))
    assert 0 < len(kept) < ANSWERS

    cli.start(*score_command(server), cwd=place)
    assert cli.wait() == OK, cli.said
    assert len(scored(place)) == ANSWERS
    assert not {line[:2] for line in lines(place / "asked", since=asked)} & kept


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of DISK_BYTES, which is really full when it is full."""
    folder = tmp_path / "disk"
    folder.mkdir()
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size={DISK_BYTES},uid={os.getuid()},gid={os.getgid()},mode=0700"
    try:
        done = subprocess.run([*as_root, "mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True)
    except FileNotFoundError as missing:
        pytest.skip(f"no small file system can be mounted here: {missing}")
    if done.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run([*as_root, "umount", folder], check=True)


def fill(disk: Path, *, leave: int = 0) -> Path:
    """Fill a disk up to ``leave`` bytes, and return the file that does."""
    filling = disk / "filling"
    filling.write_bytes(bytes(shutil.disk_usage(disk).free - leave))
    return filling


class Filling:
    """A judge whose answer to the ``at``-th scoring finds a disk that has just become full."""

    def __init__(self, disk: Path, at: int) -> None:
        self.asked: list[Unit] = []
        self.is_full = False
        """True from then on, whoever empties the disk again."""
        self._disk = disk
        self._at = at

    def __call__(self, request: Request) -> Response:
        if mark := MARK.search(str(request.body)):
            self.asked.append(("judgement", mark[0]))
            if len(self.asked) == self._at and not self.is_full:
                fill(self._disk)
                self.is_full = True
        return ScriptedJudge(lenient)(request)


def test_a_disk_that_fills_up_under_the_store_stops_the_scoring_and_the_next_command_owes_the_rest(
    cli: WarmCli, whole: Path, small_disk: Path
) -> None:
    place, judge = Path(shutil.copytree(whole, small_disk / "place")), Filling(small_disk, at=ANSWERS // 2)
    with serving(judge) as server:
        cli.start(*score_command(server, in_flight=1), cwd=place)
        assert cli.wait() == ERROR
        hint = "database or disk is full; free some space; everything stored so far is safe"
        assert error_of(cli.said) == f"error: results/judge.db: {hint}"
        assert cli.said.count(NOT_WRITTEN) == 1, "the results were tried all the same"
        (small_disk / "filling").unlink()
        kept = scored(place)
        assert 0 < len(kept) < ANSWERS
        assert kept < set(judge.asked)

        judge.asked.clear()
        cli.start(*score_command(server, in_flight=1), cwd=place)
        assert cli.wait() == OK, cli.said
    assert len(scored(place)) == ANSWERS
    assert set(judge.asked) == scored(place) - kept


def test_an_error_is_said_though_the_results_do_not_fit_on_the_disk_either(
    cli: WarmCli, whole: Path, small_disk: Path
) -> None:
    place = Path(shutil.copytree(whole, small_disk / "place"))
    store = tmp_store(place)
    fill(small_disk, leave=8_192)
    with serving(script(error_response(401, "who are you"))) as closed:
        cli.start("--store", store, *score_command(closed), cwd=place)
        assert cli.wait() == ERROR
    assert "401" in error_of(cli.said)
    assert re.search(rf"^{NOT_WRITTEN}: results/\S+/results\.\w+: No space left on device$", cli.said, re.MULTILINE)


def test_a_results_file_that_does_not_fit_is_said_when_it_is_all_that_failed(
    cli: WarmCli, whole: Path, small_disk: Path, server: FakeServer
) -> None:
    place = Path(shutil.copytree(whole, small_disk / "place"))
    store = tmp_store(place)
    fill(small_disk, leave=8_192)
    cli.start("--store", store, *score_command(server), cwd=place)
    assert cli.wait() == ERROR
    last = error_of(cli.said)
    assert re.fullmatch(
        r"error: results/\S+/results\.\w+: No space left on device; nothing that was stored is lost", last
    )
    assert len([unit for unit in stored(store) if unit[0] == "judgement"]) == ANSWERS


def tmp_store(place: Path) -> Path:
    """Move the store to another disk than its results."""
    elsewhere = place.parent.parent / "elsewhere.db"
    return Path(shutil.move(store_of(place), elsewhere))


def test_a_report_that_does_not_fit_on_the_disk_is_said_by_its_file(cli: WarmCli, place: Path) -> None:
    cli.start("report", "latest", cwd=place)
    cli.wait()
    (report,) = (place / "results").glob("*/results.csv")
    report.unlink()
    report.symlink_to("/dev/full")
    cli.start("report", "latest", cwd=place)
    assert cli.wait() == ERROR
    name = report.relative_to(place)
    assert error_of(cli.said) == f"error: {name}: No space left on device; nothing that was stored is lost"


def test_a_log_that_does_not_fit_on_the_disk_is_said_once_and_stops_nothing(
    cli: WarmCli, place: Path, server: FakeServer
) -> None:
    cli.start("--log-file", "/dev/full", *score_command(server), cwd=place)
    assert cli.wait() == OK, cli.said
    assert cli.said.count("/dev/full: No space left on device; the log ends here") == 1
    assert "Traceback" not in cli.said
    assert len(scored(place)) == ANSWERS


def test_output_that_does_not_fit_on_the_disk_is_an_error(cli_environment: dict[str, str], place: Path) -> None:
    buffered = {name: value for name, value in cli_environment.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command("list"), cwd=place, env=buffered, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == ERROR
    assert done.stderr == "error: output: No space left on device; nothing that was stored is lost\n"


# --- permissions ------------------------------------------------------------------------------------------------------


def test_a_store_that_is_read_only_is_said_before_anything_is_asked(
    cli: WarmCli, place: Path, server: FakeServer
) -> None:
    store_of(place).chmod(stat.S_IRUSR)
    cli.start(*score_command(server), cwd=place, unprivileged=True)
    assert cli.wait() == ERROR
    hint = "attempt to write a readonly database; make the file and its folder writable"
    assert error_of(cli.said) == f"error: results/judge.db: {hint}"
    assert lines(place / "asked") == []


def test_a_results_folder_that_is_read_only_is_said_before_anything_is_asked(
    cli: WarmCli, place: Path, server: FakeServer
) -> None:
    store_of(place).rename(place / "judge.db")
    (place / "results").chmod(stat.S_IRUSR | stat.S_IXUSR)
    cli.start("--store", "judge.db", *score_command(server), cwd=place, unprivileged=True)
    assert cli.wait() == ERROR
    last = error_of(cli.said)
    assert last.startswith("error: results/")
    assert last.endswith(": Permission denied; nothing that was stored is lost")
    assert lines(place / "asked") == []


# --- files ------------------------------------------------------------------------------------------------------------


def newer(store: Path) -> str:
    with closing(sqlite3.connect(store)) as db, db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    return f"written by a newer version (revision 9999, this one knows {HEAD}); update coder-judge"


def letter(store: Path) -> str:
    store.write_bytes(b"this is a letter, not a database\n" * 200)
    return "file is not a database; the file is damaged or something else; move it away or restore a copy"


def cut(store: Path) -> str:
    store.write_bytes(store.read_bytes()[: store.stat().st_size // 2])
    return (
        "database disk image is malformed; the file is damaged; restore a copy, or salvage it with sqlite3's .recover"
    )


@pytest.mark.parametrize("damage", [newer, letter, cut])
def test_a_store_that_this_version_cannot_use_is_refused_by_every_command_and_left_alone(
    cli: WarmCli, place: Path, server: FakeServer, demo: DemoModels, damage: Callable[[Path], str]
) -> None:
    why = damage(store_of(place))
    content = store_of(place).read_bytes()
    for line in (score_command(server), run_command(demo), ("check", "latest"), ("report", "latest"), ("list",)):
        cli.start(*line, cwd=place)
        assert cli.wait() == ERROR, line
        assert cli.said == f"error: results/judge.db: {why}\n"
    assert store_of(place).read_bytes() == content
    assert lines(place / "asked") == []


# --- two at once ------------------------------------------------------------------------------------------------------


def test_two_scorings_and_then_two_runs_on_one_store_at_once_both_finish_and_store_every_unit_once(
    cli_environment: dict[str, str], place: Path, server: FakeServer, demo: DemoModels
) -> None:
    environment = {**cli_environment, **steady_servers(place)}
    with ExitStack() as stack:
        pair = [stack.enter_context(warm_cli(environment)) for _ in range(2)]
        for line in (score_command(server), run_command(demo)):
            for cli in pair:
                cli.start(*line, cwd=place)
            assert [cli.wait() for cli in pair] == [OK, OK], [cli.said for cli in pair]
    imported_units = {("answer", f"mark-{sample:04x}-0") for sample in range(ANSWERS)}
    units = stored(store_of(place))
    assert imported_units <= units
    assert len(units - imported_units) == ANSWERS + 3 * len(QUESTIONS) * SAMPLES
