"""Speed of one answer out of raw stamps and counts. Pure.

``decode_tps`` is (n-1)/(t_last - t_first): the first token belongs to the prefill. n is a count of tokens, never of chunks.
"""

from collections.abc import Sequence
from statistics import median
from typing import Literal, NamedTuple, Protocol

from runner.types import Answer, ServerTiming, Stamps, Timing, TokenSource, Usage, Value

MIN_PROMPT_MS = 1.0
"""llama_perf prints ~0 ms when it timed nothing (a one-token prompt counts as a decode step, the first request after a
load is not timed): such a figure is no measurement."""
DEFINITION_TOLERANCE = 0.25
"""A reported speed fits a definition when it is off by less than this part of what the two definitions differ by."""
OUTLYING = 3.5 * 1.4826
"""So many median absolute deviations from the median: 3.5 standard deviations of normal figures."""

SpeedDefinition = Literal["n (legacy)", "n-1"]


class ReportedSpeed(Value):
    """Decode speed out of the ``timings`` of llama-server, beside the figure that the server itself prints."""

    decode_tps: float
    """(predicted_n - 1) / predicted_ms: comparable with every other decode speed here."""
    reported_tps: float
    """``predicted_per_second``, word for word."""
    definition: SpeedDefinition | None
    """Which count reproduces ``reported_tps``: older builds divide all n tokens by the time of n-1; ``None``: neither does."""


class Measured(Protocol):
    """An answer, or what is left of it when only its speed is asked for."""

    @property
    def stamps(self) -> Stamps | None: ...  # noqa: D102

    @property
    def usage(self) -> Usage: ...  # noqa: D102

    @property
    def server_timing(self) -> ServerTiming | None: ...  # noqa: D102

    @property
    def reported_tps(self) -> float | None: ...  # noqa: D102


class Figures(NamedTuple):
    """The fields of ``Timing``; not a ``Value``, as a report derives those of a hundred thousand answers."""

    ttft_s: float | None
    prefill_tps: float | None
    decode_tps: float | None
    server_decode_tps: float | None
    overhead_ms: float | None
    completion_tokens: int | None
    token_source: TokenSource | None


def timing(answer: Answer, *, speculative: bool) -> Timing:
    """Derive the speed figures of ``answer``; whatever cannot be measured is ``None``.

    With speculative decoding the server's figures count steps and draft batches instead of tokens, so they are left out.
    """
    return Timing(**speed_figures(answer, speculative=speculative)._asdict())


def speed_figures(answer: Measured, *, speculative: bool) -> Figures:
    """Return the same for when there are many answers."""
    server = None if speculative else answer.server_timing
    reported = answer.reported_tps
    decode_tps = reported or decode_rate(answer.stamps, answer.usage.completion_tokens)
    server_decode_tps = eval_rate(server)
    return Figures(
        ttft_s=ttft(answer.stamps),
        prefill_tps=prefill_rate(server),
        decode_tps=decode_tps,
        server_decode_tps=server_decode_tps,
        overhead_ms=overhead_ms(decode_tps, server_decode_tps),
        completion_tokens=answer.usage.completion_tokens,
        token_source="reported" if reported else answer.usage.source,
    )


def ttft(stamps: Stamps | None) -> float | None:
    """Seconds from sending to the first non-empty chunk."""
    if stamps is None or stamps.first_token_s is None:
        return None
    return stamps.first_token_s - stamps.sent_s


def decode_rate(stamps: Stamps | None, tokens: int | None) -> float | None:
    """Tokens per second after the first one; needs two tokens that arrived at different times."""
    if stamps is None or stamps.first_token_s is None or stamps.last_token_s is None or tokens is None or tokens < 2:
        return None
    span_s = stamps.last_token_s - stamps.first_token_s
    return (tokens - 1) / span_s if span_s > 0 else None


def prefill_rate(server: ServerTiming | None) -> float | None:
    """Prompt tokens per second that were really evaluated (reused ones are not counted by the server)."""
    if server is None or server.prompt_ms < MIN_PROMPT_MS:
        return None
    return server.prompt_tokens / (server.prompt_ms / 1000)


def eval_rate(server: ServerTiming | None) -> float | None:
    """Decode steps per second in the server's eval time, which excludes sampling and HTTP."""
    if server is None or server.eval_steps < 1 or server.eval_ms <= 0:
        return None
    return server.eval_steps / (server.eval_ms / 1000)


def reported_speed(predicted_n: int, predicted_ms: float, predicted_per_second: float) -> ReportedSpeed | None:
    """Return the speed of a request by llama-server's ``timings``; ``None`` under two tokens or without a time.

    With ``draft_n`` above 0 (speculative decoding) the figures mean something else: do not ask then.
    """
    if predicted_n < 2 or predicted_ms <= 0:
        return None
    per_token = 1000 / predicted_ms
    definitions: dict[SpeedDefinition, float] = {
        "n (legacy)": predicted_n * per_token,
        "n-1": (predicted_n - 1) * per_token,
    }
    fitting = [
        name for name, tps in definitions.items() if abs(tps - predicted_per_second) < DEFINITION_TOLERANCE * per_token
    ]
    return ReportedSpeed(
        decode_tps=definitions["n-1"],
        reported_tps=predicted_per_second,
        definition=fitting[0] if fitting else None,
    )


def outlying(figures: Sequence[float]) -> tuple[bool, ...]:
    """Return for each figure whether it lies over 3.5 robust standard deviations off the median. Flagged, never dropped."""
    if not figures:
        return ()
    middle = median(figures)
    reach = OUTLYING * median(abs(x - middle) for x in figures)
    return tuple(abs(x - middle) > reach for x in figures)


def overhead_ms(decode_tps: float | None, server_decode_tps: float | None) -> float | None:
    """Milliseconds per token that the client sees on top of the server's eval time."""
    if not decode_tps or not server_decode_tps:
        return None
    return 1000 / decode_tps - 1000 / server_decode_tps
