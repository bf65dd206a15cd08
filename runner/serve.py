"""The only file that starts model servers: command line (pure), start, wait, prove, watch, stop.

A server never outlives its runner: it is stopped on the way out, and the kernel kills it when the runner is killed.
"""

import asyncio
import ctypes
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from runner.errors import ProofError, ServerError
from runner.probe import check_listed
from runner.proof import Proof, prove
from runner.types import Arm, Endpoint, ModelFile, Value

LOOPBACK = "127.0.0.1"
POLL_S = 0.1
STOP_GRACE_S = 5.0
DEATH_GRACE_S = 0.5
TAIL_LINES = 12
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

# The server reads settings from any environment variable named like one of them (HOST, PORT, SEED, CACHE ...): it only gets
# what finds programs, libraries, devices and folders.
_ENVIRONMENT = re.compile(
    r"(PATH|HOME|USER|TMPDIR|LANG|LC_.*|TZ|LD_LIBRARY_PATH|DYLD_.*|XDG_.*|VIRTUAL_ENV|PYTHON.*|OMP_.*|KMP_.*|MKL_.*|OPENBLAS_.*"
    r"|GGML_.*|CUDA_.*|NVIDIA_.*|HIP_.*|HSA_.*|ROCR_.*|ROCM_.*|VK_.*|ONEAPI_.*|SYCL_.*)"
)


class ServeOptions(Value):
    """How a server is started and how long it is waited for."""

    port: int | None = None
    """``None`` takes a free one."""
    load_timeout_s: float = 3600.0
    """A 480B model from a slow disk takes many minutes."""
    python: str = sys.executable
    """The interpreter whose llama-cpp-python is used."""


class RunningServer:
    """A server that is loaded, is the right model, and whose log proves its settings."""

    def __init__(
        self, arm: Arm, endpoint: Endpoint, proof: Proof, command: list[str], log: "ServerLog", process: Process
    ) -> None:
        self.arm = arm
        self.endpoint = endpoint
        self.proof = proof
        self.command = command
        self.log = log
        self._process = process

    @property
    def alive(self) -> bool:
        """False once the process has ended by itself."""
        return self._process.returncode is None

    async def survives(self, grace_s: float = DEATH_GRACE_S) -> bool:
        """False when the process has ended or does so within ``grace_s``: its connections break before it is seen to be gone."""
        try:
            await asyncio.wait_for(self._process.wait(), grace_s)
        except TimeoutError:
            return True
        return False

    def ending(self) -> str:
        """Return on one line why the server is gone."""
        return f"the server ended with code {self._process.returncode}; log: {self.log.path}"

    def obituary(self) -> str:
        """Return why the server is gone, with the end of its log."""
        return f"{self.ending()}, which ends with\n{self.log.tail()}"


class ServerLog:
    """The log file of one server."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def size(self) -> int:
        """Bytes written so far: a mark to read on from."""
        return self.path.stat().st_size if self.path.exists() else 0

    def since(self, mark: int = 0) -> str:
        """Return what was written after ``mark``."""
        if not self.path.exists():
            return ""
        with self.path.open("rb") as file:
            file.seek(mark)
            return file.read().decode("utf-8", errors="replace")

    def tail(self) -> str:
        """Return the last lines, indented, for an error message."""
        lines = [line for line in self.since().splitlines() if line.strip()]
        return "\n".join(f"    {line[:300]}" for line in lines[-TAIL_LINES:])


def command_line(arm: Arm, model: ModelFile, port: int, *, python: str = sys.executable) -> list[str]:
    """Return the command that serves ``arm``; everything that the server would otherwise guess is said."""
    serving = arm.serving
    command = [python, "-m", "llama_cpp.server", "--model", model.path, "--model_alias", arm.candidate]
    command += ["--host", LOOPBACK, "--port", str(port)]
    # By default a second request cuts the running stream, and nobody is told.
    command += ["--interrupt_requests", "false"]
    command += ["--n_ctx", str(serving.n_ctx), "--n_threads", str(serving.n_threads)]
    command += ["--n_threads_batch", str(serving.n_threads), "--n_gpu_layers", str(serving.n_gpu_layers)]
    # Logits of every token cost memory and are never asked for.
    command += ["--logits_all", "false", "--verbose", "true"]
    if serving.chat_format:
        command += ["--chat_format", serving.chat_format]
    if arm.overrides:
        command += ["--kv_overrides", *(f"{o.key}=int:{o.value}" for o in arm.overrides)]
    if arm.config.draft_tokens:
        command += ["--draft_model", "prompt-lookup-decoding"]
        command += ["--draft_model_num_pred_tokens", str(arm.config.draft_tokens)]
    return command


def server_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the part of ``environ`` that a server may see: no setting by accident, no key of the user."""
    return {name: value for name, value in environ.items() if _ENVIRONMENT.fullmatch(name)}


@asynccontextmanager
async def serve(
    arm: Arm, model: ModelFile, log_path: Path, *, options: ServeOptions | None = None
) -> AsyncIterator[RunningServer]:
    """Serve ``arm`` for the length of the block. Raises ServerError or ProofError; nothing is left running either way."""
    options = options or ServeOptions()
    port = _claim_port(arm, options.port)
    command = command_line(arm, model, port, python=options.python)
    endpoint = Endpoint(base_url=f"http://{LOOPBACK}:{port}/v1", model=arm.candidate, server="llama-cpp-python")
    log = ServerLog(log_path)
    process = await _start(command, log_path)
    try:
        await _wait_until_loaded(process, endpoint, options.load_timeout_s, arm, command, log)
        proof = _prove(arm, command, log)
        yield RunningServer(arm, endpoint, proof, command, log, process)
    finally:
        await _stop(process)


def _claim_port(arm: Arm, port: int | None) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port or 0))
        except OSError as error:
            raise ServerError(f"{arm.id}: port {port} is taken ({error.strerror}); name another one or none") from error
        return int(probe.getsockname()[1])


async def _start(command: list[str], log_path: Path) -> Process:
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=server_environment(os.environ),
            start_new_session=True,
            preexec_fn=_die_with_parent(os.getpid()),
        )


def _die_with_parent(parent: int):  # type: ignore[no-untyped-def]
    """Return what the child runs before it becomes the server: the kernel will kill it when the runner is gone.

    It must import nothing: another thread may be in the middle of an import, whose lock the child would wait for for ever.
    """

    def arrange() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:  # the runner died in between
                os._exit(1)

    return arrange


async def _wait_until_loaded(
    process: Process,
    endpoint: Endpoint,
    timeout_s: float,
    arm: Arm,
    command: list[str],
    log: ServerLog,
) -> None:
    """Return once the right model answers ``/v1/models``: the port opens only when the model is loaded."""
    from runner.readiness import Readiness

    try:
        async with asyncio.timeout(timeout_s), Readiness(endpoint) as server:
            while (names := await server.listed()) is None:
                if process.returncode is not None:
                    raise _failure(
                        arm, f"the server ended with code {process.returncode} before it was ready", command, log
                    )
                await asyncio.sleep(POLL_S)
            check_listed(endpoint, names)
    except TimeoutError as error:
        raise _failure(
            arm, f"the server was not ready after {timeout_s:g} s; raise the load timeout", command, log
        ) from error


def _prove(arm: Arm, command: list[str], log: ServerLog) -> Proof:
    try:
        return prove(arm, log.since())
    except ProofError as error:
        raise ProofError(f"{error}\n  command: {shlex.join(command)}\n  log: {log.path}") from error


def _failure(arm: Arm, what: str, command: list[str], log: ServerLog) -> ServerError:
    return ServerError(
        f"{arm.id}: {what}\n  command: {shlex.join(command)}\n  log: {log.path}, which ends with\n{log.tail()}"
    )


async def _stop(process: Process) -> None:
    """End the server, kindly at first. Shielded, so that a cancelled run stops its server, too."""
    if process.returncode is None:
        await asyncio.shield(_terminate(process))


async def _terminate(process: Process) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_GRACE_S)
    except TimeoutError:
        process.kill()
        await process.wait()
