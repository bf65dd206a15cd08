"""What the comparing commands do: find the arms, compare them, and lay the figures out in rows."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from judge.compare import Comparison, Sweep
from judge.compare import sweep as swept
from judge.ending import load_results
from judge.entries import resolve
from judge.errors import UserError
from judge.ladder import Rung, role_map
from judge.paired_arms import find_arm, pair_arms
from judge.places import Places
from judge.results import Results, read_scored
from judge.results.against import baseline_comparisons
from judge.scoring import COVERAGE_COLUMNS
from judge.stats.paired import ScoreDifference
from judge.types import ModelEntry
from judge.yaml_lines import dump

COMPARISON_COLUMNS = ("Criterion", "Difference", "Interval", "Pairs")
SWEEP_COLUMNS = ("Config", "Speed", "Against baseline", "Score", *COVERAGE_COLUMNS, "Difference", "Pairs", "Verdict")
ROLE_COLUMNS = (
    "Role",
    "Filled by",
    "Speed",
    "Score",
    *COVERAGE_COLUMNS,
    "Gain on the rung below",
    "Speed against it",
    "Because",
)
NONE = "-"

Rows = list[list[str]]


# --- two arms -------------------------------------------------------------------------------------------------------


def compare_arms(places: Places, a: str, b: str, run_id: str, margin: float) -> Comparison:
    """Compare two stored arms, each named ``ARM`` (of ``run_id``) or ``RUN:ARM``. Raises UserError for one that is not there."""
    store = places.open_store()
    try:
        left, right = (find_arm(lambda named: store.run(named)[0], name, run_id) for name in (a, b))
        return pair_arms(store, left, right, margin).comparison
    finally:
        store.close()


def comparison_lines(comparison: Comparison) -> list[str]:
    """Return what is said before the table: the comparison in one line, and by whom each side was scored, a line each."""
    sides = zip((comparison.a, comparison.b), comparison.coverages, strict=True)
    return [comparison.sentence, *(f"{arm}: {coverage.text}, by {coverage.names_text}" for arm, coverage in sides)]


def comparison_rows(comparison: Comparison) -> Rows:
    """Return one row a criterion, the whole score first."""
    named = [("whole score", comparison.difference), *comparison.criteria.items()]
    return [[name, *_difference_cells(difference)] for name, difference in named]


def _difference_cells(difference: ScoreDifference | None) -> list[str]:
    if difference is None:
        return [NONE, NONE, "0"]
    interval = difference.interval
    return [f"{difference.mean:+.2f}", f"[{interval.low:+.2f}, {interval.high:+.2f}]", str(difference.pairs)]


# --- a sweep --------------------------------------------------------------------------------------------------------


def sweep_configs(
    places: Places, names: Sequence[str], extra: Sequence[ModelEntry], experts: Sequence[str]
) -> tuple[str, ...]:
    """Return the configs of a sweep over one candidate: its baseline, and moeN for every other count that was named."""
    entries = [places.load_models().get(name) for name in names] + list(extra)
    if len(entries) != 1:
        raise UserError(f"a sweep is over one candidate, found {len(entries)}; name one with --candidate or --model")
    if not experts:
        raise UserError("a sweep needs expert counts; name them: --experts 8,6,4,2")
    unknown = [count for count in experts if not count.isdecimal()]
    if unknown:
        raise UserError(f"--experts {unknown[0]!r} is no number; use counts by commas: 8,6,4,2")
    own = resolve(entries[0], os.environ).expert_used_count
    return ("baseline", *(f"moe{count}" for count in dict.fromkeys(map(int, experts)) if count != own))


def sweep_results(places: Places, run_id: str, margin: float) -> Sweep:
    """Return the sweep of a stored run at a margin."""
    store = places.open_store()
    try:
        run, _ = store.run(run_id)
        scored = read_scored(run, store)
    finally:
        store.close()
    first = scored[0].record.arm
    return swept(first.candidate, first.id, baseline_comparisons(scored, margin))


def sweep_rows(results: Results, found: Sweep) -> Rows:
    """Return the curve: one row a config, the baseline first."""
    by_arm = {comparison.b: comparison for comparison in found.comparisons}
    rows = []
    for arm in results.arms:
        comparison, decode = by_arm.get(arm.id), arm.speed.decode_tps
        means = [tier.mean for tier in arm.tiers if tier.mean is not None]
        rows.append(
            [
                arm.config,
                f"{decode.median:.1f} t/s" if decode else NONE,
                f"{comparison.speed.ratio:.2f}x" if comparison and comparison.speed else NONE,
                f"{sum(means) / len(means):.2f}" if means else NONE,
                *arm.coverage.cells,
                " ".join(_difference_cells(comparison.difference)[:2]) if comparison else NONE,
                _difference_cells(comparison.difference)[2] if comparison else NONE,
                str(comparison.verdict) if comparison else NONE,
            ]
        )
    return rows


# --- roles ----------------------------------------------------------------------------------------------------------


def roles_of(places: Places, run_id: str) -> tuple[Results, tuple[Rung, ...]]:
    """Return the results of a stored run and who fills each role by it. Raises UserError when nobody judged it."""
    run, results = load_results(places, run_id)
    if not results.ladder:
        raise UserError(f"run {run.id} has no judge, so no role can be decided; score it with judge score {run.id}")
    return results, results.ladder


def role_rows(rungs: Sequence[Rung]) -> Rows:
    """Return one row a role, lowest rung first."""
    return [
        [
            rung.role,
            f"{rung.arm_id}{' (provisional)' if rung.provisional else ''}" if rung.arm_id else "empty",
            _figure(rung.decode_tps, ".1f", " t/s"),
            _figure(rung.score, ".2f"),
            *(rung.coverage.cells if rung.coverage else (NONE, NONE, NONE)),
            _figure(rung.gain, "+.2f"),
            _figure(rung.speed_ratio, ".2f", "x"),
            rung.reason,
        ]
        for rung in rungs
    ]


def _figure(value: float | None, spec: str, unit: str = "") -> str:
    return NONE if value is None else f"{value:{spec}}{unit}"


def export_roles(rungs: Sequence[Rung], results: Results, path: Path) -> None:
    """Write the role map as YAML or JSON, by the name's ending. Raises UserError for another one."""
    document = {
        "run": results.run_id,
        "suite": results.suite,
        "suite_hash": results.suite_hash,
        "roles": role_map(rungs),
    }
    match path.suffix:
        case ".json":
            text = json.dumps(document, indent=2) + "\n"
        case ".yaml" | ".yml":
            text = dump(document)
        case other:
            raise UserError(f"--export {path}: {other or 'no ending'} is not known; use .yaml or .json")
    path.write_text(text, encoding="utf-8")
