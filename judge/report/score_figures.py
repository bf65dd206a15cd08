"""Figures of scores: against speed, against the roles' thresholds, and by criterion. Computes nothing but who lies on the front."""

from judge.frontier import pareto_front
from judge.report.panels import Axis, Cell, DotPanel, Figure, HeatPanel, Mark, ScatterPanel, Spot
from judge.report.points import over_all, score_axis, tier_ids, tier_point, tier_text, tps_text
from judge.report.tables import NONE
from judge.results import ArmResult, Results

# --- speed against quality ------------------------------------------------------------------------------------------


def speed_against_quality(results: Results) -> Figure:
    """Return decode speed against tier score, a panel a tier, with the arms marked that no other beats on both."""
    panels = [panel for tier in tier_ids(results) if (panel := _plane(results, tier)).spots]
    front = {(panel.title, spot.label) for panel in panels for spot in panel.spots if spot.best}
    rows = [
        (
            arm.id,
            tps_text(arm),
            score.tier,
            tier_text(arm, score.tier),
            "yes" if (score.tier, arm.id) in front else "no",
        )
        for arm in results.arms
        for score in arm.tiers
    ]
    return Figure(
        id="speed-against-quality",
        title="Speed against quality",
        caption="Up and to the right is better. Filled marks on the line: no other arm is as fast and scores as high. Bars: interval "
        "of the tier score." + over_all(results),
        panels=tuple(panels),
        nothing="No arm has both a measured speed and a score.",
        columns=("Arm", "Decode t/s", "Tier", "Score", "On the front"),
        rows=tuple(rows),
    )


def _plane(results: Results, tier: str) -> ScatterPanel:
    known = [
        (arm.id, arm.speed.decode_tps.median, point)
        for arm in results.arms
        if arm.speed.decode_tps and (point := tier_point(arm, tier))
    ]
    best = pareto_front([(tps, point.value) for _, tps, point in known])
    return ScatterPanel(
        title=tier,
        x=Axis(label="decode, tokens per second", low=0.0),
        y=score_axis(f"{tier} score"),
        spots=tuple(
            Spot(label=label, x=tps, y=point, best=on) for (label, tps, point), on in zip(known, best, strict=True)
        ),
    )


# --- tiers against role thresholds ----------------------------------------------------------------------------------


def tiers_against_roles(results: Results) -> Figure:
    """Return the tier scores with their intervals against the thresholds of the roles."""
    tiers = tier_ids(results)
    rows = [
        (arm.id, score.tier, tier_text(arm, score.tier), _outcomes(arm, score.tier))
        for arm in results.arms
        for score in arm.tiers
    ]
    drawn = [panel for tier in tiers if any((panel := _tier_panel(results, tier)).series["score"])]
    return Figure(
        id="tiers-against-roles",
        title="Tiers against the roles' thresholds",
        caption="Marks: score, with its interval. Lines: the lowest score that fills a role. A role is decided only where the whole "
        "interval lies on one side." + over_all(results),
        panels=tuple(drawn),
        nothing="No tier has a score.",
        columns=("Arm", "Tier", "Score", "Against the thresholds"),
        rows=tuple(rows),
    )


def _tier_panel(results: Results, tier: str) -> DotPanel:
    return DotPanel(
        title=tier,
        axis=score_axis(f"{tier} score"),
        rows=tuple(arm.id for arm in results.arms),
        series={"score": tuple(tier_point(arm, tier) for arm in results.arms)},
        marks=_thresholds(results, tier),
    )


def _thresholds(results: Results, tier: str) -> tuple[Mark, ...]:
    """Return one line a threshold; roles that share one share its label."""
    roles: dict[float, list[str]] = {}
    for arm in results.arms:
        for decision in arm.decisions:
            for part in decision.tiers:
                if part.tier == tier and decision.role not in roles.setdefault(part.threshold, []):
                    roles[part.threshold].append(decision.role)
    return tuple(Mark(value=value, label=f"{value:g} {', '.join(roles[value])}") for value in sorted(roles))


def _outcomes(arm: ArmResult, tier: str) -> str:
    parts = [(d.role, part) for d in arm.decisions for part in d.tiers if part.tier == tier]
    return "; ".join(f"{role} {part.threshold:g}: {part.outcome.value}" for role, part in parts) or NONE


# --- criteria -------------------------------------------------------------------------------------------------------


def criteria_heat_map(results: Results) -> Figure:
    """Return the judges' own score of every criterion of every question, an arm a column, a panel a tier."""
    panels = [panel for tier in tier_ids(results) if (panel := _criteria_panel(results, tier)).rows]
    rows = [
        (row, *(_cell_text(cell) for cell in cells))
        for panel in panels
        for row, cells in zip(panel.rows, panel.cells, strict=True)
    ]
    return Figure(
        id="criteria",
        title="Criteria",
        caption="The judges' own scores, before evidence bounds them, 1 (dark) to 5 (light); empty: no score."
        + over_all(results),
        panels=tuple(panels) if any(c.value is not None for p in panels for r in p.cells for c in r) else (),
        nothing="No criterion has a score.",
        columns=("Question and criterion", *(_basis_of(arm) for arm in results.arms)),
        rows=tuple(rows),
    )


def _basis_of(arm: ArmResult) -> str:
    """Return an arm with what all means in its column share."""
    return f"{arm.id} (K {arm.coverage.samples_text}, {arm.coverage.judges_text})"


def _cell_text(cell: Cell) -> str:
    """Return a mean with its coverage: ``4.2 (5/5)``; for an arm that was not asked nothing."""
    mean = NONE if cell.value is None else f"{cell.value:.1f}"
    return f"{mean} ({cell.basis})" if cell.basis else mean


def _criteria_panel(results: Results, tier: str) -> HeatPanel:
    scores = [
        {
            f"{question.id} {criterion.name}": Cell(value=criterion.mean, basis=criterion.coverage.scored_text)
            for question in arm.questions
            if question.tier == tier
            for criterion in question.criteria
        }
        for arm in results.arms
    ]
    rows = tuple(dict.fromkeys(row for arm in scores for row in arm))
    return HeatPanel(
        title=tier,
        rows=rows,
        columns=tuple(arm.id for arm in results.arms),
        cells=tuple(tuple(arm.get(row, Cell(value=None)) for arm in scores) for row in rows),
    )
