"""The fingerprint of a model file: what it notices, and how little of a large file it reads."""

import os
import time
from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf_files import model, nothing, patch, split, write_gguf

from runner.gguf import BLOCK_BYTES, INNER_BLOCKS, read_model

__all__ = ["model", "split"]


def fingerprint(path: Path) -> str:
    return read_model(path).fingerprint


def test_equal_content_has_one_fingerprint_whatever_the_path(model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere.gguf"
    copy.write_bytes(model.read_bytes())
    assert fingerprint(copy) == fingerprint(model)
    assert len(fingerprint(model)) == 16


@pytest.mark.parametrize(("old", "new"), [(b"Tiny", b"Tina"), (b"<s>", b"<S>")], ids=["name", "vocabulary"])
def test_a_changed_metadata_byte_is_another_model(model: Path, old: bytes, new: bytes) -> None:
    before = fingerprint(model)
    model.write_bytes(model.read_bytes().replace(old, new))
    assert fingerprint(model) != before


def test_every_byte_of_a_small_model_counts(model: Path) -> None:
    content, before = model.read_bytes(), fingerprint(model)
    data = len(content) - (4 * 32 * 4 + 96)
    for offset in range(data, len(content), 37):
        patch(model, offset, bytes([content[offset] ^ 1]))
        assert fingerprint(model) != before
        patch(model, offset, content[offset : offset + 1])
    assert fingerprint(model) == before


def test_another_size_is_another_model(model: Path) -> None:
    before = fingerprint(model)
    with model.open("ab") as file:
        file.write(b"\0")
    assert fingerprint(model) != before


def test_a_changed_second_part_is_another_model(split: list[Path]) -> None:
    before = fingerprint(split[0])
    patch(split[1], split[1].stat().st_size - 90, b"\xff")
    assert fingerprint(split[0]) != before


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """3 MB of tensor data: more than all sampled blocks together."""
    return write_gguf(tmp_path / "large.gguf", nothing, rows=3 * 2**20 // 128)


@pytest.mark.parametrize("place", range(INNER_BLOCKS + 2))
def test_a_large_model_is_sampled_from_end_to_end(large: Path, place: int) -> None:
    before, size = fingerprint(large), large.stat().st_size
    header = size - 3 * 2**20 - 96
    last = size - header - BLOCK_BYTES
    patch(large, header + last * place // (INNER_BLOCKS + 1) + BLOCK_BYTES // 2, b"\xff\xff")
    assert fingerprint(large) != before


def test_a_huge_model_is_not_read_whole(tmp_path: Path) -> None:
    """A sparse file of 200 GB: only its header and its samples are ever touched."""
    path = tmp_path / "huge.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tensor_info("token_embd.weight", (50_000, 10**6), np.dtype(np.float32), 4 * 50_000 * 10**6)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    os.truncate(path, 4 * 50_000 * 10**6 + 4096)
    began = time.monotonic()
    read = read_model(path)
    assert read.parameters == 50_000 * 10**6
    assert time.monotonic() - began < 1
