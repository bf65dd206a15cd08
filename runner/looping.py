"""Is a model going round in circles? Pure.

A model that writes the same token, line or block over and over would do so up to its token limit, or for ever where there is none.
Decision: that is the model's own doing, as an answer cut at the token limit is. So the stream is closed (the server stops, the time
goes to other questions), the answer gets the state ``loop`` with what had arrived, and it is settled and scored like any other.

Only an exact repetition at the very end counts, and only one longer than people write: a table of 400 zeros, a drawing, thirty
closing braces, or hundreds of tests that differ in a number are no loop. A loop that counts its rounds is not seen: it ends at the
token limit.
"""

from collections.abc import Iterator

from runner.types import Value

MIN_CHARS = 1500
"""No shorter repetition is one: ``0, `` 400 times may be a table."""
MIN_TIMES = 40
"""So often at least, unless ``LONG_CHARS`` are reached before: a board of 30 equal lines is none."""
LONG_CHARS = 4000
"""A repetition this long is one even if it came fewer times."""
MIN_BLOCKS = 4
"""So often at least, however long the block is: people show a program twice or three times."""
MAX_PERIOD = 4000
"""Longest block that is looked for, characters."""
WINDOW = MIN_BLOCKS * MAX_PERIOD
"""Characters at the end of a text that decide."""
_PROBE = 200
_SHOWN_CHARS = 40


class Repetition(Value):
    """What came over and over."""

    unit: str
    """The token, line or block, from the start of a line or word if there is one in it."""
    times: int
    """How often in a row it stands at the end, within the last ``WINDOW`` characters."""

    def __str__(self) -> str:
        """Say it on one line."""
        shown = self.unit if len(self.unit) <= _SHOWN_CHARS else f"{self.unit[:_SHOWN_CHARS]}..."
        return f"the model wrote the same {len(self.unit)} characters {self.times} times in a row ({shown!r})"


def endless_repetition(text: str) -> Repetition | None:
    """Return what ``text`` ends with over and over, or ``None`` when that is nothing or may still be meant."""
    if len(text) < MIN_CHARS:
        return None
    tail = text[-WINDOW:]
    for period in _periods(tail):
        if _repeats(tail, period, chars_needed(period)):
            unit = tail[-period:]
            return Repetition(unit=_from_its_start(unit), times=_times(tail, unit))
    return None


def chars_needed(period: int) -> int:
    """Return how long a repetition of ``period`` characters has to be before it counts."""
    return max(MIN_CHARS, min(MIN_TIMES * period, LONG_CHARS), MIN_BLOCKS * period)


def _periods(tail: str) -> Iterator[int]:
    """Yield the distances at which the very end of ``tail`` stood before, shortest first: only those can be its period."""
    probe = tail[-_PROBE:]
    earliest = max(0, len(tail) - MAX_PERIOD - len(probe))
    at = len(tail) - len(probe)
    while (at := tail.rfind(probe, earliest, at + len(probe) - 1)) >= 0:
        yield len(tail) - len(probe) - at


def _repeats(tail: str, period: int, chars: int) -> bool:
    return len(tail) >= chars and tail[-chars:-period] == tail[len(tail) - chars + period :]


def _times(tail: str, unit: str) -> int:
    times = 1
    while tail.endswith(unit, 0, len(tail) - times * len(unit)):
        times += 1
    return times


def _from_its_start(unit: str) -> str:
    """Turn the unit so that it starts where a line starts, or else a word."""
    at = max(unit.rfind("\n"), 0) or unit.rfind(" ")
    return unit[at + 1 :] + unit[: at + 1]
