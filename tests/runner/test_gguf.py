"""GGUF headers: what is read, what is refused, and what the fingerprint notices."""

import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import ModelFileError
from runner.gguf import BLOCK_BYTES, INNER_BLOCKS, read_model

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
    writer.add_name("Tiny")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    writer.add_context_length(8192)
    writer.add_token_list(["<s>", "a", "b", "é"])
    writer.add_token_types([3, 1, 1, 1])


def moe(writer: gguf.GGUFWriter) -> None:
    writer.add_expert_count(8)
    writer.add_expert_used_count(2)


def nothing(_: gguf.GGUFWriter) -> None:
    """Add no metadata."""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_gguf(tmp_path / "model.gguf", dense)


def refusal(path: Path) -> str:
    with pytest.raises(ModelFileError) as caught:
        read_model(path)
    message = str(caught.value)
    assert "\n" not in message
    assert repr(str(path)) in message
    return message


def fingerprint(path: Path) -> str:
    return read_model(path).fingerprint


def test_a_dense_model_is_read_completely(model: Path) -> None:
    read = read_model(model)
    assert (read.path, read.parts, read.size_bytes) == (str(model), 1, model.stat().st_size)
    assert (read.architecture, read.name, read.quantisation) == ("llama", "Tiny", "Q4_K_M")
    assert (read.context_length, read.expert_count, read.expert_used_count) == (8192, None, None)


def test_parameters_are_weights_and_not_bytes(model: Path) -> None:
    assert read_model(model).parameters == 4 * 32 + 2 * 64


def test_experts_are_read_under_the_models_own_architecture(tmp_path: Path) -> None:
    read = read_model(write_gguf(tmp_path / "m.gguf", moe, architecture="qwen3moe"))
    assert (read.architecture, read.expert_count, read.expert_used_count) == ("qwen3moe", 8, 2)


def test_experts_of_another_architecture_do_not_count(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf", lambda w: w.add_uint32("qwen3moe.expert_count", 8))
    assert read_model(path).expert_count is None


def test_zero_experts_are_a_dense_model(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf", lambda w: (w.add_expert_count(0), w.add_expert_used_count(0))[0])
    assert (read_model(path).expert_count, read_model(path).expert_used_count) == (None, None)


def test_what_the_file_does_not_say_is_none(tmp_path: Path) -> None:
    read = read_model(write_gguf(tmp_path / "m.gguf", nothing))
    assert (read.name, read.quantisation, read.context_length) == (None, None, None)


@pytest.mark.parametrize(
    ("number", "name"),
    [(0, "F32"), (1, "F16"), (3, "Q4_1"), (15, "Q4_K_M"), (30, "IQ4_XS"), (32, "BF16"), (1024 + 15, "Q4_K_M")],
)
def test_quantisations_are_spelled_as_people_know_them(tmp_path: Path, number: int, name: str) -> None:
    path = write_gguf(tmp_path / "m.gguf", lambda w: w.add_file_type(number))
    assert read_model(path).quantisation == name


def test_a_quantisation_newer_than_the_library_is_given_by_its_number(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf", lambda w: w.add_file_type(777))
    assert read_model(path).quantisation == "file type 777"


def test_a_name_that_is_no_utf8_does_not_make_a_model_unusable(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf", lambda w: w.add_name("Caf_"))
    path.write_bytes(path.read_bytes().replace(b"Caf_", b"Caf\xe9"))
    assert read_model(path).name == "Caf\N{REPLACEMENT CHARACTER}"


# --- what is refused ----------------------------------------------------------------------------------------------


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


def patch(path: Path, offset: int, new: bytes) -> None:
    content = bytearray(path.read_bytes())
    content[offset : offset + len(new)] = new
    path.write_bytes(content)


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


# --- split models -------------------------------------------------------------------------------------------------


@pytest.fixture
def split(tmp_path: Path) -> list[Path]:
    write_gguf(tmp_path / "big.gguf", dense, split_max_tensors=1)
    return [tmp_path / f"big-0000{n}-of-00002.gguf" for n in (1, 2)]


def test_any_part_stands_for_the_whole_model(split: list[Path]) -> None:
    first, second = map(read_model, split)
    assert first == second
    assert (first.path, first.parts, first.name) == (str(split[0]), 2, "Tiny")
    assert first.parameters == 4 * 32 + 2 * 64
    assert first.size_bytes == sum(part.stat().st_size for part in split)


@pytest.mark.parametrize(("gone", "asked"), [(1, 0), (0, 1)])
def test_a_missing_part_is_named_whichever_part_is_asked_for(split: list[Path], gone: int, asked: int) -> None:
    split[gone].unlink()
    message = refusal(split[asked])
    assert f"part {gone + 1} of 2 is missing" in message
    assert split[gone].name in message


def test_a_damaged_part_is_named_when_another_one_is_asked_for(split: list[Path]) -> None:
    split[1].write_bytes(split[1].read_bytes()[:-60])
    with pytest.raises(ModelFileError, match=r"big-00002-of-00002\.gguf"):
        read_model(split[0])


def test_a_renamed_part_is_refused(split: list[Path]) -> None:
    renamed = split[0].rename(split[0].with_name("big.gguf"))
    assert "does not end in -00001-of-00002.gguf" in refusal(renamed)


def test_the_same_part_under_two_names_is_no_complete_model(split: list[Path]) -> None:
    split[1].write_bytes(split[0].read_bytes())
    with pytest.raises(ModelFileError, match="says that it is part 1 of 2, not 2 of 2"):
        read_model(split[0])


def test_parts_behind_links_are_found_beside_the_link(split: list[Path], tmp_path: Path) -> None:
    """Download caches keep the content under a hash and link to it by name."""
    (tmp_path / "links").mkdir()
    for number, part in enumerate(split):
        blob = part.rename(tmp_path / f"blob{number}")
        (tmp_path / "links" / part.name).symlink_to(blob)
    assert read_model(tmp_path / "links" / split[0].name).parts == 2


# --- fingerprint --------------------------------------------------------------------------------------------------


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
