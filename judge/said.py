"""What judges said of stored answers, in numbers. Reads the store: all judgements of some answers at once, without what was written.

A judgement is found by what identifies it and not by its unit's hash, as there may be a hundred thousand to hash.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from judge.checks.checking import Evidence
from judge.grounding import shown_hash
from judge.pipeline.scorings import judge_call
from judge.records import JudgeRecord, RunRecord
from judge.speed import Reuse, reuse
from judge.store import Store
from judge.store.judgements import Grading
from judge.types import Grade, JudgeCall, Question, Verdict
from judge.units import judgement_key

Verdicts = tuple[Verdict, ...]
"""Of one judgement, without what the judge wrote."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one judge said of some answers; answer key -> judgements, in the order of their replicates."""

    seen: dict[str, list[Verdicts]] = field(default_factory=dict)
    """Those that count."""
    blind: dict[str, list[Verdicts]] = field(default_factory=dict)
    """Those that were made without seeing the evidence, to audit the judge."""
    owed: list[tuple[str, JudgeCall]] = field(default_factory=list)
    """Answer key and call of every scoring that is wanted and not stored, whether the answer is stored or not."""
    told: list[Grading] = field(default_factory=list)
    """Everything that is wanted and stored."""

    def owed_units(self) -> Iterator[str]:
        """Yield the units of the scorings that are wanted and not stored."""
        return (judgement_key(answer, call) for answer, call in self.owed)

    @property
    def reuse(self) -> Reuse:
        """Prompt tokens that the judge's server took from the request before."""
        return reuse(self.told)


def read_said(
    run: RunRecord,
    question: Question,
    judges: Sequence[JudgeRecord],
    keys: Sequence[str],
    evidence: Mapping[str, Evidence],
    store: Store,
) -> dict[str, Said]:
    """Return judge fingerprint -> what it said of these answers to ``question``; ``evidence``: answer key -> what is stored of it."""
    stored = {
        (one.answer_unit, *_identity(one.call)): one for one in store.gradings(keys, [j.fingerprint for j in judges])
    }
    shown = {key: shown_hash(one, question) for key, one in evidence.items()}
    audited = {key for key, one in evidence.items() if one.says_something}
    return {
        judge.fingerprint: _sorted(_wanted(run, question, judge, keys, shown, audited), stored, audited)
        for judge in judges
    }


_Identity = tuple[str | int | None, ...]


def _identity(call: JudgeCall) -> _Identity:
    """Return what makes the call the same one; the judge's display name is not part of it."""
    return call.judge_fingerprint, call.prompt_hash, call.rubric_hash, call.mode, call.replicate, call.evidence


def _wanted(
    run: RunRecord,
    question: Question,
    judge: JudgeRecord,
    keys: Iterable[str],
    shown: Mapping[str, str | None],
    audited: set[str],
) -> Iterator[tuple[str, JudgeCall]]:
    calls = [judge_call(run, judge, question, replicate) for replicate in range(judge.replicates)]
    for key in keys:
        if judge.is_asked_about(key):
            sight = shown.get(key)
            for call in calls:
                yield key, call if sight is None else call.model_copy(update={"evidence": sight})
                if judge.also_blind and key in audited:
                    yield key, call


def _sorted(wanted: Iterable[tuple[str, JudgeCall]], stored: Mapping[_Identity, Grading], audited: set[str]) -> Said:
    """Tell those that count from those that were made blind to audit the judge."""
    said = Said()
    for key, call in wanted:
        found = stored.get((key, *_identity(call)))
        if found is None:
            said.owed.append((key, call))
            continue
        said.told.append(found)
        view = said.blind if call.evidence is None and key in audited else said.seen
        view.setdefault(key, []).append(tuple(_shared(one.criterion, one.score) for one in found.verdicts))
    return said


@functools.lru_cache(maxsize=4096)
def _shared(criterion: str, score: Grade | None) -> Verdict:
    """Return the one copy of equal verdicts: there are six a criterion."""
    return Verdict(criterion=criterion, score=score, evidence="", reasoning="")
