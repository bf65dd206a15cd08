"""What the report says in sentences: who fills each rung, which config to take, and what the judges say about each other."""

from collections.abc import Iterator
from itertools import zip_longest

from judge.cross import CrossJudging
from judge.report.tables import NONE, Rows
from judge.results import Results
from judge.stats.agreement import Agreement
from judge.stats.figures import Coefficient, Refused
from judge.stats.self_preference import SelfPreference


def ladder_lines(results: Results) -> list[str]:
    """Return one line a rung of the escalation ladder, the lowest first; none without a judge."""
    return [rung.sentence for rung in results.ladder]


def sweep_lines(results: Results) -> list[str]:
    """Return the recommendation for every candidate that was run in several configs, and each config against its baseline."""
    return [
        line
        for sweep in results.sweeps
        for line in (
            f"{sweep.candidate}: take {sweep.recommended}: {sweep.reason}",
            *(comparison.sentence for comparison in sweep.comparisons),
        )
    ]


AGREEMENT_COLUMNS = (
    "Judges", "Criteria scored", "Alpha (ordinal)", "QWK", "AC2", "Tau-b", "Exact", "Within 1", "Bias", "Fives",
)  # fmt: skip


def agreement_rows(results: Results) -> Rows:
    """Return how far all judges agree, and every two of them; none with fewer than two."""
    if results.cross is None:
        return []
    known = [results.cross.overall, *(pair.agreement for pair in results.cross.pairs)]
    rows = [_agreement_row(one) for one in known if one]
    return [row for index, row in enumerate(rows) if row not in rows[:index]]  # two judges are all judges


def _agreement_row(found: Agreement) -> list[str]:
    return [
        ", ".join(found.raters),
        str(found.units),
        _figure(found.alpha),
        _coefficient(found.qwk),
        _coefficient(found.ac2),
        _figure(found.tau_b),
        f"{found.exact:.0%}",
        f"{found.within_one:.0%}",
        NONE if found.bias is None else f"{found.bias:+.2f}",
        f"{found.top_share:.0%}",
    ]


def _figure(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def _coefficient(found: Coefficient | None) -> str:
    return _figure(found.value if found else None)


def rank_columns(results: Results) -> tuple[str, ...]:
    """Return the heads of ``rank_rows``: by all judges, and without each of them."""
    without = results.cross.ranks.without if results.cross else {}
    return ("Place", "By all judges", *(f"Without {judge}" for judge in without))


def rank_rows(results: Results) -> Rows:
    """Return one row a place with the arm that takes it; none where there is no order to lose."""
    if results.cross is None or len(results.cross.ranks.ranking) < 2:
        return []
    rankings = (results.cross.ranks.ranking, *results.cross.ranks.without.values())
    places = zip_longest(*rankings, fillvalue=NONE)  # an arm that nobody else scored is in no order without its judge
    return [[str(place), *arms] for place, arms in enumerate(places, start=1)]


def judge_lines(results: Results) -> list[str]:
    """Return severity, self-preference, ranks and the worth of the panel, a line each; none with fewer than two judges."""
    return list(_judge_lines(results.cross)) if results.cross else []


def _judge_lines(cross: CrossJudging) -> Iterator[str]:
    for judge, severity in cross.severity.items():
        yield f"{judge} scores {abs(severity):.2f} points {'under' if severity < 0 else 'over'} the panel, own family left out"
    for judge, found in cross.self_preference.items():
        yield f"{judge}, self-preference: {_preference(found)}"
    decisive = cross.ranks.decisive_judges
    yield "ranks: " + (
        f"without {' or '.join(decisive)} the order changes" if decisive else "no single judge decides the order"
    )
    if cross.effective_judges is not None:
        yield (
            f"the {len(cross.judges)} judges are worth {cross.effective_judges:.1f} independent ones (their errors correlate by "
            f"{cross.error_correlation:.2f})"
        )


def _preference(found: SelfPreference | Refused) -> str:
    if isinstance(found, Refused):
        return found.reason
    interval = f" [{found.interval.low:+.2f}, {found.interval.high:+.2f}]" if found.interval else ""
    return f"{found.delta:+.2f}{interval} points{', FLAGGED' if found.flagged else ''}"
