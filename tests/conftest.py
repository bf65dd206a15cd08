"""What many tests need: the real demo models, and the command line as a user has it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
from commands import Run, command
from hypothesis import settings
from warm_cli import WarmCli, warm_cli

from runner.moe import DemoModels, demo_models

# The same examples for everybody who runs CI on one commit; at home every run looks at new ones.
settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--kills N``: how often tests/test_kills.py kills commands, all together."""
    parser.addoption(
        "--kills", type=int, default=8, help="kill -9 so many commands in tests/test_kills.py [default: 8]"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files that take long first: whoever runs files side by side (--dist loadscope) would wait for the last one of them."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def kills(request: pytest.FixtureRequest) -> int:
    """How many commands are to be killed."""
    wanted: int = request.config.getoption("--kills")
    return wanted


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


@pytest.fixture(scope="module")
def cli(cli_environment: dict[str, str]) -> Iterator[WarmCli]:
    """The command line in processes that have their imports behind them."""
    with warm_cli(cli_environment) as warm:
        yield warm


@pytest.fixture(scope="session", autouse=True)
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let HTTP clients load one certificate and not all: no test speaks TLS, and loading them takes longer than most tests."""
    end = "-----END CERTIFICATE-----\n"
    bundle = tmp_path_factory.mktemp("certificates") / "one.pem"
    bundle.write_text(Path(certifi.where()).read_text().partition(end)[0] + end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certifi, "where", lambda: str(bundle))
        yield
