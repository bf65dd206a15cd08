"""Small values that several tests of this package share: a suite, a run, a call, an answer."""

from typing import Any

from judge.exam.result import ExamIdentity, ExamResult, Qualification, Rate, Rates
from judge.exam.rules import GATES
from judge.pipeline import wanted_scorings
from judge.plan import wanted_answers
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.scoring import Coverage
from judge.store import Store
from judge.types import (
    Criterion,
    Grade,
    JudgeCall,
    Judgement,
    Level,
    ModelEntry,
    Question,
    Role,
    Suite,
    Target,
    Tier,
    Verdict,
)
from runner.identity import digest
from runner.types import Answer, AnswerState, Arm, Config, Endpoint, ModelFile, Sampling, Serving, Stamps

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


def covered(scored: int, wanted: int | None = None, *, failed: int = 0, **fields: Any) -> Coverage:
    """What a mean over ``scored`` of ``wanted`` answers (else all of them) rests on, by judge j."""
    base = {"samples": (wanted or scored,), "judges": ("j",), "wanted": wanted or scored, "scored": scored}
    return Coverage.model_validate({**base, "answered": scored, "failed": failed, **fields})


# --- runs -----------------------------------------------------------------------------------------------------------


def model_file(**fields: Any) -> ModelFile:
    """A large mixture of experts."""
    base = {
        "path": "/m.gguf",
        "parts": 1,
        "size_bytes": 98_000_000_000,
        "architecture": "qwen3moe",
        "name": None,
        "quantisation": "Q4_K_M",
        "parameters": 30_000_000_000,
        "context_length": 262_144,
        "expert_count": 128,
        "expert_used_count": 8,
        "fingerprint": "f0",
    }
    return ModelFile.model_validate({**base, **fields})


def arm_record(
    candidate: str = "coder", config: str = "baseline", *, family: str | None = "qwen", **fields: Any
) -> ArmRecord:
    """An arm of a candidate; each candidate is a model file of its own."""
    entry = ModelEntry(
        id=candidate, model=candidate.title(), status="ready", arch="qwen3moe", family=family, configs=(config,)
    )
    model = model_file(fingerprint=f"file of {candidate}")
    the_arm = arm(config, candidate=candidate, model_fingerprint=model.fingerprint)
    return ArmRecord.model_validate({"arm": the_arm, "model": model, "entry": entry, "sampling": Sampling(), **fields})


def judge_record(name: str = "j", *, family: str | None = "mistral", **fields: Any) -> JudgeRecord:
    """A judge at an endpoint of its own."""
    base = {
        "name": name,
        "family": family,
        "fingerprint": f"print of {name}",
        "endpoint": Endpoint(base_url="http://127.0.0.1:1/v1", model=name),
        "model": None,
        "sampling": Sampling(temperature=0),
        "prompt_hash": "ph",
    }
    return JudgeRecord.model_validate({**base, **fields})


def run_record(*questions: Question, **fields: Any) -> RunRecord:
    """A run of one arm, one judge and two samples over these questions."""
    asked = questions or (question(),)
    base = {
        "id": "run-1",
        "created_at": "2026-01-01T00:00:00.000000+00:00",
        "command": ("judge", "run"),
        "suite": suite(*asked),
        "question_ids": tuple(q.id for q in asked),
        "samples": 2,
        "arms": (arm_record(),),
        "judges": (judge_record(),),
        "environment": {"python": "3.11"},
    }
    return RunRecord.model_validate({**base, **fields})


def add_answers(store: Store, run: RunRecord) -> None:
    """Store the run and an answer for everything that it wants."""
    store.add_run(run)
    for record in run.arms:
        for unit in wanted_answers(run, record):
            store.add_answer(run.id, unit, answer(prompt_id=unit.question_id, sample=unit.sample))


def add_scores(store: Store, run: RunRecord, judge: JudgeRecord, *scores: Grade | None) -> None:
    """Have ``judge`` give every answer these scores for c0, c1 ..."""
    for task in wanted_scorings(run, judge, {}):
        store.add_judgement(run.id, judgement(*scores, of=task.answer_key, call=task.call))


def exam_result(run: RunRecord, judge: JudgeRecord, *, logic: bool, style: bool, reason: str = "as told") -> ExamResult:
    """An exam of ``judge`` on the questions of ``run`` that came out like this."""
    identity = ExamIdentity(
        judge_fingerprint=judge.fingerprint,
        prompt_hash=judge.prompt_hash,
        mode=judge.mode,
        paper="paper",
        gates=digest(GATES),
    )
    rate = Rate(yes=1, trials=1, low=0.15, high=1.0)
    return ExamResult(
        identity=identity,
        judge=judge.name,
        size="small",
        rubrics={question.id: run.suite.rubric_hash(question) for question in run.suite.questions},
        wanted=1,
        scored=1,
        failed=0,
        stopped=False,
        logic=Rates(tpr=rate, tnr=rate),
        style=Rates(tpr=rate, tnr=rate),
        separation=None,
        flip_rate=None,
        twins=(),
        master_keys_kept=0,
        master_keys=0,
        qualification=Qualification(logic=logic, style=style, reason=reason, exam=identity.key),
    )
