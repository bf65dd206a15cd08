"""Small GGUF files of every kind, how they are damaged, and what is said of them."""

from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest

from runner.errors import ModelFileError
from runner.gguf import read_model

Fill = Callable[[gguf.GGUFWriter], None]


def write_gguf(path: Path, fill: Fill, *, architecture: str = "llama", rows: int = 4, **options: int) -> Path:
    """Write a small model: one F32 and one Q4_1 matrix, and the metadata that ``fill`` adds."""
    writer = gguf.GGUFWriter(path, architecture, **options)
    fill(writer)
    writer.add_tensor("token_embd.weight", np.arange(rows * 32, dtype=np.float32).reshape(rows, 32))
    writer.add_tensor("output.weight", np.full((2, 40), 7, dtype=np.uint8), raw_dtype=gguf.GGMLQuantizationType.Q4_1)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def dense(writer: gguf.GGUFWriter) -> None:
    """Add what a dense model says of itself."""
    writer.add_name("Tiny")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    writer.add_context_length(8192)
    writer.add_token_list(["<s>", "a", "b", "é"])
    writer.add_token_types([3, 1, 1, 1])


def moe(writer: gguf.GGUFWriter) -> None:
    """Add experts."""
    writer.add_expert_count(8)
    writer.add_expert_used_count(2)


def nothing(_: gguf.GGUFWriter) -> None:
    """Add no metadata."""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A dense model in one file."""
    return write_gguf(tmp_path / "model.gguf", dense)


@pytest.fixture
def split(tmp_path: Path) -> list[Path]:
    """The same in two parts."""
    write_gguf(tmp_path / "big.gguf", dense, split_max_tensors=1)
    return [tmp_path / f"big-0000{n}-of-00002.gguf" for n in (1, 2)]


def refusal(path: Path) -> str:
    """Return the one line with which a file is refused, by its name."""
    with pytest.raises(ModelFileError) as caught:
        read_model(path)
    message = str(caught.value)
    assert "\n" not in message
    assert repr(str(path)) in message
    return message


def patch(path: Path, offset: int, new: bytes) -> None:
    """Write over some bytes of a file."""
    content = bytearray(path.read_bytes())
    content[offset : offset + len(new)] = new
    path.write_bytes(content)
