"""The command line of a server and what it may see of the environment. Starting one is tested with a real model elsewhere."""

import asyncio
import selectors
import socket
import sys
from pathlib import Path

import pytest

from runner.errors import ServerError
from runner.serve import LOOPBACK, RunningServer, ServeOptions, ServerLog, command_line, serve, server_environment
from runner.types import Arm, Config, ModelFile, Override, Serving

MODEL = ModelFile(
    path="/models/a b.gguf",
    parts=1,
    size_bytes=1,
    architecture="llama",
    name=None,
    quantisation=None,
    parameters=1,
    context_length=None,
    expert_count=8,
    expert_used_count=2,
    fingerprint="f",
)


def arm(config: str = "baseline", **serving: object) -> Arm:
    parsed = Config.parse(config)
    overrides = (Override(key="llama.expert_used_count", value=parsed.experts),) if parsed.experts else ()
    return Arm(
        candidate="coder",
        config=parsed,
        model_fingerprint="f",
        overrides=overrides,
        serving=Serving.model_validate({"n_threads": 6, **serving}),
    )


def options(of: Arm) -> dict[str, str]:
    """Return the command line as option -> value."""
    command = command_line(of, MODEL, 8123, python="python")
    assert command[:3] == ["python", "-m", "llama_cpp.server"]
    assert len(command) % 2 == 1
    return dict(zip(command[3::2], command[4::2], strict=True))


def test_a_second_request_never_cuts_the_first() -> None:
    assert options(arm())["--interrupt_requests"] == "false"


def test_what_the_server_would_guess_is_said() -> None:
    said = options(arm(n_ctx=4096, n_gpu_layers=-1))
    assert said["--n_ctx"] == "4096"
    assert said["--n_threads"] == said["--n_threads_batch"] == "6"
    assert (said["--n_gpu_layers"], said["--logits_all"], said["--verbose"]) == ("-1", "false", "true")


def test_the_server_listens_on_loopback_under_the_candidates_name() -> None:
    said = options(arm())
    assert (said["--host"], said["--port"], said["--model_alias"], said["--model"]) == (
        LOOPBACK,
        "8123",
        "coder",
        "/models/a b.gguf",
    )


def test_an_override_is_sent_with_its_type() -> None:
    assert options(arm("moe4"))["--kv_overrides"] == "llama.expert_used_count=int:4"


def test_speculation_drafts_from_the_prompt() -> None:
    said = options(arm("spec_k8"))
    assert (said["--draft_model"], said["--draft_model_num_pred_tokens"]) == ("prompt-lookup-decoding", "8")


def test_a_baseline_has_neither_override_nor_draft_nor_chat_format() -> None:
    assert not {"--kv_overrides", "--draft_model", "--chat_format"} & set(options(arm()))


def test_a_chat_format_is_passed_on() -> None:
    assert options(arm(chat_format="chatml"))["--chat_format"] == "chatml"


def test_the_server_sees_no_setting_by_accident_and_no_key() -> None:
    kept = {
        "PATH": "/bin",
        "HOME": "/h",
        "LD_LIBRARY_PATH": "/l",
        "CUDA_VISIBLE_DEVICES": "0",
        "LC_ALL": "C",
        "OMP_NUM_THREADS": "2",
    }
    dropped = [
        "HOST",
        "PORT",
        "SEED",
        "CACHE",
        "MODEL",
        "N_CTX",
        "API_KEY",
        "OPENAI_API_KEY",
        "JUDGE_API_KEY",
        "HF_TOKEN",
        "SSL_KEYFILE",
    ]
    assert server_environment(kept | dict.fromkeys(dropped, "x")) == kept


async def test_a_port_that_is_taken_is_said_before_anything_is_started(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=f"coder/baseline: port {port} is taken .*; name another one or none"):
            async with serve(arm(), MODEL, log, options=ServeOptions(port=port)):
                pass
    assert not log.exists()


async def test_a_server_that_dies_while_loading_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    folder = tmp_path
    dying = folder / "python"
    dying.write_text("#!/bin/sh\necho loading >&2\necho 'GGML_ASSERT failed' >&2\nexit 134\n")
    dying.chmod(0o755)
    with pytest.raises(ServerError) as caught:
        async with serve(arm(), MODEL, folder / "server.log", options=ServeOptions(python=str(dying))):
            pass
    message = str(caught.value)
    assert message.startswith("coder/baseline: the server ended with code 134 before it was ready\n")
    assert message.endswith("which ends with\n    loading\n    GGML_ASSERT failed")
    assert "'/models/a b.gguf'" in message


# --- loading --------------------------------------------------------------------------------------------------------------

SPEED = 30
"""Seconds of the loop's clock to a real one: a minute of loading takes two seconds here."""

LOADING = """\
#!{python} -S
import json, socket, sys, time
port = int(sys.argv[sys.argv.index("--port") + 1])
print("loading", file=sys.stderr, flush=True)
start, phase = time.monotonic(), {load_s} / {speed} / 3
time.sleep(phase)  # nobody listens
door = socket.create_server(("127.0.0.1", port))
while True:
    caller, passed = door.accept()[0], time.monotonic() - start
    if passed < 2 * phase:
        continue  # hung up without a word
    caller.recv(65536)
    status = "200 OK" if passed > 3 * phase else "503 Service Unavailable"
    if status == "200 OK":
        print("llama_context: n_ctx = 2048", file=sys.stderr, flush=True)
    body = json.dumps({{"data": [{{"id": "{name}"}}]}}).encode()
    caller.sendall(b"HTTP/1.1 %b\\r\\ncontent-length: %d\\r\\nconnection: close\\r\\n\\r\\n%b" % (status.encode(), len(body), body))
    caller.close()
"""
"""A server that is silent, then hangs up, then is busy, a third of its loading each, and then lists one model."""


class FastSelector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout / SPEED if timeout else timeout)


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock runs ``SPEED`` times as fast."""

    def __init__(self) -> None:
        super().__init__(FastSelector())

    def time(self) -> float:
        return super().time() * SPEED


def load(folder: Path, load_s: float, load_timeout_s: float, name: str = "coder") -> tuple[RunningServer, float]:
    """Serve a program that needs ``load_s`` to load, on the fast clock. Returns the server and how long it took."""
    program = folder / "python"
    program.write_text(LOADING.format(python=sys.executable, load_s=load_s, speed=SPEED, name=name))
    program.chmod(0o755)

    async def served() -> tuple[RunningServer, float]:
        clock = asyncio.get_running_loop().time
        started_s = clock()
        options = ServeOptions(python=str(program), load_timeout_s=load_timeout_s)
        async with serve(arm(n_ctx=2048), MODEL, folder / "server.log", options=options) as server:
            return server, clock() - started_s

    with asyncio.Runner(loop_factory=FastLoop) as runner:
        return runner.run(served())


def test_a_server_that_needs_a_minute_to_load_is_waited_for(tmp_path: Path) -> None:
    server, took_s = load(tmp_path, load_s=60, load_timeout_s=3600)
    assert took_s > 60
    assert server.proof.n_ctx == 2048
    assert not server.alive, "it ends with the block"


def test_a_server_that_needs_longer_than_it_is_given_is_stopped_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(ServerError) as caught:
        load(tmp_path, load_s=3600, load_timeout_s=15)
    assert str(caught.value).startswith("coder/baseline: the server was not ready after 15 s; raise the load timeout\n")


def test_a_server_that_lists_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ServerError, match="asked for model 'coder', the endpoint lists 'llama'; give one of these names"
    ):
        load(tmp_path, load_s=0, load_timeout_s=3600, name="llama")


def test_a_log_is_read_from_a_mark_on(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "server.log")
    assert (log.size(), log.since(), log.tail()) == (0, "", "")
    log.path.write_bytes(b"first\n")
    mark = log.size()
    log.path.write_bytes(b"first\nsec\xffond\n\n")
    assert log.since(mark) == "sec\ufffdond\n\n"
    assert log.tail() == "    first\n    sec\ufffdond"
