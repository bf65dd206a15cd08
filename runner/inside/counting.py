"""Work as counts instead of seconds: instructions of the answer, its calls into C, and items touched in counted
arguments.

Counts are the same on every machine and under any load, so complexity can be read off them. C code runs unseen
(``list.remove`` is one call), so arguments can be counted values: subclasses of str, int and list that count each
comparison and each copied item.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # not imported: see the package
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any, Self, SupportsIndex

    Tracer = Callable[[FrameType, str, Any], Any]


_ENDLESS = float("inf")


class TooManyOperations(BaseException):
    """The cap was reached. Not an Exception, so that ``except Exception`` in an answer does not swallow it."""


class Meter:
    """Counts between ``start`` and ``stop``; above ``cap`` in total the running code is aborted."""

    def __init__(self) -> None:
        self.instructions = self.c_calls = self.touched = 0
        self.cap: int | None = None
        self.filename = ""
        self._room: float = _ENDLESS
        self._again = self._instruction

    def start(self, cap: int | None, filename: str) -> None:
        """Count from zero in code of ``filename``."""
        self.instructions = self.c_calls = self.touched = 0
        self.cap, self.filename = cap, filename
        self._limit()
        sys.setprofile(self._profile)
        sys.settrace(self._trace)

    def stop(self) -> None:
        """Stop counting; the counts stay."""
        sys.settrace(None)
        sys.setprofile(None)
        self.cap = None

    @property
    def total(self) -> int:
        """All operations counted so far."""
        return self.instructions + self.c_calls + self.touched

    def touch(self, items: int) -> None:
        """Count ``items`` of a counted argument."""
        self.touched += items
        self._limit()
        self._check()

    def _trace(self, frame: FrameType, event: str, _argument: Any) -> Tracer | None:
        if frame.f_code.co_filename != self.filename:
            return None
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        return self._again

    def _instruction(self, _frame: FrameType, event: str, _argument: Any) -> Tracer:
        # Runs once an instruction of the answer: every word here is paid millions of times.
        if event == "opcode":
            self.instructions += 1
            if self.instructions > self._room:
                self._check()
        return self._again

    def _profile(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event == "c_call" and frame.f_code.co_filename == self.filename:
            self.c_calls += 1
            self._room -= 1

    def _limit(self) -> None:
        self._room = self.cap - self.c_calls - self.touched if self.cap is not None else _ENDLESS

    def _check(self) -> None:
        if self.cap is not None and self.total > self.cap:
            raise TooManyOperations(f"more than {self.cap} operations")


def prepare() -> None:
    """Ask for single instructions once, in vain: Python 3.12 reports none under the first trace that asks."""

    def trace(frame: FrameType, _event: str, _argument: Any) -> None:
        frame.f_trace_opcodes = True

    sys.settrace(trace)
    (lambda: None)()
    sys.settrace(None)


METER = Meter()
"""The one meter of this process; counted values report to it."""


def counted(value: Any) -> Any:
    """Return ``value`` as a counted value. Raises TypeError for anything but str, int and list."""
    kinds: dict[type, Callable[[Any], Any]] = {str: CountedStr, int: CountedInt, list: CountedList}
    if type(value) in kinds:
        return kinds[type(value)](value)
    raise TypeError(f"cannot count the use of a {type(value).__name__}")


class CountedInt(int):
    """An int whose comparisons count 1 each."""

    def __eq__(self, other: object) -> bool:
        METER.touch(1)
        return int.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        METER.touch(1)
        return int.__ne__(self, other)

    def __lt__(self, other: int) -> bool:
        METER.touch(1)
        return int.__lt__(self, other)

    def __le__(self, other: int) -> bool:
        METER.touch(1)
        return int.__le__(self, other)

    def __gt__(self, other: int) -> bool:
        METER.touch(1)
        return int.__gt__(self, other)

    def __ge__(self, other: int) -> bool:
        METER.touch(1)
        return int.__ge__(self, other)

    __hash__ = int.__hash__


class CountedStr(str):
    """A str that counts the characters it copies, scans and compares; slices of it are counted too."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> str:
        part = str.__getitem__(self, index)
        METER.touch(len(part))
        return CountedStr(part) if isinstance(index, slice) else part

    def __eq__(self, other: object) -> bool:
        METER.touch(len(self) if isinstance(other, str) and len(other) == len(self) else 1)
        return str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __iter__(self) -> Iterator[str]:
        for character in str.__iter__(self):
            METER.touch(1)
            yield character

    def __contains__(self, other: object) -> bool:
        METER.touch(len(self))
        return str.__contains__(self, other)  # type: ignore[operator]

    def __add__(self, other: str) -> Self:
        METER.touch(len(self) + len(other))
        return type(self)(str.__add__(self, other))

    __hash__ = str.__hash__


class CountedList(list):  # type: ignore[type-arg]  # a parameter would need typing at run time
    """A list that counts the items that its own slicing, searching, shifting and copying go through."""

    def __getitem__(self, index: Any) -> Any:
        part = list.__getitem__(self, index)
        METER.touch(len(part) if isinstance(index, slice) else 1)
        return CountedList(part) if isinstance(index, slice) else part

    def __iter__(self) -> Iterator[Any]:
        for item in list.__iter__(self):
            METER.touch(1)
            yield item

    def __contains__(self, item: object) -> bool:
        METER.touch(len(self))
        return list.__contains__(self, item)

    def __add__(self, other: list[Any]) -> Any:
        METER.touch(len(self) + len(other))
        return CountedList(list.__add__(self, other))

    def copy(self) -> Any:
        """Count the whole list."""
        METER.touch(len(self))
        return CountedList(self)

    def index(self, *args: Any) -> int:
        """Count the whole list: how far the search went is not seen."""
        METER.touch(len(self))
        return list.index(self, *args)

    def remove(self, value: Any) -> None:
        """Count the whole list."""
        METER.touch(len(self))
        list.remove(self, value)

    def insert(self, index: SupportsIndex, value: Any) -> None:
        """Count what has to move."""
        METER.touch(max(1, len(self) - int(index)))
        list.insert(self, index, value)

    def pop(self, index: SupportsIndex = -1) -> Any:
        """Count what has to move."""
        METER.touch(1 if int(index) == -1 else max(1, len(self) - int(index)))
        return list.pop(self, index)
