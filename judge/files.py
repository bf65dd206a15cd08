"""The three files of the library as a person writes them, and the values that they become.  Pure.

A field that is wrong by itself is refused here; what depends on other fields or files is checked in ``checks``.
"""

import difflib
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from judge.errors import UserError
from judge.types import (
    Criterion,
    Grade,
    Level,
    ModelEntry,
    ModelStatus,
    Question,
    Role,
    Suite,
    Target,
    Tier,
)
from runner.errors import UsageError
from runner.types import Config, Sampling, Value

# --- fields -------------------------------------------------------------------------------------------------------


def _whole(written: object) -> object:
    if type(written) is not int:  # a literal 1 alone would take true for it
        raise ValueError(f"should be a whole number, found {written!r}")
    return written


def _config(name: str) -> str:
    try:
        return Config.parse(name).name
    except UsageError as error:
        raise ValueError(str(error)) from error


def _target(written: object) -> Target:
    match = re.fullmatch(r"([1-5])(?:-([1-5]))?", str(written)) if type(written) in (int, str) else None
    if match is None or match[1] > (match[2] or match[1]):
        raise ValueError(f"target {written!r} is no range on the 1-5 scale: write 4-5, or 5")
    low, high = int(match[1]), int(match[2] or match[1])
    return Target.model_validate({"low": low, "high": high})


def _path(written: str) -> str:
    if re.search(r"\$(?!\{[A-Za-z_]\w*(:-[^{}]*)?\})", written):
        raise ValueError(f"path {written!r} has a $ that starts no variable: write ${{VAR}} or ${{VAR:-default}}")
    return written


NEWEST_VERSION = 1
"""Newest version of the three file formats that this program reads; there has been no other yet."""

FormatVersion = Annotated[Literal[1], BeforeValidator(_whole)]

Score = Annotated[Grade, BeforeValidator(_whole)]

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
"""An id. It becomes part of file names and commands, hence the few characters."""

Text = Annotated[str, Field(pattern=r"\S")]
"""Any text but blank."""

ConfigName = Annotated[
    str,
    AfterValidator(_config),
    Field(json_schema_extra={"pattern": r"^(baseline|moe[1-9]\d{0,3}|spec_k[1-9]\d{0,2})$"}),
]

TargetRange = Annotated[
    Target,
    BeforeValidator(_target),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 5}, {"type": "string", "pattern": "^[1-5](-[1-5])?$"}]}
    ),
]

Threshold = Annotated[float, Field(strict=True, ge=1, le=5)]

TokensPerSecond = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]

Configs = Annotated[list[ConfigName], Field(min_length=1)]

# --- files --------------------------------------------------------------------------------------------------------


class FileFormat(BaseModel):
    """Base of everything that stands in a file: unknown keys are errors, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class QuestionText(FileFormat):
    """What a candidate is asked."""

    id: Name
    """Unique; the rubric of the question stands under it."""
    test: Name
    """Unique; the name in result files."""
    tier: Name
    title: Text
    prompt: Text
    """Sent word for word as the user message."""


class QuestionsFile(FileFormat):
    """prompts/questions/<suite>.yaml."""

    version: FormatVersion
    suite: Name
    questions: Annotated[list[QuestionText], Field(min_length=1)]


class CriterionLine(FileFormat):
    """One thing that an answer is scored on."""

    id: Name
    """Unique within its question."""
    name: Text
    weight: int = Field(strict=True, gt=0, le=100)
    """Percent; the weights of a question sum to 100."""


class QuestionRubric(FileFormat):
    """How the answers to one question are scored."""

    expected: Text
    """What a good answer does; judges see it, candidates do not."""
    criteria: Annotated[list[CriterionLine], Field(min_length=1)]


class LevelText(FileFormat):
    """What scores mean."""

    scores: Annotated[list[Score], Field(min_length=1)]
    text: Text


class TierName(FileFormat):
    """A level of difficulty."""

    id: Name
    name: Text


class RoleRequirements(FileFormat):
    """A rung of the ladder and what it takes to stand on it."""

    id: Name
    targets: dict[Name, TargetRange] = {}
    """Tier -> range that the role is expected to score, such as 4-5 or 5."""
    thresholds: Annotated[dict[Name, Threshold], Field(min_length=1)]
    """Tier -> lowest tier score that fills the role; a tier that is left out decides nothing."""


class RubricsFile(FileFormat):
    """rubrics/<suite>.yaml."""

    version: FormatVersion
    suite: Name
    scale: Annotated[list[LevelText], Field(min_length=1)]
    """Describes each of the scores 1-5 once."""
    tiers: Annotated[list[TierName], Field(min_length=1)]
    roles: list[RoleRequirements]
    """The ladder, lowest rung first."""
    questions: Annotated[dict[Name, QuestionRubric], Field(min_length=1)]
    """Question id -> its rubric."""


class ModelLine(FileFormat):
    """One model: a candidate, a judge, or both. What is left out gets the default of ``ModelEntry``."""

    model: Text
    """Name of the model."""
    status: ModelStatus
    """ready is what run-all takes; the others run when named."""
    role: Name | None = None
    """The role that this model fills today."""
    path: Annotated[Text, AfterValidator(_path)] | None = None
    """Path or glob of the GGUF file, with ${VAR} and ${VAR:-default}; left out: not downloaded."""
    arch: Name
    """One of the architectures of this file."""
    quant: Text | None = None
    family: Name | None = None
    """Lineage: judges of the candidate's own family are marked; left out: unknown, which counts as the own family."""
    configs: Configs | None = None
    """Configs to test; left out: those of the architecture."""
    expected_tps: dict[ConfigName, TokensPerSecond] = {}
    """Config -> expected decode tokens per second."""
    speculative: bool = False
    """True when speculative decoding is worth trying."""
    n_ctx: Annotated[int, Field(strict=True, ge=64)] | None = None
    """Context in tokens; left out: 8192."""
    n_gpu_layers: Annotated[int, Field(strict=True, ge=-1)] | None = None
    """Layers on the GPU; -1 is all of them, left out: none."""
    chat_format: Text | None = None
    """A chat format of llama-cpp-python; left out: the template inside the GGUF."""
    sampling: Sampling | None = None
    """As a candidate; what is left out has the defaults of this program."""
    notes: str = ""


class ModelsFile(FileFormat):
    """models.yaml."""

    version: FormatVersion
    architectures: Annotated[dict[Name, Configs], Field(min_length=1)]
    """Architecture -> configs of models that list none."""
    models: dict[Name, ModelLine]
    """Id -> model."""


# --- values -------------------------------------------------------------------------------------------------------


class Models(Value):
    """The models of models.yaml."""

    entries: tuple[ModelEntry, ...]
    """In the order of the file."""
    architectures: dict[str, tuple[str, ...]]
    """Architecture -> configs of models that list none."""

    def get(self, model_id: str) -> ModelEntry:
        """Return the entry with this id. Raises UserError that names the nearest ids."""
        ids = [entry.id for entry in self.entries]
        if model_id in ids:
            return self.entries[ids.index(model_id)]
        near = difflib.get_close_matches(model_id, ids)
        hint = f"did you mean {', '.join(near)}?" if near else f"it has {', '.join(ids) or 'none'}"
        raise UserError(f"model {model_id!r} is not in models.yaml: {hint}")


def suite_of(asked: QuestionsFile, rubrics: RubricsFile) -> Suite:
    """Join the two files of a suite, which must have passed the checks."""
    return Suite(
        name=rubrics.suite,
        version=rubrics.version,
        scale=tuple(Level(scores=tuple(level.scores), text=level.text) for level in rubrics.scale),
        tiers=tuple(Tier(id=tier.id, name=tier.name) for tier in rubrics.tiers),
        roles=tuple(Role(id=role.id, targets=role.targets, thresholds=role.thresholds) for role in rubrics.roles),
        questions=tuple(_question(question, rubrics.questions[question.id]) for question in asked.questions),
    )


def models_of(file: ModelsFile) -> Models:
    """Return the values of a models file, which must have passed the checks."""
    return Models(
        entries=tuple(
            ModelEntry.model_validate(
                {
                    "id": model_id,
                    "family": None,
                    "configs": file.architectures[line.arch],
                    **line.model_dump(exclude_none=True),
                }
            )
            for model_id, line in file.models.items()
        ),
        architectures={name: tuple(configs) for name, configs in file.architectures.items()},
    )


def _question(asked: QuestionText, rubric: QuestionRubric) -> Question:
    criteria = tuple(Criterion(id=line.id, name=line.name, weight=line.weight) for line in rubric.criteria)
    return Question(**asked.model_dump(), expected=rubric.expected, criteria=criteria)
