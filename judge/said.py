"""What judges said of stored answers, in numbers. Reads the store: all judgements of some answers at once, without what was written."""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from judge.checks.checking import Evidence
from judge.grounding import shown_hash
from judge.pipeline.scorings import judge_call
from judge.records import JudgeRecord, RunRecord
from judge.speed import Reuse, reuse
from judge.store import Store
from judge.store.judgements import Grading
from judge.types import Grade, Question, Verdict
from judge.units import judgement_keys

Verdicts = tuple[Verdict, ...]
"""Of one judgement, without what the judge wrote."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one judge said of some answers; answer key -> judgements, in the order of their replicates."""

    seen: dict[str, list[Verdicts]] = field(default_factory=dict)
    """Those that count."""
    blind: dict[str, list[Verdicts]] = field(default_factory=dict)
    """Those that were made without seeing the evidence, to audit the judge."""
    owed: list["Wanted"] = field(default_factory=list)
    """Every scoring that is wanted and not stored, whether the answer is stored or not."""
    told: list[Grading] = field(default_factory=list)
    """Everything that is wanted and stored."""

    def owed_units(self) -> Iterator[str]:
        """Yield the units of the scorings that are wanted and not stored."""
        return (one.unit for one in self.owed)

    @property
    def reuse(self) -> Reuse:
        """Prompt tokens that the judge's server took from the request before."""
        return reuse(self.told)


class Wanted(NamedTuple):
    """One scoring that is wanted of a judge."""

    answer: str
    """Key of the answer."""
    unit: str
    """Key of the judgement."""
    blind: bool
    """True for one that is made without seeing the evidence, to audit the judge."""


def read_said(
    run: RunRecord,
    question: Question,
    judges: Sequence[JudgeRecord],
    keys: Sequence[str],
    evidence: Mapping[str, Evidence],
    store: Store,
) -> dict[str, Said]:
    """Return judge fingerprint -> what it said of these answers to ``question``; ``evidence``: answer key -> what is stored of it."""
    # Evidence that is alike is one object: there are fewer of them than answers.
    hashes = {id(one): shown_hash(one, question) for one in {id(one): one for one in evidence.values()}.values()}
    shown = {key: hashes[id(one)] for key, one in evidence.items()}
    audited = {key for key, one in evidence.items() if one.says_something}
    wanted = {judge.fingerprint: list(_wanted(run, question, judge, keys, shown, audited)) for judge in judges}
    stored = dict(store.gradings(one.unit for each in wanted.values() for one in each))
    return {name: _sorted(each, stored) for name, each in wanted.items()}


def _wanted(
    run: RunRecord,
    question: Question,
    judge: JudgeRecord,
    keys: Iterable[str],
    shown: Mapping[str, str | None],
    audited: set[str],
) -> Iterator[Wanted]:
    units = [judgement_keys(judge_call(run, judge, question, replicate)) for replicate in range(judge.replicates)]
    for key in keys:
        if judge.is_asked_about(key):
            sight, is_audited = shown.get(key), key in audited
            for unit_of in units:
                yield Wanted(key, unit_of(key, sight), blind=is_audited and sight is None)
                if judge.also_blind and is_audited:
                    yield Wanted(key, unit_of(key, None), blind=True)


def _sorted(wanted: Iterable[Wanted], stored: Mapping[str, Grading]) -> Said:
    """Tell those that count from those that were made blind to audit the judge."""
    said = Said()
    for one in wanted:
        found = stored.get(one.unit)
        if found is None:
            said.owed.append(one)
            continue
        said.told.append(found)
        view = said.blind if one.blind else said.seen
        view.setdefault(one.answer, []).append(_shared(tuple([(v.criterion, v.score) for v in found.verdicts])))
    return said


@functools.lru_cache(maxsize=1024)
def _shared(scores: tuple[tuple[str, Grade | None], ...]) -> Verdicts:
    """Return the one copy of equal verdicts: most judgements of a question say what some other one did."""
    return tuple(_verdict(criterion, score) for criterion, score in scores)


@functools.lru_cache(maxsize=1024)
def _verdict(criterion: str, score: Grade | None) -> Verdict:
    """Return the one copy of this: there are six a criterion."""
    return Verdict(criterion=criterion, score=score, evidence="", reasoning="")
