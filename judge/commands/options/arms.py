"""Whose answers are wanted to what, how they are served, and how many."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from judge.commands.options.taking import parts
from judge.errors import UserError

if TYPE_CHECKING:
    from judge.conduct import Further
    from judge.places import Places
    from judge.types import ModelEntry


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
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
        from judge.entries import entry_from_path

        if self.model is None:
            if self.name is not None:
                raise UserError(f"--name {self.name} needs --model: the path of the GGUF file")
            return ()
        return (entry_from_path(self.model, self.name or self.model.stem, self.arch, places.load_models()),)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Asked:
    """What is asked."""

    questions: Annotated[str | None, typer.Option(help="Question ids or test names, by commas [default: all]")] = None
    tier: Annotated[str | None, typer.Option("--tier", help="T1,T2 ... [default: all]")] = None
    samples: Annotated[int, typer.Option(min=1, max=1000, help="Answers per question and arm")] = 5


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
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


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
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
