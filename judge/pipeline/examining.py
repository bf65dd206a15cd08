"""Examine a judge that is open: have it score answers of known truth, unit by unit, and store what that shows.

The scorings are judgements like any other, about answers that are identified by their text: an exam that was killed asks for the
rest, and papers share what they have in common. The judge is told nothing of what executing the answers would show.
"""

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from judge.events import Event, Examined, ExamMarked, ExamUnfinished
from judge.exam.result import ExamResult, ExamSize, Qualification
from judge.exam.rules import GATES
from judge.pipeline.bench import OpenJudge
from judge.pipeline.shared import Counter, Machinery
from judge.records import JudgeRecord, RunRecord
from judge.store import Store
from judge.types import Grade, JudgeCall, JudgeFailure, Judgement, Suite
from judge.units import judgement_key
from runner.engines.local import run_batches
from runner.identity import digest
from runner.journal import about, note

if TYPE_CHECKING:
    from judge.exam.paper import ExamItem, ExamPaper

logger = logging.getLogger(__name__)

_Sheet = dict[tuple[str, int], dict[str, Grade | None] | None]


def qualification_of(
    store: Store, judge: JudgeRecord, suite: Suite, question_ids: Sequence[str]
) -> Qualification | None:
    """Return what the scores of ``judge`` for these questions may be used for; ``None``: it was not examined on all of them."""
    exam = exam_of(store, judge, suite, question_ids)
    return exam.qualification if exam else None


def exam_of(
    store: Store, judge: JudgeRecord, suite: Suite, question_ids: Sequence[str], size: ExamSize = "small"
) -> ExamResult | None:
    """Return the newest exam that covers these questions as they are today; a full one also counts where a small one would."""
    wanted = {question.id: suite.rubric_hash(question) for question in suite.questions if question.id in question_ids}
    asked = (judge.prompt_hash, judge.mode, digest(GATES))
    for exam in store.exams(judge.fingerprint):
        same = (exam.identity.prompt_hash, exam.identity.mode, exam.identity.gates) == asked
        if same and wanted.items() <= exam.rubrics.items() and exam.size in (size, "full"):
            return exam
    return None


def exam_owed(run: RunRecord, judge: JudgeRecord, store: Store, machinery: Machinery) -> bool:
    """True when the judge is to be examined, and was not on the questions of this run."""
    size = machinery.exam
    return size is not None and exam_of(store, judge, run.suite, run.question_ids, size) is None


def count_owed_exam(run: RunRecord, judge: JudgeRecord, store: Store, size: ExamSize) -> int:
    """Return how many scorings the exam of the judge on the questions of ``run`` takes at most: it ends as soon as it is lost."""
    if exam_of(store, judge, run.suite, run.question_ids, size) is not None:
        return 0
    from judge.exam.paper import read_paper  # here: see examine

    paper = read_paper(run.suite, run.question_ids, size)
    sheet = _stored_sheet(paper, judge, store)
    return sum(_place(*scoring) not in sheet for scoring in paper.scorings)


async def examine(
    run: RunRecord,
    judge: JudgeRecord,
    bench: OpenJudge,
    store: Store,
    machinery: Machinery,
) -> AsyncIterator[Event]:
    """Examine the judge on the questions of ``run``; stop where it can qualify for nothing any more.

    A request that is refused for good, by a filter for instance, is one without scores, as a reply is that is no verdict. An
    endpoint that fails, or a budget that ends, leaves the exam unfinished: what is missing is owed again, and nothing is concluded.
    """
    # Imported here because only an exam needs twins and statistics, and they take seconds to load.
    from judge.exam.marking import can_qualify, mark
    from judge.exam.paper import read_paper

    assert machinery.exam is not None
    paper = read_paper(run.suite, run.question_ids, machinery.exam)
    sheet = _stored_sheet(paper, judge, store)
    owed = [scoring for scoring in paper.scorings if _place(*scoring) not in sheet]
    counter, lacking = Counter(len(owed)), _Lacking(sheet)

    def worth_asking() -> "Iterator[tuple[ExamItem, int]]":
        for scoring in owed:
            if not can_qualify(paper, sheet):
                return
            yield scoring

    async def ask(scoring: "tuple[ExamItem, int]") -> ExamMarked:
        item, replicate = scoring
        question, call = run.suite.question(item.question_id), _call(paper, judge, item, replicate)
        with about(judgement_key(item.key, call)):
            place = {"question": item.question_id, "answer": item.key, "kind": item.kind}
            note(logger, "examining", judge=judge.name, replicate=replicate, **place)
            outcome = await bench.grade(question, item.key, item.text, call)
            _keep(run.id, outcome, store)
        lacking.take(_place(*scoring), outcome)
        return ExamMarked(
            judge=judge.name, question_id=item.question_id, kind=item.kind, done=counter.step(), owed=counter.owed
        )

    work = run_batches(machinery.budget.within(worth_asking()), ask, limit=bench.limit, grown=bench.grown)
    async with aclosing(work) as batches:
        async for batch in batches:
            for notice in bench.news():
                yield notice
            for event in batch:
                yield event
    lacking.settle_refused()
    left = sum(_place(*scoring) not in sheet for scoring in paper.scorings)
    if left and can_qualify(paper, sheet):
        yield ExamUnfinished(judge=judge.name, owed=left, message=lacking.said or "the budget is spent")
        return
    exam = mark(paper, judge, sheet)
    store.add_exam(run.id, exam)
    yield Examined(exam=exam)


class _Lacking:
    """Writes what comes of an exam's scorings into its sheet, and tells what an endpoint keeps back from what it cannot do now.

    A request that was refused for good is one without scores where the endpoint is seen to work for others: it is not owed for
    ever. Where everything is refused from some moment on, it may be the endpoint that broke, and nothing is concluded.
    """

    def __init__(self, sheet: _Sheet) -> None:
        self.said = ""
        """What the endpoint said when it failed last."""
        self._sheet = sheet
        self._refused: list[tuple[str, int]] = []
        self._works = self._fails = False

    def take(self, place: tuple[str, int], outcome: Judgement | JudgeFailure) -> None:
        """Write down what came of one scoring."""
        if isinstance(outcome, JudgeFailure) and outcome.kind in ("endpoint", "refused"):
            self.said = outcome.message
            self._fails = self._fails or outcome.kind == "endpoint"
            if outcome.kind == "refused":
                self._refused.append(place)
            return
        self._works = True
        self._sheet[place] = None if isinstance(outcome, JudgeFailure) else _scores(outcome)
        self._give_up_refused()

    def settle_refused(self) -> None:
        """Decide on what was refused last. When nothing else was asked, the handshake has just shown that the endpoint works."""
        if self._sheet and not self._works and not self._fails:
            self._give_up_refused()

    def _give_up_refused(self) -> None:
        self._sheet.update(dict.fromkeys(self._refused))
        self._refused.clear()


def _stored_sheet(paper: "ExamPaper", judge: JudgeRecord, store: Store) -> _Sheet:
    places = {judgement_key(item.key, _call(paper, judge, item, r)): _place(item, r) for item, r in paper.scorings}
    return {places[key]: _scores(judgement) for key, judgement in store.judgements(places)}


def _place(item: "ExamItem", replicate: int) -> tuple[str, int]:
    return item.key, replicate


def _call(paper: "ExamPaper", judge: JudgeRecord, item: "ExamItem", replicate: int) -> JudgeCall:
    return JudgeCall(
        judge=judge.name,
        judge_fingerprint=judge.fingerprint,
        prompt_hash=judge.prompt_hash,
        rubric_hash=paper.rubrics[item.question_id],
        mode=judge.mode,
        replicate=replicate,
    )


def _scores(judgement: Judgement) -> dict[str, Grade | None]:
    return {verdict.criterion: verdict.score for verdict in judgement.verdicts}


def _keep(run_id: str, outcome: Judgement | JudgeFailure, store: Store) -> None:
    if isinstance(outcome, JudgeFailure):
        store.add_judge_failure(run_id, outcome)
    else:
        store.add_judgement(run_id, outcome)
    note(logger, "stored", outcome=type(outcome).__name__, message=getattr(outcome, "message", None))
