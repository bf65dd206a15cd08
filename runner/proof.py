"""What a llama-cpp-python server's log proves: which overrides took, experts used, context, its own timings. Pure.

A wrong override key is ignored by the server without a word, so "moe4" can silently be the baseline. Only the log knows.
"""

import re
from collections.abc import Iterator

from runner.errors import ProofError
from runner.types import Arm, ServerTiming, Value

_OVERRIDE = re.compile(r"validate_override: Using metadata override \(\s*int\) '(?P<key>[^']+)' = (?P<value>-?\d+)")
_EXPERTS_USED = re.compile(r"print_info: n_expert_used\s*= (\d+)")
_CONTEXT = re.compile(r"llama_context: n_ctx\s*= (\d+)")
_PROMPT_EVAL = re.compile(r"prompt eval time =\s*(?P<ms>[\d.]+) ms /\s*(?P<n>\d+) tokens")
_EVAL = re.compile(r"llama_perf_context_print:\s+eval time =\s*(?P<ms>[\d.]+) ms /\s*(?P<n>\d+) runs")
_PERF_END = "graphs reused"
_REUSED = re.compile(r"Llama\.generate: (\d+) prefix-match hit, remaining (\d+) prompt tokens to eval")


class Proof(Value):
    """What the log of a started server shows about how it runs."""

    overrides: dict[str, int]
    """Overrides that the loader says it used."""
    experts_used: int | None
    """0 for a dense model; ``None`` when the log does not say."""
    n_ctx: int | None
    lines: tuple[str, ...]
    """The very lines of the log, for the record."""


def read_proof(log: str) -> Proof:
    """Collect what the log of a loaded server says about its settings."""
    overrides = {m["key"]: int(m["value"]) for m in _OVERRIDE.finditer(log)}
    matches = [m for pattern in (_OVERRIDE, _EXPERTS_USED, _CONTEXT) for m in pattern.finditer(log)]
    return Proof(
        overrides=overrides,
        experts_used=_last_int(_EXPERTS_USED, log),
        n_ctx=_last_int(_CONTEXT, log),
        lines=tuple(_whole_line(log, m) for m in sorted(matches, key=lambda m: m.start())),
    )


def prove(arm: Arm, log: str) -> Proof:
    """Return the proof that the server runs as ``arm`` says. Raises ProofError naming the first thing that is not shown."""
    proof = read_proof(log)
    for doubt in _doubts(arm, proof):
        raise ProofError(f"{arm.id}: {doubt}; the arm is not used")
    return proof


def read_timings(log: str) -> list[ServerTiming]:
    """Return the server's figures of each finished request in ``log``, oldest first."""
    timings: list[ServerTiming] = []
    reused, prompt = 0, None
    for line in log.splitlines():
        if match := _REUSED.search(line):
            reused = int(match[1])
        elif match := _PROMPT_EVAL.search(line):
            prompt = match
        elif (match := _EVAL.search(line)) and prompt is not None:
            timings.append(_server_timing(prompt, match, reused))
            reused, prompt = 0, None
    return timings


def is_complete(log: str) -> bool:
    """True when the figures of a request have been written to the end (the last line of the block is there)."""
    return _PERF_END in log.rpartition("eval time")[2]


def drafted_tokens(log: str) -> int:
    """Tokens that were evaluated in draft batches: llama_perf counts them as prompt tokens beyond those it announced.

    Above 0 proves that speculative decoding runs, whether or not a draft was accepted.
    """
    announced = sum(int(m[2]) for m in _REUSED.finditer(log))
    evaluated = sum(t.prompt_tokens for t in read_timings(log) if t.reused_tokens > 0)
    return max(0, evaluated - announced)


def _doubts(arm: Arm, proof: Proof) -> Iterator[str]:
    for override in arm.overrides:
        if proof.overrides.get(override.key) != override.value:
            yield f"the log does not show the override {override.key}={override.value} (it shows {proof.overrides or 'none'})"
    if arm.config.experts is not None and proof.experts_used != arm.config.experts:
        yield f"{arm.config.experts} experts were asked for and the log says n_expert_used = {proof.experts_used}"
    if proof.n_ctx is None or proof.n_ctx < arm.serving.n_ctx:
        yield f"a context of {arm.serving.n_ctx} was asked for and the log says n_ctx = {proof.n_ctx}"


def _server_timing(prompt: re.Match[str], evaluated: re.Match[str], reused: int) -> ServerTiming:
    return ServerTiming(
        prompt_ms=float(prompt["ms"]),
        prompt_tokens=int(prompt["n"]),
        reused_tokens=reused,
        eval_ms=float(evaluated["ms"]),
        eval_steps=int(evaluated["n"]),
    )


def _last_int(pattern: re.Pattern[str], log: str) -> int | None:
    found = pattern.findall(log)
    return int(found[-1]) if found else None


def _whole_line(log: str, match: re.Match[str]) -> str:
    start = log.rfind("\n", 0, match.start()) + 1
    end = log.find("\n", match.end())
    return log[start : end if end >= 0 else len(log)].strip()
