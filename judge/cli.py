"""The way in: the global options, the commands of ``judge.commands``, and what becomes of errors.

Data goes to stdout, talk to stderr. Exit codes: 0 done; 1 something broke; 2 wrong use or bad input; 3 incomplete, the next run
owes the rest; 4 a gate failed; 130 interrupted.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from judge import garbage
from judge.commands.directory import Directory
from judge.commands.shared import Exit, secrets
from judge.errors import Interrupted, JudgeError, UserError
from runner import journal
from runner.errors import ModelFileError, RunnerError, UsageError

app = typer.Typer(
    name="judge",
    cls=Directory,
    help="Serve local coder models, prove how they run, time and judge their answers, and decide their roles.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def common(
    context: typer.Context,
    store: Annotated[
        str | None, typer.Option(envvar="JUDGE_STORE", help="Database: a path or URL [default: RESULTS/judge.db]")
    ] = None,
    results: Annotated[Path, typer.Option(envvar="JUDGE_RESULTS", help="Folder for what runs leave")] = Path("results"),
    models: Annotated[
        Path | None, typer.Option(envvar="JUDGE_MODELS", help="Models file [default: the shipped models.yaml]")
    ] = None,
    log_file: Annotated[
        Path | None, typer.Option("--log-file", help="Append what happens to this file: JSON lines, one id a unit")
    ] = None,
) -> None:
    """Options of every command."""
    if log_file is not None:
        context.with_resource(journal.written(log_file, secrets(os.environ, store)))
    context.obj = (store, results, models)


MANY = ("--candidate", "-c", "--judge")


def spread(args: Sequence[str]) -> list[str]:
    """Return the arguments with ``--judge A B`` written out as ``--judge A --judge B``, for ``judge cross``.

    That command takes many of each and nothing by position; elsewhere the second word is the run or the file.
    """
    if "cross" not in args:
        return list(args)
    written: list[str] = []
    option: str | None = None
    taken = 0
    for arg in args:
        if arg.startswith("-"):
            option, taken = arg if arg in MANY else None, 0
        elif option is not None:
            written += [option] if taken else []
            taken += 1
        written.append(arg)
    return written


NO_PLUGINS = "PYDANTIC_DISABLE_PLUGINS"
"""pydantic reads the metadata of every installed package to look for plugins that watch values; we have none."""


def main() -> NoReturn:
    """Run the command line; every expected error becomes one line on stderr and an exit code."""
    garbage.begin_late()
    signal.signal(signal.SIGTERM, _end_as_with_ctrl_c)
    os.environ.setdefault(NO_PLUGINS, "true")
    try:
        _carry_out(spread(sys.argv[1:]))
    except (UserError, UsageError, ModelFileError) as error:
        _fail(error, Exit.USAGE)
    except Interrupted as error:
        _fail(error, Exit.INTERRUPTED)
    except (JudgeError, RunnerError) as error:
        _fail(error, Exit.ERROR)
    except OSError as error:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # or Python tries again to write what did not fit
        _fail(f"{error.filename or 'output'}: {error.strerror or error}; nothing that was stored is lost", Exit.ERROR)
    sys.exit(Exit.OK)


def _end_as_with_ctrl_c(number: int, frame: object) -> None:
    """End as cleanly when ``kill``, a service manager or ``docker stop`` asks for it: servers are stopped, and results written."""
    if (
        signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    ):  # in the background of a script, where shells have Ctrl-C ignored
        raise KeyboardInterrupt
    os.kill(os.getpid(), signal.SIGINT)


def _carry_out(args: list[str]) -> None:
    try:
        app(args=args, standalone_mode=True)
    finally:
        sys.stdout.flush()  # here it can still be said when it does not fit on the disk


def _fail(message: object, code: Exit) -> NoReturn:
    sys.stderr.write(f"error: {message}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
