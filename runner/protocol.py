"""What a check asks of a sandbox: targets, arguments and calls as values, and the requests made of them. Pure.

Plain values go in as tagged data; everything that a check must not hand over (functions, objects of its own) has a
description instead that the inside builds.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from runner.errors import UsageError
from runner.inside.codec import TooLarge, encode
from runner.outcomes import Limits
from runner.types import Value

Clock = Literal["real", "fake", "patient"]
"""``fake`` stands still until somebody sleeps or the check advances it. ``patient`` is fake too, but before it jumps it
waits a moment of real time for the network, which the clock knows nothing of."""


# --- what calls are made of ---------------------------------------------------------------------------------------


class Opaque(Value):
    """An object of the answer that is not plain data. Equal to nothing but itself."""

    type_name: str
    """Or a note in its place, for data too large or too deep to be sent."""

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


class Handle(Opaque):
    """An object that stays in the sandbox: usable as a target, as an argument, or to take methods from."""

    id: str = Field(default_factory=lambda: secrets.token_hex(6))
    """Chosen outside, so a handle can be used before the call that fills it came back."""
    type_name: str = ""
    """Empty until the object exists."""

    def method(self, name: str) -> "Method":
        """Return the method of this name as a target."""
        return Method(on=self.id, name=name)


@dataclass(frozen=True, slots=True)
class Method:
    """Target: an attribute of the object behind a handle, to be called."""

    on: str
    name: str


class Global(Value):
    """A name that the answer defines, or else a builtin; dots go into it: ``Stack.push``. As target or argument."""

    name: str


class Builtin(Value):
    """A builtin function as it was before the answer was loaded: ``len``, ``list``, ``getattr``. As target or
    argument."""

    name: str


class Counted(Value):
    """Argument: a str, int or list whose use is counted (in ``Work.touched``) in a counted call."""

    value: str | int | list[Any]


class Return(Value):
    """Script step: return this."""

    value: Any = None


class Raise(Value):
    """Script step: raise this builtin exception, or a new Exception class of this name."""

    type: str
    message: str = ""


class Scripted(Value):
    """Argument: a callable that follows a script; the last step repeats. Its calls can be read back."""

    script: tuple[Return | Raise, ...] = Field(min_length=1)
    name: str = "scripted"
    is_async: bool = False
    docstring: str | None = None
    id: str = Field(default_factory=lambda: secrets.token_hex(6))
    """The same value is the same callable throughout a sandbox."""


Target = str | Global | Builtin | Handle | Method
"""What can be called; a str is a Global."""


class Counting(Value):
    """Count the work of a call."""

    cap: int | None = None
    """Abort above this many operations; ``None`` counts without end (the wall clock still holds)."""


class Threads(Value):
    """Make the call from many threads at once; the value is one list of results a thread."""

    threads: int = Field(ge=1, le=24)
    calls: int = Field(ge=1)
    """Of each thread."""
    seed: int = 0
    """Of the random switches between threads."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call in the sandbox. Not a model: a check makes hundreds of them, of values of its own."""

    target: Target
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    keep: Handle | None = None
    """Keep the result under this handle even if it is plain data. Objects, and all instances made by calling a class of
    the answer, are kept anyway."""
    count: Counting | None = None
    threads: Threads | None = None

    def request(self) -> dict[str, Any]:
        """Return the request without its nonce. Raises UsageError for arguments that cannot be sent."""
        target = ["global", self.target] if isinstance(self.target, str) else _encode_special(self.target)
        request: dict[str, Any] = {"op": "call", "target": target}
        if self.args:
            request["args"] = [encode_value(argument) for argument in self.args]
        if self.kwargs:
            request["kwargs"] = {name: encode_value(argument) for name, argument in self.kwargs.items()}
        if self.keep is not None:
            request["keep"] = self.keep.id
        if self.count is not None:
            request["count"] = self.count.model_dump()
        if self.threads is not None:
            request["threads"] = self.threads.model_dump()
        return request


# --- requests --------------------------------------------------------------------------------------------------------


def setup_request(
    limits: Limits,
    *,
    clock: Clock = "real",
    path: tuple[str, ...] = (),
    confinement: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the request that must come first: resource limits, the clock, further import folders, and the rights that
    the process gives up (``None``: it has none to give up)."""
    resources = {
        "RLIMIT_AS": limits.memory_bytes,
        "RLIMIT_CPU": limits.cpu_s,
        "RLIMIT_FSIZE": limits.file_bytes,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CORE": 0,
        "RLIMIT_NPROC": limits.threads,
        "RLIMIT_MSGQUEUE": 0,
    }
    if confinement is not None:
        # Without a user namespace the kernel counts every process of the user: a good answer could start no thread.
        del resources["RLIMIT_NPROC"]
    return {
        "op": "setup",
        "limits": resources,
        "reply_bytes": limits.reply_bytes,
        "clock": clock,
        "path": list(path),
        "confinement": confinement,
    }


def load_request(code: str) -> dict[str, Any]:
    """Return the request that loads an answer. A lone surrogate in the code arrives as a SyntaxError of the answer."""
    return {"op": "load", "code": code}


def script_request(scripted: Scripted) -> dict[str, Any]:
    """Return the request for the calls that a scripted callable has received so far."""
    return {"op": "calls", "script": scripted.id}


def clock_request(advance_s: float = 0.0) -> dict[str, Any]:
    """Return the request that moves the fake clock and reads it and its sleeps."""
    return {"op": "clock", "advance_s": advance_s}


# --- values -------------------------------------------------------------------------------------------------------


def encode_value(value: Any) -> Any:
    """Return an argument as tagged data. Raises UsageError for a type that cannot go in."""
    try:
        return encode(value, _encode_special)
    except TooLarge as error:
        raise UsageError(f"argument of type {type(value).__name__} is too large for the sandbox: {error}") from error


def _encode_special(value: Any) -> Any:
    match value:
        case Handle():
            return ["handle", value.id]
        case Method():
            return ["method", value.on, value.name]
        case Global():
            return ["global", value.name]
        case Builtin():
            return ["builtin", value.name]
        case Counted():
            return ["counted", encode_value(value.value)]
        case Scripted():
            spec = value.model_dump(include={"id", "name", "is_async", "docstring"})
            return ["scripted", {**spec, "script": [_encode_step(step) for step in value.script]}]
    raise UsageError(f"a {type(value).__name__} cannot go into the sandbox: pass plain data, a Handle or a Scripted")


def _encode_step(step: Return | Raise) -> list[Any]:
    return ["return", encode_value(step.value)] if isinstance(step, Return) else ["raise", step.type, step.message]
