"""What takes long to compute of a run, computed: its report with the plots, what labels changed, two arms side by side.

It runs in the process of ``workshop`` and imports nothing of the service, so that the process starts soon. Everything comes back as
text or values that can be sent between processes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from judge.paired_arms import PairedArms, find_arm, pair_arms
from judge.records import RunRecord
from judge.report.html_report import cross_body, report_body
from judge.results import build_results, read_coverages
from judge.results.standing import standings_of
from judge.review import summary
from judge.review.effect import Effect, effect
from judge.review.reading import labelled_of
from judge.store import Store, utc_now

Kind = Literal["report", "labels", "arms"]


@dataclass(frozen=True)
class Order:
    """What is to be computed."""

    kind: Kind
    runs: tuple[str, ...]
    """Ids of the runs that it is computed from."""
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """What was computed, and of what."""

    stamp: tuple[str, ...]
    """Of each run, read before anything else was: if something was written meanwhile, this is not the stamp of now."""
    at: str
    """UTC, ISO 8601: when the stamp was read."""
    what: object

    @property
    def report(self) -> "Report":
        """What came of an order of this kind."""
        assert isinstance(self.what, Report)
        return self.what

    @property
    def labels(self) -> "Labels":
        """What came of an order of this kind."""
        assert isinstance(self.what, Labels)
        return self.what

    @property
    def arms(self) -> PairedArms:
        """What came of an order of this kind."""
        assert isinstance(self.what, PairedArms)
        return self.what


class Report(NamedTuple):
    """The report of a run."""

    results: str
    """JSON, as ``judge report --json`` prints it."""
    body: str
    """Sections of the page."""
    cross: str
    """JSON of what its judges say about each other; ``null`` with fewer than two."""
    cross_body: str
    """The same as sections of a page; empty with fewer than two."""
    effective_judges: float | None
    """How many independent judges they are worth; ``None``: not known."""


class Table(NamedTuple):
    """A table of a page."""

    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]


class Labels(NamedTuple):
    """What people's labels say of the judges of a run, and what they change."""

    audit: list[str]
    tables: list[Table]
    decisions: list[str]
    turned: bool
    """True when any decision is another one now."""
    roles: Table


def make(where: str, order: Order) -> Made:
    """Compute what was ordered from the store at a path or URL. Raises StoreError when that cannot be used."""
    store = Store.open(where)
    try:
        at, stamp = utc_now(), stamps(store, order)
        return Made(stamp=stamp, at=at, what=_MAKERS[order.kind](store, order))
    finally:
        store.close()


def stamps(store: Store, order: Order) -> tuple[str, ...]:
    """Return the identity of everything that the order is computed from, as the store has it now."""
    return tuple(store.stamp(*store.run(run_id)) for run_id in order.runs)


def _report(store: Store, order: Order) -> Report:
    results = build_results(*store.run(order.runs[0]), store)
    return Report(
        results=results.model_dump_json(),
        body=str(report_body(results)),
        cross=results.cross.model_dump_json() if results.cross else "null",
        cross_body=str(cross_body(results)) if results.cross else "",
        effective_judges=results.cross.effective_judges if results.cross else None,
    )


def _labels(store: Store, order: Order) -> Labels:
    run, _ = store.run(order.runs[0])
    found = effect(labelled_of(run, store, standings_of(run, store)), run.suite)
    coverages = read_coverages(run, store)
    return Labels(
        audit=list(summary.audit_lines(found.audit)),
        tables=_label_tables(found, coverages),
        decisions=list(summary.decision_lines(found)),
        turned=any(role.changed for role in found.roles),
        roles=Table("Roles", summary.ROLE_COLUMNS, summary.role_rows(found)),
    )


def _label_tables(found: Effect, coverages: summary.Coverages) -> list[Table]:
    return [
        Table(
            "Judges against people, audited units only",
            summary.AGREEMENT_COLUMNS,
            summary.agreement_rows(found.audit),
        ),
        Table("Correction by the audit", summary.BIAS_COLUMNS, summary.bias_rows(found.audit, coverages)),
        Table("Tier scores that moved", summary.CHANGE_COLUMNS, summary.change_rows(found, coverages)),
    ]


def _arms(store: Store, order: Order) -> object:
    left, right, margin = order.arguments
    runs = order.runs

    def run_of(run_id: str) -> RunRecord:
        return store.run(run_id)[0]

    return pair_arms(store, find_arm(run_of, left, runs[0]), find_arm(run_of, right, runs[-1]), float(margin))


_MAKERS: Mapping[Kind, Callable[[Store, Order], object]] = {"report": _report, "labels": _labels, "arms": _arms}
