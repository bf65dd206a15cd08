"""What a run would do and how long it may take, without doing it; the time that is left is reckoned from the same plan."""

import sys

from judge.conduct import Conduct
from judge.places import Places
from judge.plan import Estimate, total_seconds
from judge.planning import plan_run
from judge.records import RunRecord
from judge.store import Store
from runner.types import Value


class DryRun(Value):
    """What a run would do."""

    estimates: tuple[Estimate, ...]
    """One a model, in the order in which they work."""
    loads: int
    """Servers that would be loaded."""
    seconds: float | None
    """Of all of it, without loading; ``None`` when nothing is known about some part."""


def dry_run(places: Places, run: RunRecord, conduct: Conduct) -> DryRun:
    """Return the plan of ``run`` without starting or storing anything."""
    store = places.open_store()
    try:
        plan = plan_of(places, run, store, conduct)
    finally:
        store.close()
    return DryRun(estimates=plan, loads=sum(part.loads for part in plan), seconds=total_seconds(plan))


def plan_of(places: Places, run: RunRecord, store: Store, conduct: Conduct) -> tuple[Estimate, ...]:
    """Return what a run would do, one part a model and phase, in the order in which they work."""
    expected = {entry.id: entry.expected_tps for entry in places.load_models().entries}
    return plan_run(run, store, expected, in_flight=conduct.concurrency, exam=conduct.exam)


def print_plan(plan: DryRun) -> None:
    """Print a dry run to stdout."""
    from judge.printed import print_table

    columns = ["Model", "Phase", "Load", "Owed", "Tokens", "t/s", "Speed from", "At a time", "Hours"]
    rows = [
        [
            part.arm,
            part.phase,
            "yes" if part.loads else "no",
            str(part.owed),
            str(part.tokens),
            f"{part.decode_tps:.1f}" if part.decode_tps else "-",
            part.source,
            f"{part.in_flight} (assumed)" if part.in_flight_assumed else str(part.in_flight),
            _hours(part.seconds) if part.owed else "0.00",
        ]
        for part in plan.estimates
    ]
    print_table("Plan", columns, rows)
    sys.stdout.write(f"{plan.loads} loads, {_hours(plan.seconds)} hours in all, without loading and executing\n")
    if any(part.phase == "exam" for part in plan.estimates):
        sys.stdout.write("exam: at most so many scorings; it ends as soon as it cannot be passed any more\n")
    if any(part.in_flight_assumed and part.owed for part in plan.estimates):
        sys.stdout.write(
            "assumed: one request at a time at each endpoint of a judge; it takes less time where they take more: "
            "say how many with --max-concurrency\n"
        )


def _hours(seconds: float | None) -> str:
    """Return seconds as hours for a table."""
    return "unknown" if seconds is None else f"{seconds / 3600:.2f}"
