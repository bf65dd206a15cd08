"""The queues of a run as its pages need them: which items, in which order. Costs little where a queue has tens of thousands."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from judge.plan import questions_of
from judge.ratings import AuditItem
from judge.records import RunRecord
from judge.review import queue, repair
from judge.review.desk import Line
from judge.store import Store
from judge.store.reviews import QueuedPlace
from judge.units import answer_keys


class Order(NamedTuple):
    """Ids of the items of a run, in the order in which they are to be rated."""

    audit: tuple[str, ...]
    repair: tuple[str, ...]


def order_of(run: RunRecord, store: Store) -> Order:
    """Read which items of either queue are about answers of the run by its own rubric, whichever run they were queued for."""
    rubrics = {question.id: run.suite.rubric_hash(question) for question in questions_of(run)}
    places = store.queued_places([record.arm.fingerprint for record in run.arms], list(rubrics.values()))
    mine = list(_of_run(run, rubrics, places))
    drawn = store.review_items(place.id for place in mine if place.reason is None)
    return Order(
        audit=tuple(item.id for item in queue.in_order([item for item in drawn if isinstance(item, AuditItem)])),
        repair=tuple(place.id for place in repair.in_order([place for place in mine if place.reason is not None])),
    )


def _of_run(run: RunRecord, rubrics: dict[str, str], places: Iterable[QueuedPlace]) -> Iterator[QueuedPlace]:
    """Yield those that the run wants: another run may have asked the same arm the same question with other sampling."""
    records = {record.arm.fingerprint: record for record in run.arms}
    questions = {question.id: question for question in questions_of(run)}
    known: dict[str, bool] = {}
    keys = {
        (arm, question.id): answer_keys(record.arm, question, record.sampling)
        for arm, record in records.items()
        for question in questions.values()
    }
    for place in places:
        if place.answer_unit not in known:
            record, question = records[place.arm], questions.get(place.question_id)
            known[place.answer_unit] = (
                question is not None
                and place.sample < run.samples_of(record, question)
                and keys[place.arm, place.question_id](place.sample) == place.answer_unit
            )
        if known[place.answer_unit] and rubrics.get(place.question_id) == place.rubric:
            yield place


def line_of(store: Store, order: Order) -> Line:
    """Return the items with everything that was said of them."""
    ids = {*order.audit, *order.repair}
    return Line(audit=order.audit, repair=order.repair, ratings=tuple(store.ratings_among(ids)))


class Orders:
    """The orders of some runs, kept for as long as nothing is queued; what is queued stays queued."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, tuple[object, Order]] = {}
        self._looked: object = None

    def line(self, run: RunRecord) -> Line:
        """Return the queue of a run as it is now."""
        now = run, self._store.queue_lengths()
        kept = self._kept.get(run.id)
        if kept is None or kept[0] != now:
            kept = self._kept[run.id] = now, order_of(run, self._store)
        return line_of(self._store, kept[1])

    def look_ahead(self) -> None:
        """Read the queues before anybody asks for them, and again once something was queued."""
        lengths = self._store.queue_lengths()
        if lengths != self._looked:
            self._looked = lengths
            for run_id in self._store.queued_run_ids():
                self.line(self._store.run(run_id)[0])
