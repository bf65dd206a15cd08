"""From a model file and a config to an arm: overrides get the GGUF's own key prefix and are checked before anything starts. Pure.

A key with the wrong prefix is ignored by the server, and an expert count out of range aborts it: both are settled here.
"""

from runner.errors import UsageError
from runner.types import Arm, Config, ModelFile, Override, Serving


def build_arm(candidate: str, model: ModelFile, config: Config, serving: Serving) -> Arm:
    """Return the arm. Raises UsageError when the config does not fit the model."""
    if model.context_length is not None and serving.n_ctx > model.context_length:
        raise UsageError(
            f"{candidate}: a context of {serving.n_ctx} was asked for, the model was trained for {model.context_length}; "
            "lower n_ctx"
        )
    return Arm(
        candidate=candidate,
        config=config,
        model_fingerprint=model.fingerprint,
        overrides=_overrides(candidate, model, config),
        serving=serving,
    )


def _overrides(candidate: str, model: ModelFile, config: Config) -> tuple[Override, ...]:
    if config.experts is None:
        return ()
    if model.expert_count is None:
        raise UsageError(
            f"{candidate}/{config.name}: {config.experts} experts were asked for, but {model.path} is a dense "
            f"{model.architecture} model without experts; use baseline or spec_kN"
        )
    if config.experts > model.expert_count:
        raise UsageError(
            f"{candidate}/{config.name}: {config.experts} experts were asked for, but {model.path} has "
            f"{model.expert_count}; use moe1 to moe{model.expert_count}"
        )
    return (Override(key=f"{model.architecture}.expert_used_count", value=config.experts),)
