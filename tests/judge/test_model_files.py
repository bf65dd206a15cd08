"""Where the file of a model is found, and what is said when it is not."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge.errors import UserError
from judge.library import load_models
from judge.model_files import FoundFile, MissingFile, find_file
from judge.types import ModelEntry


def entry(path: str | None) -> ModelEntry:
    return ModelEntry(
        id="coder", model="Coder", status="ready", path=path, arch="dense", family=None, configs=("baseline",)
    )


def touch(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def test_a_plain_path_is_found(tmp_path: Path) -> None:
    touch(tmp_path / "m.gguf")

    assert find_file(entry(f"{tmp_path}/m.gguf"), {}) == FoundFile(path=tmp_path / "m.gguf")


def test_variables_defaults_and_the_home_folder_are_filled_in(tmp_path: Path) -> None:
    touch(tmp_path / "home/models/m.gguf", tmp_path / "other/m.gguf")
    path, home = "${DIR:-~/models}/m.gguf", str(tmp_path / "home")

    assert find_file(entry(path), {"HOME": home}).path == tmp_path / "home/models/m.gguf"
    assert find_file(entry(path), {"HOME": home, "DIR": ""}).path == tmp_path / "home/models/m.gguf"
    assert find_file(entry(path), {"HOME": home, "DIR": "~/models"}).path == tmp_path / "home/models/m.gguf"
    assert find_file(entry(path), {"HOME": home, "DIR": str(tmp_path / "other")}).path == tmp_path / "other/m.gguf"


@pytest.mark.parametrize(
    ("path", "env", "reason"),
    [
        (None, {}, "models.yaml has no path for coder"),
        ("${DIR}/m.gguf", {}, "DIR is not set, but the path is ${DIR}/m.gguf"),
        ("${DIR}/m.gguf", {"DIR": ""}, "DIR is not set, but the path is ${DIR}/m.gguf"),
        ("~/m.gguf", {}, "HOME is not set, but the path is ~/m.gguf"),
        ("${DIR}/*.gguf", {"DIR": "/no/[such]/folder"}, "no such file: /no/[such]/folder/*.gguf"),
    ],
)
def test_a_missing_file_has_a_reason(path: str | None, env: dict[str, str], reason: str) -> None:
    assert find_file(entry(path), env) == MissingFile(reason=reason)


def test_a_glob_finds_a_file_in_any_subfolder_and_in_upper_or_lower_case(tmp_path: Path) -> None:
    touch(tmp_path / "a/b/qwen-7b-q4_k_m.gguf", tmp_path / "a/qwen-7b-q8_0.gguf")

    found = find_file(entry("${DIR}/**/*Qwen-7B*Q4_K_M*.gguf"), {"DIR": str(tmp_path)})

    assert found.path == tmp_path / "a/b/qwen-7b-q4_k_m.gguf"


def test_several_files_are_an_error_that_names_them(tmp_path: Path) -> None:
    touch(tmp_path / "a/m.gguf", tmp_path / "b/m.gguf")

    with pytest.raises(UserError) as caught:
        find_file(entry("${DIR}/*/m.gguf"), {"DIR": str(tmp_path)})

    files = f"{tmp_path}/a/m.gguf, {tmp_path}/b/m.gguf"
    assert str(caught.value) == f"coder: 2 files fit '${{DIR}}/*/m.gguf': {files}; narrow the path"


def test_links_to_one_file_are_one_file(tmp_path: Path) -> None:
    touch(tmp_path / "blobs/123")
    for snapshot in ("one", "two"):
        (tmp_path / snapshot).mkdir()
        (tmp_path / snapshot / "m.gguf").symlink_to(tmp_path / "blobs/123")

    assert find_file(entry(f"{tmp_path}/**/*.gguf"), {}).path == tmp_path / "one/m.gguf"


def test_of_a_split_model_the_first_part_is_found(tmp_path: Path) -> None:
    parts = [tmp_path / f"Q4_K_M/m-Q4_K_M-{part:05d}-of-00003.gguf" for part in (1, 2, 3)]
    touch(*parts)

    assert find_file(entry(f"{tmp_path}/**/*Q4_K_M*.gguf"), {}).path == parts[0]
    assert find_file(entry(str(parts[0])), {}).path == parts[0]
    assert find_file(entry(str(parts[2])), {}).path == parts[0]


def test_missing_parts_of_a_split_model_are_named(tmp_path: Path) -> None:
    touch(tmp_path / "m-00002-of-00003.gguf")

    found = find_file(entry(f"{tmp_path}/*.gguf"), {})

    first = tmp_path / "m-00001-of-00003.gguf"
    assert found == MissingFile(reason=f"of 3 parts there is no part 1, 3: {first}")


def test_brackets_in_names_stand_for_themselves(tmp_path: Path) -> None:
    touch(tmp_path / "[new]/m[1].gguf", tmp_path / "n/m1.gguf")

    assert find_file(entry("${DIR}/m[1].gguf"), {"DIR": str(tmp_path / "[new]")}).path == tmp_path / "[new]/m[1].gguf"
    assert find_file(entry("${DIR}/m?1*.gguf"), {"DIR": str(tmp_path / "[new]")}).path == tmp_path / "[new]/m[1].gguf"
    assert find_file(entry("${DIR}/[mM]1.gguf"), {"DIR": str(tmp_path / "n")}).path == tmp_path / "n/m1.gguf"


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").mkdir()

    assert isinstance(find_file(entry(f"{tmp_path}/*.gguf"), {}), MissingFile)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="/~", exclude_categories=["Cs"]), max_size=20))
def test_no_path_breaks_the_search(path: str) -> None:
    assert isinstance(find_file(entry(f"/no such folder/{path}"), {"HOME": "/"}), MissingFile)


def test_files_named_as_publishers_do_are_found(tmp_path: Path) -> None:
    touch(
        tmp_path / "Qwen3-Coder-30B-A3B-Instruct-Q4_K_M.gguf",
        tmp_path / "total/Qwen3-53B-A3B-2507-TOTAL-RECALL-v2-MASTER-CODER.Q4_K_M.gguf",
        *(tmp_path / f"Q4_K_M/Qwen3-Coder-480B-A35B-Instruct-Q4_K_M-{part:05d}-of-00006.gguf" for part in range(1, 7)),
        tmp_path / "qwen/qwen2.5-coder-32b-instruct-q4_k_m.gguf",
        tmp_path / "qwen/qwen2.5-coder-7b-instruct-q4_k_m.gguf",
        tmp_path / "DeepSeek-Coder-V2-Lite-Instruct-Q4_K_M.gguf",
        tmp_path / "DeepSeek-Coder-V2-Instruct-Q4_K_M.gguf",
        tmp_path / "codellama-7b-instruct.Q4_K_M.gguf",
        tmp_path / "codellama-13b-instruct.Q4_K_M.gguf",
        tmp_path / "codellama-34b-instruct.Q4_K_M.gguf",
    )
    env = {"JUDGE_MODELS_DIR": str(tmp_path), "HOME": str(tmp_path)}

    found = {model.id for model in load_models().entries if find_file(model, env).path}

    assert found == {model.id for model in load_models().entries if model.status != "demo"} - {"qwen3_coder_14b"}


def test_the_demo_models_lie_in_the_cache_unless_the_environment_says_otherwise(tmp_path: Path) -> None:
    demo = load_models().get("demo_moe")
    touch(tmp_path / ".cache/coder-judge/demo/demo-moe-4x135M-Q4_1.gguf", tmp_path / "d/demo-moe-4x135M-Q4_1.gguf")

    by_default = find_file(demo, {"HOME": str(tmp_path)})
    elsewhere = find_file(demo, {"HOME": str(tmp_path), "JUDGE_DEMO_DIR": str(tmp_path / "d")})

    assert by_default.path == tmp_path / ".cache/coder-judge/demo/demo-moe-4x135M-Q4_1.gguf"
    assert elsewhere.path == tmp_path / "d/demo-moe-4x135M-Q4_1.gguf"
