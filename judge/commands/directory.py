"""Which module holds which command. A module is imported and its commands are built when one of them is asked for: to build all of
them takes a fifteenth of the time of a short command."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

import typer
import typer.core
import typer.main

if TYPE_CHECKING:  # Typer's own copy of click, which its public classes hand out
    from typer._click import Command, Context

MODULES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "running": ("run", "run-all", "collect"),
        "scoring": ("score", "check", "import"),
        "comparing": ("compare", "sweep", "cross", "roles"),
        "ranking": ("rank",),
        "gating": ("gate",),
        "looking": ("checks", "report", "show", "list", "models", "validate", "doctor"),
        "examining": ("exam",),
        "reviewing": ("review",),
        "serving": ("serve",),
        "jobs": ("job",),
    }
)
"""The commands of each module of ``judge.commands``, in the order in which ``judge --help`` lists them."""
_HOLDERS = {command: module for module, commands in MODULES.items() for command in commands}


class Directory(typer.core.TyperGroup):
    """The commands of all modules, each built when it is first asked for."""

    def list_commands(self, ctx: "Context") -> list[str]:
        """Return the names of all commands."""
        return list(_HOLDERS)

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """Return the command of that name; ``None`` when there is none, and then all are there for the one that was meant."""
        modules = [_HOLDERS[cmd_name]] if cmd_name in _HOLDERS else list(MODULES)
        if cmd_name not in self.commands:
            for module in modules:
                self.commands.update(commands_of(module))
        return super().get_command(ctx, cmd_name)


def commands_of(module: str) -> "dict[str, Command]":
    """Return the commands of a module of ``judge.commands`` by name."""
    app: typer.Typer = import_module(f"judge.commands.{module}").app
    return dict(typer.main.get_group(app).commands)
