"""Options that several commands share: one dataclass a group, one field an option, and what they come to.

A command takes groups (``@takes(asked=Asked, ...)``) and receives one object a group, so that an option is written once.
"""

import dataclasses
import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from judge.errors import UserError

if TYPE_CHECKING:
    from judge.conduct import Conduct, Further
    from judge.exam.result import ExamSize
    from judge.grounding import Policy
    from judge.places import Places
    from judge.request import JudgeChoice, OnSelf
    from judge.types import ModelEntry

Command = Callable[..., None]
JUDGE_TOKENS = 4096
AUTO = "auto"


def takes(**groups: type[Any]) -> Callable[[Command], Command]:
    """Give a command the options of ``groups``; it gets each group as the keyword argument of that name."""

    def decorate(command: Command) -> Command:
        own = [p for p in inspect.signature(command).parameters.values() if p.name not in groups]
        fields = {name: [f for f in dataclasses.fields(group) if f.name != TYPED] for name, group in groups.items()}
        options = [
            inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
            for group in fields.values()
            for field in group
        ]

        @functools.wraps(command)
        def with_options(**given: Any) -> None:
            typed = _typed(given)
            filled = {
                name: group(
                    **{field.name: given.pop(field.name) for field in fields[name]},
                    **({TYPED: typed} if hasattr(group, TYPED) else {}),
                )
                for name, group in groups.items()
            }
            command(**given, **filled)

        # Typer reads the options off the signature, and must not look through to the command underneath.
        del with_options.__wrapped__
        keyword_only = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
        with_options.__signature__ = inspect.Signature([*keyword_only, *options])  # type: ignore[attr-defined]
        with_options.__annotations__ = {p.name: p.annotation for p in [*own, *options]}
        return with_options

    return decorate


TYPED = "typed"
"""A field of this name is no option: it gets the names of the options that were typed, and not taken from the environment."""


def _typed(given: Mapping[str, Any]) -> frozenset[str]:
    context: typer.Context | None = given.get("context")
    sources = {name: context.get_parameter_source(name) for name in given} if context else {}
    return frozenset(name for name, source in sources.items() if source and source.name == "COMMANDLINE")


# --- groups ---------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Candidates:
    """Whose answers are wanted."""

    candidate: Annotated[
        list[str] | None, typer.Option("--candidate", "-c", help="Model of models.yaml; repeat or separate by commas")
    ] = None
    model: Annotated[
        Path | None,
        typer.Option("--model", help="A GGUF file that is not in models.yaml; needs --arch if it has experts"),
    ] = None
    name: Annotated[str | None, typer.Option(help="Name of the model given by --model [default: its file name]")] = None
    arch: Annotated[str, typer.Option(help="Architecture type of the model given by --model: dense, qwen3moe ...")] = (
        "dense"
    )
    configs: Annotated[str | None, typer.Option(help="baseline,moe4,spec_k8 ... [default: those of the model]")] = None

    def names(self) -> tuple[str, ...]:
        """Return the names given, split at commas."""
        return tuple(part for value in self.candidate or () for part in parts(value))

    def extra(self, places: "Places") -> "tuple[ModelEntry, ...]":
        """Return the entry of the model given by path, if one was."""
        from judge.request import entry_from_path

        if self.model is None:
            if self.name is not None:
                raise UserError(f"--name {self.name} needs --model: the path of the GGUF file")
            return ()
        return (entry_from_path(self.model, self.name or self.model.stem, self.arch, places.load_models()),)


@dataclasses.dataclass(frozen=True)
class Asked:
    """What is asked."""

    questions: Annotated[str | None, typer.Option(help="Question ids or test names, by commas [default: all]")] = None
    tier: Annotated[str | None, typer.Option("--tier", help="T1,T2 ... [default: all]")] = None
    samples: Annotated[int, typer.Option(min=1, max=1000, help="Answers per question and arm")] = 5


@dataclasses.dataclass(frozen=True)
class Served:
    """How candidates are served and sampled."""

    seed: Annotated[int | None, typer.Option(min=0, help="Seed of sample 0; sample g gets seed + g")] = None
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Token limit of an answer")] = None
    n_ctx: Annotated[int | None, typer.Option("--n-ctx", min=64, help="Context in tokens")] = None
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="CPU threads [default: all cores]")] = None
    gpu_layers: Annotated[int | None, typer.Option("--gpu-layers", min=-1, help="Layers on the GPU; -1: all")] = None

    def choices(self) -> dict[str, int | None]:
        """Return these as fields of a RunChoice."""
        renamed = {"threads": "n_threads", "gpu_layers": "n_gpu_layers"}
        return {renamed.get(name, name): value for name, value in dataclasses.asdict(self).items()}


@dataclasses.dataclass(frozen=True)
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
        typer.Option("--max-concurrency", "-j", help="Requests in flight at --judge-url, all together; auto finds out"),
    ] = AUTO
    typed: frozenset[str] = frozenset()

    @property
    def concurrency(self) -> int | None:
        """Return the number of requests in flight; ``None`` for auto. Raises UserError for anything else."""
        if self.max_concurrency == AUTO:
            return None
        if not self.max_concurrency.isdecimal() or int(self.max_concurrency) < 1:
            raise UserError(f"--max-concurrency {self.max_concurrency!r} is neither a number of at least 1 nor {AUTO}")
        return int(self.max_concurrency)

    def at_endpoint(self) -> "JudgeChoice":
        """Return who is to score at ``--judge-url``."""
        from judge.request import JUDGE_SAMPLING, JudgeChoice

        return JudgeChoice(
            urls=tuple(self.judge_url or ()),
            model=self.judge_model,
            family=self.judge_family,
            mode="per_criterion" if self.per_criterion else "joint",
            sampling=JUDGE_SAMPLING.model_copy(update={"max_tokens": self.judge_max_tokens}),
        )


@dataclasses.dataclass(frozen=True)
class OneJudge(AtEndpoint):
    """One judge, served here or at an endpoint."""

    judge: Annotated[str | None, typer.Option(help="Judge of models.yaml, served here for as long as this runs")] = None

    def choice(self) -> "JudgeChoice | None":
        """Return who is to score; ``None`` when nobody was named."""
        if self.judge:
            return self.at_endpoint().model_copy(update={"name": self.judge, "urls": (), "model": None, "family": None})
        return self.at_endpoint() if self.judge_url else None


@dataclasses.dataclass(frozen=True)
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


@dataclasses.dataclass(frozen=True)
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


@dataclasses.dataclass(frozen=True)
class FirstExam(Examination):
    """Whether a judge is examined before its first scores count."""

    no_exam: Annotated[
        bool, typer.Option("--no-exam", help="Do not examine the judge before its first scores on these questions")
    ] = False

    def wanted(self) -> "ExamSize | None":
        """Return the size of the exam; ``None``: none."""
        return None if self.no_exam else self.size()


Unsafe = Annotated[
    bool, typer.Option("--unsafe-no-sandbox", help="Execute answers WITHOUT a sandbox: they can do all that you can")
]


@dataclasses.dataclass(frozen=True)
class Executed:
    """Whether answers are executed, and what that does to scores."""

    policy: Annotated[str, typer.Option(help="grounded: checks bound the scores; judge: they do not")] = "grounded"
    no_execute: Annotated[bool, typer.Option("--no-execute", help="Do not execute the answers")] = False
    unsafe_no_sandbox: Unsafe = False

    def choices(self) -> dict[str, object]:
        """Return these as fields of a RunChoice."""
        return {"execute": not self.no_execute, "policy": policy_named(self.policy)}


@dataclasses.dataclass(frozen=True)
class Carried:
    """How a command is carried out."""

    load_timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for a server to load")] = 3600
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port for the model servers [default: a free one]")
    ] = None
    budget_hours: Annotated[
        float | None, typer.Option(min=0, help="Begin nothing new after so many hours; the same command goes on later")
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to stdout")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress")] = False

    def conduct(
        self,
        *,
        concurrency: int | None = None,
        unsafe: bool = False,
        exam: "ExamSize | None" = None,
        further: "Further | None" = None,
        page: bool = True,
    ) -> "Conduct":
        """Return how to go about it; says loudly what is unsafe."""
        from judge.conduct import Conduct, Further

        warn_if_unsafe(unsafe)
        return Conduct(
            further=further or Further(),
            quiet=self.quiet,
            concurrency=concurrency,
            load_timeout_s=self.load_timeout,
            port=self.port,
            unsafe=unsafe,
            budget_hours=self.budget_hours,
            exam=exam,
            page=page,
        )


@dataclasses.dataclass(frozen=True)
class Onward:
    """Whether a run samples on by itself."""

    until_decided: Annotated[
        bool,
        typer.Option("--until-decided", help="Sample on at 5, 10, 20 answers a question until every role is decided"),
    ] = False
    max_samples: Annotated[
        int, typer.Option(min=1, max=1000, help="Answers per question at which --until-decided gives up")
    ] = 20

    def further(self) -> "Further":
        """Return when the run goes on."""
        from judge.conduct import Further

        return Further(max_samples=self.max_samples if self.until_decided else None)


DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be done and how long it may take")]


# --- what they come to ----------------------------------------------------------------------------------------------


def policy_named(name: str) -> "Policy":
    """Return the policy. Raises UserError for another word."""
    match name:
        case "grounded" | "judge":
            return name
    raise UserError(f"--policy {name!r} is not known; use grounded or judge")


def warn_if_unsafe(unsafe: bool) -> None:
    """Say on stderr that answers run without a sandbox."""
    if unsafe:
        sys.stderr.write(
            "WARNING: answers are executed WITHOUT a sandbox; they can read, change and send whatever you can\n"
        )


def parts(value: str | None) -> tuple[str, ...]:
    """Split at commas; blanks are left out."""
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())
