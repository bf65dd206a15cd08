"""Ratings as JSON lines: sheets to be filled in offline, and ratings on their way from one store to another.

A line is ``{"item": ..., "rater": ..., "score": 1-5 | "cannot_assess" | null, "comment": ...}``; ``null`` is not filled in yet. Lines
of ratings that were given already carry ``created_at``, ``state`` and ``blind`` too; lines to fill in carry their ``sheet``.
"""

import datetime
from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import AwareDatetime, Field, ValidationError

from judge.errors import UserError
from judge.ratings import LONGEST_NAME, Item, Rating, RatingState
from judge.records import RunRecord
from judge.review.desk import due_items, item_named, keep, queues_of, ratings_of, say
from judge.review.sheet import Sheet, sheet_of
from judge.store import Store
from judge.types import Grade
from runner.types import Value


class Line(Value):
    """One line of a file of ratings."""

    item: str
    rater: str = Field(min_length=1, max_length=LONGEST_NAME)
    score: Grade | Literal["cannot_assess"] | None = None
    """``None``: not filled in, unless ``state`` says that nothing is to be."""
    comment: str = ""
    created_at: AwareDatetime | None = None
    """``None``: given offline; the time of the import stands for it."""
    state: RatingState = "rated"
    blind: bool = True
    sheet: Sheet | None = None
    """What to rate, in lines that are to be filled in."""

    @property
    def filled(self) -> bool:
        """False while a person still has to say something."""
        return self.score is not None or self.state != "rated"


class Imported(Value):
    """What an import did."""

    ratings: int
    """Lines that say something; a rating that the store had already is kept once."""
    empty: int
    """Lines that are not filled in."""


def rating_lines(run: RunRecord, store: Store) -> Iterator[Line]:
    """Yield everything that was said of the items of a run, oldest first, history included."""
    for rating in sorted(queues_of(run, store).ratings, key=lambda rating: (rating.created_at, rating.id)):
        assessed = rating.score if rating.state != "rated" or rating.score is not None else "cannot_assess"
        yield Line(
            item=rating.item,
            rater=rating.rater,
            score=assessed,
            comment=rating.comment,
            created_at=datetime.datetime.fromisoformat(rating.created_at),
            state=rating.state,
            blind=rating.blind,
        )


def blank_lines(run: RunRecord, store: Store, rater: str, *, evidence: bool = True) -> Iterator[Line]:
    """Yield a line to be filled in for every item that ``rater`` has not rated, in the order of the queue."""
    for item in due_items(queues_of(run, store), rater):
        yield Line(item=item.id, rater=rater, sheet=sheet_of(store, run, item, evidence=evidence))


def import_lines(store: Store, lines: Iterable[str], name: str, now: str) -> Imported:
    """Store what the lines of the file ``name`` say, all of it or nothing. Raises UserError for a line that cannot be read."""
    read = [(number, _read(text, name, number)) for number, text in enumerate(lines, 1) if text.strip()]
    filled = [(_item(store, line, name, number), line) for number, line in read if line.filled]
    for item, line in filled:
        _store(store, item, line, now)
    return Imported(ratings=len(filled), empty=len(read) - len(filled))


def _read(text: str, name: str, number: int) -> Line:
    try:
        return Line.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("literal[1,2,3,4,5]",)) or "the line"
        raise UserError(
            f"{name}:{number}: {where}: {first['msg']}; a line is made by judge review export, and score is 1-5, "
            'or "cannot_assess", or null while it is open; nothing was imported'
        ) from error


def _item(store: Store, line: Line, name: str, number: int) -> Item:
    try:
        return item_named(store, line.item)
    except UserError as error:
        raise UserError(f"{name}:{number}: {error}; nothing was imported") from error


def _store(store: Store, item: Item, line: Line, now: str) -> None:
    score = None if line.score == "cannot_assess" else line.score
    if line.created_at is None:
        if not _said_already(store, item, line, score):
            say(store, item, line.rater, now, state=line.state, score=score, comment=line.comment)
        return
    rating = Rating(
        item=line.item,
        rater=line.rater,
        created_at=line.created_at.astimezone(datetime.UTC).isoformat(timespec="microseconds"),
        state=line.state,
        score=score,
        comment=line.comment,
        blind=line.blind,
    )
    keep(store, item, rating)


def _said_already(store: Store, item: Item, line: Line, score: Grade | None) -> bool:
    """True when the same file was imported before: offline ratings have no time of their own to tell."""
    said = [rating for rating in ratings_of(store, item) if rating.rater == line.rater]
    return bool(said) and (said[-1].state, said[-1].score, said[-1].comment) == (line.state, score, line.comment)
