"""Small values that several tests of this package share: a suite, a call, an answer."""

from typing import Any

from judge.types import Criterion, Grade, JudgeCall, Judgement, Level, Question, Role, Suite, Target, Tier, Verdict
from runner.types import Answer, AnswerState, Arm, Config, Sampling, Serving, Stamps

SCALE = (
    Level(scores=(1, 2), text="Wrong or broken code"),
    Level(scores=(3,), text="Works but has issues"),
    Level(scores=(4,), text="Correct with minor style issues"),
    Level(scores=(5,), text="Correct, clean, handles edge cases"),
)


def question(id: str = "C-T1-Q1", *, tier: str = "T1", weights: tuple[int, ...] = (61, 39), **fields: Any) -> Question:
    """A question whose criteria are called c0, c1 ..."""
    criteria = tuple(Criterion(id=f"c{i}", name=f"Criterion number {i}", weight=w) for i, w in enumerate(weights))
    base = {"id": id, "test": id.lower(), "tier": tier, "title": "Factorial", "criteria": criteria}
    return Question.model_validate(
        {**base, "prompt": "Write a factorial.", "expected": "Handles 0 and refuses negatives.", **fields}
    )


def suite(*questions: Question) -> Suite:
    """A suite of these questions with one role on T1."""
    tiers = tuple(Tier(id=tier, name=tier) for tier in sorted({q.tier for q in questions}))
    role = Role(id="coder", targets={"T1": Target(low=4, high=5)}, thresholds={"T1": 4.0})
    return Suite(name="coder", version=1, scale=SCALE, tiers=tiers, roles=(role,), questions=questions)


def arm(config: str = "baseline", **fields: Any) -> Arm:
    """An arm of no particular model."""
    base = {
        "candidate": "coder",
        "config": Config.parse(config),
        "model_fingerprint": "f0",
        "serving": Serving(n_threads=2),
    }
    return Arm.model_validate({**base, **fields})


def answer(text: str = "def f(): ...", *, state: AnswerState = AnswerState.OK, **fields: Any) -> Answer:
    """An answer that took three seconds."""
    stamps = Stamps(sent_s=1.0, first_token_s=1.5, last_token_s=3.5, ended_s=4.0)
    base = {"prompt_id": "C-T1-Q1", "sample": 0, "sampling": Sampling(), "finish_reason": "stop", "stamps": stamps}
    return Answer.model_validate({**base, "state": state, "text": text, **fields})


def call(**fields: Any) -> JudgeCall:
    """One call of a judge that is called j."""
    base = {
        "judge": "j",
        "judge_fingerprint": "jf",
        "prompt_hash": "ph",
        "rubric_hash": "rh",
        "mode": "joint",
        "replicate": 0,
    }
    return JudgeCall.model_validate({**base, **fields})


def verdicts(*scores: Grade | None) -> tuple[Verdict, ...]:
    """One verdict a score, for c0, c1 ..."""
    return tuple(Verdict(criterion=f"c{i}", score=s, evidence="e", reasoning="r") for i, s in enumerate(scores))


def judgement(*scores: Grade | None, of: str = "answer", **fields: Any) -> Judgement:
    """What judge j said of an answer."""
    base = {"answer_unit": of, "call": call(), "verdicts": verdicts(*scores), "replies": ("{}",), "repaired": False}
    return Judgement.model_validate({**base, "latency_s": 1.5, **fields})
