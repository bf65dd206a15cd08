"""What all commands share: where things are, how they end, and how they print."""

import json
import os
import sys
from collections.abc import Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated

import typer

from judge.passwords import passwords, without_password
from runner.foreign_text import Blackout

if TYPE_CHECKING:
    from judge.places import Places
    from judge.results import Results


class Exit(IntEnum):
    """What the exit code of a command means."""

    OK = 0
    ERROR = 1
    USAGE = 2
    INCOMPLETE = 3
    GATE_FAILED = 4
    INTERRUPTED = 130


KEYS = ("JUDGE_API_KEY", "OPENAI_API_KEY")
"""Environment variables with the key for a judge's endpoint, the first one first."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to stdout")]
RunId = Annotated[str, typer.Argument(help="Run id, or latest")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress")]


def commands() -> typer.Typer:
    """Return an empty group whose commands stand beside all others under ``judge``."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def places_of(context: typer.Context) -> "Places":
    """Return where store, results and models are, by the options before the command."""
    from judge.places import Places

    store, results, models = context.obj
    return Places(store=store, results=results, models=models)


def command_line() -> tuple[str, ...]:
    """Return the command as typed."""
    hidden = Blackout(secrets(os.environ, None))
    return ("judge", *(hidden.whole(without_password(part)) for part in sys.argv[1:]))


def secrets(environ: Mapping[str, str], store: str | None) -> list[str]:
    """Return what must not be written anywhere: keys of endpoints, and whatever may be the password of the store."""
    keys = (environ.get(name) for name in KEYS)
    return [*(key for key in keys if key), *passwords(store or "")]


def end(*, complete: bool) -> None:
    """Leave with the exit code for unfinished work when something is owed."""
    if not complete:
        raise typer.Exit(Exit.INCOMPLETE)


def print_json(value: object) -> None:
    """Print one JSON document to stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_results(places: "Places", results: "Results", *, as_json: bool) -> None:
    """Print the tables of a run, or everything as JSON."""
    from judge.ending import print_results as print_tables
    from judge.places import run_folder

    if as_json:
        sys.stdout.write(results.model_dump_json(indent=2) + "\n")
    else:
        print_tables(results, run_folder(places, results.run_id))
