"""How a command comes to its groups of options."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import typer

Command = Callable[..., None]


def takes(**groups: type[Any]) -> Callable[[Command], Command]:
    """Give a command the options of ``groups``; it gets each group as the keyword argument of that name."""

    def decorate(command: Command) -> Command:
        own = [p for p in inspect.signature(command).parameters.values() if p.name not in groups]
        fields = {name: [f for f in dataclasses.fields(group) if f.name != TYPED] for name, group in groups.items()}
        options = [
            inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
            for group in fields.values()
            for field in group
        ]

        @functools.wraps(command)
        def with_options(**given: Any) -> None:
            typed = _typed(given)
            filled = {
                name: group(
                    **{field.name: given.pop(field.name) for field in fields[name]},
                    **({TYPED: typed} if hasattr(group, TYPED) else {}),
                )
                for name, group in groups.items()
            }
            command(**given, **filled)

        # Typer reads the options off the signature, and must not look through to the command underneath.
        del with_options.__wrapped__
        keyword_only = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
        with_options.__signature__ = inspect.Signature([*keyword_only, *options])  # type: ignore[attr-defined]
        with_options.__annotations__ = {p.name: p.annotation for p in [*own, *options]}
        return with_options

    return decorate


TYPED = "typed"
"""A field of this name is no option: it gets the names of the options that were typed, and not taken from the environment."""


def _typed(given: Mapping[str, Any]) -> frozenset[str]:
    context: typer.Context | None = given.get("context")
    sources = {name: context.get_parameter_source(name) for name in given} if context else {}
    return frozenset(name for name, source in sources.items() if source and source.name == "COMMANDLINE")


def parts(value: str | None) -> tuple[str, ...]:
    """Split at commas; blanks are left out."""
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())
