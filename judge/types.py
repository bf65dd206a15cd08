"""The frozen values of this package: the suite, the models, and what judges said."""

import functools
from typing import Literal

from pydantic import Field

from runner.identity import digest
from runner.types import Config, ModelFile, Prompt, Sampling, Value

# --- the suite ----------------------------------------------------------------------------------------------------

Grade = Literal[1, 2, 3, 4, 5]


class Criterion(Value):
    """One thing that an answer is scored on."""

    id: str
    """Unique within its question: ``correct_logic``."""
    name: str
    """As a person reads it: ``Correct logic``."""
    weight: int = Field(gt=0, le=100)
    """Percent; the weights of a question sum to 100. Judges never see it."""


class Level(Value):
    """What scores mean on the 1-5 scale."""

    scores: tuple[Grade, ...]
    """The scores that this text describes, ascending."""
    text: str


class Question(Value):
    """One question of the suite with everything needed to score it; only its prompt ever reaches a candidate."""

    id: str
    """``C-T1-Q1``."""
    test: str
    """``t1_q1_factorial``: the name in result files."""
    tier: str
    """``T1``."""
    title: str
    prompt: str
    """Sent word for word as the user message."""
    expected: str
    """What a good answer does; for judges only."""
    criteria: tuple[Criterion, ...]

    def as_prompt(self) -> Prompt:
        """Return the part of the question that may leave this package."""
        return Prompt(id=self.id, user=self.prompt)

    @property
    def prompt_hash(self) -> str:
        """Identity of what the candidate is asked: a changed prompt is a new question."""
        return _prompt_hash(self.as_prompt())


@functools.lru_cache
def _prompt_hash(prompt: Prompt) -> str:
    """A run asks for it with every answer, and has few questions."""
    return digest(prompt)


class Tier(Value):
    """A level of difficulty."""

    id: str
    name: str


class Target(Value):
    """The range of scores that the plan expects of a role on a tier, such as 4-5."""

    low: Grade
    high: Grade

    @property
    def threshold(self) -> float:
        """The tier score that meets the target: 4.5 for a bare 5 (it rounds to 5), else the low end of the range."""
        return 4.5 if self.low == 5 else float(self.low)

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"


class Role(Value):
    """A place in the stack and what it takes to fill it."""

    id: str
    """``coder_primary``."""
    targets: dict[str, Target]
    """Tier id -> expected range. For information: met or missed."""
    thresholds: dict[str, float]
    """Tier id -> lowest tier score that fills the role, 1.0-5.0. This decides."""


class Suite(Value):
    """All questions with their criteria, the scale, the tiers and the roles; versioned and hashed."""

    name: str
    version: int
    scale: tuple[Level, ...]
    tiers: tuple[Tier, ...]
    roles: tuple[Role, ...]
    """In the order of the escalation ladder, lowest rung first."""
    questions: tuple[Question, ...]

    @property
    def hash(self) -> str:
        """Identity of the whole suite."""
        return digest(self)

    def rubric_hash(self, question: Question) -> str:
        """Identity of what a judge is told to score this question by: its text, expected answer, criteria and the scale."""
        return _rubric_hash(question, self.scale)

    def question(self, question_id: str) -> Question:
        """Return the question with this id. Raises KeyError."""
        for question in self.questions:
            if question.id == question_id:
                return question
        raise KeyError(question_id)

    @property
    def ids(self) -> tuple[str, ...]:
        """Question ids in the order of the suite."""
        return tuple(q.id for q in self.questions)


@functools.lru_cache
def _rubric_hash(question: Question, scale: tuple[Level, ...]) -> str:
    """A run asks for it with every scoring, and has few questions."""
    criteria = [(c.id, c.name) for c in question.criteria]
    return digest([question.prompt, question.expected, criteria, [level.model_dump() for level in scale]])


# --- models -------------------------------------------------------------------------------------------------------

ModelStatus = Literal["ready", "candidate", "deprecated", "demo"]


class ModelEntry(Value):
    """One model of models.yaml: a candidate, a judge, or both."""

    id: str
    """The key in the file, used on the command line: ``coder_primary``."""
    model: str
    """Name of the model: ``Qwen3-Coder-30B-A3B-Instruct``."""
    status: ModelStatus
    """``ready`` is what ``run-all`` takes; ``demo`` is only run when named."""
    role: str | None = None
    """The role that this model fills today (its incumbent); ``None``: it fills none."""
    path: str | None = None
    """Path or glob of the GGUF file, with ``${VAR}`` and ``${VAR:-default}``; ``None``: not downloaded."""
    arch: str
    """Architecture type of the plan: ``dense``, ``qwen3moe`` ... ``dense`` fits every GGUF without experts."""
    quant: str | None = None
    """As the plan says; what the GGUF itself says is what is reported when the file is there."""
    family: str | None
    """Lineage; judges of the same family as a candidate are marked. ``None``: unknown, which counts as the own family."""
    configs: tuple[str, ...]
    """Configs to test; what the file leaves out comes from its architecture."""
    expected_tps: dict[str, float] = Field(default={})
    """Config -> decode tokens per second that the plan expects; used for estimates until there is a measurement."""
    speculative: bool = False
    """True when speculative decoding is worth trying with this model (dense models)."""
    n_ctx: int = 8192
    n_gpu_layers: int = 0
    chat_format: str | None = None
    sampling: Sampling = Sampling()
    """As a candidate."""
    notes: str = ""

    @property
    def moe_experts(self) -> tuple[int, ...]:
        """Expert counts among the configs: (4,) for ``moe4``."""
        return tuple(c.experts for c in map(Config.parse, self.configs) if c.experts is not None)


class ResolvedModel(Value):
    """An entry together with the file that its path led to."""

    entry: ModelEntry
    file: ModelFile


# --- verdicts -----------------------------------------------------------------------------------------------------

JudgingMode = Literal["joint", "per_criterion"]


class Verdict(Value):
    """One criterion's score."""

    criterion: str
    score: Grade | None
    """``None``: the judge said that it cannot assess this criterion."""
    evidence: str
    """What in the answer the judge points to."""
    reasoning: str


class JudgeCall(Value):
    """Everything that one scoring of one answer by one judge depends on, beside the answer itself."""

    judge: str
    """Name of the judge in reports."""
    judge_fingerprint: str
    prompt_hash: str
    """Hash of the judge's prompt templates."""
    rubric_hash: str
    mode: JudgingMode
    replicate: int
    """r, 0-based: decides the order of the criteria and the seed."""
    evidence: str | None = None
    """Hash of the text about the execution that the judge was shown; ``None``: it was shown nothing."""


class Judgement(Value):
    """One judge's scores for one answer: a verdict for every criterion of its question."""

    answer_unit: str
    call: JudgeCall
    verdicts: tuple[Verdict, ...]
    replies: tuple[str, ...]
    """Raw replies, one a request, repair turns included."""
    repaired: bool
    """True when the first reply was no verdict and a repair turn was needed."""
    latency_s: float
    """Seconds over all requests of this judgement."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reused_tokens: int | None = None
    """Of the prompt tokens, those that the server took from the state of the request before; ``None``: it does not say."""


JudgeFailureKind = Literal["bad_verdict", "endpoint", "refused", "context_exceeded"]
"""``endpoint``: the same request may get a reply later; ``refused``: it gets none for what is in it, such as where a filter
withholds the reply."""


class JudgeFailure(Value):
    """A scoring that gave no scores. It is missing, counted, and owed again; never a low score."""

    answer_unit: str
    call: JudgeCall
    kind: JudgeFailureKind
    message: str
    """One line."""
    replies: tuple[str, ...] = ()
