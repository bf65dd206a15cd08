"""Speed of an arm: the timings of its answers put together. Pure."""

from collections.abc import Iterable, Sequence
from statistics import fmean, median, stdev

from judge.records import ArmRecord
from judge.types import Judgement
from runner.timing import timing
from runner.types import Answer, Timing, Value

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


def arm_speed(record: ArmRecord, answers: Sequence[Answer]) -> Speed:
    """Return the speed of one arm over the answers that can be scored."""
    speculative = record.arm.config.draft_tokens is not None
    pairs = [(answer, timing(answer, speculative=speculative)) for answer in answers if answer.scorable]
    timings = [derived for _, derived in pairs]
    fresh = [derived for answer, derived in pairs if _is_fresh(answer)]
    return Speed(
        ttft_s=_spread(t.ttft_s for t in fresh),
        prefill_tps=_spread(t.prefill_tps for t in fresh),
        decode_tps=_spread(t.decode_tps for t in timings),
        server_decode_tps=_spread(t.server_decode_tps for t in timings),
        overhead_ms=_spread(t.overhead_ms for t in timings),
        token_sources=tuple(sorted(_sources(timings))),
    )


def reused_share(judgements: Iterable[Judgement]) -> float | None:
    """Return the share of prompt tokens that the judge's server did not have to evaluate, 0-1; ``None`` when it never says."""
    told = [(j.reused_tokens, j.prompt_tokens) for j in judgements if j.reused_tokens is not None and j.prompt_tokens]
    return sum(reused for reused, _ in told) / sum(prompt for _, prompt in told) if told else None


def _is_fresh(answer: Answer) -> bool:
    server = answer.server_timing
    if server is None:
        return True
    return server.prompt_tokens >= MIN_EVALUATED_SHARE * (server.prompt_tokens + server.reused_tokens)


def _sources(timings: Sequence[Timing]) -> set[str]:
    return {t.token_source for t in timings if t.token_source is not None}


def _spread(figures: Iterable[float | None]) -> Spread | None:
    known = [figure for figure in figures if figure is not None]
    if not known:
        return None
    return Spread(n=len(known), median=median(known), mean=fmean(known), sd=stdev(known) if len(known) > 1 else None)
