"""What an entry of models.yaml comes to on this machine: its file, and how it is served."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from judge.errors import UserError
from judge.machine import cores
from judge.model_files import MissingFile, find_file
from judge.types import ModelEntry
from judge.wanted import NamedChoice
from runner.types import ModelFile, Serving

if TYPE_CHECKING:
    from judge.files import Models


def resolve(entry: ModelEntry, environ: Mapping[str, str]) -> ModelFile:
    """Return what the file of ``entry`` says. Raises UserError when there is no file, or it is of another architecture."""
    found = find_file(entry, environ)
    if isinstance(found, MissingFile):
        raise UserError(f"{entry.id}: no model file: {found.reason}")
    # Imported here because a run over stored answers with a judge at an endpoint reads no model file.
    from runner.gguf import read_model

    model = read_model(found.path)
    _check_architecture(entry, model)
    return model


def _check_architecture(entry: ModelEntry, model: ModelFile) -> None:
    is_moe = model.expert_count is not None
    if entry.arch == "dense" and is_moe:
        raise UserError(
            f"{entry.id}: called dense, but {model.path} is a {model.architecture} model with {model.expert_count} experts; "
            f"use arch {model.architecture}"
        )
    if entry.arch != "dense" and not is_moe:
        raise UserError(
            f"{entry.id}: called {entry.arch}, but {model.path} is a dense {model.architecture} model; use arch dense"
        )


def serving_of(choice: NamedChoice, entry: ModelEntry) -> Serving:
    """Return how a model is served: as its entry says, but for what was chosen."""
    return Serving(
        n_ctx=choice.n_ctx or entry.n_ctx,
        n_threads=choice.n_threads or cores(),
        n_gpu_layers=entry.n_gpu_layers if choice.n_gpu_layers is None else choice.n_gpu_layers,
        chat_format=entry.chat_format,
    )


def entry_from_path(path: Path, name: str, arch: str, models: "Models") -> ModelEntry:
    """Return the entry of a model that was given by path: configs from its architecture type, the rest by default."""
    if arch not in models.architectures:
        raise UserError(f"--arch {arch!r} is not known; use one of {', '.join(models.architectures)}")
    return ModelEntry(
        id=name,
        model=name,
        status="candidate",
        path=str(path),
        arch=arch,
        family=None,
        configs=models.architectures[arch],
    )
