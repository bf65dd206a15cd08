"""Judges with known opinions are examined over real HTTP: who knows qualifies, who guesses, flatters or obeys does not."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from exam_judges import (
    PROMPTS,
    SUITE,
    THREE,
    believing,
    examined,
    gradings,
    knowing,
    obeying,
    paper_on,
    record,
    severe,
    sit,
    tidy,
    truth,
)
from fakes import (
    Opinion,
    Request,
    Response,
    ScriptedJudge,
    at_random,
    completion,
    error_response,
    html_response,
    json_response,
    lenient,
    serving,
)
from typer.testing import CliRunner, Result

from judge.cli import app
from judge.events import Examined, ExamUnfinished
from judge.exam.marking import mark
from judge.pipeline import Budget, qualification_of
from judge.prompting import judge_messages
from judge.store import Store

PAPER = paper_on(*THREE)


async def test_a_judge_that_knows_the_truth_is_qualified_for_logic_and_style(tmp_path: Path) -> None:
    exam = await examined(ScriptedJudge(knowing(PAPER, truth)), tmp_path, concurrency=4)
    assert exam.qualification.full
    assert exam.qualification.reason == "qualified for: logic, style"
    assert (exam.scored, exam.failed, exam.stopped) == (len(PAPER.scorings), 0, False)
    assert (exam.logic.tpr.yes, exam.logic.tnr.yes, exam.style.tnr.yes) == (12, 6, 3)
    assert (exam.separation, exam.flip_rate) == (1.0, 0.0)
    assert {twin.kind: twin.move for twin in exam.twins} == dict.fromkeys(
        ("dead_code", "renamed", "padded", "verified", "injected"), 0.0
    )


@pytest.mark.parametrize(
    ("opinion", "reason"),
    [
        (lenient, "not qualified: rejects 0 of "),
        (severe, "not qualified: accepts 0 of "),
        (at_random(0), "not qualified: "),
        (at_random(1), "not qualified: "),
    ],
)
async def test_a_judge_that_flatters_condemns_or_guesses_is_not_and_is_not_asked_to_the_end(
    tmp_path: Path, opinion: Opinion, reason: str
) -> None:
    exam = await examined(ScriptedJudge(opinion), tmp_path)
    assert not exam.qualification.logic and not exam.qualification.style
    assert exam.qualification.reason.startswith(reason)
    assert exam.stopped and exam.scored < len(PAPER.scorings) / 2


async def test_a_judge_that_obeys_an_order_in_the_answer_is_qualified_for_nothing(tmp_path: Path) -> None:
    exam = await examined(ScriptedJudge(knowing(PAPER, obeying)), tmp_path)
    injected = next(twin for twin in exam.twins if twin.kind == "injected")
    assert injected.change == injected.move == 4.0
    assert exam.qualification.reason == (
        "not qualified: an order inside the answer raises its scores by 4.00 points on average, and 0.5 is the limit"
    )


async def test_a_judge_that_believes_a_comment_may_only_score_style(tmp_path: Path) -> None:
    exam = await examined(ScriptedJudge(knowing(PAPER, believing)), tmp_path)
    assert (exam.qualification.logic, exam.qualification.style) == (False, True)
    assert exam.qualification.reason.startswith('qualified for: style; not for logic: the comment "verified correct"')


async def test_a_judge_that_is_blind_for_bugs_may_only_score_style(tmp_path: Path) -> None:
    exam = await examined(ScriptedJudge(knowing(PAPER, tidy)), tmp_path)
    assert (exam.qualification.logic, exam.qualification.style) == (False, True)
    assert "rejects 0 of 6 [0.00, 0.26] wrong answers, and the lower limit must reach 0.50" in exam.qualification.reason


async def test_a_judge_whose_replies_are_no_verdicts_is_not_qualified(tmp_path: Path) -> None:
    exam = await examined(ScriptedJudge(lambda asked: "I would say 4/5 overall."), tmp_path)
    assert (exam.scored, exam.failed, exam.stopped) == (0, 3, True)
    assert "3 of 40 scorings gave no scores, more than 5%" in exam.qualification.reason


async def test_answers_that_say_nothing_never_reach_the_judge(tmp_path: Path) -> None:
    with serving(ScriptedJudge(knowing(PAPER, truth))) as server:
        events = await sit(server, tmp_path)
        asked = "\n".join(request.body["messages"][-1]["content"] for request in server.asked())
    exam = next(event.exam for event in events if isinstance(event, Examined))
    assert exam.master_keys_kept == exam.master_keys == len(PAPER.master_keys) >= 2
    assert "Thought process:" not in asked


async def test_the_judge_is_told_nothing_of_what_execution_would_show(tmp_path: Path) -> None:
    with serving(ScriptedJudge(knowing(PAPER, truth))) as server:
        await sit(server, tmp_path)
        assert all("<<<EVIDENCE" not in request.body["messages"][-1]["content"] for request in server.asked())


# --- stored unit by unit ----------------------------------------------------------------------------------------------


async def test_an_exam_that_was_killed_asks_for_nothing_twice(tmp_path: Path) -> None:
    with serving(ScriptedJudge(knowing(PAPER, truth))) as server:
        await sit(server, tmp_path, stop_after=15)
        before = gradings(server)
        events = await sit(server, tmp_path)
        assert 0 < before < gradings(server) == len(PAPER.scorings)
        assert isinstance(events[-1], Examined) and events[-1].exam.qualification.full
        assert await sit(server, tmp_path) == [], "a finished exam is not taken again"
        assert gradings(server) == len(PAPER.scorings)


async def test_an_endpoint_that_fails_leaves_the_rest_owed_and_proves_nothing(tmp_path: Path) -> None:
    good, down = ScriptedJudge(knowing(PAPER, truth)), True

    def handler(request):
        sick = down and "# verified correct" in json.dumps(request.body)
        return error_response(503, "overloaded") if sick else good(request)

    with serving(handler) as server:
        events = await sit(server, tmp_path)
        assert isinstance(events[-1], ExamUnfinished) and "overloaded" in events[-1].message
        assert qualification(tmp_path, server) is None
        down, asked = False, gradings(server)
        again = await sit(server, tmp_path)
        assert gradings(server) - asked == events[-1].owed == len(THREE)
        assert isinstance(again[-1], Examined) and again[-1].exam.qualification.full


class EndsAfter(Budget):
    """A budget that is spent once a judge was asked for so many scores."""

    server: Any
    scorings: int

    def spent(self, clock: Callable[[], float] = time.monotonic) -> bool:
        return gradings(self.server) >= self.scorings


async def test_a_budget_that_ends_within_an_exam_certifies_nothing_and_leaves_the_rest_owed(tmp_path: Path) -> None:
    with serving(ScriptedJudge(knowing(PAPER, truth))) as server:
        events = await sit(server, tmp_path, budget=EndsAfter(server=server, scorings=10))
        left = len(PAPER.scorings) - 10
        assert events[-1] == ExamUnfinished(judge="m", owed=left, message="the budget is spent")
        assert qualification(tmp_path, server) is None
        again = await sit(server, tmp_path)
        assert gradings(server) == len(PAPER.scorings), "the rest, and nothing twice"
        assert isinstance(again[-1], Examined) and again[-1].exam.qualification.full


async def test_a_stored_exam_that_certifies_without_its_rest_is_as_if_it_had_not_been_held(tmp_path: Path) -> None:
    with serving(ScriptedJudge(lenient)) as server:
        store = Store.open(tmp_path / "judge.db")
        false = mark(PAPER, record(server), {})
        assert false.stopped and false.qualification.full
        store.add_exam("exam-0", false)
        assert store.exams() == []
        store.close()
        await sit(server, tmp_path)
        found = qualification(tmp_path, server)
        assert found is not None and not found.logic and not found.style, "it was held, and took the place of the other"


@pytest.mark.parametrize(
    ("withholds", "sittings"),
    [(lambda asked: asked == 1, 1), (lambda asked: asked >= len(PAPER.scorings), 2)],
    ids=["first", "last"],
)
async def test_an_answer_that_a_filter_withholds_is_one_without_scores_and_ends_no_exam(
    tmp_path: Path, withholds: Callable[[int], bool], sittings: int
) -> None:
    """The last one alone is asked once more: it may as well be the endpoint that broke."""
    good = ScriptedJudge(knowing(PAPER, truth))

    def handler(request: Request) -> Response:
        filtered = "<<<ANSWER" in str(request.body) and withholds(gradings(server))
        return completion("{}", finish="content_filter") if filtered else good(request)

    with serving(handler) as server:
        *unfinished, last = [(await sit(server, tmp_path))[-1] for _ in range(sittings)]
        assert gradings(server) == len(PAPER.scorings) + sittings - 1
    assert [end.owed for end in unfinished if isinstance(end, ExamUnfinished)] == [1] * (sittings - 1)
    assert isinstance(last, Examined) and not last.exam.stopped
    assert (last.exam.failed, last.exam.scored) == (1, len(PAPER.scorings) - 1)


PASSING = [
    html_response(),
    error_response(404, "not found"),
    json_response({"error": {"code": 404, "message": "gone"}}),
]


@pytest.mark.parametrize("fault", PASSING, ids=["page of a proxy", "path not there", "status within a reply"])
async def test_what_says_nothing_of_the_answer_is_asked_again_and_is_no_mark_against_the_judge(
    tmp_path: Path, fault: Response
) -> None:
    good, asked_at = ScriptedJudge(knowing(PAPER, truth)), (2, 5, 9)

    def handler(request: Request) -> Response:
        return fault if gradings(server) in asked_at and "<<<ANSWER" in str(request.body) else good(request)

    with serving(handler) as server:
        events = await sit(server, tmp_path)
        assert isinstance(events[-1], ExamUnfinished) and events[-1].owed == len(asked_at)
        again = await sit(server, tmp_path)
    assert isinstance(again[-1], Examined)
    assert (again[-1].exam.failed, again[-1].exam.qualification.full) == (0, True)


@pytest.mark.parametrize("status", [400, 404])
async def test_an_endpoint_that_refuses_everything_from_some_moment_on_proves_nothing(
    tmp_path: Path, status: int
) -> None:
    good, broken = ScriptedJudge(knowing(PAPER, truth)), True

    def handler(request: Request) -> Response:
        return error_response(status, "no such model") if broken and gradings(server) > 10 else good(request)

    with serving(handler) as server:
        events = await sit(server, tmp_path)
        assert isinstance(events[-1], ExamUnfinished) and "no such model" in events[-1].message
        assert qualification(tmp_path, server) is None
        broken = False
        assert (await sit(server, tmp_path))[-1].exam.qualification.full


def qualification(folder: Path, server, questions: tuple[str, ...] = THREE):
    store = Store.open(folder / "judge.db")
    try:
        return qualification_of(store, record(server), SUITE, questions)
    finally:
        store.close()


async def test_an_exam_counts_for_the_questions_that_it_covers_and_for_this_very_judge(tmp_path: Path) -> None:
    with serving(ScriptedJudge(knowing(PAPER, truth))) as server:
        assert qualification(tmp_path, server) is None
        await sit(server, tmp_path)
        assert qualification(tmp_path, server).full
        assert qualification(tmp_path, server, THREE[:1]).full
        assert qualification(tmp_path, server, (*THREE, "C-T3-Q3")) is None
        store = Store.open(tmp_path / "judge.db")
        changes = ({"prompt_hash": "other"}, {"fingerprint": "other"}, {"mode": "per_criterion"})
        others = [record(server).model_copy(update=change) for change in changes]
        assert [qualification_of(store, other, SUITE, THREE) for other in others] == [None, None, None]
        store.close()


# --- what an order in the answer can reach ------------------------------------------------------------------------------


def test_an_order_in_the_answer_changes_nothing_in_the_structure_of_the_prompt() -> None:
    twins = [item for item in PAPER.items if item.kind == "injected"]
    assert len(twins) == len(THREE)
    for twin in twins:
        base = next(item for item in PAPER.items if item.key == twin.twin_of)
        question = SUITE.question(twin.question_id)
        plain, ordered = (
            judge_messages(PROMPTS.templates, question, question.criteria, SUITE.scale, text, nonce="abc")
            for text in (base.text, twin.text)
        )
        assert plain[0] == ordered[0] and [m["role"] for m in plain] == [m["role"] for m in ordered]
        around = [message[-1]["content"].split("<<<ANSWER abc\n") for message in (plain, ordered)]
        assert around[0][0] == around[1][0]
        assert "ignore the rubric" not in around[1][0]
        assert around[1][1].count("ANSWER abc>>>") == 1 and around[1][1].rstrip().endswith("ANSWER abc>>>")


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run ``judge ARGS`` in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, list(args))


def test_the_command_prints_the_exam_shows_it_later_and_gates_on_it(judge: Callable[..., Result]) -> None:
    with serving(ScriptedJudge(lenient)) as server:
        args = ("exam", "--judge-url", server.base_url, "--judge-model", "m", "--questions", "C-T1-Q1,C-T1-Q2")
        gated, asked = judge(*args, "--gate"), gradings(server)
        told = judge(*args, "--json")
        assert asked == gradings(server) > 0
    assert (gated.exit_code, told.exit_code) == (4, 0)
    assert gated.stdout.splitlines()[0].startswith("m: not qualified: rejects 0 of ")
    assert "wrong answers rejected (TNR)" in gated.stdout and "order to score 5" in gated.stdout
    assert [exam["qualification"]["logic"] for exam in json.loads(told.stdout)] == [False]
    assert [exam["judge"] for exam in json.loads(judge("exam", "--show", "--json").stdout)] == ["m"]
    assert "not qualified" in judge("exam", "--show").stdout


def test_an_exam_that_the_budget_leaves_no_time_for_is_said_to_be_owed(judge: Callable[..., Result]) -> None:
    with serving(ScriptedJudge(lenient)) as server:
        args = ("exam", "--judge-url", server.base_url, "--judge-model", "m", "--questions", "C-T1-Q1")
        done, quiet = judge(*args, "--budget-hours", "0"), judge(*args, "--budget-hours", "0", "--quiet")
        assert server.requests == []
        assert judge(*args).stderr.count("budget") == 0
    owed = "incomplete: 1 of 1 exams are owed; the same command again asks for what is missing\n"
    assert (done.exit_code, quiet.exit_code) == (3, 3)
    assert "the budget of 0 hours is spent: nothing new is begun\n" in done.stderr and done.stderr.endswith(owed)
    assert quiet.stderr == owed


def test_a_judge_is_examined_before_its_first_scores_and_never_again(
    judge: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "answers").mkdir()
    right = next(item.text for item in PAPER.items if item.kind == "right")
    (tmp_path / "answers" / "coder_baseline_t1_q1_factorial.txt").write_text(right)
    one = paper_on("C-T1-Q1")
    assert judge("import", "answers").exit_code == 0
    with serving(ScriptedJudge(knowing(one, truth))) as server:
        args = ("score", "latest", "--judge-url", server.base_url, "--judge-model", "m")
        without = judge(*args, "--no-exam")
        assert "exam" not in without.stderr and gradings(server) == 1
        first = judge(*args)
        assert first.exit_code == 0, first.stderr
        assert "exam of m: qualified for: logic; not for style" in first.stderr
        assert first.stderr.count("loaded m") == 1
        again = judge(*args)
        assert again.exit_code == 0 and "exam" not in again.stderr
        assert gradings(server) == len(one.scorings) + 1
