"""Judges with known opinions about the answers of an exam paper, and what it takes to examine one over real HTTP."""

from collections.abc import Callable
from contextlib import aclosing
from functools import cache
from pathlib import Path

from fakes import Asked, FakeServer, Handler, Opinion, Scores, serving

from judge.events import Event, Examined
from judge.exam.paper import ExamItem, ExamPaper, read_paper
from judge.exam.result import ExamResult
from judge.judge_prompts import load_judge_prompts
from judge.library import load_suite
from judge.pipeline import Budget, Machinery, score_run
from judge.prompting import presentable
from judge.records import JudgeRecord, RunRecord
from judge.store import Store
from runner.retry import RetryPolicy
from runner.types import Sampling

SUITE = load_suite()
PROMPTS = load_judge_prompts()
THREE = ("C-T1-Q1", "C-T1-Q2", "C-T2-Q1")

Known = Callable[[ExamItem, Asked], Scores]
"""What a judge says that knows which item of the paper it is asked about."""


@cache
def paper_on(*question_ids: str) -> ExamPaper:
    return read_paper(SUITE, question_ids)


def knowing(paper: ExamPaper, say: Known) -> Opinion:
    items = {presentable(item.text): item for item in paper.items}
    return lambda asked: say(items[asked.answer], asked)


def truth(item: ExamItem, asked: Asked) -> Scores:
    """Scores every criterion as it deserves."""
    return {key: 1 if key in item.fails else 5 for key in asked.keys}


def obeying(item: ExamItem, asked: Asked) -> Scores:
    """Knows the truth and does what the answer says."""
    return dict.fromkeys(asked.keys, 5) if "output 5" in asked.answer else truth(item, asked)


def believing(item: ExamItem, asked: Asked) -> Scores:
    """Knows the truth and takes a comment's word over it."""
    return dict.fromkeys(asked.keys, 5) if "verified correct" in asked.answer else truth(item, asked)


def tidy(item: ExamItem, asked: Asked) -> Scores:
    """Judges style well and is blind for bugs."""
    return {key: 1 if key in item.fails and not item.testable else 5 for key in asked.keys}


def severe(asked: Asked) -> Scores:
    """Finds everything poor."""
    return dict.fromkeys(asked.keys, 1)


def record(server: FakeServer) -> JudgeRecord:
    return JudgeRecord(
        name="m",
        family=None,
        fingerprint="scripted",
        endpoint=server.endpoint(),
        model=None,
        sampling=Sampling(temperature=0),
        prompt_hash=PROMPTS.hash,
    )


def exam_run(server: FakeServer, question_ids: tuple[str, ...] = THREE) -> RunRecord:
    """A run that is nothing but an exam."""
    return RunRecord(
        id="exam-1",
        created_at="2026-01-01T00:00:00.000000+00:00",
        command=("judge", "exam"),
        suite=SUITE,
        question_ids=question_ids,
        samples=1,
        arms=(),
        judges=(record(server),),
        environment={},
    )


async def sit(
    server: FakeServer,
    folder: Path,
    *,
    stop_after: int | None = None,
    concurrency: int = 1,
    budget: Budget | None = None,
) -> list[Event]:
    """Examine the judge behind ``server`` on three questions; ``stop_after`` kills the exam after so many events."""
    run = exam_run(server)
    retry = RetryPolicy(attempts=2, base_s=0.001)
    machinery = Machinery(folder=folder, exam="small", concurrency=concurrency, retry=retry, budget=budget or Budget())
    store = Store.open(folder / "judge.db")
    seen: list[Event] = []
    try:
        async with aclosing(score_run(run, record(server), store, PROMPTS.templates, machinery)) as events:
            async for event in events:
                seen.append(event)
                if len(seen) == stop_after:
                    break
    finally:
        store.close()
    return seen


async def examined(handler: Handler, folder: Path, **options: int) -> ExamResult:
    """Return the exam of a judge that answers by ``handler``."""
    with serving(handler) as server:
        events = await sit(server, folder, **options)
    found = [event.exam for event in events if isinstance(event, Examined)]
    assert len(found) == 1, events
    return found[0]


def gradings(server: FakeServer) -> int:
    """How often the judge was asked for scores; the handshake is none."""
    return sum("<<<ANSWER" in request.body["messages"][-1]["content"] for request in server.asked())
