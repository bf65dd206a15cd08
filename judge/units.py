"""The units of work: what makes an answer or a judgement the same one. Pure.

Resume is a set difference over these keys: a unit that is stored is never asked for again, and anything that could change the
result is part of the key, so a changed prompt, rubric, sampling or server setting is a new unit.
"""

import functools
from collections.abc import Callable

from judge.types import JudgeCall, Question
from runner.identity import canonical_json, digest, short_hash
from runner.types import Arm, Sampling, Value


class AnswerUnit(Value):
    """One generation that is wanted: sample g of one question by one arm."""

    arm: str
    """Fingerprint of the arm."""
    question_id: str
    prompt_hash: str
    sampling: Sampling
    """With the seed of this sample."""
    sample: int

    @functools.cached_property
    def key(self) -> str:
        """Identity of the unit."""
        return digest(self)


def answer_unit(arm: Arm, question: Question, sampling: Sampling, sample: int) -> AnswerUnit:
    """Return the unit of sample ``sample`` (0-based); ``sampling`` is the candidate's, without the sample's seed."""
    return AnswerUnit(
        arm=arm.fingerprint,
        question_id=question.id,
        prompt_hash=question.prompt_hash,
        sampling=sampling.for_sample(sample),
        sample=sample,
    )


def answer_keys(arm: Arm, question: Question, sampling: Sampling) -> Callable[[int], str]:
    """Return a function from a sample to the key of its unit: the same as ``answer_unit(...).key``, for when thousands are looked at.

    Sample and seed are all that differs, and their names in quotes can stand nowhere else in the JSON: inside a text they are escaped.
    """
    before, sample, after = canonical_json(answer_unit(arm, question, sampling, 0)).rpartition('"sample":0,')
    head, seed, tail = after.rpartition(f'"seed":{sampling.seed},')
    assert sample and seed, "every unit has a sample and a seed"

    def key(sample: int) -> str:
        return short_hash(f'{before}"sample":{sample},{head}"seed":{sampling.seed + sample},{tail}')

    return key


def evidence_key(answer_key: str, checks_hash: str) -> str:
    """Identity of what one version of the checks showed about one answer: the digest of the two, which are hex digits."""
    return short_hash(f'["{answer_key}","{checks_hash}"]')


def judgement_key(answer_key: str, call: JudgeCall) -> str:
    """Identity of one judge's scoring of one answer; the judge's display name is not part of it."""
    return judgement_keys(call)(answer_key, call.evidence)


def judgement_keys(call: JudgeCall) -> Callable[[str, str | None], str]:
    """Return a function from an answer and what is shown of its execution to the key of this call, whatever ``call`` was shown: the
    same as ``judgement_key``, for when thousands are looked for."""
    rest = _rest_of_call(call.judge_fingerprint, call.prompt_hash, call.rubric_hash, call.mode, call.replicate)

    def key(answer_key: str, evidence: str | None) -> str:
        shown = "null" if evidence is None else f'"{evidence}"'
        return short_hash(f'["{answer_key}",{{"evidence":{shown},{rest}]')

    return key


@functools.lru_cache
def _rest_of_call(judge_fingerprint: str, prompt_hash: str, rubric_hash: str, mode: str, replicate: int) -> str:
    """Return the JSON of a call from behind its evidence, which sorts first: a run has few of these, and one evidence an answer."""
    fields = {"judge_fingerprint": judge_fingerprint, "mode": mode, "prompt_hash": prompt_hash}
    return canonical_json({**fields, "replicate": replicate, "rubric_hash": rubric_hash})[1:]
