"""The log of a real server: what it proves, what it does not, and which figures belong to which request."""

import pytest

from runner.errors import ProofError
from runner.proof import drafted_tokens, is_complete, prove, read_proof, read_timings
from runner.types import Arm, Config, Override, ServerTiming, Serving

LOADED = """\
llama_model_loader: - kv   0:                       general.architecture str              = llama
llama_model_loader: - kv   9:                         llama.expert_count u32              = 4
llama_model_loader: - kv  10:                    llama.expert_used_count u32              = 4
validate_override: Using metadata override (  int) 'llama.expert_used_count' = 2
print_info: n_expert              = 4
print_info: n_expert_used         = 2
print_info: n_expert_groups       = 0
llama_context: n_ctx                 = 2048
llama_context: n_ctx_seq             = 2048
llama_context: n_ctx_seq (2048) < n_ctx_train (8192) -- the full capacity of the model will not be utilized
Model metadata: {'llama.expert_used_count': '4', 'llama.expert_count': '4'}
INFO:     Uvicorn running on http://127.0.0.1:41234 (Press CTRL+C to quit)
"""
IGNORED = LOADED.replace(
    "validate_override: Using metadata override (  int) 'llama.expert_used_count' = 2\n", ""
).replace("n_expert_used         = 2", "n_expert_used         = 4")
DENSE = """\
print_info: n_expert              = 0
print_info: n_expert_used         = 0
llama_context: n_ctx                 = 8192
"""
FIRST = """\
INFO:     127.0.0.1:57858 - "POST /v1/chat/completions HTTP/1.1" 200 OK
llama_perf_context_print:        load time =    9471.79 ms
llama_perf_context_print: prompt eval time =    9471.52 ms /    46 tokens (  205.90 ms per token,     4.86 tokens per second)
llama_perf_context_print:        eval time =   30981.62 ms /    16 runs   ( 1936.35 ms per token,     0.52 tokens per second)
llama_perf_context_print:       total time =   40537.92 ms /    62 tokens
llama_perf_context_print:    graphs reused =         15
"""
REUSING = """\
Llama.generate: 24 prefix-match hit, remaining 24 prompt tokens to eval
llama_perf_context_print:        load time =    9471.79 ms
llama_perf_context_print: prompt eval time =    1786.41 ms /    24 tokens (   74.43 ms per token,    13.43 tokens per second)
llama_perf_context_print:        eval time =    6082.36 ms /   100 runs   (   60.82 ms per token,    16.44 tokens per second)
llama_perf_context_print:       total time =    8228.72 ms /   124 tokens
llama_perf_context_print:    graphs reused =         99
INFO:     127.0.0.1:38936 - "POST /extras/tokenize/count HTTP/1.1" 200 OK
"""
UNTIMED = """\
Llama.generate: 45 prefix-match hit, remaining 1 prompt tokens to eval
llama_perf_context_print:        load time =    9471.79 ms
llama_perf_context_print: prompt eval time =       0.00 ms /     1 tokens (    0.00 ms per token,      inf tokens per second)
llama_perf_context_print:        eval time =   15870.18 ms /    17 runs   (  933.54 ms per token,     1.07 tokens per second)
llama_perf_context_print:       total time =   15968.39 ms /    18 tokens
llama_perf_context_print:    graphs reused =         17
"""
DRAFTING = """\
Llama.generate: 24 prefix-match hit, remaining 24 prompt tokens to eval
llama_perf_context_print:        load time =       0.41 ms
llama_perf_context_print: prompt eval time =   65994.90 ms /   385 tokens (  171.42 ms per token,     5.83 tokens per second)
llama_perf_context_print:        eval time =   43432.90 ms /    53 runs   (  819.49 ms per token,     1.22 tokens per second)
llama_perf_context_print:       total time =  110204.41 ms /   438 tokens
llama_perf_context_print:    graphs reused =         45
"""


def arm(config: str = "moe2", key: str = "llama.expert_used_count", n_ctx: int = 2048) -> Arm:
    parsed = Config.parse(config)
    overrides = (Override(key=key, value=parsed.experts),) if parsed.experts else ()
    return Arm(
        candidate="coder",
        config=parsed,
        model_fingerprint="f",
        overrides=overrides,
        serving=Serving(n_ctx=n_ctx, n_threads=2),
    )


def doubt(served: Arm, log: str) -> str:
    with pytest.raises(ProofError) as caught:
        prove(served, log)
    return str(caught.value)


# --- settings -----------------------------------------------------------------------------------------------------------


def test_a_log_proves_override_experts_and_context_by_its_own_lines() -> None:
    proof = prove(arm(), LOADED)
    assert (proof.overrides, proof.experts_used, proof.n_ctx) == ({"llama.expert_used_count": 2}, 2, 2048)
    assert proof.lines == (
        "validate_override: Using metadata override (  int) 'llama.expert_used_count' = 2",
        "print_info: n_expert_used         = 2",
        "llama_context: n_ctx                 = 2048",
    )


def test_an_override_that_the_server_ignored_is_no_moe_arm() -> None:
    assert doubt(arm(key="qwen3moe.expert_used_count"), IGNORED) == (
        "coder/moe2: the log does not show the override qwen3moe.expert_used_count=2 (it shows none); the arm is not used"
    )


def test_an_override_of_another_key_is_named() -> None:
    assert "(it shows {'llama.expert_used_count': 2})" in doubt(arm(key="qwen3moe.expert_used_count"), LOADED)


def test_an_override_that_was_used_and_did_nothing_is_found_out() -> None:
    log = LOADED.replace("n_expert_used         = 2", "n_expert_used         = 4")
    assert (
        doubt(arm(), log)
        == "coder/moe2: 2 experts were asked for and the log says n_expert_used = 4; the arm is not used"
    )


def test_a_smaller_context_than_asked_for_is_found_out() -> None:
    assert "a context of 8192 was asked for and the log says n_ctx = 2048" in doubt(arm(n_ctx=8192), LOADED)


def test_a_context_that_was_rounded_up_is_enough() -> None:
    assert prove(arm("baseline", n_ctx=2000), LOADED).n_ctx == 2048


def test_an_empty_log_proves_nothing() -> None:
    assert "n_ctx = None" in doubt(arm("baseline"), "")


def test_a_baseline_needs_no_override_and_a_dense_model_uses_no_experts() -> None:
    proof = prove(arm("baseline", n_ctx=8192), DENSE)
    assert (proof.overrides, proof.experts_used) == ({}, 0)


def test_the_metadata_of_the_file_is_not_taken_for_what_runs() -> None:
    metadata = "\n".join(line for line in LOADED.splitlines() if "kv " in line or "Model metadata" in line)
    assert read_proof(metadata).experts_used is None


# --- figures ------------------------------------------------------------------------------------------------------------


def test_the_figures_of_each_request_are_read_in_order() -> None:
    assert read_timings(LOADED + FIRST + REUSING) == [
        ServerTiming(prompt_ms=9471.52, prompt_tokens=46, reused_tokens=0, eval_ms=30981.62, eval_steps=16),
        ServerTiming(prompt_ms=1786.41, prompt_tokens=24, reused_tokens=24, eval_ms=6082.36, eval_steps=100),
    ]


def test_prompt_time_is_not_taken_for_decode_time() -> None:
    (timing,) = read_timings(FIRST)
    assert (timing.prompt_ms, timing.eval_ms) == (9471.52, 30981.62)


def test_a_prompt_that_was_wholly_reused_has_no_time() -> None:
    (timing,) = read_timings(UNTIMED)
    assert (timing.prompt_ms, timing.prompt_tokens, timing.reused_tokens) == (0.0, 1, 45)


def test_a_request_that_has_not_finished_has_no_figures() -> None:
    assert read_timings(REUSING.split("llama_perf_context_print:        eval time")[0]) == []


def test_the_figures_are_complete_when_their_last_line_is_there() -> None:
    assert is_complete(FIRST)
    assert not is_complete(FIRST.split("llama_perf_context_print:    graphs reused")[0])
    assert not is_complete(FIRST + REUSING.split("llama_perf_context_print:    graphs reused")[0])
    assert not is_complete("")


def test_a_log_of_another_llama_cpp_gives_no_figures_rather_than_wrong_ones() -> None:
    assert read_timings("llama_print_timings: eval time = 27636.04 ms / 898 runs (30.78 ms per token)") == []


# --- speculation --------------------------------------------------------------------------------------------------------


def test_tokens_beyond_the_announced_prompt_are_draft_batches() -> None:
    assert drafted_tokens(DRAFTING) == 385 - 24


def test_without_speculation_nothing_is_drafted() -> None:
    assert drafted_tokens(FIRST + UNTIMED + REUSING) == 0


def test_a_first_request_that_announced_no_prompt_is_no_proof_of_drafts() -> None:
    assert drafted_tokens(FIRST) == 0
