"""What a user asked for, before anything is started: addresses, times and numbers that cannot be are one line."""

import pytest

from judge.commands.options.carrying import Carried
from judge.commands.options.judges import Judged
from judge.errors import UserError
from judge.judge_prompts import load_judge_prompts
from judge.judges import endpoint_judge
from judge.wanted import JudgeChoice

PROMPTS = load_judge_prompts()


def refusal_of(url: str) -> str:
    with pytest.raises(UserError) as refused:
        endpoint_judge(JudgeChoice(urls=("http://127.0.0.1:8/v1", url), model="m"), PROMPTS)
    return str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1/v1",
        "http:///v1",
        "http://:8000/v1",
        "http://judge:port/v1",
        "http://judge:99999/v1",
        "http://judge:0/v1",
        "http://my judge/v1",
        "http://judge\n/v1",
        "http://judge/v1\n",
        "http://judge..lan/v1",
        "http://../v1",
        f"http://{'a' * 64}/v1",
    ],
)
def test_an_address_that_nobody_can_be_reached_at_is_refused_in_one_line_before_anything_is_asked(url: str) -> None:
    said = refusal_of(url)
    assert said.startswith("--judge-url 'http")
    assert said.endswith(" is no address; it has a host, and perhaps a port up to 65535")
    assert "\n" not in said


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1]:8000/v1",
        "https://jüdge.example/v1",
        "HTTP://gpu_box:8000/v1",
        "http://10.0.0.7/v1",
        "http://judge",
    ],
)
def test_an_unusual_address_is_taken(url: str) -> None:
    assert endpoint_judge(JudgeChoice(urls=(url,), model="m"), PROMPTS).endpoints[0].base_url == url


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_a_time_without_end_is_refused_in_one_line(number: float) -> None:
    with pytest.raises(UserError, match=r"^--budget-hours (inf|nan) is no time that ends; give a number, or leave"):
        Carried(budget_hours=number).conduct()
    with pytest.raises(UserError, match=r"^--load-timeout (inf|nan) is no time that ends; give a number, or leave"):
        Carried(load_timeout=number).conduct()


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "", "³", "many", "1000000", "9" * 5000])
def test_what_is_no_number_of_requests_in_flight_is_refused_in_one_short_line(number: str) -> None:
    with pytest.raises(UserError, match="is neither a number from 1 to 999999 nor auto") as refused:
        _ = Judged(max_concurrency=number).concurrency
    assert len(str(refused.value)) < 100


def test_requests_in_flight_are_a_number_or_found_out() -> None:
    assert [Judged(max_concurrency=said).concurrency for said in ("1", "064", "auto")] == [1, 64, None]
