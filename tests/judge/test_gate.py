"""The gate: a lost role, a fallen score, an unfit judge and missing scores fail it, each with one sentence that says why."""

import pytest
from sample_results import arm, judge, results, tier

from judge.gate import Condition, GateFinding, GateReport, GateRules, State, gate
from judge.panel import Panel, Standing
from judge.results import ArmResult, Results

FIVES, GOOD, POOR = tier("T1", *[5.0] * 20), tier("T2", *[4.8] * 20), tier("T2", *[1.5] * 20)
TOP = tier("T3", *[4.9] * 20)
QUALIFIED = (judge("big_judge", Standing.QUALIFIED),)


def incumbent(
    *tiers: object, role: str | None = "coder_primary", config: str = "baseline", **fields: object
) -> ArmResult:
    return arm("coder", config, *tiers or (FIVES, GOOD, TOP), role=role, **fields)  # type: ignore[arg-type]


def run(*arms: ArmResult, **fields: object) -> Results:
    return results(*arms, **{"judges": QUALIFIED, **fields})


def asked(now: Results, earlier: Results | None = None, **rules: object) -> GateReport:
    return gate(now, GateRules.model_validate(rules), earlier)


def only(report: GateReport, condition: Condition) -> GateFinding:
    (found,) = [finding for finding in report.findings if finding.condition is condition]
    return found


def test_an_incumbent_that_still_passes_by_a_qualified_judge_passes_the_gate() -> None:
    report = asked(run(incumbent()), strict=True)
    assert report.passed and {finding.state for finding in report.findings} == {State.PASSED}
    assert only(report, Condition.ROLE).sentence.startswith("coder still fills coder_primary (baseline: PASS, ")


def test_an_incumbent_that_no_longer_passes_fails_the_gate_with_the_tier_that_lost_it() -> None:
    report = asked(run(incumbent(FIVES, POOR, TOP)))
    assert [finding.state for finding in report.blocking] == [State.FAILED]
    assert "coder no longer fills coder_primary (baseline: FAIL, T2: 1.50 [" in report.blocking[0].sentence


def test_undecided_keeps_the_incumbent_and_fails_a_strict_gate_only() -> None:
    undecided = run(incumbent(tier("T1", 5, 4, 4), GOOD, TOP))
    assert asked(undecided).passed
    assert only(asked(undecided), Condition.ROLE).state is State.OPEN
    assert not asked(undecided, strict=True).passed


def test_an_incumbent_holds_its_role_while_one_of_its_configs_can() -> None:
    assert asked(run(incumbent(), incumbent(FIVES, POOR, TOP, config="moe2"))).passed
    assert not asked(run(incumbent(FIVES, POOR, TOP), incumbent(FIVES, POOR, TOP, config="moe2"))).passed


def test_a_challenger_that_does_not_fill_a_role_is_no_news() -> None:
    report = asked(run(incumbent(FIVES, POOR, TOP, role=None)))
    assert report.passed
    assert report.warnings == ("No arm of this run fills a role today, so no role was checked.",)


@pytest.mark.parametrize(("margin", "state"), [(0.2, State.FAILED), (0.25, State.PASSED), (0.3, State.PASSED)])
def test_a_tier_score_may_fall_by_the_margin_and_no_further(margin: float, state: State) -> None:
    before, now = run(incumbent(tier("T1", 4.75)), run_id="old"), run(incumbent(tier("T1", 4.5)))
    found = only(asked(now, before, margin=margin), Condition.SCORE)
    assert found.state is state
    assert found.sentence.endswith("; K 1, 1 judge, 1/1 then, K 1, 1 judge, 1/1 now).")
    assert (
        "coder/baseline T1" in found.sentence and f"4.75 -> 4.50 (-0.25; it may fall by {margin:g}; " in found.sentence
    )


def test_a_score_that_is_gone_is_missing_and_fails_the_gate() -> None:
    report = asked(run(incumbent(tier("T1", wanted=5))), run(incumbent(tier("T1", 4))))
    assert only(report, Condition.SCORE).state is State.MISSING
    assert only(report, Condition.SCORE) in report.blocking


def test_two_runs_without_a_common_arm_compare_nothing_and_that_is_no_pass() -> None:
    report = asked(run(incumbent()), run(arm("other"), run_id="old"))
    assert only(report, Condition.SCORE).sentence == "No arm of this run has a score in old, so nothing was compared."
    assert not report.passed
    assert "Not in this run, and not compared: other/baseline." in report.warnings


def test_scores_under_another_rubric_judge_or_policy_are_compared_with_a_warning() -> None:
    before = run(incumbent(), run_id="old", suite_hash="f" * 64, policy="judge", judges=(judge("small_judge"),))
    warnings = asked(run(incumbent()), before).warnings
    assert [warning.partition(" differ ")[0] for warning in warnings] == ["Suite and rubric", "Judges", "Policies"]
    assert "(judge then, grounded now)" in warnings[2]
    assert asked(run(incumbent()), run(incumbent(), run_id="old")).warnings == ()


@pytest.mark.parametrize(
    ("standing", "state"),
    [
        (Standing.QUALIFIED, State.PASSED),
        (Standing.LOGIC_ONLY, State.PASSED),
        (Standing.NOT_EXAMINED, State.OPEN),
        (Standing.STYLE_ONLY, State.FAILED),
        (Standing.NOT_QUALIFIED, State.FAILED),
    ],
)
def test_a_judge_that_failed_its_exam_fails_the_gate(standing: Standing, state: State) -> None:
    judged = run(incumbent(), judges=(judge("big_judge", standing, standing_reason="caught 3 of 10"),))
    found = only(asked(judged), Condition.JUDGE)
    assert found.state is state
    assert found.sentence == f"Judge big_judge is {standing} (caught 3 of 10)."


def test_a_failed_judge_that_counts_for_no_arm_spoils_nothing() -> None:
    extra = judge("small_judge", Standing.NOT_QUALIFIED)
    report = asked(run(incumbent(), judges=(*QUALIFIED, extra)))
    assert report.passed and report.findings[2].sentence.endswith("; it counts for no arm.")
    counted = incumbent(panel=Panel(judges=("small_judge",), standing=Standing.NOT_QUALIFIED, own_family=False))
    assert not asked(run(counted, judges=(*QUALIFIED, extra))).passed


@pytest.mark.parametrize(("scored", "passes"), [(19, True), (18, False)])
def test_coverage_under_95_percent_of_any_arm_fails_the_gate(scored: int, passes: bool) -> None:
    report = asked(run(incumbent(), arm("other", "baseline", tier("T1", *[5.0] * scored, wanted=20))))
    found = report.findings[-1]
    assert report.passed is passes
    assert (
        found.sentence
        == f"other/baseline: {scored} of 20 answers have a score ({scored / 20:.0%}), 0 failed, {20 - scored} missing; "
        "95% are asked for."
    )
    assert asked(run(arm("other", "baseline", tier("T1", *[5.0] * 18, wanted=20))), min_coverage=0.9).passed


def test_nothing_at_all_is_no_pass() -> None:
    report = asked(run(judges=()))
    assert {finding.state for finding in report.blocking} == {State.MISSING}
    assert [finding.sentence for finding in report.findings] == ["Nobody judged this run.", "This run has no arm."]


def test_an_incumbent_about_which_nothing_was_decided_is_missing() -> None:
    found = only(asked(run(incumbent(decisions=()))), Condition.ROLE)
    assert (found.state, found.sentence) == (
        State.MISSING,
        "coder fills coder_primary today, and nothing was decided about it.",
    )
