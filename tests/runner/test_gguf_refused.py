"""GGUF headers: what is refused, in one line and at once."""

import os
import struct
import time
from pathlib import Path

import pytest
from gguf_files import dense, model, patch, refusal, write_gguf
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import ModelFileError
from runner.gguf import read_model

__all__ = ["model"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "no.gguf")


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    assert "no regular file" in refusal(tmp_path / "pipe.gguf")


@pytest.mark.parametrize("content", [b"", b"GG", b"PK\x03\x04 a zip archive", b"<html>not found</html>"])
def test_another_kind_of_file_is_no_gguf(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    assert f"begins with {content[:4]!r}, not b'GGUF'" in refusal(path)


@pytest.mark.parametrize(
    ("version", "found"),
    [
        (struct.pack("<I", 1), "has GGUF version 1"),
        (struct.pack("<I", 4), "has GGUF version 4"),
        (struct.pack(">I", 3), "is big-endian"),
    ],
)
def test_other_versions_are_refused_by_name(model: Path, version: bytes, found: str) -> None:
    patch(model, 4, version)
    assert found in refusal(model)


def test_every_cut_through_the_file_is_noticed(model: Path) -> None:
    content = model.read_bytes()
    # The last tensor has 80 bytes; what follows is padding, and a file without it is complete.
    complete = len(content) - (96 - 80)
    for length in range(0, complete, 7):
        model.write_bytes(content[:length])
        refusal(model)
    model.write_bytes(content[:complete])
    assert read_model(model).size_bytes == complete


def test_an_incomplete_download_is_told_by_its_sizes(model: Path) -> None:
    content = model.read_bytes()
    model.write_bytes(content[:-90])
    message = refusal(model)
    assert f"it has {len(content) - 90} bytes of {len(content) - 16}" in message
    assert "fetch it again" in message


@pytest.mark.parametrize("offset", [8, 16], ids=["tensors", "keys"])
@pytest.mark.parametrize("count", [2**20, 2**40, 2**63 + 1])
def test_a_damaged_count_is_refused_at_once(model: Path, offset: int, count: int) -> None:
    patch(model, offset, struct.pack("<Q", count))
    began = time.monotonic()
    assert "bytes of header where" in refusal(model)
    assert time.monotonic() - began < 1


def test_a_damaged_string_length_is_refused_without_allocating_it(model: Path) -> None:
    patch(model, 24, struct.pack("<Q", 2**50))
    assert f"key 0 needs {2**50} bytes of header" in refusal(model)


def test_a_file_without_an_architecture_cannot_be_read(model: Path) -> None:
    model.write_bytes(model.read_bytes().replace(b"general.architecture", b"general.architectura"))
    assert "general.architecture is missing" in refusal(model)


def test_an_expert_count_of_the_wrong_type_is_named(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf", lambda w: w.add_string("llama.expert_count", "eight"))
    assert "llama.expert_count is b'eight', not a number" in refusal(path)


def test_a_key_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf", lambda w: (w.add_uint32("a.b", 1), w.add_uint32("a.c", 2))[0])
    path.write_bytes(path.read_bytes().replace(b"a.c", b"a.b"))
    assert "'a.b' is there twice" in refusal(path)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    path = write_gguf(tmp_path_factory.mktemp("fuzz") / "m.gguf", dense)
    return path, path.read_bytes()


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_damage_of_any_kind_is_one_kind_of_error(small: tuple[Path, bytes], data: st.DataObject) -> None:
    path, content = small
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged[: data.draw(st.integers(0, len(content)) | st.just(len(content)))])
    try:
        read_model(path)
    except ModelFileError as error:
        assert "\n" not in str(error)


@settings(max_examples=300, deadline=None)
@given(tail=st.binary(max_size=200), version=st.sampled_from([2, 3]))
def test_any_bytes_behind_a_magic_are_read_or_refused(small: tuple[Path, bytes], tail: bytes, version: int) -> None:
    path, _ = small
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", version, tail.count(0) % 4, tail.count(1) % 4) + tail)
    with pytest.raises(ModelFileError):
        read_model(path)
