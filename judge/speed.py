"""Speed of an arm: the timings of its answers put together. Pure."""

from array import array
from collections.abc import Iterable, Sequence
from statistics import fmean, median, stdev
from typing import NamedTuple, Protocol

from judge.records import ArmRecord
from runner.timing import Measured, speed_figures
from runner.types import Value

MIN_EVALUATED_SHARE = 0.5
"""A time to first token counts only when at least half of the prompt was evaluated for it, not taken from the request before."""


class Spread(Value):
    """A figure over several requests."""

    n: int
    """Requests that it was measured on."""
    median: float
    mean: float
    sd: float | None
    """``None`` for a single request."""


class Speed(Value):
    """Speed of one arm over its settled answers. ``None``: not measured."""

    ttft_s: Spread | None
    prefill_tps: Spread | None
    decode_tps: Spread | None
    """What a user gets over HTTP."""
    server_decode_tps: Spread | None
    """The server's eval time: what compares with llama.cpp's own figure."""
    overhead_ms: Spread | None
    """Sampling and HTTP, milliseconds per token."""
    token_sources: tuple[str, ...]
    speedup: float | None = None
    """decode_tps over that of the same candidate's baseline; ``None`` without a baseline in the run."""


class AnswerSpeed(NamedTuple):
    """Speed of one answer, as far as it counts for its arm; not a ``Value``, as there may be thousands at a time."""

    ttft_s: float | None
    """``None`` also when most of the prompt was taken from the request before."""
    prefill_tps: float | None
    """Likewise."""
    decode_tps: float | None
    server_decode_tps: float | None
    overhead_ms: float | None
    token_source: str | None


def answer_speed(record: ArmRecord, answer: Measured) -> AnswerSpeed:
    """Return the speed of one answer of an arm."""
    derived = speed_figures(answer, speculative=record.arm.config.draft_tokens is not None)
    fresh = _is_fresh(answer)
    return AnswerSpeed(
        ttft_s=derived.ttft_s if fresh else None,
        prefill_tps=derived.prefill_tps if fresh else None,
        decode_tps=derived.decode_tps,
        server_decode_tps=derived.server_decode_tps,
        overhead_ms=derived.overhead_ms,
        token_source=derived.token_source,
    )


class SpeedColumns(NamedTuple):
    """The known figures of many answers, eight bytes each."""

    ttft_s: Sequence[float]
    prefill_tps: Sequence[float]
    decode_tps: Sequence[float]
    server_decode_tps: Sequence[float]
    overhead_ms: Sequence[float]
    token_sources: frozenset[str]


def speed_columns(speeds: Sequence[AnswerSpeed]) -> SpeedColumns:
    """Return the figures of these answers by column, without those that were not measured."""
    return SpeedColumns(
        ttft_s=_column(one.ttft_s for one in speeds),
        prefill_tps=_column(one.prefill_tps for one in speeds),
        decode_tps=_column(one.decode_tps for one in speeds),
        server_decode_tps=_column(one.server_decode_tps for one in speeds),
        overhead_ms=_column(one.overhead_ms for one in speeds),
        token_sources=frozenset(one.token_source for one in speeds if one.token_source is not None),
    )


def _column(figures: Iterable[float | None]) -> Sequence[float]:
    return array("d", (figure for figure in figures if figure is not None))


def arm_speed(parts: Sequence[SpeedColumns]) -> Speed:
    """Return the speed of one arm over those of its answers that can be scored, given in parts."""
    return Speed(
        ttft_s=_spread(part.ttft_s for part in parts),
        prefill_tps=_spread(part.prefill_tps for part in parts),
        decode_tps=_spread(part.decode_tps for part in parts),
        server_decode_tps=_spread(part.server_decode_tps for part in parts),
        overhead_ms=_spread(part.overhead_ms for part in parts),
        token_sources=tuple(sorted(frozenset[str]().union(*(part.token_sources for part in parts)))),
    )


class Reuse(NamedTuple):
    """Prompt tokens of the scorings whose server says how many of them it had already."""

    prompt_tokens: int | None = None
    """``None``: no server said."""
    reused_tokens: int | None = None

    @property
    def share(self) -> float | None:
        """Share of the tokens that did not have to be evaluated, 0-1; ``None`` when no server said."""
        return (self.reused_tokens or 0) / self.prompt_tokens if self.prompt_tokens else None


class TellsTokens(Protocol):
    """A judgement, or what is left of it."""

    @property
    def prompt_tokens(self) -> int | None: ...  # noqa: D102

    @property
    def reused_tokens(self) -> int | None: ...  # noqa: D102


def reuse(told: Iterable[TellsTokens]) -> Reuse:
    """Return the sums over those that say."""
    known = [(one.prompt_tokens, one.reused_tokens) for one in told if one.prompt_tokens]
    counts = [(prompt, reused) for prompt, reused in known if reused is not None]
    return Reuse(sum(p for p, _ in counts), sum(r for _, r in counts)) if counts else Reuse()


def _is_fresh(answer: Measured) -> bool:
    server = answer.server_timing
    if server is None:
        return True
    return server.prompt_tokens >= MIN_EVALUATED_SHARE * (server.prompt_tokens + server.reused_tokens)


def _spread(columns: Iterable[Sequence[float]]) -> Spread | None:
    known = [figure for column in columns for figure in column]
    if not known:
        return None
    return Spread(n=len(known), median=median(known), mean=fmean(known), sd=stdev(known) if len(known) > 1 else None)
