"""What many tests need: the real demo models, and the command line as a user has it."""

import os
import subprocess
from pathlib import Path

import pytest
from commands import Run, command

from runner.moe import DemoModels, demo_models


@pytest.fixture(scope="session")
def demo() -> DemoModels:
    """The GGUF of SmolLM2-135M and a real mixture of experts made of it, kept outside the checkout."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return demo_models(Path(os.environ.get("JUDGE_DEMO_DIR", cache / "coder-judge" / "demo")))


@pytest.fixture(scope="session")
def cli_environment(demo: DemoModels) -> dict[str, str]:
    """The environment of a user who has run the demo and set nothing else."""
    dropped = ("JUDGE_", "OPENAI_", "NO_COLOR", "CI")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "JUDGE_DEMO_DIR": str(demo.moe.parent)}


@pytest.fixture(scope="session")
def judge(cli_environment: dict[str, str]) -> Run:
    """Run ``judge ARGS`` in a process of its own; ``cwd`` and ``env`` may be given."""

    def run(*args: str | Path, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*args), cwd=cwd, env={**cli_environment, **(env or {})}, capture_output=True, text=True, timeout=600
        )

    return run
