"""From model and config to arm: right keys, and refusals before anything is started."""

import pytest

from runner.arms import build_arm
from runner.errors import UsageError
from runner.types import Arm, Config, ModelFile, Override, Serving

SERVING = Serving(n_ctx=4096, n_threads=4)


def model(architecture: str = "qwen3moe", experts: int | None = 128, context: int | None = 262144) -> ModelFile:
    return ModelFile(
        path="/models/coder.gguf",
        parts=1,
        size_bytes=1,
        architecture=architecture,
        name="Coder",
        quantisation="Q4_K_M",
        parameters=1,
        context_length=context,
        expert_count=experts,
        expert_used_count=8 if experts else None,
        fingerprint="0123456789abcdef",
    )


def arm(config: str = "baseline", of: ModelFile | None = None, serving: Serving = SERVING) -> Arm:
    return build_arm("coder_primary", of or model(), Config.parse(config), serving)


def refusal(config: str, of: ModelFile, serving: Serving = SERVING) -> str:
    with pytest.raises(UsageError) as caught:
        arm(config, of, serving)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("architecture", ["qwen3moe", "llama", "glm4moe"])
def test_an_experts_override_has_the_models_own_prefix(architecture: str) -> None:
    assert arm("moe4", model(architecture)).overrides == (Override(key=f"{architecture}.expert_used_count", value=4),)


@pytest.mark.parametrize("config", ["baseline", "spec_k8"])
def test_other_configs_override_nothing(config: str) -> None:
    assert arm(config).overrides == ()


def test_experts_of_a_dense_model_are_refused() -> None:
    assert refusal("moe4", model("llama", None)) == (
        "coder_primary/moe4: 4 experts were asked for, but /models/coder.gguf is a dense llama model without experts; "
        "use baseline or spec_kN"
    )


def test_more_experts_than_there_are_are_refused() -> None:
    assert refusal("moe9", model(experts=8)) == (
        "coder_primary/moe9: 9 experts were asked for, but /models/coder.gguf has 8; use moe1 to moe8"
    )


def test_all_experts_at_once_are_allowed() -> None:
    assert arm("moe8", model(experts=8)).overrides[0].value == 8


def test_a_context_beyond_the_models_training_is_refused() -> None:
    assert refusal("baseline", model(context=2048)) == (
        "coder_primary: a context of 4096 was asked for, the model was trained for 2048; lower n_ctx"
    )


def test_a_model_that_does_not_say_its_context_is_taken_at_its_word() -> None:
    assert arm(of=model(context=None)).serving.n_ctx == 4096


def test_an_arm_is_named_after_candidate_and_config() -> None:
    assert arm("moe4").id == "coder_primary/moe4"


def test_arms_that_are_served_differently_are_never_the_same() -> None:
    different = [
        arm(),
        arm("moe4"),
        arm("moe6"),
        arm("spec_k8"),
        arm(serving=Serving(n_ctx=2048, n_threads=4)),
        arm(serving=Serving(n_ctx=4096, n_threads=2)),
        arm(of=model().model_copy(update={"fingerprint": "fedcba9876543210"})),
    ]
    assert len({one.fingerprint for one in different}) == len(different)
    assert arm("moe4").fingerprint == arm("moe4").fingerprint


def test_where_the_model_lies_does_not_change_the_arm() -> None:
    moved = model().model_copy(update={"path": "/elsewhere/coder.gguf"})
    assert arm(of=moved).fingerprint == arm().fingerprint
