"""Results -> rows of text for tables, wherever they are shown. Rendering only: every figure comes from judge.results."""

from judge.results import ArmResult, Results
from judge.scoring import COVERAGE_COLUMNS
from judge.speed import Spread

PLAN_COLUMNS = ("Model", "Quant", "Config", "Speed", "T1", "T2", "T3", "Role")
NONE = "-"

Rows = list[list[str]]

HOW_TO_READ = (
    "Beside every mean stands what it rests on: (K 5, 2 judges, 48/50, 1 failed, 1 missing) means 5 answers wanted of each question, "
    "scored by 2 judges, and 48 of 50 answers with a score. Failed was tried, and no score came of it: an answer or a scoring that "
    "broke off, or a criterion that a judge could not assess. Missing was not tried yet. Neither is ever a low score."
)


def plan_rows(results: Results) -> Rows:
    """Return the plan's table: one row an arm, under PLAN_COLUMNS."""
    return [
        [arm.model, arm.quant or NONE, arm.config, speed(arm), *(tier(arm, t) for t in ("T1", "T2", "T3")), role(arm)]
        for arm in results.arms
    ]


def speed(arm: ArmResult) -> str:
    """Return the median decode speed over HTTP: ``45.3 t/s``."""
    spread = arm.speed.decode_tps
    return f"{spread.median:.1f} t/s" if spread else NONE


def tier(arm: ArmResult, tier_id: str) -> str:
    """Return the tier score with what it rests on: ``4.20 (K 2, 1 judge, 5/6, 1 failed)``."""
    found = next((score for score in arm.tiers if score.tier == tier_id), None)
    if found is None:
        return NONE
    return f"{'missing' if found.mean is None else f'{found.mean:.2f}'} ({found.coverage.text})"


def role(arm: ArmResult) -> str:
    """Return the highest rung that passes; UNDECIDED where the data carries no more, and why where the judges decide nothing."""
    if not arm.decisions:
        return NONE
    if not arm.panel.decides:
        return f"UNDECIDED ({'judge ' + arm.panel.standing if arm.panel.standing else 'no judge scores it'})"
    passed = [d for d in arm.decisions if d.outcome == "PASS"]
    if passed:
        return passed[-1].label
    undecided = [d.role for d in arm.decisions if d.outcome == "UNDECIDED"]
    return f"UNDECIDED ({', '.join(undecided)})" if undecided else "FAIL (every role)"


def speed_rows(results: Results) -> Rows:
    """Return one row an arm: time to first token, prefill, decode, the server's own figure, the difference, the speed-up."""
    return [
        [
            arm.id,
            _figure(arm.speed.ttft_s, 2),
            _figure(arm.speed.prefill_tps, 1),
            _figure(arm.speed.decode_tps, 1),
            _figure(arm.speed.server_decode_tps, 1),
            _figure(arm.speed.overhead_ms, 2),
            f"{arm.speed.speedup:.2f}x" if arm.speed.speedup else NONE,
            str(arm.speed.decode_tps.n if arm.speed.decode_tps else 0),
            ", ".join(arm.speed.token_sources) or NONE,
        ]
        for arm in results.arms
    ]


SPEED_COLUMNS = (
    "Arm", "TTFT s", "Prefill t/s", "Decode t/s", "Server eval t/s", "Difference ms/token", "Speed-up", "n", "Counted by",
)  # fmt: skip


def _figure(spread: Spread | None, digits: int) -> str:
    if spread is None:
        return NONE
    sd = f" ± {spread.sd:.{digits}f}" if spread.sd is not None else ""
    return f"{spread.median:.{digits}f}{sd}"


ROLE_COLUMNS = ("Arm", "Role", "Outcome", "Because")


def role_rows(results: Results) -> Rows:
    """Return one row an arm and role; none when nothing was judged."""
    return [
        [arm.id, decision.role, decision.outcome.value, decision.reason]
        for arm in results.arms
        for decision in arm.decisions
    ]


TARGET_COLUMNS = ("Arm", "Role today", "Tier", "Target")
TARGET_WORDS = {True: "met", False: "missed", None: "no score"}


def target_rows(results: Results) -> Rows:
    """Return one row an arm that fills a role today, and tier."""
    return [
        [arm.id, arm.role or NONE, tier_id, TARGET_WORDS[met]]
        for arm in results.arms
        for tier_id, met in arm.targets_met.items()
    ]


QUESTION_COLUMNS = ("Arm", "Question", "Score", "Judge alone", *COVERAGE_COLUMNS, "Answers", "Criteria (judge alone)")


def question_rows(results: Results) -> Rows:
    """Return one row an arm and question with its scores and the states of its answers."""
    return [
        [
            arm.id,
            question.id,
            _mean(question.mean, 2),
            _mean(question.judge_mean, 2),
            *question.coverage.cells,
            ", ".join(f"{count} {state}" for state, count in question.states.items()),
            "; ".join(f"{c.name} {_mean(c.mean)} ({c.coverage.scored_text})" for c in question.criteria),
        ]
        for arm in results.arms
        for question in arm.questions
    ]


def _mean(mean: float | None, digits: int = 1) -> str:
    return f"{mean:.{digits}f}" if mean is not None else NONE


EXECUTION_COLUMNS = ("Arm", "Question", "Checks passed", "Answers")


def execution_rows(results: Results) -> Rows:
    """Return one row an arm and question with the checks that were passed."""
    return [
        [
            arm.id,
            question.id,
            f"{question.checks_passed} of {question.checks_known}" if question.checks_known else NONE,
            ", ".join(f"{count} {state}" for state, count in question.evidence_states.items()) or "not executed",
        ]
        for arm in results.arms
        for question in arm.questions
    ]


def disagreement_lines(results: Results) -> list[str]:
    """Return one line a criterion that judge and tests see differently."""
    return [
        f"{d.arm_id} {d.question_id} sample {d.sample}, {d.criterion}: {d.judge} {d.score}, evidence allows {d.bound}"
        for arm in results.arms
        for d in arm.disagreements
    ]
