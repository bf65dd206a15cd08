"""The values: what a config is called, and what an answer's state means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runner.errors import UsageError
from runner.types import Answer, AnswerState, Config, Prompt, Sampling


def test_the_three_kinds_of_config_are_read() -> None:
    assert Config.parse("baseline") == Config(name="baseline")
    assert Config.parse("moe4") == Config(name="moe4", experts=4)
    assert Config.parse("spec_k16") == Config(name="spec_k16", draft_tokens=16)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "base",
        "moe",
        "moe0",
        "moe04",
        "moe-1",
        "moe4 ",
        " moe4",
        "MOE4",
        "spec8",
        "spec_k0",
        "moe12345",
        "moe1٣",
        "moe4\n",
    ],
)
def test_any_other_config_is_refused_by_name(name: str) -> None:
    with pytest.raises(UsageError, match="is not known: use baseline, moeN") as caught:
        Config.parse(name)
    assert repr(name) in str(caught.value)


@given(st.text(max_size=8) | st.from_regex(r"(moe|spec_k)\d{1,5}", fullmatch=True))
def test_a_config_has_one_spelling(name: str) -> None:
    try:
        config = Config.parse(name)
    except UsageError:
        return
    spelled = {"baseline", f"moe{config.experts}", f"spec_k{config.draft_tokens}"}
    assert config.name == name
    assert name in spelled


def test_each_sample_has_its_own_seed_and_nothing_else_changes() -> None:
    sampling = Sampling(temperature=0.3, top_k=20, seed=5)
    assert [sampling.for_sample(g).seed for g in range(3)] == [5, 6, 7]
    assert sampling.for_sample(2).model_copy(update={"seed": 5}) == sampling


def test_values_are_frozen_and_know_no_other_fields() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Sampling().seed = 2  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        Sampling(temprature=0.1)  # type: ignore[call-arg]


def test_a_system_message_is_sent_only_where_there_is_one() -> None:
    assert Prompt(id="q", user="hi").messages() == [{"role": "user", "content": "hi"}]
    assert [m["role"] for m in Prompt(id="q", user="hi", system="be brief").messages()] == ["system", "user"]


@pytest.mark.parametrize("state", AnswerState)
def test_only_what_is_the_models_own_doing_is_judged(state: AnswerState) -> None:
    answer = Answer(
        prompt_id="q", sample=0, sampling=Sampling(), state=state, text="x", finish_reason=None, stamps=None
    )
    assert answer.scorable == (state in {"ok", "length", "empty", "loop"})
    assert answer.settled == (answer.scorable or state == "context_exceeded")
