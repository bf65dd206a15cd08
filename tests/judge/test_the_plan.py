"""The shipped suite and models say what the plan says, word for word."""

import pytest

from judge.library import load_models, load_suite
from judge.types import Question

SUITE = load_suite()

PLAN = {
    "C-T1-Q1": (
        "t1_q1_factorial",
        "Simple Function",
        "Write a Python function that returns the factorial of a number n. Include type hints.",
        "Correct recursive or iterative implementation with type hints.",
        "Correct logic 50, Type hints 20, Handles edge cases (n=0, n=1) 20, Clean code 10",
    ),
    "C-T1-Q2": (
        "t1_q2_reverse_words",
        "String Manipulation",
        "Write a function that reverses words in a string but keeps word order.\nExample: 'hello world' -> 'olleh dlrow'",
        "Split, reverse each, join.",
        "Correct output 60, Handles spaces correctly 20, Clean implementation 20",
    ),
    "C-T1-Q3": (
        "t1_q3_stack",
        "Basic Data Structure",
        "Write a Python class for a Stack with push, pop, peek, and is_empty methods.",
        "Correct stack implementation.",
        "All methods work 50, Handles empty stack 30, Clean code 20",
    ),
    "C-T2-Q1": (
        "t2_q1_palindrome",
        "Algorithm with Edge Cases",
        "Write a function to find the longest palindromic substring in a string.\n"
        "Return the first one if there are multiple of the same length.",
        "O(n²) or better solution, handles empty string and single char.",
        "Correct algorithm 40, Handles edge cases 30, Efficiency (not brute force O(n³)) 20, Clean code 10",
    ),
    "C-T2-Q2": (
        "t2_q2_async_fetch",
        "Concurrent Code",
        "Write a Python function that fetches multiple URLs concurrently using asyncio.\n"
        "Return a dict mapping URL to response status code. Handle timeouts (5s per request).",
        "Uses aiohttp or similar, proper async/await, timeout handling.",
        "Correct async pattern 40, Timeout handling 30, Error handling 20, Clean code 10",
    ),
    "C-T2-Q3": (
        "t2_q3_lru_cache",
        "Design Pattern",
        "Implement an LRU cache class with get(key) and put(key, value) methods.\n"
        "Both should be O(1). Use a capacity of n items.",
        "OrderedDict or dict + doubly linked list implementation.",
        "O(1) operations 40, Correct LRU eviction 30, Clean implementation 20, Handles capacity 10",
    ),
    "C-T3-Q1": (
        "t3_q1_ip_addresses",
        "Complex Algorithm",
        "Implement a function that finds all valid IP addresses that can be formed\n"
        "by inserting dots into a string of digits. Example: '25525511135' ->\n"
        "['255.255.11.135', '255.255.111.35']",
        "Backtracking solution with proper validation.",
        "Correct algorithm 40, All valid IPs found 30, Efficient (not generating invalid candidates) 20, Clean code 10",
    ),
    "C-T3-Q2": (
        "t3_q2_rate_limiter",
        "System Design Code",
        "Write a rate limiter class that allows N requests per minute using the\n"
        "token bucket algorithm. Include methods: allow_request() -> bool, and\n"
        "reset(). Make it thread-safe.",
        "Token bucket with thread-safe implementation.",
        "Correct token bucket logic 40, Thread safety 30, Time handling 20, Clean code 10",
    ),
    "C-T3-Q3": (
        "t3_q3_bug_fix",
        "Bug Fix in Complex Code",
        """\
Fix the bug in this code:
```python
def merge_intervals(intervals):
    intervals.sort(key=lambda x: x[0])
    merged = [intervals[0]]
    for i in range(1, len(intervals)):
        if intervals[i][0] <= merged[-1][1]:
            merged[-1][1] = intervals[i][1]
        else:
            merged.append(intervals[i])
    return merged
```
What's wrong? Fix it.""",
        "Bug is merged[-1][1] = intervals[i][1] should be max() of both.",
        "Identifies the bug 50, Correct fix 30, Explains why 20",
    ),
    "C-T3-Q4": (
        "t3_q4_retry_decorator",
        "Code Generation from Spec",
        "Write a Python decorator @retry(max_attempts=3, delay=1.0, backoff=2.0)\n"
        "that retries a function on exception with exponential backoff.\n"
        "Should work with both sync and async functions.",
        "Decorator handling both sync/async, proper backoff logic.",
        "Works for sync functions 30, Works for async functions 30, Correct backoff 25, Clean implementation 15",
    ),
}


def as_planned(question: Question) -> tuple[str, ...]:
    criteria = ", ".join(f"{criterion.name} {criterion.weight}" for criterion in question.criteria)
    return (question.test, question.title, question.prompt, question.expected, criteria)


def test_the_suite_asks_the_ten_questions_of_the_plan_in_its_order() -> None:
    assert SUITE.ids == tuple(PLAN)


@pytest.mark.parametrize("question_id", PLAN)
def test_a_question_is_word_for_word_that_of_the_plan(question_id: str) -> None:
    assert as_planned(SUITE.question(question_id)) == PLAN[question_id]


def test_every_question_is_of_the_tier_in_its_id() -> None:
    assert [question.tier for question in SUITE.questions] == [question.id[2:4] for question in SUITE.questions]
    assert [(tier.id, tier.name) for tier in SUITE.tiers] == [("T1", "Baseline"), ("T2", "Medium-Hard"), ("T3", "Hard")]


def test_the_scale_has_the_four_lines_of_the_plan() -> None:
    assert [(level.scores, level.text) for level in SUITE.scale] == [
        ((1, 2), "Wrong or broken code"),
        ((3,), "Works but has issues (inefficient, missing edge cases)"),
        ((4,), "Correct with minor style issues"),
        ((5,), "Correct, clean, handles edge cases"),
    ]


def test_the_ladder_has_the_targets_and_the_rules_of_the_plan() -> None:
    ladder = {role.id: ([str(target) for target in role.targets.values()], role.thresholds) for role in SUITE.roles}

    assert list(ladder) == ["coder_primary", "coder_escalation", "architect_coding"]
    assert ladder == {
        "coder_primary": (["4-5", "3-4", "2-3"], {"T1": 4.0, "T2": 3.0}),
        "coder_escalation": (["5", "4-5", "3-4"], {"T1": 4.5, "T2": 4.0, "T3": 3.0}),
        "architect_coding": (["5", "5", "4-5"], {"T1": 4.5, "T2": 4.5, "T3": 4.0}),
    }


def test_the_stack_is_ready_and_served_as_the_plan_says() -> None:
    ready = {
        entry.role: (entry.model, entry.configs, entry.expected_tps, entry.speculative)
        for entry in load_models(suite=SUITE).entries
        if entry.status == "ready"
    }

    assert ready == {
        "coder_primary": ("Qwen3-Coder-30B-A3B-Instruct", ("baseline", "moe4"), {"moe4": 45.3}, False),
        "coder_escalation": ("Qwen3-Coder-53B-A3B-TOTAL-RECALL-v2", ("baseline", "moe4"), {"moe4": 30.4}, False),
        "architect_coding": ("Qwen3-Coder-480B-A35B-Instruct", ("baseline", "moe4", "moe2"), {"moe2": 5.23}, False),
    }


def test_the_dense_models_of_the_plan_are_served_one_way_and_may_try_speculation() -> None:
    models = load_models()
    slow, fast = models.get("qwen25_coder_32b"), models.get("qwen25_coder_7b")

    assert (slow.status, slow.configs, slow.expected_tps) == ("deprecated", ("baseline",), {"baseline": 9.7})
    assert (fast.status, fast.configs, fast.expected_tps) == ("candidate", ("baseline",), {})
    assert slow.speculative and fast.speculative


@pytest.mark.parametrize("name", ["Qwen3-Coder-14B", "DeepSeek-Coder-V2", "CodeLlama"])
def test_every_candidate_of_the_plan_has_an_entry(name: str) -> None:
    assert [entry for entry in load_models().entries if name in entry.model and entry.status == "candidate"]


def test_the_architectures_of_the_plan_have_its_configs() -> None:
    architectures = load_models().architectures

    assert architectures["dense"] == ("baseline",)
    assert architectures["qwen3moe"] == ("baseline", "moe4")
