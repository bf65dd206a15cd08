"""Results -> the Markdown report and the CSV table."""

import csv
import io
import shlex
from collections.abc import Iterator, Sequence

from judge.records import Launch
from judge.report.rankings import judge_blocks, order_lines
from judge.report.tables import (
    EXECUTION_COLUMNS,
    HOW_TO_READ,
    NONE,
    PLAN_COLUMNS,
    QUESTION_COLUMNS,
    ROLE_COLUMNS,
    SPEED_COLUMNS,
    TARGET_COLUMNS,
    Rows,
    disagreement_lines,
    execution_rows,
    plan_rows,
    question_rows,
    role,
    role_rows,
    speed_rows,
    target_rows,
)
from judge.report.trust import checks_line, trust_line
from judge.results import ArmResult, Results


def markdown_table(columns: Sequence[str], rows: Rows) -> str:
    """Return a Markdown table; pipes in cells are escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def csv_table(results: Results) -> str:
    """Return the plan's table as CSV with plain numbers: ``Speed`` in tokens per second, tiers as scores, empty: missing.

    After the plan's columns come the judges, and of each tier what its score rests on.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*PLAN_COLUMNS, "Judges", *(f"{tier} {part}" for tier in PLAN_TIERS for part in CSV_PARTS)])
    for arm in results.arms:
        means = {score.tier: score.mean for score in arm.tiers}
        decode = arm.speed.decode_tps
        numbers = [decode.median if decode else None, *(means.get(t) for t in PLAN_TIERS)]
        cells = ["" if number is None else f"{number:.4g}" for number in numbers]
        basis = [cell for tier in PLAN_TIERS for cell in _csv_basis(arm, tier)]
        writer.writerow(
            [arm.model, arm.quant or "", arm.config, *cells, role(arm), ", ".join(arm.panel.judges), *basis]
        )
    return out.getvalue()


PLAN_TIERS = ("T1", "T2", "T3")
CSV_PARTS = ("K", "scored", "failed", "missing")


def _csv_basis(arm: ArmResult, tier: str) -> list[str]:
    """Return the cells under CSV_PARTS; empty ones for a tier that was not asked."""
    found = next((score.coverage for score in arm.tiers if score.tier == tier), None)
    return [found.samples_text, *map(str, (found.scored, found.failed, found.missing))] if found else [""] * 4


# --- the Markdown report --------------------------------------------------------------------------------------------


def markdown(results: Results) -> str:
    """Return the whole report as Markdown."""
    return "\n\n".join(_sections(results)) + "\n"


def _sections(results: Results) -> Iterator[str]:
    yield f"# {results.suite} {results.suite_version}: run {results.run_id}"
    yield trust_line(results)
    yield markdown_table(PLAN_COLUMNS, plan_rows(results))
    yield HOW_TO_READ
    yield "## Roles\n\n" + _table(ROLE_COLUMNS, role_rows(results), "Not judged.")
    if results.ranking is not None:
        yield "## Ranking\n\n" + _ranking(results)
    yield "## Targets\n\n" + _table(TARGET_COLUMNS, target_rows(results), "No arm fills a role today.")
    executed = [markdown_table(EXECUTION_COLUMNS, execution_rows(results)), *checks_lines(results)]
    yield "## Execution\n\n" + "\n\n".join(executed)
    yield "## Judge against tests\n\n" + _judge_against_tests(results)
    yield "## Speed\n\n" + "\n\n".join(
        [markdown_table(SPEED_COLUMNS, speed_rows(results)), SPEED_NOTE, *reuse_lines(results)]
    )
    yield "## Questions\n\n" + markdown_table(QUESTION_COLUMNS, question_rows(results))
    yield "## How the models were served\n\n" + _launches(results)
    failures = [f"- {arm.id}: {line}" for arm in results.arms for line in arm.failures]
    yield "## Failures (missing, counted, never a score)\n\n" + ("\n".join(failures) or "None.")


def checks_lines(results: Results) -> list[str]:
    """Return one line about the checks; none where nothing was executed."""
    return [checks_line(results)] if results.checks else []


SPEED_NOTE = (
    "Median ± standard deviation over the answers that were judged, one stream. Decode is (n-1)/(t_last - t_first) as a client "
    "sees it; server eval is llama.cpp's own eval time, which leaves out sampling and HTTP (llama-bench leaves out sampling, too). "
    "TTFT and prefill leave out requests whose prompt was mostly in the cache."
)


def reuse_lines(results: Results) -> list[str]:
    """Return one line for each judge whose server says how much of its prompts it did not have to evaluate."""
    return [
        f"Judge {judge.name}: {judge.reused_share:.0%} of the prompt tokens were reused from the request before (server log)."
        for judge in results.judges
        if judge.reused_share is not None
    ]


def _ranking(results: Results) -> str:
    assert results.ranking is not None
    parts = order_lines(results.ranking.order)
    for block in judge_blocks(results.ranking):
        parts += [f"### {block.title}", *block.lines]
        parts += [f"{table.caption}:\n\n{markdown_table(table.columns, table.rows)}" for table in block.tables]
    return "\n\n".join(parts)


def _table(columns: Sequence[str], rows: Rows, otherwise: str) -> str:
    return markdown_table(columns, rows) if rows else otherwise


def _judge_against_tests(results: Results) -> str:
    """Return how often the judge was right where the tests are decisive, and every disagreement."""
    if not results.judges:
        return "Not judged."
    how = (
        "scored without seeing the evidence"
        if results.judged_blind
        else "with the evidence in sight; --blind audits the judge"
    )
    rows = [
        [
            arm.id,
            _share(arm.rates.right_confirmed, arm.rates.right),
            _share(arm.rates.wrong_caught, arm.rates.wrong),
        ]
        for arm in results.arms
    ]
    table = markdown_table(("Arm", "Right criteria confirmed (TPR)", "Wrong criteria caught (TNR)"), rows)
    lines = [f"- {line}" for line in disagreement_lines(results)]
    judges = ", ".join(judge.name for judge in results.judges)
    return f"{judges}, {how}.\n\n{table}\n\n" + ("\n".join(lines) or "No disagreement.")


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.0%})" if whole else NONE


def _launches(results: Results) -> str:
    lines = [f"- {arm.id}: {launch_line(launch)}" for arm in results.arms for launch in arm.launches[-1:]]
    return "\n".join(lines) or "Nothing was served for this run."


def launch_line(launch: Launch) -> str:
    """Return what the log of a server proved, and the command."""
    overrides = ", ".join(f"{key}={value}" for key, value in launch.overrides.items()) or "none"
    proven = f"overrides proven: {overrides}; experts used: {launch.experts_used or NONE}; n_ctx {launch.n_ctx}"
    others = "" if launch.busy_cores is None else f"; other programs used {launch.busy_cores:.1f} cores before"
    return f"{proven}{others}; `{shlex.join(launch.command)}`"
