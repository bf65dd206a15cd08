"""Who may judge whom."""

import pytest
from examples import arm

from judge.lineage import is_self, same_family
from judge.records import ArmRecord, JudgeRecord
from judge.types import ModelEntry
from runner.types import Endpoint, ModelFile, Sampling


def model(fingerprint: str) -> ModelFile:
    return ModelFile(
        path="/m.gguf",
        parts=1,
        size_bytes=1,
        architecture="llama",
        name=None,
        quantisation=None,
        parameters=1,
        context_length=None,
        expert_count=None,
        expert_used_count=None,
        fingerprint=fingerprint,
    )


def candidate(family: str | None = "qwen") -> ArmRecord:
    entry = ModelEntry(
        id="coder_primary",
        model="Qwen3-Coder-30B",
        status="ready",
        arch="qwen3moe",
        family=family,
        configs=("baseline",),
    )
    return ArmRecord(arm=arm(model_fingerprint="f0"), model=model("f0"), entry=entry, sampling=Sampling())


def judge(name: str = "mistral", family: str | None = "mistral", fingerprint: str | None = None) -> JudgeRecord:
    return JudgeRecord(
        name=name,
        family=family,
        fingerprint="jf",
        endpoint=None if fingerprint else Endpoint(base_url="http://127.0.0.1:1/v1", model=name),
        model=model(fingerprint) if fingerprint else None,
        sampling=Sampling(),
        prompt_hash="ph",
    )


@pytest.mark.parametrize("name", ["coder_primary", "Qwen3-Coder-30B"])
def test_a_judge_with_the_candidates_name_is_the_candidate(name: str) -> None:
    assert is_self(judge(name), candidate())


def test_a_judge_from_the_candidates_file_is_the_candidate_whatever_it_is_called() -> None:
    assert is_self(judge("someone_else", fingerprint="f0"), candidate())


def test_another_model_is_another() -> None:
    assert not is_self(judge(), candidate())
    assert not is_self(judge("other", "qwen", fingerprint="f1"), candidate())


@pytest.mark.parametrize(
    ("of_judge", "of_candidate", "same"),
    [
        ("qwen", "qwen", True),
        ("mistral", "qwen", False),
        (None, "qwen", True),
        ("qwen", None, True),
        (None, None, True),
    ],
)
def test_an_unknown_family_counts_as_the_same(of_judge: str | None, of_candidate: str | None, same: bool) -> None:
    assert same_family(judge(family=of_judge), candidate(of_candidate)) is same
