"""What is written down about a run beside its answers and judgements: enough to rebuild its report at any time."""

from typing import Literal

from pydantic import Field

from judge.grounding import Policy
from judge.types import JudgingMode, ModelEntry, Question, Suite
from runner.types import Arm, Endpoint, ModelFile, Sampling, Serving, Value

RunState = Literal["running", "complete", "incomplete", "failed", "interrupted"]
"""``interrupted`` is never written down: the process of a run that calls itself running is gone."""


class ArmRecord(Value):
    """One arm of a run and the model behind it."""

    arm: Arm
    model: ModelFile | None
    """``None`` for answers that were imported: nothing can be served."""
    entry: ModelEntry
    sampling: Sampling
    """Without the seeds of the samples."""
    samples: dict[str, int] = Field(default={})
    """Tier id -> answers per question, where it is not the run's number: what was open was sampled further."""


class JudgeRecord(Value):
    """Who scores, and how it is asked."""

    name: str
    """In reports: a name of models.yaml, or the model's name at an endpoint."""
    family: str | None
    """``None``: unknown, which counts as the family of every candidate."""
    fingerprint: str
    """Hash of model or endpoint, serving and sampling."""
    endpoint: Endpoint | None
    """``None`` for a judge that is served here; the judge is known by it."""
    more_endpoints: tuple[Endpoint, ...] = ()
    """Further endpoints of the same model, which share the work; who judges does not depend on them."""
    model: ModelFile | None
    """``None`` for an endpoint."""
    serving: Serving | None = None
    """How it is served; ``None`` for an endpoint."""
    config: str = "baseline"
    """Config that it is served in."""
    sampling: Sampling
    mode: JudgingMode = "joint"
    replicates: int = Field(default=1, ge=1)
    scores_itself: bool = False
    """False leaves arms of the judge's own model unscored."""
    prompt_hash: str
    """Of the judge's prompt templates."""
    also_blind: bool = False
    """True scores every answer a second time without showing the evidence, to audit the judge against the tests."""
    only: frozenset[str] | None = None
    """Keys of the answers that it is asked about, those on which the judges before it differ; ``None``: all."""

    def is_asked_about(self, answer_key: str) -> bool:
        """True when this judge scores the answer."""
        return self.only is None or answer_key in self.only

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All endpoints, the first one first; empty for a judge that is served here."""
        return (self.endpoint, *self.more_endpoints) if self.endpoint else ()


class RankingRecord(Value):
    """Who is asked which of two answers is better, and what it is shown."""

    judge: JudgeRecord
    """Its ``prompt_hash`` is that of scorings: by it the judge's exam is found."""
    prompt_hash: str
    """Of the templates of comparisons."""
    blind: bool = False
    """True: it is not told what executing the answers showed."""


class RunRecord(Value):
    """One run: what was wanted, with everything that identifies it."""

    id: str
    created_at: str
    """UTC, ISO 8601."""
    command: tuple[str, ...]
    """As typed."""
    suite: Suite
    question_ids: tuple[str, ...]
    samples: int = Field(ge=1)
    arms: tuple[ArmRecord, ...]
    checks: dict[str, str] = Field(default={})
    """Question id -> hash of the checks that its answers are executed against; empty: nothing is executed."""
    policy: Policy = "grounded"
    judges: tuple[JudgeRecord, ...]
    """Everyone who scores, in the order in which they are loaded; empty when only answers are collected."""
    rankings: tuple[RankingRecord, ...] = ()
    """Everyone who compares the answers pairwise; empty: nobody was asked to."""
    environment: dict[str, str]
    """Versions and machine; never a key."""

    def samples_of(self, record: ArmRecord, question: Question) -> int:
        """Return how many answers to ``question`` are wanted of an arm."""
        return record.samples.get(question.tier, self.samples)


class Launch(Value):
    """One start of a server: how, and what its log proved."""

    arm_id: str
    command: tuple[str, ...]
    log: str
    """Path of its log."""
    overrides: dict[str, int]
    experts_used: int | None
    n_ctx: int | None
    proof_lines: tuple[str, ...]
    busy_cores: float | None = None
    """Cores that other programs used just before; ``None``: not measured."""
