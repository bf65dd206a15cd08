"""Speed: known figures in, known figures out, and nothing where nothing was measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.timing import (
    SpeedDefinition,
    decode_rate,
    eval_rate,
    outlying,
    overhead_ms,
    prefill_rate,
    reported_speed,
    timing,
    ttft,
)
from runner.types import Answer, AnswerState, Sampling, ServerTiming, Stamps, Usage

SECONDS = st.integers(0, 10**15).map(lambda nanoseconds: nanoseconds / 1e9)
MILLISECONDS = st.integers(0, 10**9).map(lambda hundredths: hundredths / 100)


def stamps(first: float | None = 1.5, last: float | None = 3.5) -> Stamps:
    return Stamps(sent_s=1.0, first_token_s=first, last_token_s=last, ended_s=4.0)


def served(
    *, prompt_ms: float = 250.0, prompt_tokens: int = 50, eval_ms: float = 1000.0, steps: int = 100
) -> ServerTiming:
    return ServerTiming(
        prompt_ms=prompt_ms, prompt_tokens=prompt_tokens, reused_tokens=0, eval_ms=eval_ms, eval_steps=steps
    )


def answer(**fields: object) -> Answer:
    base = {"prompt_id": "q", "sample": 0, "sampling": Sampling(), "state": AnswerState.OK, "text": "x"}
    return Answer.model_validate({**base, "finish_reason": "stop", "stamps": stamps(), **fields})


@pytest.mark.parametrize(
    ("eval_ms", "runs", "tps"),
    [
        (27636.04, 898, 32.49),
        (66226.55, 25, 0.38),
        (55253.67, 1470, 26.605),
        (1265.48, 95, 75.07),
        (3194.22, 782, 244.82),
    ],
)
def test_the_servers_speed_is_its_runs_over_its_eval_time(eval_ms: float, runs: int, tps: float) -> None:
    assert eval_rate(served(eval_ms=eval_ms, steps=runs)) == pytest.approx(tps, abs=0.005)


@pytest.mark.parametrize(
    ("predicted_n", "predicted_ms", "reported", "ours", "definition"),
    [
        (96, 1265.48, 75.8607, 75.07, "n (legacy)"),
        (1471, 55253.67, 26.623, 26.605, "n (legacy)"),
        (1471, 55253.67, 26.605, 26.605, "n-1"),
        (783, 3194.22, 245.13, 244.82, "n (legacy)"),
        (783, 3194.22, 244.82, 244.82, "n-1"),
        (96, 1265.48, 60.0, 75.07, None),
    ],
)
def test_the_definition_of_the_servers_own_figure_is_found_out(
    predicted_n: int, predicted_ms: float, reported: float, ours: float, definition: SpeedDefinition | None
) -> None:
    speed = reported_speed(predicted_n, predicted_ms, reported)
    assert speed is not None
    assert speed.decode_tps == pytest.approx(ours, abs=0.005)
    assert (speed.reported_tps, speed.definition) == (reported, definition)


@pytest.mark.parametrize(("tokens", "ms"), [(1, 10.0), (0, 0.0), (9, 0.0)])
def test_timings_of_fewer_than_two_tokens_or_no_time_are_no_speed(tokens: int, ms: float) -> None:
    assert reported_speed(tokens, ms, 1.0) is None


def test_time_per_output_token_with_the_prompts_share_is_not_the_decode_speed() -> None:
    slow_start = Stamps(sent_s=0.0, first_token_s=8.0, last_token_s=10.0, ended_s=10.0)
    assert decode_rate(slow_start, 9) == 4.0 != pytest.approx(9 / 10)


def test_an_odd_repetition_is_flagged_and_kept() -> None:
    assert outlying([50.1, 50.3, 49.9, 50.0, 31.0]) == (False, False, False, False, True)
    assert outlying([50.1, 50.3, 49.9, 50.0, 49.6]) == (False,) * 5
    assert outlying([7.0]) == (False,)
    assert outlying([]) == ()


def test_the_first_token_belongs_to_the_prefill() -> None:
    assert decode_rate(stamps(first=1.5, last=3.5), 9) == 4.0


def test_five_chunks_with_nine_tokens_are_nine_tokens() -> None:
    nine = answer(usage=Usage(prompt_tokens=3, completion_tokens=9, source="usage"))
    speed = timing(nine, speculative=False)
    assert (speed.decode_tps, speed.completion_tokens, speed.token_source) == (4.0, 9, "usage")


def test_time_to_first_token_counts_from_the_sending() -> None:
    assert ttft(stamps(first=1.5)) == 0.5


def test_the_prefill_rate_is_the_servers_own() -> None:
    assert prefill_rate(served(prompt_ms=250.0, prompt_tokens=50)) == 200.0


def test_the_overhead_is_what_the_client_waits_on_top_of_the_server() -> None:
    assert overhead_ms(100.0, 125.0) == pytest.approx(2.0)


def test_what_the_server_of_a_speculative_arm_says_is_left_out() -> None:
    speed = timing(
        answer(usage=Usage(completion_tokens=9, source="tokenize"), server_timing=served()), speculative=True
    )
    assert speed.decode_tps == 4.0
    assert (speed.server_decode_tps, speed.prefill_tps, speed.overhead_ms) == (None, None, None)


def test_an_answer_without_stamps_has_no_speed() -> None:
    speed = timing(answer(stamps=None), speculative=False)
    assert (speed.ttft_s, speed.decode_tps, speed.prefill_tps, speed.server_decode_tps) == (None, None, None, None)


@pytest.mark.parametrize("tokens", [None, 0, 1])
def test_fewer_than_two_tokens_have_no_decode_speed(tokens: int | None) -> None:
    assert decode_rate(stamps(), tokens) is None


def test_tokens_that_arrived_at_one_moment_have_no_decode_speed() -> None:
    assert decode_rate(stamps(first=2.0, last=2.0), 9) is None


def test_an_answer_of_which_no_token_came_has_no_time_to_first_token() -> None:
    assert ttft(stamps(first=None, last=None)) is None
    assert decode_rate(stamps(first=None, last=None), 9) is None


def test_a_prompt_that_the_server_did_not_time_has_no_prefill_rate() -> None:
    assert prefill_rate(served(prompt_ms=0.0, prompt_tokens=1)) is None


@pytest.mark.parametrize(("eval_ms", "steps"), [(0.0, 5), (10.0, 0)])
def test_no_steps_or_no_time_is_no_server_speed(eval_ms: float, steps: int) -> None:
    assert eval_rate(served(eval_ms=eval_ms, steps=steps)) is None


@given(SECONDS, SECONDS, SECONDS, st.none() | st.integers(0, 10**6), MILLISECONDS, st.integers(0, 10**6))
def test_a_speed_is_positive_or_not_there(
    sent: float, first: float, last: float, tokens: int | None, eval_ms: float, steps: int
) -> None:
    times = Stamps(sent_s=sent, first_token_s=first, last_token_s=last, ended_s=last)
    usage = Usage(completion_tokens=tokens, source="usage")
    speed = timing(
        answer(stamps=times, usage=usage, server_timing=served(eval_ms=eval_ms, steps=steps)), speculative=False
    )
    for figure in (speed.decode_tps, speed.server_decode_tps, speed.prefill_tps):
        assert figure is None or figure > 0
