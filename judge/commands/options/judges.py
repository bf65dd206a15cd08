"""Who scores, where, and how it is examined."""

import dataclasses
import re
from typing import TYPE_CHECKING, Annotated

import typer

from judge.commands.options.taking import parts
from judge.errors import UserError

if TYPE_CHECKING:
    from judge.exam.result import ExamSize
    from judge.wanted import JudgeChoice, OnSelf

JUDGE_TOKENS = 4096
AUTO = "auto"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class AtEndpoint:
    """A judge at an endpoint, and how it is asked."""

    judge_url: Annotated[
        list[str] | None,
        typer.Option(
            envvar="JUDGE_BASE_URL", help="OpenAI-compatible endpoint of the judge, with /v1; repeat to share the work"
        ),
    ] = None
    judge_model: Annotated[str | None, typer.Option(envvar="JUDGE_MODEL", help="Model to ask for at --judge-url")] = (
        None
    )
    judge_family: Annotated[str | None, typer.Option(help="Lineage of the model at --judge-url [default: unknown]")] = (
        None
    )
    per_criterion: Annotated[bool, typer.Option("--per-criterion", help="Ask for one criterion at a time")] = False
    judge_max_tokens: Annotated[
        int, typer.Option(min=64, help="Token limit of a judge's reply; raise it for judges that think first")
    ] = JUDGE_TOKENS
    max_concurrency: Annotated[
        str,
        typer.Option(
            "--max-concurrency",
            "-j",
            help="Requests in flight at all --judge-url together, also when one of them is lost; auto finds out",
        ),
    ] = AUTO
    typed: frozenset[str] = frozenset()

    @property
    def concurrency(self) -> int | None:
        """Return the number of requests in flight; ``None`` for auto. Raises UserError for anything else."""
        if self.max_concurrency == AUTO:
            return None
        if re.fullmatch(r"0*[1-9][0-9]{0,5}", self.max_concurrency) is None:
            shown = self.max_concurrency[:20]
            raise UserError(f"--max-concurrency {shown!r} is neither a number from 1 to 999999 nor {AUTO}")
        return int(self.max_concurrency)

    def at_endpoint(self) -> "JudgeChoice":
        """Return who is to score at ``--judge-url``."""
        from judge.wanted import JUDGE_SAMPLING, JudgeChoice

        return JudgeChoice(
            urls=tuple(self.judge_url or ()),
            model=self.judge_model,
            family=self.judge_family,
            mode="per_criterion" if self.per_criterion else "joint",
            sampling=JUDGE_SAMPLING.model_copy(update={"max_tokens": self.judge_max_tokens}),
        )


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class OneJudge(AtEndpoint):
    """One judge, served here or at an endpoint."""

    judge: Annotated[str | None, typer.Option(help="Judge of models.yaml, served here for as long as this runs")] = None

    def choice(self) -> "JudgeChoice | None":
        """Return who is to score; ``None`` when nobody was named."""
        if self.judge:
            return self.at_endpoint().model_copy(update={"name": self.judge, "urls": (), "model": None, "family": None})
        return self.at_endpoint() if self.judge_url else None


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Judged(AtEndpoint):
    """Who scores, and how."""

    judge: Annotated[
        list[str] | None,
        typer.Option(
            help="Judge of models.yaml, served here; repeat or separate by commas [default: who fills the highest role]"
        ),
    ] = None
    allow_self_judge: Annotated[bool, typer.Option("--allow-self-judge", help="Let a model judge its own answers")] = (
        False
    )
    blind: Annotated[
        bool, typer.Option("--blind", help="Have every answer scored a second time without the evidence")
    ] = False
    replicates: Annotated[int, typer.Option(min=1, max=100, help="Scorings per answer")] = 1

    @property
    def named(self) -> bool:
        """True when a judge was named."""
        return bool(self.judge or self.judge_url)

    def names(self) -> tuple[str, ...]:
        """Return the names given by --judge, split at commas, each once."""
        return tuple(dict.fromkeys(part for value in self.judge or () for part in parts(value)))

    def choices(self, otherwise: "OnSelf" = "refuse") -> "tuple[JudgeChoice, ...]":
        """Return who is to score; ``otherwise``: what to do with a judge that is a candidate, unless it was allowed.

        Judges named and an endpoint typed are all asked; an endpoint from the environment is for when nobody is named.
        """
        given = self.at_endpoint().model_copy(
            update={
                "on_self": "allow" if self.allow_self_judge else otherwise,
                "also_blind": self.blind,
                "replicates": self.replicates,
            }
        )
        served = given.model_copy(update={"urls": (), "model": None, "family": None})
        named = tuple(served.model_copy(update={"name": name}) for name in self.names())
        return named if named and "judge_url" not in self.typed else (*named, given)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Examination:
    """How many answers of known truth a judge is examined on."""

    exam_size: Annotated[
        str, typer.Option(help="small: about 11 scorings a question; full: about 17, for narrower intervals")
    ] = "small"

    def size(self) -> "ExamSize":
        """Return the size. Raises UserError for another word."""
        match self.exam_size:
            case "small" | "full":
                return self.exam_size
        raise UserError(f"--exam-size {self.exam_size!r} is not known; use small or full")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class FirstExam(Examination):
    """Whether a judge is examined before its first scores count."""

    no_exam: Annotated[
        bool, typer.Option("--no-exam", help="Do not examine the judge before its first scores on these questions")
    ] = False

    def wanted(self) -> "ExamSize | None":
        """Return the size of the exam; ``None``: none."""
        return None if self.no_exam else self.size()
