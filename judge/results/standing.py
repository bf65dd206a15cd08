"""What the exams say of the judges of a run. Reads the store."""

from collections.abc import Mapping, Sequence

from judge.exam.result import Qualification
from judge.panel import Standing
from judge.pipeline import qualification_of
from judge.records import JudgeRecord, RunRecord
from judge.store import Store
from judge.types import Suite

NOT_EXAMINED = "not examined: how well it tells right from wrong is unknown"


def standing_of(run: RunRecord, judge: JudgeRecord, store: Store) -> tuple[Standing, str]:
    """Return a judge's standing on the questions of ``run``, and the reason in words."""
    return standing_on(run.suite, run.question_ids, judge, store)


def standing_on(suite: Suite, question_ids: Sequence[str], judge: JudgeRecord, store: Store) -> tuple[Standing, str]:
    """Return a judge's standing on questions of a suite, and the reason in words."""
    found = qualification_of(store, judge, suite, question_ids)
    return (_standing(found), found.reason) if found else (Standing.NOT_EXAMINED, NOT_EXAMINED)


def standings_of(run: RunRecord, store: Store) -> Mapping[str, Standing]:
    """Return judge fingerprint -> standing."""
    return {judge.fingerprint: standing_of(run, judge, store)[0] for judge in run.judges}


def _standing(found: Qualification) -> Standing:
    if found.full:
        return Standing.QUALIFIED
    if found.logic:
        return Standing.LOGIC_ONLY
    return Standing.STYLE_ONLY if found.style else Standing.NOT_QUALIFIED
