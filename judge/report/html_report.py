"""Results -> one self-contained HTML page. What models and judges said is hostile: everything is escaped, and nothing is executed."""

import shlex
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from judge.report import notes, rankings, tables
from judge.report.figures import figures
from judge.report.in_words import in_words
from judge.report.judge_figures import cross_judges
from judge.report.legible import legible
from judge.report.markdown_report import SPEED_NOTE
from judge.report.panels import Figure, Panel
from judge.report.points import estimate_and_basis, tier_ids, tps_text
from judge.report.svg import inline_svg
from judge.report.trust import audit_words, trust_items, warnings
from judge.results import Results

MOST_LINES = 500
"""Of a list without end: a page of tens of thousands is read by nobody, and slowly."""
TEMPLATE = "report.html.j2"
BODY = "report_body.html.j2"
CROSS = "cross_body.html.j2"


def html_report(results: Results) -> str:
    """Return the whole report as one HTML document."""
    return _environment().get_template(TEMPLATE).render(_context(results))


def report_body(results: Results) -> Markup:
    """Return the sections of the report, to be put into another page."""
    return Markup(_environment().get_template(BODY).render(_context(results)))


def cross_body(results: Results) -> Markup:
    """Return what the judges say about each other, as the report shows it, to be put into another page."""
    figure = cross_judges(results)
    context = {"figure": figure, "plots": _plots(figure), **_cross_tables(results)}
    return Markup(_environment().get_template(CROSS).render(context))


def _context(results: Results) -> dict[str, object]:
    drawn = figures(results)
    return {
        "results": results,
        "trust": trust_items(results),
        "warnings": warnings(results),
        "basis": _basis(results),
        "tiers": tier_ids(results),
        "roles": tuple(dict.fromkeys(decision.role for arm in results.arms for decision in arm.decisions)),
        "figures": drawn,
        "plots": {figure.id: _plots(figure) for figure in drawn},
        "tps": tps_text,
        "tier_cell": estimate_and_basis,
        "most_lines": MOST_LINES,
        "failures": [(arm.id, line) for arm in results.arms for line in arm.failures],
        "launches": _launches(results),
        "command": shlex.join(results.command),
        **_tables(results),
    }


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("judge.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=False,
    )


def shown(value: object) -> object:
    """Return what is put into the page for ``value``; our own markup goes in as it is."""
    return legible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _tables(results: Results) -> dict[str, object]:
    return {
        "role_columns": tables.ROLE_COLUMNS,
        "role_rows": tables.role_rows(results),
        "target_columns": tables.TARGET_COLUMNS,
        "target_rows": tables.target_rows(results),
        "question_columns": tables.QUESTION_COLUMNS,
        "question_rows": tables.question_rows(results),
        "execution_columns": tables.EXECUTION_COLUMNS,
        "execution_rows": tables.execution_rows(results),
        "speed_columns": tables.SPEED_COLUMNS,
        "speed_rows": tables.speed_rows(results),
        "speed_note": SPEED_NOTE,
        "disagreements": tables.disagreement_lines(results),
        "ladder": notes.ladder_lines(results),
        "score_order": rankings.order_lines(results.ranking.order) if results.ranking else [],
        "rankings": rankings.judge_blocks(results.ranking) if results.ranking else (),
        "sweeps": notes.sweep_lines(results),
        **_cross_tables(results),
    }


def _cross_tables(results: Results) -> dict[str, object]:
    return {
        "agreement_columns": notes.AGREEMENT_COLUMNS,
        "agreement_rows": notes.agreement_rows(results),
        "rank_columns": notes.rank_columns(results),
        "rank_rows": notes.rank_rows(results),
        "judge_lines": notes.judge_lines(results),
    }


def _basis(results: Results) -> str:
    """Return what every score of the table is relative to."""
    questions = max((len(arm.questions) for arm in results.arms), default=0)
    judge = f"by {', '.join(judge.name for judge in results.judges)}" if results.judges else "not judged"
    return (
        f"Score [interval], and below it what it rests on. On these {questions} questions, {results.samples} answers each, {judge}, "
        f"{audit_words(results)}. {tables.HOW_TO_READ}"
    )


def _plots(figure: Figure) -> list[Markup]:
    """Return the drawn panels. The drawing library is loaded here: it takes longer than everything else together."""
    if not figure.panels:
        return []
    from judge.report.plots import draw

    names = [f"{figure.id}-{index}" for index in range(len(figure.panels))]
    return [
        Markup(inline_svg(draw(panel, name), name, f"{figure.title}: {panel.title}", description(figure, panel)))
        for name, panel in zip(names, figure.panels, strict=True)
    ]


def description(figure: Figure, panel: Panel) -> str:
    """Return a plot in words: how to read it, and what it shows."""
    return f"{figure.caption} {in_words(panel)}"


def _launches(results: Results) -> list[tuple[str, ...]]:
    return [
        (
            arm.id,
            str(launch.experts_used or tables.NONE),
            str(launch.n_ctx or tables.NONE),
            ", ".join(f"{key}={value}" for key, value in launch.overrides.items()) or "none",
            shlex.join(launch.command),
        )
        for arm in results.arms
        for launch in arm.launches[-1:]
    ]
