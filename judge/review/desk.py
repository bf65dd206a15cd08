"""What a rater does: have the queues made, take the next item, rate it, leave it for later, take a rating back.

A rater sees the judges' scores of a unit, and what others said of it, only after giving a rating of that unit (``revealed``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor
from statistics import fmean

from judge.errors import UserError
from judge.ratings import AuditItem, Item, Rating, RatingState, RepairItem
from judge.records import RunRecord
from judge.review import queue, repair
from judge.review.labels import latest
from judge.review.reading import (
    Standings,
    items_of,
    panel_scores,
    places_of,
    places_of_items,
    scored_units,
    units_of,
)
from judge.review.units import JudgeScore
from judge.store import Store
from judge.types import Grade
from runner.types import Value


class Queued(Value):
    """What making the queues did."""

    units: int
    """Units of the run that can be rated."""
    audit_added: int
    audit: int
    """Items of the audit queue now."""
    repair_added: int
    repair: int


def make_queues(run: RunRecord, store: Store, *, per_arm: int, seed: int, standings: Standings | None = None) -> Queued:
    """Top up both queues of a run. The audit is drawn and stored before any score is read."""
    places = places_of(run, store)
    if not places:
        raise UserError(f"run {run.id} has no answer that can be rated; collect some first")
    units = units_of(places)
    drawn_before, _ = items_of(run, store)
    audit_added = store.add_audit_items(queue.draw(run.id, units, drawn_before, per_arm=per_arm, seed=seed))
    drawn, _ = items_of(run, store)
    # A unit of both queues would be rated twice, the second time after its scores were shown.
    taken = {item.key for item in drawn}
    picked = repair.repair_items(run.id, scored_units(run, store, standings, places), _thresholds(run))
    repair_added = store.add_repair_items(item for item in picked if item.key not in taken)
    return Queued(
        units=len(units),
        audit_added=audit_added,
        audit=len(drawn),
        repair_added=repair_added,
        repair=len(items_of(run, store)[1]),
    )


def _thresholds(run: RunRecord) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for role in run.suite.roles:
        for tier, threshold in role.thresholds.items():
            found.setdefault(tier, []).append(threshold)
    return found


# --- the queues as one person sees them -----------------------------------------------------------------------------


class Queues(Value):
    """Both queues of a run, in the order in which they are to be rated, with everything that was said."""

    audit: tuple[AuditItem, ...]
    repair: tuple[RepairItem, ...]
    ratings: tuple[Rating, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        """The audit first: what is seen while repairing must not colour it."""
        return (*self.audit, *self.repair)

    @property
    def line(self) -> "Line":
        """The same as ids."""
        return Line(
            audit=tuple(item.id for item in self.audit),
            repair=tuple(item.id for item in self.repair),
            ratings=self.ratings,
        )


def queues_of(run: RunRecord, store: Store) -> Queues:
    """Read both queues of a run."""
    drawn, picked = items_of(run, store)
    ratings = [*store.audit_ratings(drawn), *store.repair_ratings(picked)]
    return Queues(audit=tuple(queue.in_order(drawn)), repair=tuple(repair.in_order(picked)), ratings=tuple(ratings))


@dataclass(frozen=True)
class Line:
    """Both queues as ids, in the order in which they are to be rated, with everything that was said."""

    audit: tuple[str, ...]
    repair: tuple[str, ...]
    ratings: tuple[Rating, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The audit first."""
        return (*self.audit, *self.repair)


def next_item(queues: Queues, rater: str) -> Item | None:
    """Return what ``rater`` should rate next; ``None`` when nothing is left. Items that nobody rated come first, skipped ones last."""
    due = due_items(queues, rater)
    return due[0] if due else None


def due_items(queues: Queues, rater: str) -> list[Item]:
    """Return the items that ``rater`` has not rated, in the order in which they are offered."""
    items = {item.id: item for item in queues.items}
    return [items[name] for name in due_ids(queues.line, rater)]


def due_ids(line: Line, rater: str) -> list[str]:
    """Return the ids of the items that ``rater`` has not rated, in the order in which they are offered."""
    counted, skipped = latest(line.ratings), _skipped(line.ratings, rater)
    due = [name for name in line.ids if rater not in counted.get(name, {})]
    return sorted(due, key=lambda name: (name in skipped, name in counted))


def _skipped(ratings: Iterable[Rating], rater: str) -> set[str]:
    mine = sorted((rating for rating in ratings if rating.rater == rater), key=lambda rating: rating.created_at)
    last = {rating.item: rating.state for rating in mine}
    return {item for item, state in last.items() if state == "skipped"}


class Progress(Value):
    """How far one person is."""

    rater: str
    audit_rated: int
    repair_rated: int
    cannot_assess: int
    skipped: int
    left: int


def progress(queues: Queues | Line, rater: str) -> Progress:
    """Return how far ``rater`` is."""
    line = queues if isinstance(queues, Line) else queues.line
    mine = {item: said[rater] for item, said in latest(line.ratings).items() if rater in said}
    audit = set(line.audit)
    return Progress(
        rater=rater,
        audit_rated=sum(item in audit for item in mine),
        repair_rated=sum(item not in audit for item in mine),
        cannot_assess=sum(rating.score is None for rating in mine.values()),
        skipped=len(_skipped(line.ratings, rater)),
        left=len(line.audit) + len(line.repair) - len(mine),
    )


# --- saying something -----------------------------------------------------------------------------------------------


def item_named(store: Store, item_id: str) -> Item:
    """Return an item of either queue. Raises UserError when there is none."""
    item = store.review_item(item_id)
    if item is None:
        raise UserError(f"no item {item_id!r} is in a review queue; judge review next shows one")
    return item


def say(
    store: Store,
    item: Item,
    rater: str,
    now: str,
    *,
    state: RatingState = "rated",
    score: Grade | None = None,
    comment: str = "",
) -> Rating:
    """Append what ``rater`` says of an item, and return it."""
    blind = not (state == "rated" and _has_seen(store, item, rater))
    rating = Rating(item=item.id, rater=rater, created_at=now, state=state, score=score, comment=comment, blind=blind)
    keep(store, item, rating)
    return rating


def keep(store: Store, item: Item, rating: Rating) -> None:
    """Store a rating in the table of its item's queue."""
    if isinstance(item, AuditItem):
        store.add_audit_rating(rating)
    else:
        store.add_repair_rating(rating)


def ratings_of(store: Store, item: Item) -> list[Rating]:
    """Return everything that was said of an item, oldest first."""
    return store.audit_ratings([item]) if isinstance(item, AuditItem) else store.repair_ratings([item])


def undo(store: Store, queues: Queues | Line, rater: str, now: str) -> Item:
    """Take back the last rating of ``rater`` that still counts, and return its item. Raises UserError when there is none."""
    counted = [said[rater] for said in latest(queues.ratings).values() if rater in said]
    if not counted:
        raise UserError(f"{rater} has no rating that could be taken back")
    last = max(counted, key=lambda rating: rating.created_at)
    item = item_named(store, last.item)
    say(store, item, rater, now, state="withdrawn")
    return item


def _has_seen(store: Store, item: Item, rater: str) -> bool:
    """True when ``rater`` has rated this unit in either queue before, and so was shown its scores."""
    return any(rating.rater == rater and rating.state == "rated" for rating in _said_of(store, item))


def _said_of(store: Store, item: Item) -> list[Rating]:
    drawn, picked = store.items_of_answer(item.answer_unit)
    of_unit = store.audit_ratings(one for one in drawn if one.key == item.key)
    return [*of_unit, *store.repair_ratings(one for one in picked if one.key == item.key)]


# --- afterwards -----------------------------------------------------------------------------------------------------


class Revealed(Value):
    """What a rater is shown of a unit after rating it."""

    criterion: str
    own: Grade | None
    """``None``: cannot assess."""
    judges: tuple[JudgeScore, ...]
    bound: Grade | None
    """Highest score that the tests allow; ``None`` when they say nothing."""
    others: dict[str, Grade | None]
    """What other raters said."""
    compared: int
    """Audited units that this rater and the judges both scored so far."""
    exact: float | None
    """Share of these on which the rater gave the judges' rounded mean, 0-1; ``None`` without any."""
    within_one: float | None
    """Share on which they are at most one point apart."""


def revealed(store: Store, run: RunRecord, item: Item, rater: str, standings: Standings | None = None) -> Revealed:
    """Return the judges' scores of a unit and what others said of it. Raises UserError before ``rater`` has rated it."""
    said = latest(ratings_of(store, item)).get(item.id, {})
    if rater not in said:
        raise UserError(f"{rater} has not rated {item.id} yet; its scores are shown after that")
    distances = _distances(store, run, rater, standings)
    places = places_of_items(run, store, [item])
    scored = {one.unit.key: one for one in scored_units(run, store, standings, places)}
    unit = scored.get(item.key)
    return Revealed(
        criterion=item.criterion,
        own=said[rater].score,
        judges=unit.judges if unit else (),
        bound=unit.bound if unit else None,
        others={name: rating.score for name, rating in sorted(said.items()) if name != rater},
        compared=len(distances),
        exact=fmean(distance == 0 for distance in distances) if distances else None,
        within_one=fmean(distance <= 1 for distance in distances) if distances else None,
    )


def _distances(store: Store, run: RunRecord, rater: str, standings: Standings | None) -> list[int]:
    """Return how far this rater is from the judges on every audited unit that both scored: repairs tell nothing about agreement."""
    said = latest(store.audit_ratings_by(rater))
    own = {name: given[rater].score for name, given in said.items() if rater in given}
    mine = [item for item in store.review_items(own) if isinstance(item, AuditItem)]
    places = places_of_items(run, store, mine)
    rubrics = {place.answer_unit: place.rubric for place in places}
    panels = panel_scores(run, store, standings, places)
    pairs = [(own[item.id], panels.get(item.key)) for item in mine if rubrics.get(item.answer_unit) == item.rubric]
    return [abs(grade - floor(panel + 0.5)) for grade, panel in pairs if grade is not None and panel is not None]
