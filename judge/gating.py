"""A gate over stored runs: reads them, asks, and writes what a build server reads."""

from pathlib import Path

from judge.errors import UserError
from judge.gate import GateReport, GateRules, gate
from judge.places import Places
from judge.report.junit_xml import junit_xml
from judge.results import Results, build_results


def stored_results(places: Places, run_id: str) -> Results:
    """Compute the results of a stored run; its files stay as they are. Raises StoreError for an unknown run."""
    store = places.open_store()
    try:
        run, state = store.run(run_id)
        return build_results(run, state, store)
    finally:
        store.close()


def gated(places: Places, results: Results, rules: GateRules, against: str | None, junit: Path | None) -> GateReport:
    """Return what the gate says of ``results``, and write it as JUnit XML where that was asked for."""
    earlier = stored_results(places, against) if against else None
    if earlier and earlier.run_id == results.run_id:
        raise UserError(f"--against {against!r} is this very run; name an earlier one (see judge list)")
    report = gate(results, rules, earlier)
    if junit:
        write_junit(junit, results, report)
    return report


def write_junit(path: Path, results: Results, report: GateReport | None = None) -> None:
    """Write results and gate as JUnit XML; without a gate the default one is asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(junit_xml(results, report or gate(results, GateRules())), encoding="utf-8")


def gate_lines(report: GateReport) -> list[str]:
    """Return what a person reads: every finding, and how it ended."""
    warnings = [f"warning: {warning}" for warning in report.warnings]
    findings = [f"{finding.state:7} {finding.condition}: {finding.sentence}" for finding in report.findings]
    blocking = len(report.blocking)
    end = "gate passed" if report.passed else f"gate FAILED: {blocking} of {len(report.findings)} conditions"
    return [*warnings, *findings, f"{end} ({report.run_id})"]
