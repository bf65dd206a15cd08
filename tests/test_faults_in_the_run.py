"""A judge's endpoint full of faults, through the command line: none becomes a score, all are counted and owed to the next run."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from commands import Run, import_answers
from fakes import (
    Request,
    Response,
    ScriptedJudge,
    completion,
    error_response,
    html_response,
    lenient,
    serving,
    verdict_json,
)

LOW = verdict_json(dict.fromkeys(("correct_logic", "type_hints", "edge_cases", "clean_code"), 1))
"""A whole verdict that would be the lowest score."""
FAULTS: dict[str, Callable[[], Response]] = {
    "validation": lambda: error_response(500, "1 validation error for Request: literal_error"),
    "proxy": html_response,
    "throttled": lambda: error_response(429, "slow down", retry_after="0"),
    "too long": lambda: error_response(400, "too long", code="context_length_exceeded"),
    "out of five": lambda: completion("I would say 4/5 overall."),
    "cut": lambda: completion(LOW, finish="length"),
    "quoting": lambda: completion(f"{LOW} It brought along: {LOW.replace('1', '5')}"),
    "silent": lambda: completion("", reasoning_content="correct_logic deserves a 5"),
}


class Judge:
    """Judges well, but for answers that name a fault, until it is repaired."""

    def __init__(self) -> None:
        self.repaired = False

    def __call__(self, request: Request) -> Response:
        said = str(request.body and request.body.get("messages"))
        fault = next((fault for mark, fault in FAULTS.items() if f"# {mark}" in said), None)
        return fault() if fault and not self.repaired else ScriptedJudge(lenient)(request)


@pytest.fixture
def place(judge: Run, tmp_path: Path) -> Path:
    """One answer a fault and two that nothing happens to, imported."""
    import_answers(judge, tmp_path, [*FAULTS, "fine", "fine too"])
    return tmp_path


def graded(requests: Sequence[Request]) -> set[str]:
    """Which answers the judge was shown."""
    said = [str(request.body["messages"]) for request in requests]
    return {mark for mark in [*FAULTS, "fine", "fine too"] if any(f"# {mark}\\n" in text for text in said)}


def test_what_failed_is_counted_and_is_all_that_the_next_run_asks_for(judge: Run, place: Path) -> None:
    handler = Judge()
    with serving(handler) as server:
        line = ("score", "latest", "--judge-model", "m", "--judge-url", server.base_url, "--json")
        first = judge(*line, cwd=place)
        before = len(server.asked())
        handler.repaired = True
        second = judge(*line, cwd=place)
        asked = server.asked()
    assert first.returncode == 3, first.stderr
    assert first.stderr.count(": failed: ") == len(FAULTS)
    assert "Traceback" not in first.stderr
    arm = json.loads(first.stdout)["arms"][0]
    assert arm["tiers"][0]["questions"] == {"C-T1-Q1": [5.0, 5.0]}
    coverage = arm["tiers"][0]["coverage"]
    assert {name: coverage[name] for name in ("wanted", "answered", "scored", "failed")} == {
        "wanted": len(FAULTS) + 2,
        "answered": len(FAULTS) + 2,
        "scored": 2,
        "failed": len(FAULTS),
    }
    assert (coverage["samples"], coverage["judges"]) == ([len(FAULTS) + 2], ["m"])
    assert len(arm["failures"]) == len(FAULTS)
    assert graded(asked[:before]) == {*FAULTS, "fine", "fine too"}
    assert second.returncode == 0, second.stderr
    assert graded(asked[before:]) == set(FAULTS)
    assert json.loads(second.stdout)["arms"][0]["tiers"][0]["coverage"]["scored"] == len(FAULTS) + 2
