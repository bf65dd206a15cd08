"""What failed and is still owed, in words: what was repaired by a later attempt is no longer news. Reads the store."""

from collections.abc import Iterable, Mapping, Sequence

from judge.results.judged import Known
from judge.store import Store
from judge.types import JudgeFailure
from judge.units import AnswerUnit


def failed_scorings(known: Known, fingerprint: str, units: Mapping[str, AnswerUnit]) -> list[JudgeFailure]:
    """Return the newest failure of each scoring of these answers that one judge still owes."""
    return [failure for failure in known.failures.get(fingerprint, ()) if failure.answer_unit in units]


def failure_lines(
    known: Known, fingerprints: Sequence[str], units: Mapping[str, AnswerUnit], store: Store
) -> Iterable[str]:
    """Yield one line per failed answer or scoring of an arm that is still owed."""
    stored = store.stored_answers(units)
    latest = {key: answer for key, answer in store.answer_failures(units) if key not in stored}
    for answer in latest.values():
        yield f"{answer.prompt_id} sample {answer.sample}: {answer.state}: {answer.message}"
    for fingerprint in fingerprints:
        for failure in failed_scorings(known, fingerprint, units):
            question = units[failure.answer_unit].question_id
            yield f"{question}: judge {failure.call.judge} failed ({failure.kind}): {failure.message}"
