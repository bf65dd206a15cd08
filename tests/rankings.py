"""Runs whose answers are worth comparing, and what it takes to have them compared over real HTTP."""

import re
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path

from examples import add_scores, answer, arm_record, judge_record, question, run_record
from fakes import FakeServer
from pair_judges import AskedPair

from judge.events import Event
from judge.judge_prompts import load_judge_prompts
from judge.pipeline import Contest, Machinery, rank_run
from judge.plan import wanted_answers
from judge.records import ArmRecord, JudgeRecord, RankingRecord, RunRecord
from judge.store import Store
from judge.types import Grade
from runner.retry import RetryPolicy

PROMPTS = load_judge_prompts()
FIVE = tuple(question(f"Q{number}") for number in range(5))


def quality(text: str) -> int:
    """How good an answer of ``answered`` is."""
    found = re.search(r"quality (\d+)", text)
    return int(found[1]) if found else 0


def knows_better(asked: AskedPair) -> str:
    """Prefers the better answer, wherever it stands."""
    first, second = quality(asked.first), quality(asked.second)
    return "tie" if first == second else "first" if first > second else "second"


# --- runs -----------------------------------------------------------------------------------------------------------

Write = Callable[[str, str, int], str]
"""Candidate, question id and sample -> text of the answer."""


def by_name(qualities: dict[str, int]) -> Write:
    """Each candidate always writes answers of one quality, no two of them the same text."""
    return lambda candidate, question_id, sample: (
        f"def f():\n    return '{question_id} {sample}'  # quality {qualities[candidate]}"
    )


def ranked_run(*names: str, judges: Sequence[JudgeRecord] = (), samples: int = 1, **fields: object) -> RunRecord:
    """A run of these candidates over five questions; they are of a family of their own each."""
    arms = tuple(arm_record(name, family=f"family of {name}") for name in names)
    return run_record(*FIVE, **{"arms": arms, "judges": tuple(judges), "samples": samples, **fields})


def add_texts(store: Store, run: RunRecord, write: Write) -> None:
    """Store the run and what each candidate writes."""
    store.add_run(run)
    for record in run.arms:
        for unit in wanted_answers(run, record):
            text = write(record.arm.candidate, unit.question_id, unit.sample)
            store.add_answer(run.id, unit, answer(text, prompt_id=unit.question_id, sample=unit.sample))


def add_score(store: Store, run: RunRecord, record: ArmRecord, score: Grade) -> None:
    """Have every judge of the run give every answer of an arm the same score."""
    for judge in run.judges:
        add_scores(store, run.model_copy(update={"arms": (record,)}), judge, score, score)


def comparing_judge(server: FakeServer, name: str = "m", **fields: object) -> JudgeRecord:
    """The judge behind ``server``, of another family than any candidate."""
    return judge_record(name, **{"endpoint": server.endpoint(), "prompt_hash": PROMPTS.hash, **fields})


def contest(run: RunRecord, *pairs: tuple[str, str], blind: bool = False) -> Contest:
    """The comparisons of the run's first judge, between candidates of these names in their baseline."""
    asked = RankingRecord(judge=run.judges[0], prompt_hash=PROMPTS.pair_hash, blind=blind)
    return Contest(run, asked, [(f"{a}/baseline", f"{b}/baseline") for a, b in pairs])


async def compared(wanted: Contest, store: Store, folder: Path, *, stop_after: int | None = None) -> list[Event]:
    """Make the comparisons that are owed; ``stop_after`` kills that after so many events."""
    machinery = Machinery(folder=folder, concurrency=2, retry=RetryPolicy(attempts=2, base_s=0.001))
    seen: list[Event] = []
    async with aclosing(rank_run(wanted, store, PROMPTS.templates, machinery)) as events:
        async for event in events:
            seen.append(event)
            if len(seen) == stop_after:
                break
    return seen


def comparisons_asked(server: FakeServer) -> list[str]:
    """What the judge was asked to compare, repair turns left out; the handshake is none."""
    told = [request.body["messages"] for request in server.asked()]
    return [
        messages[1]["content"]
        for messages in told
        if len(messages) == 2 and "<<<ANSWER first" in messages[1]["content"]
    ]
