"""The frozen values of this package: what is asked for, what was served, what came back.

No value here does I/O or points back at its maker. Times are seconds on one monotonic clock unless a name says otherwise.
"""

import functools
import re
from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from runner.errors import UsageError
from runner.identity import digest


class Value(BaseModel):
    """Base of all values: frozen, and unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


# --- what is asked for --------------------------------------------------------------------------------------------


class Prompt(Value):
    """One request to a candidate. It carries no rubric and no reference answer, so neither can leak."""

    id: str
    """Id of the question that this is the prompt of."""
    user: str
    """The user message, sent word for word."""
    system: str | None = None
    """The system message; ``None`` sends none."""

    def messages(self) -> list[dict[str, str]]:
        """Return the chat messages in the form of the OpenAI API."""
        system = [{"role": "system", "content": self.system}] if self.system is not None else []
        return [*system, {"role": "user", "content": self.user}]


class Sampling(Value):
    """Sampling parameters of one generation. ``None`` leaves a parameter to the server's default.

    Numbers are numbers: a YAML ``yes`` is no temperature of 1.
    """

    temperature: float = Field(strict=True, default=0.7, ge=0)
    """0 is greedy."""
    top_p: float | None = Field(strict=True, default=None, gt=0, le=1)
    top_k: int | None = Field(strict=True, default=None, ge=0)
    """0 switches the filter off."""
    min_p: float | None = Field(strict=True, default=None, ge=0, le=1)
    repeat_penalty: float | None = Field(strict=True, default=None, gt=0)
    """1.0 is no penalty."""
    max_tokens: int = Field(strict=True, default=2048, ge=1)
    """The same limit for every model; an answer cut by it has state ``length`` and is scored as it stands."""
    seed: int = Field(strict=True, default=1, ge=0)
    """Sample g of a question is generated with ``seed + g``."""

    def for_sample(self, sample: int) -> Self:
        """Return the parameters of sample ``sample`` (0-based): the same, with its own seed."""
        return self.model_copy(update={"seed": self.seed + sample})


class Config(Value):
    """How a candidate is served: ``baseline``, ``moeN`` (N experts used) or ``spec_kN`` (N draft tokens)."""

    name: str
    experts: int | None = None
    """Experts used per token; ``None`` leaves what the GGUF says."""
    draft_tokens: int | None = None
    """Tokens drafted per step by prompt-lookup decoding; ``None`` is no speculative decoding."""

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read a config name. Raises UsageError for anything but the three forms."""
        if name == "baseline":
            return cls(name=name)
        if match := re.fullmatch(r"moe([1-9][0-9]{0,3})", name):
            return cls(name=name, experts=int(match[1]))
        if match := re.fullmatch(r"spec_k([1-9][0-9]{0,2})", name):
            return cls(name=name, draft_tokens=int(match[1]))
        raise UsageError(f"config {name!r} is not known: use baseline, moeN (N experts) or spec_kN (N draft tokens)")


class Override(Value):
    """One metadata key of the GGUF that the server is told to replace."""

    key: str
    """The full key with the model's own architecture prefix, such as ``qwen3moe.expert_used_count``."""
    value: int


class Serving(Value):
    """Settings of the server that are the same for every config of a candidate."""

    n_ctx: int = Field(default=8192, ge=64)
    """Context in tokens; the server's own default (2048) would cut long answers."""
    n_threads: int = Field(ge=1)
    """CPU threads; the server's own default is half of the cores."""
    n_gpu_layers: int = Field(default=0, ge=-1)
    """Layers on the GPU; -1 is all of them."""
    chat_format: str | None = None
    """A chat format of llama-cpp-python; ``None`` uses the template inside the GGUF."""


class ModelFile(Value):
    """What the header of a GGUF file (or of the first part of a split one) says, and a fingerprint of its content."""

    path: str
    """The file that the server is started with (the first part of a split file)."""
    parts: int
    """Number of files; 1 when not split."""
    size_bytes: int
    """Size of all parts together."""
    architecture: str
    """``general.architecture``, the prefix of every model key: ``llama``, ``qwen3moe`` ..."""
    name: str | None
    """``general.name``."""
    quantisation: str | None
    """Name of ``general.file_type``, such as ``Q4_K_M``; ``None`` when the file does not say."""
    parameters: int
    """Number of weights in all tensors of all parts."""
    context_length: int | None
    """Context in tokens that the model was trained for."""
    expert_count: int | None
    """Experts per layer; ``None`` for a dense model."""
    expert_used_count: int | None
    """Experts used per token without an override; ``None`` for a dense model."""
    fingerprint: str
    """16 hex digits over header, size and sampled blocks: equal content, equal fingerprint."""


class Arm(Value):
    """A candidate in one config, as it is really served. Two arms are the same when their fingerprints are."""

    candidate: str
    config: Config
    model_fingerprint: str
    overrides: tuple[Override, ...] = ()
    serving: Serving

    @property
    def id(self) -> str:
        """Readable name: ``coder_primary/moe4``."""
        return f"{self.candidate}/{self.config.name}"

    @property
    def fingerprint(self) -> str:
        """Hash of everything above; answers of a different fingerprint are never mixed."""
        return _arm_fingerprint(self)


@functools.lru_cache
def _arm_fingerprint(arm: Arm) -> str:
    """A run asks for it with every answer, and has few arms."""
    return digest(arm)


class Endpoint(Value):
    """Where a model is asked. The key is never part of a value: it is handed to the client alone."""

    base_url: str
    """Up to and including ``/v1``."""
    model: str
    """The name that is sent in requests and must be listed under ``/v1/models``."""
    server: Literal["llama-cpp-python", "openai"] = "openai"
    """Which control plane to expect: the local server's own, or only the OpenAI API."""


# --- what came back -----------------------------------------------------------------------------------------------


class Stamps(Value):
    """Raw times of one streamed request, in seconds of one monotonic clock; rates are derived, never stored."""

    sent_s: float
    """Just before the request was sent."""
    first_token_s: float | None
    """First non-empty chunk (content or reasoning); ``None`` when none came."""
    last_token_s: float | None
    """Last non-empty chunk."""
    ended_s: float
    """End of the stream or of the attempt."""


TokenSource = Literal["usage", "timings", "tokenize", "reported"]


class Usage(Value):
    """Token counts of one request, and who counted."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """All generated tokens, reasoning included; never a count of chunks."""
    source: TokenSource | None = None
    """``usage``: the reply; ``timings``: llama-server's; ``tokenize``: the text counted afterwards; ``reported``: whoever
    measured an imported answer; ``None``: nobody."""


class Reply(Value):
    """One reply of a chat endpoint, streamed or whole."""

    text: str
    reasoning: str = ""
    finish_reason: str | None
    stamps: Stamps
    usage: Usage = Usage()
    repetition: str | None = None
    """What the model wrote over and over until the stream was closed by us, on one line; ``None`` when it was not."""


class ServerTiming(Value):
    """The server's own ``llama_perf`` figures of one request. Sampling and HTTP are not in them."""

    prompt_ms: float
    prompt_tokens: int
    """Prompt tokens that were evaluated; reused ones are not in it."""
    reused_tokens: int
    """Prompt tokens taken from the state of the request before."""
    eval_ms: float
    eval_steps: int
    """Decode steps: about the generated tokens minus one, or fewer with speculative decoding."""


class AnswerState(StrEnum):
    """How a generation ended."""

    OK = "ok"
    LENGTH = "length"
    """Cut at the token limit that everyone has: the model's doing."""
    EMPTY = "empty"
    """Finished properly with no text: the model's doing."""
    LOOP = "loop"
    """Cut by us because the same text came over and over: the model's doing."""
    CONTEXT_EXCEEDED = "context_exceeded"
    """The prompt does not fit the served context: permanent, nothing to score."""
    TRUNCATED = "truncated"
    """The stream ended without a finish reason: something cut it."""
    SERVER_DIED = "server_died"
    ERROR = "error"


SCORABLE_STATES = frozenset({AnswerState.OK, AnswerState.LENGTH, AnswerState.EMPTY, AnswerState.LOOP})
"""The model's own doing: these are judged."""

SETTLED_STATES = SCORABLE_STATES | {AnswerState.CONTEXT_EXCEEDED}
"""Asking again would change nothing. Every other state is missing and owed again."""


class Answer(Value):
    """One generation of one arm for one question, or the failed attempt at it."""

    prompt_id: str
    sample: int
    """g, 0-based."""
    sampling: Sampling
    """With the seed of this sample."""
    state: AnswerState
    text: str
    """What arrived, word for word; may be empty."""
    reasoning: str = ""
    """What the server delivered apart as reasoning; never judged."""
    finish_reason: str | None
    """As sent by the server; ``None`` when the stream ended without one."""
    message: str | None = None
    """One line saying what went wrong; ``None`` when nothing did."""
    stamps: Stamps | None
    """``None`` when no request could be sent, and for answers that were imported."""
    reported_tps: float | None = None
    """Decode speed that came with an imported answer, tokens per second; ``None`` for answers that were measured here."""
    usage: Usage = Usage()
    server_timing: ServerTiming | None = None
    """``None`` when the server's log has no figures for this very request."""

    @property
    def settled(self) -> bool:
        """True when asking again would change nothing."""
        return self.state in SETTLED_STATES

    @property
    def scorable(self) -> bool:
        """True when the text is the model's own doing and can be judged."""
        return self.state in SCORABLE_STATES


class Timing(Value):
    """Speed of one answer, derived from stamps and counts. ``None`` is always "not measurable", never 0."""

    ttft_s: float | None
    """Request sent to first token, seconds."""
    prefill_tps: float | None
    """Prompt tokens evaluated per second, the server's own figure; reused tokens are not counted."""
    decode_tps: float | None
    """(n-1)/(t_last - t_first): what a user gets over HTTP, tokens per second."""
    server_decode_tps: float | None
    """Steps per second of the server's eval time; ``None`` with speculative decoding, where a step is not a token."""
    overhead_ms: float | None
    """Client minus server, milliseconds per token: sampling and HTTP."""
    completion_tokens: int | None
    token_source: TokenSource | None
