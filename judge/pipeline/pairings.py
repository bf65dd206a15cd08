"""Which comparisons of two answers a run wants of a judge, and which are owed: streamed from the store in batches, never all at once.

Two answers meet when they are of the same question and sample, by arms that are to be compared; each two are shown in both orders,
and every order is a unit of its own.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from judge.checks.checking import Evidence
from judge.grounding import findings, shown_hash
from judge.pairs import PairCall, Shown, Winner, pair_key
from judge.pipeline.scorings import BATCH, stored_evidence
from judge.plan import each_wanted_key, questions_of
from judge.prefilter import foregone
from judge.records import RankingRecord, RunRecord
from judge.store import Store
from judge.types import Question

ArmPair = tuple[str, str]
"""Ids of two arms, in no particular order."""


class Contest(NamedTuple):
    """The comparisons of a run that one judge is asked for."""

    run: RunRecord
    ranking: RankingRecord
    pairs: Sequence[ArmPair]
    """The arms whose answers meet."""


class PairTask(NamedTuple):
    """One comparison; not a ``Value``, as there may be hundreds of thousands."""

    question: Question
    sample: int
    arms: ArmPair
    """In the order in which their answers are shown."""
    answers: tuple[str, str]
    """Keys of the answers, in that order."""
    call: PairCall
    told: tuple[str, str]
    """What the judge is told about executing each; empty: nothing."""

    @property
    def key(self) -> str:
        """Identity of the comparison."""
        return pair_key(*self.answers, self.call)


class OwedPair(NamedTuple):
    """A comparison that is owed, with the two texts."""

    task: PairTask
    texts: tuple[str, str]

    @property
    def foregone(self) -> Winner | None:
        """What comes of it without asking anybody; ``None``: a judge is needed."""
        return foregone(*self.texts)

    @property
    def shown(self) -> tuple[Shown, Shown]:
        """The two answers as they are put before the judge."""
        one, other = (Shown(*parts) for parts in zip(self.task.answers, self.texts, self.task.told, strict=True))
        return one, other


def wanted_pairings(contest: Contest, store: Store) -> Iterator[list[PairTask]]:
    """Yield every comparison that is wanted, batch by batch, neighbours sharing as much of their prompt as possible.

    A local judge keeps the state of its last prompt: it finds the question again within a question, and the first answer
    within all comparisons that show it first.
    """
    places = _places(contest)
    while batch := list(itertools.islice(places, BATCH)):
        evidence = _evidence(contest, batch, store)
        yield [_task(contest, place, evidence) for place in batch]


def owed_pairings(contest: Contest, store: Store) -> Iterator[OwedPair]:
    """Yield the comparisons that are not stored, of answers that are both stored and can be judged."""
    for tasks in wanted_pairings(contest, store):
        owed = _not_stored(tasks, store)
        keys = dict.fromkeys(key for task in owed for key in task.answers)
        texts = {key: answer.text for key, answer in store.answers(keys) if answer.scorable}
        for task in owed:
            one, other = task.answers
            if one in texts and other in texts:
                yield OwedPair(task, (texts[one], texts[other]))


def count_owed_pairings(contest: Contest, store: Store) -> int:
    """Return how many comparisons are owed, without reading an answer."""
    return sum(len(askable(_not_stored(tasks, store), store)) for tasks in wanted_pairings(contest, store))


def askable(tasks: Sequence[PairTask], store: Store) -> list[PairTask]:
    """Return those of ``tasks`` whose answers are both stored and can be judged."""
    scorable = store.scorable_answers(dict.fromkeys(key for task in tasks for key in task.answers))
    return [task for task in tasks if scorable.issuperset(task.answers)]


def _not_stored(tasks: Sequence[PairTask], store: Store) -> list[PairTask]:
    keys = {task.key: task for task in tasks}
    stored = store.stored_comparisons(keys)
    return [task for key, task in keys.items() if key not in stored]


class _Place(NamedTuple):
    question: Question
    sample: int
    arms: ArmPair
    answers: tuple[str, str]


def _places(contest: Contest) -> Iterator[_Place]:
    run, meeting = contest.run, {frozenset(pair) for pair in contest.pairs}
    records = [record for record in run.arms if any(record.arm.id in pair for pair in meeting)]
    for question in questions_of(run):
        keys = {one.arm.id: [wanted.key for wanted in each_wanted_key(run, one, [question])] for one in records}
        for sample in range(max(map(len, keys.values()), default=0)):
            there = {arm: of[sample] for arm, of in keys.items() if sample < len(of)}
            for arms in itertools.permutations(there, 2):
                if frozenset(arms) in meeting:
                    yield _Place(question, sample, arms, (there[arms[0]], there[arms[1]]))


def _evidence(contest: Contest, places: Sequence[_Place], store: Store) -> Mapping[str, Evidence]:
    if contest.ranking.blind:
        return {}
    return stored_evidence(contest.run, ((place.question.id, key) for place in places for key in place.answers), store)


def _task(contest: Contest, place: _Place, evidence: Mapping[str, Evidence]) -> PairTask:
    judge = contest.ranking.judge
    first, second = (evidence.get(key) for key in place.answers)
    call = PairCall(
        judge=judge.name,
        judge_fingerprint=judge.fingerprint,
        prompt_hash=contest.ranking.prompt_hash,
        rubric_hash=contest.run.suite.rubric_hash(place.question),
        first_evidence=shown_hash(first, place.question),
        second_evidence=shown_hash(second, place.question),
    )
    told = (findings(first, place.question), findings(second, place.question))
    return PairTask(*place, call=call, told=told)
