"""What a program asks when it has one answer judged: a question of the suite, or one of its own with a rubric. Pure."""

from typing import Self

from pydantic import ConfigDict, Field, model_validator

from judge.prompting import MAX_ANSWER_CHARS
from judge.types import Criterion, Question
from runner.types import Value

LONGEST_QUESTION = 20_000
LONGEST_EXPECTED = 10_000
LONGEST_DESCRIPTION = 1000
MOST_CRITERIA = 12
MOST_REPLICATES = 10
WHOLE = 100
"""Percent."""
NOTHING_EXPECTED = "Nothing more is said; grade by the question and the criteria alone."


class AskedCriterion(Value):
    """One thing that the answer is scored on."""

    model_config = ConfigDict(defer_build=False)

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)
    name: str = Field(min_length=1, max_length=200)
    weight: int = Field(ge=1, le=WHOLE)
    """Percent; the weights sum to 100. The judge is not told."""
    description: str = Field(default="", max_length=LONGEST_DESCRIPTION)
    """What a good answer does in this, for the judge."""

    def criterion(self) -> Criterion:
        """Return the criterion as a judge reads it: on one line."""
        told = ": ".join(part for part in (" ".join(self.name.split()), " ".join(self.description.split())) if part)
        return Criterion(id=self.id, name=told, weight=self.weight)


class AskedJudgement(Value):
    """One answer that is to be judged: ``question_id``, or ``question`` and ``rubric``."""

    # The web framework builds what it checks bodies with at once, and takes a model that is built later for a mistake of ours.
    model_config = ConfigDict(defer_build=False)

    question_id: str | None = Field(default=None, max_length=64)
    """Of the suite."""
    question: str | None = Field(default=None, min_length=1, max_length=LONGEST_QUESTION)
    """As it was asked."""
    expected: str = Field(default="", max_length=LONGEST_EXPECTED)
    """What a good answer does; with ``question`` only."""
    rubric: tuple[AskedCriterion, ...] | None = Field(default=None, min_length=1, max_length=MOST_CRITERIA)
    answer: str = Field(max_length=MAX_ANSWER_CHARS)
    """Longer ones would be cut before a judge sees them."""
    judge: str | None = Field(default=None, max_length=200)
    """Name of the judge; ``null``: the one that this service has."""
    replicates: int = Field(default=1, ge=1, le=MOST_REPLICATES)
    """Scorings; the score is their mean."""
    evidence: bool = False
    """True executes the answer in the sandbox against the checks of its question first: they bound the score, and the judge
    is shown what they showed."""
    blind: bool = False
    """True leaves the judge without what executing showed; the checks still bound the score."""

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if (self.question_id is None) == (self.question is None):
            raise ValueError("give either question_id or question")
        if (self.question is None) != (self.rubric is None):
            raise ValueError("question and rubric go together, and a question of the suite has a rubric of its own")
        if self.question is None and self.expected:
            raise ValueError("expected goes with question; a question of the suite has its own")
        if self.evidence and self.question_id is None:
            raise ValueError("evidence goes with question_id: only questions of the suite have checks")
        if self.blind and not self.evidence:
            raise ValueError("blind goes with evidence: without it there is nothing to hide from the judge")
        return self

    @model_validator(mode="after")
    def _whole_rubric(self) -> Self:
        criteria = self.rubric or ()
        if len({one.id for one in criteria}) != len(criteria):
            raise ValueError("two criteria have the same id")
        if criteria and (total := sum(one.weight for one in criteria)) != WHOLE:
            raise ValueError(f"the weights of the rubric sum to {total} and not to {WHOLE}")
        return self

    def own_question(self) -> Question | None:
        """Return the question that came with its rubric; ``None``: it is one of the suite."""
        if self.question is None or self.rubric is None:
            return None
        return Question(
            id="ad hoc",
            test="ad_hoc",
            tier="",
            title="",
            prompt=self.question,
            expected=self.expected.strip() or NOTHING_EXPECTED,
            criteria=tuple(one.criterion() for one in self.rubric),
        )
