"""What may be asked for over HTTP: the choices of ``judge run`` and ``judge score``, but for paths and what the operator says.

Left out on purpose: ``--model`` (a path), ``--junit`` (a path), ``--unsafe-no-sandbox``, ``--port``, and what only a terminal shows.
"""

from pydantic import ConfigDict, Field

from judge.conduct import Conduct, Further
from judge.exam.result import ExamSize
from judge.grounding import Policy
from judge.wanted import JudgeChoice, NamedChoice, RunChoice, Terms

SAMPLES = 5
"""As ``judge run`` takes them when nothing is said."""


class JobTerms(Terms):
    """How a job is carried out."""

    # The web framework builds what it checks bodies with at once, and takes a model that is built later for a mistake of ours.
    model_config = ConfigDict(defer_build=False)

    exam: ExamSize | None = "small"
    """Exam that a judge takes before its first scores; ``None``: none."""

    def terms(self) -> dict[str, object]:
        """Return these as fields of a Conduct."""
        return {name: getattr(self, name) for name in Terms.model_fields}


class RunOptions(NamedChoice, JobTerms):
    """What ``judge run`` can be asked for."""

    candidates: tuple[str, ...] = Field(min_length=1)
    """Names of models.yaml."""
    samples: int = Field(default=SAMPLES, ge=1, le=1000)
    """Answers per question and arm."""
    judges: tuple[JudgeChoice, ...] = (JudgeChoice(),)
    """By default whoever fills the highest role; empty: answers are only collected."""
    max_samples: int | None = Field(default=None, ge=1, le=1000)
    """Sample on until every role is decided, up to this many answers a question; ``None``: only what was asked for."""

    def choice(self) -> RunChoice:
        """Return what is wanted."""
        return RunChoice.model_validate({name: getattr(self, name) for name in NamedChoice.model_fields})

    def conduct(self) -> Conduct:
        """Return how to go about it; without judges there is nothing to draw."""
        terms = {**self.terms(), "further": Further(max_samples=self.max_samples), "page": bool(self.judges)}
        return Conduct.model_validate(terms)


class ScoreWish(JobTerms):
    """What ``judge score`` can be asked for, of a run."""

    judges: tuple[JudgeChoice, ...] = ()
    """Empty: those of the run."""
    policy: Policy | None = None
    """``None``: that of the run."""


class ScoreOptions(ScoreWish):
    """What ``judge score`` can be asked for."""

    run_id: str
    """Whose answers are scored; what is made is another run."""

    def conduct(self) -> Conduct:
        """Return how to go about it."""
        return Conduct.model_validate({**self.terms(), "page": False})
