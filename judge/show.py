"""One run or one answer as text, with everything that was said of it."""

from collections.abc import Iterator

from judge.checks.checking import Evidence
from judge.errors import StoreError, UserError
from judge.grounding import failure_line
from judge.pairs import PairJudgement
from judge.places import Places
from judge.plan import questions_of, wanted_answers
from judge.records import ArmRecord, RunRecord
from judge.report import answer_text, markdown
from judge.results import build_results
from judge.scoring import answer_score
from judge.store import Store
from judge.types import Judgement, Question
from judge.units import AnswerUnit

MIN_ID_CHARS = 4


def run_rows(places: Places) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows of the table of runs, newest first."""
    store = places.open_store()
    try:
        runs = [store.run(run_id) for run_id in store.run_ids()]
    finally:
        store.close()
    rows = [
        [
            run.id,
            state,
            ", ".join(record.arm.id for record in run.arms),
            ", ".join(judge.name for judge in run.judges) or "-",
            str(run.samples),
        ]
        for run, state in runs
    ]
    return ["Run", "State", "Arms", "Judge", "Samples"], rows


def show_answer_or_run(places: Places, what: str) -> str:
    """Return the text for a run id, ``latest``, or an answer id (its start is enough). Raises UserError when it is neither."""
    store = places.open_store()
    try:
        if what == "latest" or what in store.run_ids():
            return _show_run(store, what)
        found = [hit for hit in _answers(store) if hit[2].key.startswith(what)] if len(what) >= MIN_ID_CHARS else []
        keys = {unit.key for _, _, unit, _ in found}
        if len(keys) != 1:
            raise UserError(
                f"{what!r} is {'no run and no answer' if not keys else f'the start of {len(keys)} answers'}; see judge list"
            )
        return "\n".join(_show_answer(store, *found[0]))
    finally:
        store.close()


Hit = tuple[ArmRecord, Question, AnswerUnit, RunRecord]


def _answers(store: Store) -> Iterator[Hit]:
    for run_id in store.run_ids():
        run, _ = store.run(run_id)
        yield from _answers_of(run)


def _answers_of(run: RunRecord) -> Iterator[Hit]:
    questions = {question.id: question for question in questions_of(run)}
    for record in run.arms:
        for unit in wanted_answers(run, record):
            yield record, questions[unit.question_id], unit, run


def _show_run(store: Store, run_id: str) -> str:
    run, state = store.run(run_id)
    lines = [markdown(build_results(run, state, store)), "## Answers", ""]
    stored = store.stored_answers(unit.key for _, _, unit, _ in _answers_of(run))
    for record, question, unit, _ in _answers_of(run):
        known = unit.key if unit.key in stored else "missing"
        lines.append(f"- {known} {record.arm.id} {question.id} sample {unit.sample}")
    return "\n".join(lines) + "\n"


def _show_answer(
    store: Store, record: ArmRecord, question: Question, unit: AnswerUnit, _run: RunRecord
) -> Iterator[str]:
    answers = list(store.answers([unit.key]))
    if not answers:
        raise StoreError(f"answer {unit.key} is not stored yet; the next run asks for it")
    yield answer_text(record, question, answers[0][1])
    for evidence in store.evidence_of(unit.key):
        yield from _show_evidence(evidence)
    for judgement in store.judgements_of(unit.key):
        yield from _show_judgement(question, judgement)
    for comparison in store.comparisons_of(unit.key):
        yield _show_comparison(unit.key, comparison)


def _show_comparison(answer_key: str, comparison: PairJudgement) -> str:
    place, other = ("first", comparison.second) if comparison.first == answer_key else ("second", comparison.first)
    outcome = "tie" if comparison.winner == "tie" else "preferred" if comparison.winner == place else "not preferred"
    return f"- compared with {other} by {comparison.call.judge}, shown {place}: {outcome}: {comparison.reasoning}"


def _show_evidence(evidence: Evidence) -> Iterator[str]:
    yield f"\n## Executed ({evidence.isolation}): {evidence.state}{f': {evidence.message}' if evidence.message else ''}"
    yield f"called as: {evidence.entry_point or '-'}"
    yield from (f"note: {note}" for note in evidence.notes)
    for check in evidence.checks:
        said = (
            failure_line(check)
            if check.outcome == "fail"
            else f"{check.id}{f': {check.reason}' if check.reason else ''}"
        )
        yield f"- {check.outcome} [{', '.join(check.criteria)}] {said}"


def _show_judgement(question: Question, judgement: Judgement) -> Iterator[str]:
    score = answer_score(question, judgement.verdicts)
    sight = "blind" if judgement.call.evidence is None else "evidence in sight"
    shown = f"{score:.2f}" if score is not None else "cannot assess"
    yield f"\n## {judgement.call.judge}, replicate {judgement.call.replicate}, {sight}: {shown}"
    for verdict in judgement.verdicts:
        yield f"- {verdict.criterion}: {verdict.score or 'cannot assess'}: {verdict.reasoning}"
        if verdict.evidence:
            yield f"  evidence: {verdict.evidence}"
    yield ""
