"""Tables on stdout. Imported where one is printed: a run prints its tables last, or none."""

import sys

from rich import box
from rich.console import Console
from rich.table import Table

UNLIMITED_COLUMNS = 10_000
"""A table that goes to a file or a pipe is as wide as it needs to be."""


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table to stdout; nothing is cut when stdout is no terminal."""
    plain = not sys.stdout.isatty()
    console = Console(width=UNLIMITED_COLUMNS if plain else None, highlight=False)
    table = Table(title=title or None, title_justify="left", box=box.ASCII2 if plain else box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell.replace("[", "\\[") for cell in row))
    console.print(table)
