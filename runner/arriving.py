"""A streamed reply while it arrives: text, times and counts so far, and whether the model has begun to go round in circles."""

from collections.abc import Callable

from runner.completions import read_chunk, read_usage
from runner.foreign_text import well_formed
from runner.looping import WINDOW, Repetition, endless_repetition
from runner.types import Reply, Stamps, Usage


class ArrivingReply:
    """What has arrived of one streamed reply."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sent_s = clock()
        self.first_s: float | None = None
        self._last_s: float | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._finish_reason: str | None = None
        self._heard_s = self._sent_s
        self._usage = Usage()
        self.heard = False
        """True once anything came that the client library could read."""
        self._tail = ""
        self._repetition: Repetition | None = None

    @property
    def finished(self) -> bool:
        """True once the finish reason is there: after it comes no more text, only counts and the end mark."""
        return self._finish_reason is not None

    @property
    def endless(self) -> bool:
        """True when the model repeats itself and has not said that it has finished."""
        return self._repetition is not None and not self.finished

    @property
    def text(self) -> str:
        """The text so far, without reasoning."""
        return well_formed("".join(self._text))

    def add(self, chunk: object) -> None:
        """Take in one chunk, stamped with the time of this call when it carries text or reasoning."""
        self.heard = True
        self._heard_s = self._clock()
        self._usage = read_usage(chunk) or self._usage
        part = read_chunk(chunk)
        self._finish_reason = part.finish_reason or self._finish_reason
        if part.text or part.reasoning:
            self._last_s = self._heard_s
            self.first_s = self._last_s if self.first_s is None else self.first_s
            self._text.append(part.text)
            self._reasoning.append(part.reasoning)
            self._tail = (self._tail + part.reasoning + part.text)[-WINDOW:]
            self._repetition = endless_repetition(self._tail)

    def reply(self) -> Reply:
        """Return what has arrived as a reply that ends now; a finished one ended with its last chunk."""
        ended_s = self._heard_s if self.finished else self._clock()
        stamps = Stamps(sent_s=self._sent_s, first_token_s=self.first_s, last_token_s=self._last_s, ended_s=ended_s)
        return Reply(
            text=self.text,
            reasoning=well_formed("".join(self._reasoning)),
            finish_reason=self._finish_reason,
            stamps=stamps,
            usage=self._usage,
            repetition=str(self._repetition) if self.endless else None,
        )
