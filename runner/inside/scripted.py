"""Callables that follow a script and remember how they were called: arguments for decorators and callbacks."""

from __future__ import annotations

import builtins

TYPE_CHECKING = False  # not imported: see the package
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_made: dict[str, type[BaseException]] = {}


class Script:
    """The steps of one callable and its calls so far. The last step repeats."""

    def __init__(self, spec: dict[str, Any], decode: Callable[[Any], Any], elapsed_s: Callable[[], float]) -> None:
        self.calls: list[dict[str, Any]] = []
        self._steps = spec["script"]
        self._decode = decode
        self._elapsed_s = elapsed_s
        self.function = self._build(spec)

    def _build(self, spec: dict[str, Any]) -> Callable[..., Any]:
        def plain(*args: Any, **kwargs: Any) -> Any:
            return self._play(args, kwargs)

        async def awaited(*args: Any, **kwargs: Any) -> Any:
            return self._play(args, kwargs)

        function = awaited if spec["is_async"] else plain
        function.__name__ = function.__qualname__ = spec["name"]
        function.__doc__ = spec["docstring"]
        function.__module__ = "scripted"
        return function

    def _play(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        step = self._steps[min(len(self.calls), len(self._steps) - 1)]
        self.calls.append({"args": args, "kwargs": kwargs, "at_s": self._elapsed_s()})
        if step[0] == "raise":
            raise exception_type(step[1])(step[2])
        return self._decode(step[1])


def exception_type(name: str) -> type[BaseException]:
    """Return the builtin exception of this name, or a new subclass of Exception that later calls return again."""
    found = getattr(builtins, name, None)
    if isinstance(found, type) and issubclass(found, BaseException):
        return found
    return _made.setdefault(name, type(name, (Exception,), {"__module__": "scripted"}))
