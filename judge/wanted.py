"""What a user asked for, still in words: which answers, who scores them, and how it is carried out."""

from typing import Literal

from pydantic import Field

from judge.exam.result import ExamSize
from judge.grounding import Policy
from judge.types import JudgingMode, ModelEntry
from runner.types import Sampling, Value

JUDGE_SAMPLING = Sampling(temperature=0, max_tokens=4096)

OnSelf = Literal["refuse", "skip", "allow"]
"""What to do with a judge that is also a candidate: refuse the run, leave its own arms unscored, or let it."""


class JudgeChoice(Value):
    """Who is to score."""

    name: str | None = None
    """A name of models.yaml, served here."""
    urls: tuple[str, ...] = ()
    """OpenAI-compatible endpoints of one model, up to and including ``/v1``; the judge is known by the first."""
    model: str | None = None
    """The model to ask for at ``urls``."""
    family: str | None = None
    """Lineage of the model at ``urls``; ``None``: unknown."""
    on_self: OnSelf = "refuse"
    also_blind: bool = False
    """True scores every answer a second time without the evidence."""
    mode: JudgingMode = "joint"
    replicates: int = Field(default=1, ge=1, le=100)
    """Scorings per answer."""
    sampling: Sampling = JUDGE_SAMPLING


class NamedChoice(Value):
    """What may be asked for from anywhere, still in words: models have names, and nothing is a path."""

    candidates: tuple[str, ...]
    """Names of models.yaml."""
    configs: tuple[str, ...] = ()
    """``baseline``, ``moeN``, ``spec_kN``; empty: those of each model's entry."""
    questions: tuple[str, ...] = ()
    """Question ids or test names; empty: all."""
    tiers: tuple[str, ...] = ()
    """Empty: all."""
    samples: int = Field(default=1, ge=1, le=1000)
    """Answers per question and arm."""
    seed: int | None = Field(default=None, ge=0)
    """Of sample 0; sample g gets seed + g. ``None``: that of each model's entry, as are the next four."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Token limit of an answer."""
    n_ctx: int | None = Field(default=None, ge=64)
    """Context in tokens."""
    n_threads: int | None = Field(default=None, ge=1)
    """CPU threads; ``None``: all cores."""
    n_gpu_layers: int | None = Field(default=None, ge=-1)
    """Layers on the GPU; -1: all."""
    judges: tuple[JudgeChoice, ...] = ()
    """Empty: answers are only collected."""
    execute: bool = True
    """False leaves the answers unexecuted."""
    policy: Policy = "grounded"
    """``grounded``: checks bound the scores; ``judge``: they do not."""


class RunChoice(NamedChoice):
    """What a user asked for on the command line, still in words."""

    extra: tuple[ModelEntry, ...] = ()
    """Models that were given by path."""


class Terms(Value):
    """How a run is carried out, as far as that is for whoever asks for it to say."""

    concurrency: int | None = Field(default=None, ge=1)
    """Requests in flight at the endpoints of a judge; ``None``: as many as they take."""
    exam: ExamSize | None = None
    """Exam that a judge takes before its first scores; ``None``: none."""
    budget_hours: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """After this time nothing new is begun; ``None``: no limit."""
    load_timeout_s: float = Field(default=3600.0, ge=1, allow_inf_nan=False)
    """Seconds that a server may take to load."""
