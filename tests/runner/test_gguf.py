"""GGUF headers: what is read of a model, in one file or in several."""

from pathlib import Path

import pytest
from gguf_files import model, moe, nothing, refusal, split, write_gguf

from runner.errors import ModelFileError
from runner.gguf import read_model

__all__ = ["model", "split"]


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


# --- split models -------------------------------------------------------------------------------------------------


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
