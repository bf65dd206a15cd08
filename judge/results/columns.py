"""The scores of many answers in columns: a few bytes a figure, where an ``AnswerScore`` with its mappings takes kilobytes. Pure.

Comparisons and judges against each other look at every answer of an arm, and there may be a hundred thousand. They get a sequence that
makes an answer when it is looked at; whoever keeps what it gives keeps the kilobytes.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from math import isnan, nan
from typing import NamedTuple, TypeVar, cast, overload

from judge.scoring import AnswerScore
from judge.types import Grade, Question

KEY_BYTES = 8
"""Of a unit's key of 16 hex digits."""
NOT_ASKED = 0.0
"""A judge's score of an answer that it was not asked about; scores are 1.0-5.0."""
SILENT, CANNOT_ASSESS = 0, 6
"""In place of a grade: nothing was said, or that it cannot be said."""

Figure = TypeVar("Figure", int, float)


class ScoredAnswer(NamedTuple):
    """One answer that can be scored, as comparisons take it."""

    key: str
    """Of its unit."""
    score: AnswerScore
    decode_tps: float | None


class ScoredAnswers(Sequence[ScoredAnswer]):
    """Answers of one arm, by sample and in one sample in the order in which they were given."""

    def __init__(self, questions: Sequence[Question], judges: Sequence[str]) -> None:
        """``questions``: all that the answers may be to; ``judges``: the names of all that may have scored them."""
        self._judges = tuple(judges)
        self._criteria = {question.id: tuple(one.id for one in question.criteria) for question in questions}
        self._question_ids = tuple(self._criteria)
        self._width = max(map(len, self._criteria.values()), default=0)
        self._keys, self._question, self._sample = bytearray(), array("H"), array("L")
        self._score, self._decode_tps, self._by_judge, self._means = (array("d") for _ in range(4))
        self._verdicts, self._limits = bytearray(), bytearray()
        self._order = array("L")

    def extend(self, answers: Iterable[ScoredAnswer]) -> None:
        """Add answers, in any order."""
        places = {question: place for place, question in enumerate(self._question_ids)}
        for one in answers:
            self._add(one, places)
        self._order = array("L", sorted(range(len(self._sample)), key=self._sample.__getitem__))

    def __len__(self) -> int:
        """Return how many answers there are."""
        return len(self._sample)

    @overload
    def __getitem__(self, index: int) -> ScoredAnswer: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ScoredAnswer]: ...

    def __getitem__(self, index: int | slice) -> ScoredAnswer | Sequence[ScoredAnswer]:
        """Make one answer, or a list of some."""
        if isinstance(index, slice):
            return [self._made(row) for row in self._order[index]]
        return self._made(self._order[index])

    @property
    def scores(self) -> Sequence[AnswerScore]:
        """What the answers were given, made when it is looked at."""
        return _Scores(self)

    @property
    def decode_tps(self) -> Sequence[float]:
        """Of each answer; NaN: not measured."""
        return array("d", (self._decode_tps[row] for row in self._order))

    # --- into columns ---

    def _add(self, one: ScoredAnswer, places: Mapping[str, int]) -> None:
        given = one.score
        criteria = self._criteria[given.question_id]
        self._keys += bytes.fromhex(one.key)
        self._question.append(places[given.question_id])
        self._sample.append(given.sample)
        self._score.append(_or_nan(given.score))
        self._decode_tps.append(_or_nan(one.decode_tps))
        self._means.extend(_padded([given.criteria.get(name, nan) for name in criteria], nan, self._width))
        self._limits += bytes(_padded([given.limits.get(name, SILENT) for name in criteria], SILENT, self._width))
        for judge in self._judges:
            said = given.verdicts.get(judge, {})
            self._by_judge.append(_or_nan(given.by_judge[judge]) if judge in given.by_judge else NOT_ASKED)
            self._verdicts += bytes(_padded([_code(said, name) for name in criteria], SILENT, self._width))

    # --- and back ---

    def _made(self, row: int) -> ScoredAnswer:
        question = self._question_ids[self._question[row]]
        criteria, cells = self._criteria[question], slice(row * self._width, (row + 1) * self._width)
        asked = [(at, judge) for at, judge in enumerate(self._judges, row * len(self._judges)) if self._by_judge[at]]
        score = AnswerScore(
            question_id=question,
            sample=self._sample[row],
            score=_or_none(self._score[row]),
            criteria={c: mean for c, mean in zip(criteria, self._means[cells], strict=False) if not isnan(mean)},
            by_judge={judge: _or_none(self._by_judge[at]) for at, judge in asked},
            verdicts={judge: self._said(criteria, at) for at, judge in asked},
            limits={c: cast(Grade, limit) for c, limit in zip(criteria, self._limits[cells], strict=False) if limit},
        )
        key = self._keys[row * KEY_BYTES : (row + 1) * KEY_BYTES].hex()
        return ScoredAnswer(key, score, _or_none(self._decode_tps[row]))

    def _said(self, criteria: Sequence[str], at: int) -> dict[str, Grade | None]:
        codes = self._verdicts[at * self._width : (at + 1) * self._width]
        return {
            criterion: None if code == CANNOT_ASSESS else cast(Grade, code)
            for criterion, code in zip(criteria, codes, strict=False)
            if code != SILENT
        }


class _Scores(Sequence[AnswerScore]):
    def __init__(self, answers: ScoredAnswers) -> None:
        self._answers = answers

    def __len__(self) -> int:
        return len(self._answers)

    @overload
    def __getitem__(self, index: int) -> AnswerScore: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[AnswerScore]: ...

    def __getitem__(self, index: int | slice) -> AnswerScore | Sequence[AnswerScore]:
        if isinstance(index, slice):
            return [one.score for one in self._answers[index]]
        return self._answers[index].score


def _padded(known: list[Figure], filling: Figure, width: int) -> list[Figure]:
    return known + [filling] * (width - len(known))


def _code(said: Mapping[str, Grade | None], criterion: str) -> int:
    return (said[criterion] or CANNOT_ASSESS) if criterion in said else SILENT


def _or_nan(value: float | None) -> float:
    return nan if value is None else value


def _or_none(value: float) -> float | None:
    return None if isnan(value) else value
