"""Which scorings a run wants of a judge, and which of them are owed: streamed from the store in batches, never all at once."""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from judge.checks.checking import Evidence
from judge.grounding import shown_hash
from judge.lineage import is_self
from judge.plan import each_wanted_key, questions_of
from judge.prefilter import is_no_answer
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.store import Store
from judge.types import JudgeCall, Question
from judge.units import evidence_key, judgement_key
from runner.types import Value

BATCH = 128
"""Answers that are looked up and held at a time: a look-up of more would keep replies waiting."""


class JudgeTask(Value):
    """One answer that a judge owes a scoring of."""

    arm_id: str
    question: Question
    answer_key: str
    call: JudgeCall
    evidence: Evidence | None
    """What the judge is shown of the execution; ``None``: nothing."""

    @functools.cached_property
    def key(self) -> str:
        """Identity of the judgement."""
        return judgement_key(self.answer_key, self.call)


class OwedTask(NamedTuple):
    """A scoring that is owed, with the answer's text; not a ``Value``, as there may be hundreds of thousands."""

    task: JudgeTask
    text: str

    @property
    def needs_judge(self) -> bool:
        """False for a text that is no answer: that is the lowest score without asking anybody."""
        return not is_no_answer(self.text)


class Place(NamedTuple):
    """An answer that is wanted, and what of a scoring of it does not depend on the answer."""

    arm_id: str
    question: Question
    answer_key: str
    call: JudgeCall
    """Blind."""


EvidenceOf = Callable[[Sequence[Place]], Mapping[str, Evidence]]


def wanted_scorings(run: RunRecord, judge: JudgeRecord, evidence: Mapping[str, Evidence]) -> Iterator[JudgeTask]:
    """Yield every scoring that the run wants, neighbours sharing as much of their prompt as possible.

    A local judge keeps the state of its last prompt. Asked for all criteria at once it finds the same text up to the answer again
    within (replicate, question); asked for one at a time, up to the criterion within (question, answer).
    """
    for batch in _wanted(run, judge, lambda _: evidence):
        yield from batch


def owed_scorings(run: RunRecord, judge: JudgeRecord, store: Store) -> Iterator[OwedTask]:
    """Yield the scorings that are not stored, of answers that are stored and can be scored, in the order of ``wanted_scorings``."""
    for batch in _wanted(run, judge, lambda places: _stored_evidence(run, places, store)):
        tasks = {task.key: task for task in batch}
        stored = store.stored_judgements(tasks)
        owed = [task for key, task in tasks.items() if key not in stored]
        texts = {key: a.text for key, a in store.answers(dict.fromkeys(t.answer_key for t in owed)) if a.scorable}
        yield from (OwedTask(task, texts[task.answer_key]) for task in owed if task.answer_key in texts)


def count_owed_scorings(run: RunRecord, judge: JudgeRecord, store: Store) -> int:
    """Return how many scorings are owed, without reading an answer."""
    count = 0
    for batch in _wanted(run, judge, lambda places: _stored_evidence(run, places, store)):
        tasks = {task.key: task for task in batch}
        stored = store.stored_judgements(tasks)
        owed = [task.answer_key for key, task in tasks.items() if key not in stored]
        scorable = store.scorable_answers(dict.fromkeys(owed))
        count += sum(answer_key in scorable for answer_key in owed)
    return count


def has_scorings(run: RunRecord, judge: JudgeRecord, store: Store) -> bool:
    """True when any scoring that the run wants is stored."""
    wanted = _wanted(run, judge, lambda places: _stored_evidence(run, places, store))
    return any(store.stored_judgements(task.key for task in batch) for batch in wanted)


def scorings_of(judge: JudgeRecord, places: Iterable[Place], evidence: Mapping[str, Evidence]) -> list[JudgeTask]:
    """Return the scorings by ``judge`` that are wanted of these answers: with the evidence in sight, and blind as well where
    that is wanted."""
    return [task for place in places for task in _tasks(judge, place, evidence.get(place.answer_key))]


def judged_arms(run: RunRecord, judge: JudgeRecord) -> list[ArmRecord]:
    """Return the arms that this judge scores: not its own, unless that was allowed."""
    return [record for record in run.arms if judge.scores_itself or not is_self(judge, record)]


def _wanted(run: RunRecord, judge: JudgeRecord, evidence_of: EvidenceOf) -> Iterator[list[JudgeTask]]:
    places = _places(run, judge)
    while batch := list(itertools.islice(places, BATCH)):
        evidence = evidence_of(batch)
        yield scorings_of(judge, batch, evidence)


def _places(run: RunRecord, judge: JudgeRecord) -> Iterator[Place]:
    rounds = [range(judge.replicates)] if judge.mode == "per_criterion" else [[r] for r in range(judge.replicates)]
    for replicates in rounds:
        for question in questions_of(run):
            calls = [judge_call(run, judge, question, replicate) for replicate in replicates]
            for record in judged_arms(run, judge):
                for key, _, _ in each_wanted_key(run, record, [question]):
                    if judge.is_asked_about(key):
                        yield from (Place(record.arm.id, question, key, call) for call in calls)


def judge_call(
    run: RunRecord, judge: JudgeRecord, question: Question, replicate: int, evidence: Evidence | None = None
) -> JudgeCall:
    """Return what identifies replicate ``replicate`` of this judge's scoring of an answer; evidence None: it judges blind."""
    return JudgeCall(
        judge=judge.name,
        judge_fingerprint=judge.fingerprint,
        prompt_hash=judge.prompt_hash,
        rubric_hash=run.suite.rubric_hash(question),
        mode=judge.mode,
        replicate=replicate,
        evidence=shown_hash(evidence, question),
    )


def _tasks(judge: JudgeRecord, place: Place, evidence: Evidence | None) -> Iterator[JudgeTask]:
    audited = judge.also_blind and evidence is not None and evidence.says_something
    for shown in [evidence, None] if audited else [evidence]:
        told = shown_hash(shown, place.question)
        call = place.call.model_copy(update={"evidence": told}) if told else place.call
        yield JudgeTask(
            arm_id=place.arm_id, question=place.question, answer_key=place.answer_key, call=call, evidence=shown
        )


def _stored_evidence(run: RunRecord, places: Sequence[Place], store: Store) -> dict[str, Evidence]:
    return stored_evidence(run, ((place.question.id, place.answer_key) for place in places), store)


def stored_evidence(run: RunRecord, answers: Iterable[tuple[str, str]], store: Store) -> dict[str, Evidence]:
    """Return answer key -> evidence by the run's own version of the checks; ``answers``: question id and answer key of each."""
    keys = dict.fromkeys(
        evidence_key(answer_key, run.checks[question_id])
        for question_id, answer_key in answers
        if question_id in run.checks
    )
    return dict(store.evidence(keys))
