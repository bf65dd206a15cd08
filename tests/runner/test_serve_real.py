"""Starting real servers: what is refused, what is proven, and what a user reads when it fails."""

import socket
from pathlib import Path

import pytest

from runner.arms import build_arm
from runner.errors import ProofError, ServerError
from runner.gguf import read_model
from runner.moe import DemoModels
from runner.serve import ServeOptions, serve
from runner.types import Arm, Config, ModelFile, Override, Serving

pytestmark = pytest.mark.real


@pytest.fixture
def moe(demo: DemoModels) -> ModelFile:
    return read_model(demo.moe)


def arm_of(model: ModelFile, config: str = "moe2", name: str = "served") -> Arm:
    return build_arm(name, model, Config.parse(config), Serving(n_ctx=512, n_threads=2))


async def message_of(arm: Arm, model: ModelFile, log: Path, options: ServeOptions | None = None) -> str:
    with pytest.raises(ServerError) as caught:
        async with serve(arm, model, log, options=options):
            raise AssertionError("the server must not be handed out")
    return str(caught.value)


async def test_an_override_with_the_wrong_prefix_is_ignored_by_the_server_and_refused_by_us(
    moe: ModelFile, tmp_path: Path
) -> None:
    wrong = arm_of(moe).model_copy(update={"overrides": (Override(key="qwen3moe.expert_used_count", value=2),)})
    with pytest.raises(
        ProofError, match=r"served/moe2: the log does not show the override qwen3moe.expert_used_count=2"
    ):
        async with serve(wrong, moe, tmp_path / "server.log"):
            raise AssertionError("an arm without proof must not be handed out")


async def test_a_taken_port_is_named_before_anything_starts(moe: ModelFile, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        message = await message_of(arm_of(moe), moe, tmp_path / "server.log", ServeOptions(port=port))
    assert message.startswith(f"served/moe2: port {port} is taken")
    assert not (tmp_path / "server.log").exists()


async def test_a_server_that_ends_early_is_reported_with_its_command_and_the_end_of_its_log(
    moe: ModelFile, tmp_path: Path
) -> None:
    missing = moe.model_copy(update={"path": str(tmp_path / "gone.gguf")})
    message = await message_of(arm_of(moe), missing, tmp_path / "server.log")
    first, *rest = message.splitlines()
    assert first == "served/moe2: the server ended with code 1 before it was ready"
    assert "command:" in rest[0] and "gone.gguf" in rest[0]
    assert "server.log, which ends with" in rest[1]
    assert any("gone.gguf" in line for line in rest[2:])


async def test_a_server_that_takes_too_long_is_stopped_and_says_so(moe: ModelFile, tmp_path: Path) -> None:
    message = await message_of(arm_of(moe), moe, tmp_path / "server.log", ServeOptions(load_timeout_s=0.05))
    assert message.startswith("served/moe2: the server was not ready after 0.05 s; raise the load timeout")


async def test_the_server_sees_no_setting_and_no_key_of_the_users_environment(
    moe: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST", "0.0.0.0")  # the server would listen there
    monkeypatch.setenv("N_CTX", "64")
    monkeypatch.setenv("OPENAI_API_KEY", "secret-key")
    async with serve(arm_of(moe), moe, tmp_path / "server.log") as server:
        assert server.proof.n_ctx == 512
        assert server.endpoint.base_url.startswith("http://127.0.0.1:")
        assert "secret-key" not in (tmp_path / "server.log").read_text(errors="replace")
