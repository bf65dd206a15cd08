"""The structured log: one JSON object a line, with the id of the unit that it is about, through all layers. And no secrets in it.

Loggers are those of the standard library; whoever works on a unit says so once (``about``), and every record below carries its id,
those of retries and waits included. Without ``--log-file`` nothing is written and next to nothing is spent.
"""

import contextlib
import contextvars
import datetime
import json
import logging
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from runner.foreign_text import Blackout

PACKAGES = ("runner", "judge")
"""Whose records are written: client libraries log headers, and the key is in one of them."""
_UNIT: contextvars.ContextVar[str | None] = contextvars.ContextVar("unit", default=None)


@contextlib.contextmanager
def about(unit: str | None) -> Iterator[None]:
    """Mark everything that is logged in this block, and in what it awaits, as being about ``unit``."""
    token = _UNIT.set(unit)
    try:
        yield
    finally:
        _UNIT.reset(token)


def unit_of_now() -> str | None:
    """Return what is being worked on here; ``None``: nothing in particular."""
    return _UNIT.get()


def from_now_about(unit: str | None) -> None:
    """Mark everything that this task logs from here on: for loops whose body belongs to somebody else. They end with ``None``."""
    _UNIT.set(unit)


def note(logger: logging.Logger, event: str, **fields: object) -> None:
    """Log an event with its figures; ``event`` is one word that can be searched for."""
    if logger.isEnabledFor(logging.INFO):
        logger.info(event, extra={"fields": {"event": event, **fields}})


@contextlib.contextmanager
def written(path: Path, secrets: Collection[str] = ()) -> Iterator[None]:
    """Append the log to ``path`` for the length of the block; ``secrets`` are blacked out. Raises OSError when it cannot begin."""
    handler = _LogFile(path, encoding="utf-8")
    handler.setFormatter(JsonLines(secrets))
    loggers = [logging.getLogger(package) for package in PACKAGES]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
        with contextlib.suppress(OSError):  # of a full disk, which was told when it was met
            handler.close()


class _LogFile(logging.FileHandler):
    """A file that says once that it cannot be written any more: a log is not worth a run."""

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        self.setLevel(logging.CRITICAL + 1)
        sys.stderr.write(f"{self.baseFilename}: {error.strerror}; the log ends here, the work goes on\n")


class JsonLines(logging.Formatter):
    """A record as one line of JSON: ``time`` (UTC), ``monotonic_s``, ``level``, ``logger``, ``unit`` and the fields of the event."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        super().__init__()
        self._hidden = Blackout(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = getattr(record, "fields", None) or {"event": "message", "message": record.getMessage()}
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line = {
            "time": at.isoformat(timespec="microseconds"),
            "monotonic_s": time.monotonic(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "unit": _UNIT.get(),
            **fields,
        }
        if record.exc_info:
            line["traceback"] = self._hidden.pieces(self.formatException(record.exc_info))
        text = json.dumps(line, ensure_ascii=False, default=self._as_text)
        if self._hidden.is_plain(text.encode("utf-8", "surrogatepass")):
            return text
        return json.dumps(self._hidden.everywhere(line), ensure_ascii=False, default=self._as_text)

    def _as_text(self, value: object) -> str:
        return self._hidden.whole(str(value))
