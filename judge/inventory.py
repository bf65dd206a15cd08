"""The models that are known and what can be done with each. Reads GGUF headers of those that are there."""

from collections.abc import Mapping

from judge.files import Models
from judge.model_files import MissingFile, find_file
from judge.types import ModelEntry
from runner.errors import ModelFileError
from runner.gguf import read_model
from runner.types import ModelFile, Value

COLUMNS = (
    "Id",
    "Role",
    "Model",
    "Status",
    "Quant",
    "Arch",
    "Experts",
    "Configs",
    "MoE reduction",
    "Spec decode",
    "Expected",
    "File",
)


class Line(Value):
    """One model."""

    entry: ModelEntry
    file: ModelFile | None
    """``None``: not found or not readable."""
    reason: str
    """Why there is no file; empty when there is one."""


def inventory(models: Models, environ: Mapping[str, str]) -> list[Line]:
    """Return one line a model, in the order of the file."""
    return [_line(entry, environ) for entry in models.entries]


def _line(entry: ModelEntry, environ: Mapping[str, str]) -> Line:
    found = find_file(entry, environ)
    if isinstance(found, MissingFile):
        return Line(entry=entry, file=None, reason=found.reason)
    try:
        return Line(entry=entry, file=read_model(found.path), reason="")
    except ModelFileError as error:
        return Line(entry=entry, file=None, reason=str(error))


def row(line: Line) -> list[str]:
    """Return the cells of a table line under COLUMNS."""
    entry, file = line.entry, line.file
    experts = f"{file.expert_used_count} of {file.expert_count}" if file and file.expert_count else "-"
    reduction = ", ".join(str(n) for n in entry.moe_experts)
    expected = ", ".join(f"{config} {tps:g} t/s" for config, tps in entry.expected_tps.items())
    return [
        entry.id,
        entry.role or "-",
        entry.model,
        entry.status,
        (file.quantisation if file else None) or entry.quant or "-",
        f"{entry.arch} ({file.architecture})" if file and file.architecture != entry.arch else entry.arch,
        experts,
        ", ".join(entry.configs),
        f"Yes ({reduction} experts)" if reduction else "No (dense)" if entry.arch == "dense" else "No",
        "Yes" if entry.speculative else "No",
        expected or "-",
        file.path if file else f"not found: {line.reason.partition(', but')[0]}",
    ]
