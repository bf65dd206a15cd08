"""Answers that no judge needs to see, and answers that one must."""

import pytest
from examples import question

from judge.prefilter import is_no_answer, no_answer_verdicts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n\n",
        ":",
        ".",
        "Thought process:",
        "Let's solve this problem step by step.",
        "Solution",
        "解",
        "Sure! Here is the code:",
        "I cannot help with that.",
        "<think>First I would loop over n = 1 and then return.</think>",
        "<think>never ends (with code)",
        "```python\n```",
    ],
)
def test_nothing_said_reaches_no_judge(text: str) -> None:
    assert is_no_answer(text)


@pytest.mark.parametrize(
    "text",
    [
        "def f(n): return 1",
        "factorial = math.factorial",
        "```python\nx = 1\n```",
        "lambda s: s[::-1]",
        "Use recursion: the factorial of zero is one, else n times the factorial of n minus one.",
        "One\ntwo\nthree",
        "<think>hm</think>print(1)",
    ],
)
def test_anything_that_may_be_an_answer_is_judged(text: str) -> None:
    assert not is_no_answer(text)


def test_no_answer_is_the_lowest_score_on_every_criterion() -> None:
    verdicts = no_answer_verdicts(question(weights=(50, 30, 20)))
    assert [(v.criterion, v.score, v.reasoning) for v in verdicts] == [
        (f"c{i}", 1, "no answer was given") for i in range(3)
    ]
