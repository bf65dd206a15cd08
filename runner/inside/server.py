"""The loop inside the sandbox: read a request, run code of the answer, send back what came out.

Requests are JSON lists of objects behind a four-byte length, replies single objects, one a request, in order. The
answer shares this process and can break everything here; all it gains is a wrong value, a malformed reply or a dead
process, and each is seen outside.
"""

from __future__ import annotations

import builtins
import posix
import sys

from . import threads
from .codec import TooLarge, decode, encode
from .counting import METER, counted, prepare
from .inventory import inventory
from .scripted import Script
from .wire import dumps, loads

TYPE_CHECKING = False  # not imported: see the package
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Reply = dict[str, Any]

MODULE = "answer"
"""The ``__name__`` of the answer: not ``__main__``, so its demonstration code does not run."""
FILENAME = "answer.py"
_READ_BYTES = 1 << 16
MAX_MESSAGE = 2000
"""Characters kept of an exception's message."""
_BUILTINS = dict(vars(builtins))
"""Taken before the answer is loaded: replacing ``builtins.list`` does not change what a check calls."""
_BUILTIN_IDS = frozenset(map(id, _BUILTINS.values()))
_PLAIN = (bool, int, float, str, bytes, list, tuple, set, frozenset, dict)


class _Missing(LookupError):
    """The answer has nothing under the name that was asked for."""


class Server:
    """State of one sandbox: the module of the answer, and the objects that requests refer to."""

    def __init__(self, replies_fd: int, hide: Callable[[], None]) -> None:
        self._replies_fd = replies_fd
        self._hide = hide
        self._module = type(sys)(MODULE)
        self._handles: dict[str, Any] = {}
        self._scripts: dict[str, Script] = {}
        self._clock: Any = None
        self._reply_bytes = 0
        self._operations: dict[str, Callable[[dict[str, Any]], Reply]] = {
            "setup": self._setup,
            "load": self._load,
            "call": self._call,
            "calls": self._calls,
            "clock": self._read_clock,
        }

    def serve(self, requests: Iterator[dict[str, Any]]) -> None:
        """Answer requests until the pipe is closed."""
        for request in requests:
            reply = self._operations[request["op"]](request)
            _flush()
            self._send({"id": request["id"], **reply})

    def _send(self, reply: Reply) -> None:
        body = dumps(reply)
        if self._reply_bytes and len(body) > self._reply_bytes:
            slim = {**reply, "value": _opaque_text(f"a reply of {len(body)} bytes"), "after": {}}
            body = dumps(slim)
        frame = memoryview(len(body).to_bytes(4, "big") + body)
        while frame:
            frame = frame[posix.write(self._replies_fd, frame) :]

    # --- setting up, loading -------------------------------------------------------------------------------------

    def _setup(self, request: dict[str, Any]) -> Reply:
        import resource  # here, because it is a file of its own in many interpreters

        for name, value in request["limits"].items():
            resource.setrlimit(getattr(resource, name), (value, value))
        self._reply_bytes = request["reply_bytes"]
        if request["clock"] != "real":
            self._clock = _fake_clock(patient=request["clock"] == "patient")
        if request["confinement"] is not None:
            _confine(request["confinement"])
        sys.path.extend(request["path"])
        self._hide()
        return {"state": "returned", "value": None}

    def _load(self, request: dict[str, Any]) -> Reply:
        sys.modules[MODULE] = self._module
        self._module.__file__ = FILENAME
        if "collections" in request["code"]:
            # Whoever imports only ``collections`` finds ``collections.abc`` in every program that has imported typing.
            __import__("collections.abc")
        try:
            exec(compile(request["code"], FILENAME, "exec", dont_inherit=True), vars(self._module))
            return {"state": "returned", "inventory": inventory(self._module)}
        except BaseException as error:  # noqa: BLE001 - whatever the answer raises is its outcome
            return {"state": "raised", "error": describe(error)}

    # --- calling -------------------------------------------------------------------------------------------------

    def _call(self, request: dict[str, Any]) -> Reply:
        try:
            target = self._resolve(request["target"])
            args = [self._decode(argument) for argument in request.get("args", ())]
            kwargs = {name: self._decode(argument) for name, argument in request.get("kwargs", {}).items()}
        except _Missing as missing:
            return {"state": "missing", "message": str(missing)}
        before = {str(i): self._encode_nested(value) for i, value in enumerate(args) if _mutable(value)}
        try:
            value, awaited = self._run(target, args, kwargs, request)
            reply = {"state": "returned", "value": self._encode_result(value, target, request)}
            if awaited:
                reply["awaited"] = True
        except BaseException as error:  # noqa: BLE001 - whatever the answer raises is its outcome
            reply = {"state": "raised", "error": describe(error)}
        if after := {i: now for i, old in before.items() if (now := self._encode_nested(args[int(i)])) != old}:
            reply["after"] = after
        return {**reply, **self._work(request)} if "count" in request else reply

    def _run(self, target: Any, args: list[Any], kwargs: dict[str, Any], request: dict[str, Any]) -> tuple[Any, bool]:
        def once() -> tuple[Any, bool]:
            return _finish(target(*args, **kwargs))

        if request.get("threads"):
            plan = request["threads"]
            return threads.hammer(lambda: once()[0], filename=FILENAME, **plan), False
        if "count" not in request:
            return once()
        METER.start(request["count"]["cap"], FILENAME)
        try:
            return once()
        finally:
            METER.stop()

    def _work(self, request: dict[str, Any]) -> Reply:
        count = request["count"]
        work = {name: getattr(METER, name) for name in ("instructions", "c_calls", "touched")}
        aborted = count["cap"] is not None and METER.total > count["cap"]
        return {"work": work, **({"state": "aborted", "value": None, "error": None} if aborted else {})}

    def _calls(self, request: dict[str, Any]) -> Reply:
        script = self._scripts.get(request["script"])
        return {"state": "returned", "value": self._encode_nested(script.calls if script is not None else [])}

    def _read_clock(self, request: dict[str, Any]) -> Reply:
        self._clock.advance(request["advance_s"])
        state = {"elapsed_s": self._clock.elapsed_ns / 1e9, "sleeps": self._clock.sleeps}
        return {"state": "returned", "value": self._encode_nested(state)}

    def _elapsed_s(self) -> float:
        return self._clock.elapsed_ns / 1e9 if self._clock is not None else 0.0

    # --- names and values ----------------------------------------------------------------------------------------

    def _resolve(self, target: list[str]) -> Any:
        match target:
            case ["global", name]:
                return self._global(name)
            case ["builtin", name]:
                return _BUILTINS[name]
            case ["handle", handle]:
                return self._handle(handle)
            case ["method", handle, name]:
                return self._attribute(self._handle(handle), name)
        raise _Missing(f"no such kind of target: {target!r}")

    def _global(self, dotted: str) -> Any:
        first, *rest = dotted.split(".")
        names = vars(self._module)
        if first not in names and first not in _BUILTINS:
            raise _Missing(f"the answer defines no {first!r}")
        value = names[first] if first in names else _BUILTINS[first]
        for name in rest:
            value = self._attribute(value, name)
        return value

    def _handle(self, handle: str) -> Any:
        if handle not in self._handles:
            raise _Missing(f"nothing was kept as {handle!r}")
        return self._handles[handle]

    def _attribute(self, value: Any, name: str) -> Any:
        try:
            return getattr(value, name)
        except AttributeError as error:
            raise _Missing(f"{type(value).__name__} has no attribute {name!r}") from error

    def _decode(self, data: Any) -> Any:
        return decode(data, self._decode_special)

    def _decode_special(self, data: list[Any]) -> Any:
        match data:
            case ["counted", value]:
                return counted(self._decode(value))
            case ["scripted", spec]:
                if spec["id"] not in self._scripts:
                    self._scripts[spec["id"]] = Script(spec, self._decode, self._elapsed_s)
                return self._scripts[spec["id"]].function
        return self._resolve(data)

    def _encode_result(self, value: Any, target: Any, request: dict[str, Any]) -> Any:
        keep = request.get("keep")
        is_made = isinstance(target, type) and id(target) not in _BUILTIN_IDS
        if keep is None and not is_made and _plain(value):
            return self._encode_nested(value)
        return self._kept(keep or request["id"], value)

    def _kept(self, handle: str, value: Any) -> list[str]:
        self._handles[handle] = value
        return ["handle", handle, _type_name(value)]

    def _encode_nested(self, value: Any) -> Any:
        try:
            return encode(value, _opaque)
        except TooLarge as error:
            return _opaque_text(f"{_type_name(value)} with {error}")


def _finish(result: Any) -> tuple[Any, bool]:
    """Await what can be awaited in a fresh event loop; says whether it did."""
    if not hasattr(type(result), "__await__"):
        return result, False
    import asyncio  # here, because it costs every start more than the interpreter itself

    async def awaited() -> Any:
        return await result

    return asyncio.run(awaited()), True


def _plain(value: Any) -> bool:
    return value is None or issubclass(type(value), _PLAIN)


def _mutable(value: Any) -> bool:
    return issubclass(type(value), (list, dict, set))


def _opaque(value: Any) -> list[str]:
    return _opaque_text(_type_name(value))


def _opaque_text(text: str) -> list[str]:
    return ["opaque", text]


def _type_name(value: Any) -> str:
    return _class_name(type(value))


def _class_name(kind: type) -> str:
    """Past any ``__name__`` that a metaclass of the answer may define."""
    name: str = type.__dict__["__name__"].__get__(kind)
    return name[:200]


def describe(error: BaseException) -> dict[str, Any]:
    """Return type, bases, message and the last line of the answer that an exception went through."""
    return {
        "type": _type_name(error),
        "bases": [_class_name(base) for base in type(error).__mro__[:50]],
        "message": _message(error),
        "line": _line(error),
    }


def _message(error: BaseException) -> str:
    try:
        return str.__str__(str(error))[:MAX_MESSAGE]
    except BaseException as second:  # noqa: BLE001 - __str__ belongs to the answer
        return f"<{_type_name(second)} in __str__>"


def _line(error: BaseException) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == FILENAME:
        return error.lineno
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: BLE001 - the answer may have put anything there; its output is no verdict
            continue


def _fake_clock(*, patient: bool) -> Any:
    from .clock import PATIENCE_S, FakeClock, install  # here, because it imports asyncio

    clock = FakeClock(PATIENCE_S if patient else None)
    install(clock)
    return clock


def _confine(plan: dict[str, Any]) -> None:
    from .confine import confine  # here, because it imports ctypes

    confine(plan)


def _requests(fd: int) -> Iterator[dict[str, Any]]:
    data = bytearray()
    while chunk := posix.read(fd, _READ_BYTES):
        data += chunk
        begin = 0
        while len(data) - begin >= 4:
            end = begin + 4 + int.from_bytes(data[begin : begin + 4], "big")
            if len(data) < end:
                break
            yield from loads(data[begin + 4 : end])
            begin = end
        del data[:begin]


def main(requests_fd: int, replies_fd: int, hide: Callable[[], None]) -> None:
    """Serve until the service closes the pipe. Called by the start with the two pipe ends; ``hide`` takes the modules
    of this package out of the answer's sight."""
    for fd in (requests_fd, replies_fd):
        posix.set_inheritable(fd, False)  # an answer that becomes another program ends here, not at the wall clock
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    prepare()
    Server(replies_fd, hide).serve(_requests(requests_fd))
