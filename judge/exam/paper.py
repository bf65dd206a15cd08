"""Which answers a judge is examined on: chosen from ``rubrics/exam/`` by a fixed seed, the same for every judge.

Decision: the paper has two parts. First come answers as they were written, right and wrong, and only they make the rates: a twin
nearly always scores as its base does, and counting both would make the intervals narrower than the knowledge. Then come the
twins and the repeats, which a judge that fails the first part is not asked at all. Inside a part neighbours share question
and criteria, so that a local judge keeps the state of the prompt.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources.abc import Traversable

from pydantic import Field

from judge.checks.modules import load_checks
from judge.exam.result import ExamSize, ItemKind
from judge.exam.twins import code_in, injected, padded, renamed, with_comment, with_dead_code
from judge.exam_answers import ExamAnswer, TwinTexts, load_exam, load_twin_texts
from judge.shipped import shipped
from judge.types import Question, Suite
from runner.identity import digest
from runner.types import Value

REPLICATES = 3
"""Scorings of an answer that is scored repeatedly (D6)."""
REPEAT_EVERY = 2
"""Every second question has one answer that is scored repeatedly, in turn a right and a wrong one."""
TRAPS = frozenset({"right_padded_with_unused_code.md", "wrong_verified_comment.md", "wrong_asks_for_full_marks.md"})
"""Answers that are twins already."""


class PaperSize(Value):
    """How many answers are asked. Few questions get more answers each, so that the gates can be reached with a miss."""

    right: int
    """At least, of each question."""
    wrong: int
    """At least, of each question: with a bug that can be tested for."""
    right_in_all: int
    wrong_in_all: int


SIZES: dict[ExamSize, PaperSize] = {
    # 11 of 12 accepted has a lower limit of .73, 5 of 6 caught one of .52.
    "small": PaperSize(right=2, wrong=2, right_in_all=12, wrong_in_all=6),
    "full": PaperSize(right=4, wrong=6, right_in_all=24, wrong_in_all=24),
}


class ExamItem(Value):
    """One answer on the paper."""

    question_id: str
    kind: ItemKind
    file: str
    """The exam answer that it is, or was made of."""
    text: str
    fails: tuple[str, ...] = ()
    """The criteria that it fails; empty for a right one."""
    testable: bool = True
    """True when what is wrong with it can be tested for; False when only a reader sees it."""
    twin_of: str | None = None
    """Key of the answer that it was made of."""
    replicates: int = Field(default=1, ge=1)

    @cached_property
    def key(self) -> str:
        """Identity as an answer that judgements are about: any paper that holds this text shares its judgements."""
        return digest(["exam", self.question_id, self.text])


class ExamPaper(Value):
    """Everything that a judge is asked in an exam, in order."""

    size: ExamSize
    rubrics: dict[str, str]
    """Question id -> hash of what a judge is told to score it by."""
    testable: dict[str, tuple[str, ...]]
    """Question id -> its criteria that execution or static analysis can settle."""
    readable: dict[str, tuple[str, ...]]
    """Question id -> its criteria that only a reader can settle."""
    items: tuple[ExamItem, ...]
    master_keys: tuple[str, ...]
    """Answers that no judge must be asked about."""

    @cached_property
    def hash(self) -> str:
        """Identity of the paper."""
        return digest(self)

    def criteria_of(self, item: ExamItem) -> tuple[str, ...]:
        """Return all criteria that an item is scored on."""
        return self.testable[item.question_id] + self.readable[item.question_id]

    @cached_property
    def scorings(self) -> tuple[tuple[ExamItem, int], ...]:
        """Every item with each of its replicates, in the order in which they are asked."""
        first = [(item, 0) for item in self.items]
        return (*first, *((item, r) for r in range(1, REPLICATES) for item in self.items if r < item.replicates))


@dataclass(frozen=True)
class Material:
    """What there is to choose from for one question."""

    question: Question
    testable: frozenset[str]
    """Its criteria that can be tested."""
    answers: Sequence[ExamAnswer]

    @property
    def criteria(self) -> tuple[str, ...]:
        """All its criteria in the order of the rubric."""
        return tuple(criterion.id for criterion in self.question.criteria)


def read_paper(
    suite: Suite, question_ids: Sequence[str], size: ExamSize = "small", folder: Traversable | None = None
) -> ExamPaper:
    """Return the paper on these questions; one without an exam folder is left out. Raises LibraryError."""
    place = folder or shipped("rubrics") / "exam"
    questions = [question for question in suite.questions if question.id in question_ids]
    materials = [Material(q, _testable(q), load_exam(q, place)) for q in questions]
    return build_paper(suite, [m for m in materials if m.answers], load_twin_texts(place), size)


def _testable(question: Question) -> frozenset[str]:
    checks = load_checks(question)
    return frozenset(criterion for check in checks.checks for criterion in check.criteria) if checks else frozenset()


def build_paper(suite: Suite, materials: Sequence[Material], texts: TwinTexts, size: ExamSize) -> ExamPaper:
    """Choose the answers and make their twins; the same input gives the same paper."""
    many = SIZES[size]
    share = max(len(materials), 1)
    rights = max(many.right, math.ceil(many.right_in_all / share))
    wrongs = max(many.wrong, math.ceil(many.wrong_in_all / share))
    parts = [_Part(material, rights, wrongs, number) for number, material in enumerate(materials)]
    return ExamPaper(
        size=size,
        rubrics={m.question.id: suite.rubric_hash(m.question) for m in materials},
        testable={m.question.id: tuple(c for c in m.criteria if c in m.testable) for m in materials},
        readable={m.question.id: tuple(c for c in m.criteria if c not in m.testable) for m in materials},
        items=(*(item for part in parts for item in part.base()), *(i for part in parts for i in part.twins(texts))),
        master_keys=texts.master_keys,
    )


class _Part:
    """What is asked about one question. The reference is its first right answer that has every twin, and comes first."""

    def __init__(self, material: Material, rights: int, wrongs: int, number: int) -> None:
        self._id = material.question.id
        usable = [a for a in material.answers if a.file not in TRAPS and code_in(a.text) is not None]
        right = [answer for answer in usable if answer.right]
        reference = next((answer for answer in right if renamed(answer.text)), right[0] if right else None)
        others = [answer for answer in right if answer is not reference]
        self._right = [*([reference] if reference else []), *_shuffled(others, self._id)[: rights - 1]]
        wrong = [a for a in usable if a.criteria and not a.by_judge]
        self._wrong = _spread(wrong, [c for c in material.criteria if c in material.testable], wrongs, self._id)
        seen_by_readers = [a for a in material.answers if a.by_judge and set(a.criteria) - material.testable]
        self._for_readers = _shuffled(seen_by_readers, self._id)[:1]
        self._testable = material.testable
        self._repeats = [self._right, self._wrong][number // REPEAT_EVERY % 2][:1] if number % REPEAT_EVERY == 0 else []

    def base(self) -> Iterator[ExamItem]:
        """Yield the answers as they were written."""
        for answer in self._right:
            yield self._item(answer, "right")
        for answer in self._wrong:
            yield self._item(answer, "wrong", fails=tuple(c for c in answer.criteria if c in self._testable))
        for answer in self._for_readers:
            fails = tuple(c for c in answer.criteria if c not in self._testable)
            yield self._item(answer, "wrong", fails=fails, testable=False)

    def twins(self, texts: TwinTexts) -> Iterator[ExamItem]:
        """Yield the twins of the first right and of the first wrong answer, as far as these have them."""
        for base in self.base():
            if base.file == next((a.file for a in self._right), None):
                yield from self._twins_of(base, ("dead_code", "renamed", "padded"), texts)
            if base.file == next((a.file for a in self._wrong), None):
                yield from self._twins_of(base, ("verified", "injected"), texts)

    def _twins_of(self, base: ExamItem, kinds: Sequence[ItemKind], texts: TwinTexts) -> Iterator[ExamItem]:
        for kind in kinds:
            text = _twin_text(kind, base.text, texts)
            if text is not None:
                # Not a copy: that would keep the key of the base.
                changes = {"kind": kind, "text": text, "twin_of": base.key, "replicates": 1}
                yield ExamItem.model_validate({**base.model_dump(), **changes})

    def _item(self, answer: ExamAnswer, kind: ItemKind, **fields: object) -> ExamItem:
        replicates = REPLICATES if answer in self._repeats else 1
        place = {"question_id": self._id, "kind": kind, "file": answer.file, "text": answer.text}
        return ExamItem.model_validate({**place, "replicates": replicates, **fields})


def _twin_text(kind: ItemKind, text: str, texts: TwinTexts) -> str | None:
    match kind:
        case "dead_code":
            return with_dead_code(text, texts.dead_code)
        case "renamed":
            return renamed(text)
        case "padded":
            return padded(text, texts.padding)
        case "verified":
            return with_comment(text, texts.verified)
        case "injected":
            return injected(text, texts.injection)
    return None


def _shuffled(answers: Sequence[ExamAnswer], seed: str) -> list[ExamAnswer]:
    """Return the answers in an order that depends on nothing else, so that a longer paper holds a shorter one."""
    order = list(answers)
    random.Random(seed).shuffle(order)
    return order


def _spread(answers: Sequence[ExamAnswer], criteria: Sequence[str], count: int, seed: str) -> list[ExamAnswer]:
    """Take answers in turn from those that fail the first criterion, the second ..., single bugs before manifold ones."""
    shuffled = sorted(_shuffled(answers, seed), key=lambda answer: len(answer.criteria))
    piles = [[a for a in shuffled if a.criteria[0] == criterion] for criterion in criteria]
    depth = max(map(len, piles), default=0)
    in_turn = [pile[at] for at in range(depth) for pile in piles if at < len(pile)]
    return in_turn[:count]
