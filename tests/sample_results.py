"""Results of a run as the tests of the report need them: several arms, three tiers, a judge, and something missing."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from examples import covered

from judge.audit import Disagreement, LogicAudit, Rates
from judge.compare import Comparison, Side, Sweep, compare, sweep
from judge.cross import CrossCell, CrossJudging, PairAgreement
from judge.ladder import Contender, ladder
from judge.panel import Panel, Relation, Standing
from judge.records import Launch
from judge.results import ArmResult, CriterionScore, JudgeCell, JudgeSummary, QuestionScore, Results
from judge.roles import decide
from judge.scoring import TierScore, mean_of_means, together
from judge.speed import Speed, Spread
from judge.stats.agreement import RatedUnit, agreement
from judge.stats.figures import Refused
from judge.stats.self_preference import LeaveOneOut
from judge.types import Role, Target

ROLES = (
    Role(id="coder_primary", targets={"T1": Target(low=4, high=5)}, thresholds={"T1": 4.0, "T2": 3.0}),
    Role(id="architect_coding", targets={"T1": Target(low=5, high=5)}, thresholds={"T1": 4.5, "T2": 4.5, "T3": 4.0}),
)
CRITERIA = ("Correct logic", "Type hints", "Handles edge cases (n=0, n=1)")


def spread(figure: float) -> Spread:
    """Five requests around a figure."""
    return Spread(n=5, median=figure, mean=figure, sd=figure / 20)


def speed(decode: float | None, speedup: float | None = None) -> Speed:
    """A speed; ``None``: not measured."""
    known = spread(decode) if decode is not None else None
    return Speed(
        ttft_s=known and spread(0.31),
        prefill_tps=known and spread(212.0),
        decode_tps=known,
        server_decode_tps=known,
        overhead_ms=known and spread(0.4),
        token_sources=("usage",),
        speedup=speedup,
    )


def tier(id: str, *scores: float, wanted: int | None = None, failed: int = 0) -> TierScore:
    """A tier of one question with these scores of its answers."""
    questions = {f"C-{id}-Q1": scores}
    coverage = covered(len(scores), wanted, failed=failed, judges=("big_judge",))
    return TierScore(tier=id, mean=mean_of_means(questions.values()), questions=questions, coverage=coverage)


def launch(arm_id: str, experts: int | None) -> Launch:
    """One start of a server."""
    return Launch(
        arm_id=arm_id,
        command=("python", "-m", "llama_cpp.server"),
        log="log",
        overrides={},
        experts_used=experts,
        n_ctx=8192,
        proof_lines=(),
    )


def question(tier: TierScore, criteria: tuple[str, ...], shift: float) -> QuestionScore:
    """The one question of a tier."""
    return QuestionScore(
        id=f"C-{tier.tier}-Q1",
        test=f"{tier.tier.lower()}_q1",
        tier=tier.tier,
        mean=tier.mean,
        judge_mean=tier.mean,
        coverage=tier.coverage,
        checks_passed=9,
        checks_known=12,
        evidence_states={"ok": 5},
        unsafe_executions=0,
        states={"ok": 5},
        criteria=tuple(
            CriterionScore(
                id=f"c{i}",
                name=name,
                weight=30,
                mean=tier.mean and max(1.0, tier.mean - shift * i),
                coverage=tier.coverage,
                cannot_assess=0,
            )
            for i, name in enumerate(criteria)
        ),
    )


def arm(
    candidate: str = "coder",
    config: str = "baseline",
    *tiers: TierScore,
    decode: float | None = 20.0,
    speedup: float | None = None,
    experts: int | None = None,
    role: str | None = None,
    criteria: tuple[str, ...] = CRITERIA,
    **fields: Any,
) -> ArmResult:
    """One arm, decided on ROLES by its tiers."""
    tiers = tiers or (tier("T1", 5, 5, 5, 4.5, 5), tier("T2", 4, 4.5, 4, 4, 3.5), tier("T3", 3, 2, 2.5, 3, 3))
    asked = [t.tier for t in tiers]
    arm_id = f"{candidate}/{config}"
    base = {
        "id": arm_id,
        "candidate": candidate,
        "model": f"{candidate}-30B",
        "quant": "Q4_K_M",
        "config": config,
        "role": role,
        "speed": speed(decode, speedup),
        "tiers": tiers,
        "questions": tuple(question(t, criteria, 0.4) for t in tiers),
        "decisions": tuple(decide(role, tiers, asked) for role in ROLES),
        "targets_met": {"T1": True} if role else {},
        "panel": Panel(judges=("big_judge",), standing=Standing.NOT_EXAMINED, own_family=False),
        "audit": None,
        "by_judge": (cell("big_judge", tiers), cell("other_judge", tiers, shift=-0.4, relation=Relation.FAMILY)),
        "disagreements": (),
        "rates": Rates(right=12, right_confirmed=11, wrong=8, wrong_caught=3),
        "logic_audit": LogicAudit(answers=0, decided=0, criteria=0, bias=None, left=None),
        "launches": (launch(arm_id, experts),) if experts else (),
        "failures": (),
    }
    return ArmResult.model_validate({**base, **fields})


def cell(
    judge: str, tiers: tuple[TierScore, ...], *, shift: float = 0.0, relation: Relation = Relation.OTHER, **fields: Any
) -> JudgeCell:
    """What a judge gave an arm: the tier scores, a little lower."""
    means = {t.tier: max(1.0, t.mean + shift) for t in tiers if t.mean is not None}
    coverage = together(t.coverage for t in tiers).model_copy(update={"judges": (judge,)})
    base = {"judge": judge, "relation": relation, "counts": relation is Relation.OTHER, "tiers": means, "failures": 0}
    mean = mean_of_means([tuple(means.values())])
    return JudgeCell.model_validate({**base, "mean": mean, "coverage": coverage, **fields})


def judge(name: str, standing: Standing = Standing.NOT_EXAMINED, **fields: Any) -> JudgeSummary:
    """A judge of the run."""
    base = {"name": name, "family": "f", "fingerprint": name, "replicates": 1, "blind": True, "standing": standing}
    told = {"standing_reason": "nobody examined it", "reused_share": None}
    return JudgeSummary.model_validate({**base, **told, **fields})


def cross(arms: Sequence[ArmResult], judges: Sequence[JudgeSummary]) -> CrossJudging:
    """What the judges gave each arm, and how far they agree on a few criteria."""
    names = tuple(judge.name for judge in judges)
    units = [
        RatedUnit(question=f"q{i}", model="m", scores=dict(zip(names, scores, strict=False)))
        for i, scores in enumerate(((5, 4), (4, 4), (2, 1), (5, 5), (3, 3)))
    ]
    pairs = [PairAgreement(judges=pair, agreement=agreement(units, pair, seed=1)) for pair in combinations(names, 2)]
    cells = [
        CrossCell(judge=one.judge, arm_id=arm.id, relation=one.relation, mean=one.mean, answers=one.coverage.scored)
        for arm in arms
        for one in arm.by_judge
    ]
    return CrossJudging(
        judges=names,
        arms=tuple(arm.id for arm in arms),
        cells=tuple(cells),
        severity={names[-1]: -0.4},
        overall=agreement(units, names, seed=1),
        pairs=tuple(pairs),
        self_preference={names[-1]: Refused(reason="no answer of another family")},
        ranks=LeaveOneOut(ranking=tuple(arm.id for arm in arms), without={}),
        error_correlation=0.5,
        effective_judges=1.3,
    )


def disagreement(arm_id: str = "coder/baseline", **fields: Any) -> Disagreement:
    """The judge confirms what the tests fail."""
    base = {
        "arm_id": arm_id,
        "question_id": "C-T1-Q1",
        "sample": 0,
        "judge": "big_judge",
        "criterion": "c0",
        "score": 5,
        "bound": 1,
    }
    return Disagreement(**{**base, **fields})


def results(*arms: ArmResult, **fields: Any) -> Results:
    """A run of these arms."""
    judges = fields.get("judges", (judge("big_judge"), judge("other_judge")))
    base = {
        "run_id": "20261128-040000-abcd",
        "created_at": "2026-11-28T04:00:00+00:00",
        "state": "complete",
        "command": ("judge", "run", "--candidate", "coder"),
        "suite": "coder",
        "suite_version": 1,
        "suite_hash": "5e1f" * 16,
        "samples": 5,
        "policy": "grounded",
        "checks": {"C-T1-Q1": "c4ec" * 4},
        "judges": judges,
        "coverage": together(t.coverage for one in arms for t in one.tiers),
        "owed_answers": 0,
        "owed_checks": 0,
        "owed_scorings": 0,
        "arms": arms,
        "comparisons": (),
        "sweeps": sweeps(arms),
        "ladder": ladder(ROLES, [contender(one) for one in arms]) if judges else (),
        "cross": cross(arms, judges) if len(judges) > 1 else None,
        "environment": {"python": "3.11.7", "cpu": "16 cores"},
    }
    return Results.model_validate({**base, **fields})


def sweeps(arms: Sequence[ArmResult]) -> tuple[Sweep, ...]:
    """One a candidate with a baseline and another config, compared over T1."""
    baselines = {one.candidate: one for one in arms if one.config == "baseline"}
    found: dict[str, list[Comparison]] = {}
    for one in arms:
        if one.candidate in baselines and one.config != "baseline":
            found.setdefault(one.candidate, []).append(compare(side(baselines[one.candidate]), side(one)))
    return tuple(sweep(candidate, baselines[candidate].id, pairs) for candidate, pairs in found.items())


def side(one: ArmResult) -> Side:
    """An arm as a comparison sees it."""
    decode = one.speed.decode_tps.median if one.speed.decode_tps else None
    return Side(arm_id=one.id, scores=(), decode_tps=(decode, decode), coverage=one.coverage, decides=True)


def contender(one: ArmResult) -> Contender:
    """An arm as the ladder sees it."""
    decode = one.speed.decode_tps.median if one.speed.decode_tps else None
    return Contender(
        arm_id=one.id,
        role=one.role,
        decode_tps=decode,
        score=one.tiers[0].mean,
        coverage=one.coverage,
        decisions=one.decisions,
    )


def several() -> Results:
    """Seven arms: a sweep of experts, another sweep, a dense model, and one without any score or speed."""
    return results(
        arm("coder_primary", "baseline", decode=34.1, experts=8, role="coder_primary"),
        arm(
            "coder_primary", "moe6", tier("T1", 5, 4.5, 5, 4.5, 5), tier("T2", 4, 4, 4, 4, 3.5), tier("T3", 3, 2, 2.5, 2, 3),
            decode=39.7, speedup=1.16, experts=6, role="coder_primary",
        ),
        arm(
            "coder_primary", "moe4", tier("T1", 5, 4, 4.5, 4.5, 5), tier("T2", 3.5, 4, 3, 3.5, 3.5), tier("T3", 2, 2, 2.5, 2, 3),
            decode=45.3, speedup=1.33, experts=4, role="coder_primary",
        ),
        arm(
            "coder_primary", "moe2", tier("T1", 3, 2, 2.5, 2.5, 3), tier("T2", 1.5, 2, 1, 1.5, 1.5), tier("T3", 1, 1, 1.5, 1, 1),
            decode=58.0, speedup=1.7, experts=2, role="coder_primary",
        ),
        arm(
            "architect_coding", "baseline", tier("T1", 5, 5, 5, 5, 5), tier("T2", 5, 5, 4.5, 5, 5), tier("T3", 4, 4.5, 4, 5, 4.5),
            decode=7.9, experts=8, role="architect_coding", disagreements=(disagreement("architect_coding/baseline"),),
        ),
        arm(
            "architect_coding", "moe4", tier("T1", 5, 5, 5, 4.8, 5), tier("T2", 5, 4.5, 4.5, 5, 4.6), tier("T3", 4, 4, 4, 4.5, 4.1),
            decode=10.2, speedup=1.29, experts=4, role="architect_coding",
        ),
        arm(
            "qwen25_coder_32b", "spec_k8", tier("T1", 5, 5, 4.5), tier("T2", 4, 4.5), tier("T3", wanted=5, failed=2),
            decode=11.4, failures=("C-T3-Q1: judge big_judge failed (bad_verdict): no JSON in the reply",),
        ),
        arm("broken", "baseline", tier("T1", wanted=5), decode=None),
    )  # fmt: skip
