"""What someone sees whose models.yaml names what is not there, or what a model cannot do."""

import pytest
from library_desk import Desk, Mistake, desk, mistakes

from judge.errors import LibraryError
from judge.library import load_models, load_suite

__all__ = ["desk"]

MISTAKES: dict[str, Mistake] = {
    "a model with an unknown role": (
        "models.yaml",
        "    role: worker\n",
        "    role: boss\n",
        ["models.yaml:9: models.small.role: role 'boss' is not known: use worker, expert"],
    ),
    "two models with one role": (
        "models.yaml",
        "    status: candidate\n",
        "    status: candidate\n    role: worker\n",
        ["models.yaml:17: models.large.role: the role 'worker' is taken by models.small.role on line 9"],
    ),
    "an unknown architecture": (
        "models.yaml",
        "    arch: qwen3moe\n",
        "    arch: qwen4moe\n",
        ["models.yaml:17: models.large.arch: architecture 'qwen4moe' is not known: use dense, qwen3moe"],
    ),
    "an unknown status": (
        "models.yaml",
        "    status: candidate\n",
        "    status: maybe\n",
        ["models.yaml:16: models.large.status: should be 'ready', 'candidate', 'deprecated' or 'demo', found 'maybe'"],
    ),
    "an unknown config": (
        "models.yaml",
        "[baseline, moe2]",
        "[baseline, moe-2]",
        [
            "models.yaml:18: models.large.configs[1]: config 'moe-2' is not known: "
            "use baseline, moeN (N experts) or spec_kN (N draft tokens)"
        ],
    ),
    "an unknown config of an architecture": (
        "models.yaml",
        "  qwen3moe: [baseline, moe4]",
        "  qwen3moe: [baseline, fast]",
        [
            "models.yaml:4: architectures.qwen3moe[1]: config 'fast' is not known: "
            "use baseline, moeN (N experts) or spec_kN (N draft tokens)"
        ],
    ),
    "a config twice": (
        "models.yaml",
        "[baseline, moe2]",
        "[baseline, moe2, moe2]",
        ["models.yaml:18: models.large.configs[2]: config 'moe2' stands twice"],
    ),
    "experts of a dense model": (
        "models.yaml",
        "    arch: dense\n",
        "    arch: dense\n    configs: [baseline, moe4]\n",
        ["models.yaml:12: models.small.configs[1]: config 'moe4' needs experts, but the architecture is dense"],
    ),
    "experts of the dense architecture": (
        "models.yaml",
        "  dense: [baseline]",
        "  dense: [baseline, moe4]",
        ["models.yaml:3: architectures.dense[1]: config 'moe4' needs experts, but the architecture is dense"],
    ),
    "a speed of a config that is not tested": (
        "models.yaml",
        "{baseline: 9.5}",
        "{moe4: 9.5}",
        ["models.yaml:13: models.small.expected_tps.moe4: this config is not tested: configs are baseline"],
    ),
    "a speed of nothing": (
        "models.yaml",
        "{baseline: 9.5}",
        "{baseline: 0}",
        ["models.yaml:13: models.small.expected_tps.baseline: should be greater than 0, found 0"],
    ),
    "a variable without braces": (
        "models.yaml",
        "${MODELS}/small.gguf",
        "$MODELS/small.gguf",
        [
            "models.yaml:10: models.small.path: path '$MODELS/small.gguf' has a $ that starts no variable: "
            "write ${VAR} or ${VAR:-default}"
        ],
    ),
}


@mistakes(MISTAKES)
def test_a_mistake_is_named_with_file_line_and_field(
    desk: Desk, file: str, old: str, new: str, problems: list[str]
) -> None:
    desk.edit(file, old, new)

    assert desk.problems() == problems


def test_the_role_of_a_model_is_checked_against_the_suite_when_there_is_one(desk: Desk) -> None:
    with pytest.raises(LibraryError, match="role 'worker' is not known: use coder_primary, "):
        load_models(desk.folder / "models.yaml", suite=load_suite())
