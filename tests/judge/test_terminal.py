"""What a run says of itself, line by line."""

import io

import pytest
from examples import answer
from rich.console import Console

from judge.events import (
    Answered,
    ArmFailed,
    Compared,
    ComparisonFailed,
    Event,
    ExamMarked,
    ExamUnfinished,
    JudgeUnusable,
    Loaded,
    Loading,
    Noticed,
    Scored,
    ScoringFailed,
)
from judge.printed import print_table
from judge.terminal import LiveScreen, PlainScreen, describe
from runner.timing import timing
from runner.types import AnswerState, Usage

COUNTED = answer(usage=Usage(completion_tokens=9, source="tokenize"))
BROKEN = answer("", state=AnswerState.TRUNCATED, message="the stream broke off", stamps=None)
PAIR = {
    "judge": "j", "question_id": "C-T1-Q1", "sample": 2, "first": "coder/baseline", "second": "coder/moe4", "done": 3, "owed": 20,
}  # fmt: skip
PLACE = {"arm_id": "coder/moe4", "question_id": "C-T1-Q1", "done": 3, "owed": 20}


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Loading(model="coder/moe4", phase="collect"), "collect: loading coder/moe4"),
        (
            Loaded(model="coder/moe4", seconds=12.34, experts_used=4),
            "loaded coder/moe4 in 12.3 s, 4 experts used (proven)",
        ),
        (Loaded(model="coder", seconds=1.0, experts_used=0), "loaded coder in 1.0 s"),
        (Loaded(model="judge", seconds=0.04, experts_used=None), "loaded judge in 0.0 s"),
        (Noticed(model="coder/moe4", message="started again"), "coder/moe4: started again"),
        (
            Answered.model_validate({**PLACE, "answer": COUNTED, "timing": timing(COUNTED, speculative=False)}),
            "[3/20] coder/moe4 C-T1-Q1 ok 4.0 t/s",
        ),
        (
            Answered.model_validate({**PLACE, "answer": BROKEN, "timing": timing(BROKEN, speculative=False)}),
            "[3/20] coder/moe4 C-T1-Q1 truncated - t/s: the stream broke off",
        ),
        (Scored.model_validate({**PLACE, "judge": "j", "score": 3.805}), "[3/20] j on coder/moe4 C-T1-Q1: 3.81"),
        (
            Scored.model_validate({**PLACE, "judge": "j", "score": None}),
            "[3/20] j on coder/moe4 C-T1-Q1: cannot assess",
        ),
        (
            ScoringFailed.model_validate({**PLACE, "judge": "j", "message": "no JSON object found"}),
            "[3/20] j on coder/moe4 C-T1-Q1: failed: no JSON object found",
        ),
        (
            Compared.model_validate({**PAIR, "winner": "second"}),
            "[3/20] j on C-T1-Q1 sample 2, coder/baseline | coder/moe4: second",
        ),
        (
            ComparisonFailed.model_validate({**PAIR, "message": "HTTP 503: overloaded"}),
            "[3/20] j on C-T1-Q1 sample 2, coder/baseline | coder/moe4: failed: HTTP 503: overloaded",
        ),
        (
            ExamMarked(judge="j", question_id="C-T1-Q1", kind="renamed", done=3, owed=20),
            "[3/20] exam of j: C-T1-Q1 renamed",
        ),
        (
            ExamUnfinished(judge="j", owed=4, message="503 overloaded"),
            "exam of j: unfinished, 4 scorings stay owed: 503 overloaded",
        ),
        (
            JudgeUnusable(judge="j", unit="comparisons", owed=7, message="the endpoint refused the key"),
            "j cannot be used, 7 comparisons stay owed: the endpoint refused the key",
        ),
        (
            JudgeUnusable(judge="j", unit="scorings", owed=0, message="nobody listens"),
            "j cannot be used: nobody listens",
        ),
        (ArmFailed(arm_id="coder/moe4", message="coder/moe4: no proof"), "failed, left owed: coder/moe4: no proof"),
    ],
)
def test_every_event_is_one_plain_line(event: Event, line: str) -> None:
    assert describe(event) == line


def test_a_plain_screen_writes_a_line_an_event_with_the_seconds_since_its_start() -> None:
    lines: list[str] = []
    seconds = iter([100.0, 100.0, 165.25])
    screen = PlainScreen(lines.append, clock=lambda: next(seconds))
    with screen:
        screen.show(Loading(model="a", phase="collect"))
        screen.show(Loading(model="b", phase="score"))
    assert lines == ["    0.0s collect: loading a\n", "   65.2s score: loading b\n"]


def test_a_table_to_a_pipe_is_never_cut_and_shows_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("", ["model", "score"], [["m" * 300, "4.00 [3.81, 4.06]"]])
    shown = capsys.readouterr().out
    assert "m" * 300 in shown
    assert "4.00 [3.81, 4.06]" in shown


def test_the_live_line_shows_phase_arm_question_speed_and_progress_on_eighty_columns() -> None:
    seen = io.StringIO()
    answered = Answered.model_validate({**PLACE, "answer": COUNTED, "timing": timing(COUNTED, speculative=False)})
    with LiveScreen(Console(file=seen, force_terminal=True, width=80, color_system=None)) as screen:
        screen.show(Loading(model="coder/moe4", phase="collect"))
        screen.show(Noticed(model="coder/moe4", message="the machine is busy"))
        screen.show(answered)
        screen.show(Loading(model="j [bold]", phase="score"))
        screen.show(ScoringFailed.model_validate({**PLACE, "judge": "j", "message": "no JSON [object] found"}))
    text = seen.getvalue()
    assert "3/20" in text and "coder/moe4 C-T1-Q1 ok 4.0 t/s" in text
    assert "coder/moe4: the machine is busy" in text
    assert "loading j [bold]" in text, "what models say is no markup"
    assert "j on coder/moe4 C-T1-Q1: failed: no JSON [object] found" in text


def test_the_live_screen_keeps_one_line_of_a_judge_whose_server_left_a_log() -> None:
    seen = io.StringIO()
    told = JudgeUnusable(judge="j", unit="scorings", owed=2, message="j: the server ended (1)\nits log: out of memory")
    with LiveScreen(Console(file=seen, force_terminal=True, width=80, color_system=None)) as screen:
        screen.show(told)
    assert "j cannot be used, 2 scorings stay owed: j: the server ended (1)" in seen.getvalue()
    assert "out of memory" not in seen.getvalue()
    assert "out of memory" in describe(told), "a log keeps all of it"
