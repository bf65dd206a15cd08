"""What happens when the work of a run is done: whether it goes on, its figures, its files and what is printed of them."""

import sys
from collections.abc import Collection
from pathlib import Path

from judge import report
from judge.conduct import Further
from judge.further import escalated, sampled_further
from judge.pipeline import Machinery, count_owed_answers, count_owed_checks, count_owed_scorings, only_exam_owed
from judge.places import Places, run_folder
from judge.printed import print_table
from judge.records import RunRecord
from judge.results import Results, build_results, read_scored
from judge.results.against import disputed
from judge.store import Store


def wanted_further(run: RunRecord, store: Store, further: Further) -> RunRecord | None:
    """Return the run with what it goes on to want, and write that down; ``None`` when it has all it wants."""
    wanted = None
    if further.escalate_to is not None:
        wanted = escalated(run, further.escalate_to, disputed(read_scored(run, store), further.spread))
    if wanted is None and further.max_samples is not None:
        decisions = [arm.decisions for arm in build_results(run, "running", store).arms]
        wanted = sampled_further(run, decisions, further.max_samples)
    if wanted is not None:
        store.extend_run(wanted)
    return wanted


def is_owing(run: RunRecord, store: Store, phases: Collection[str], machinery: Machinery) -> bool:
    """True when one of ``phases`` (collect, check, score) has not come to its end. Reads keys, and computes no figures."""
    left = {
        "collect": lambda: any(count_owed_answers(run, record, store) for record in run.arms if record.model),
        "check": lambda: bool(run.checks) and count_owed_checks(run, store) > 0,
        "score": lambda: any(
            count_owed_scorings(run, judge, store) or only_exam_owed(run, judge, store, machinery)
            for judge in run.judges
        ),
    }
    return any(left[phase]() for phase in phases)


def count_owed_exams(run: RunRecord, store: Store, machinery: Machinery) -> int:
    """Return how many judges of the run were to be examined, have scores, and were not."""
    return sum(only_exam_owed(run, judge, store, machinery) for judge in run.judges)


def finish(run: RunRecord, store: Store, folder: Path, *, page: bool = False, owed_exams: int = 0) -> Results:
    """Compute the results, say in the store how the run ended, and write its files; ``page``: report.html too."""
    results = build_results(run, store.run(run.id)[1], store).model_copy(update={"owed_exams": owed_exams})
    if results.state == "running":
        results = results.model_copy(update={"state": "complete" if results.complete else "incomplete"})
        store.set_run_state(run.id, results.state)
    report.write_files(run, results, store, folder)
    if page:
        report.write_page(results, folder)
    return results


def load_results(places: Places, run_id: str) -> tuple[RunRecord, Results]:
    """Compute the results of a stored run anew and write its files again."""
    store = places.open_store()
    try:
        run, state = store.run(run_id)
        results = build_results(run, state, store)
        folder = run_folder(places, run.id)
        report.write_files(run, results, store, folder)
        report.write_page(results, folder)
    finally:
        store.close()
    return run, results


def print_results(results: Results, folder: Path) -> None:
    """Print the tables of a run to stdout and where its files are to stderr."""
    sys.stdout.write(report.trust_line(results) + "\n")
    print_table("Results", list(report.PLAN_COLUMNS), report.plan_rows(results))
    sys.stdout.write(report.HOW_TO_READ + "\n")
    print_table("Speed", list(report.SPEED_COLUMNS), report.speed_rows(results))
    for arm in results.arms:
        for line in arm.failures:
            sys.stderr.write(f"missing: {arm.id}: {line}\n")
    if not results.complete:
        sys.stderr.write(f"incomplete: {results.owed_text} are owed; the same command again asks for exactly these\n")
    sys.stderr.write(f"files: {folder}\n")
