"""One rating, from a form or from JSON: what is said of an item, by whom, and in which run it is reviewed."""

from typing import Self

from pydantic import ConfigDict, Field, model_validator

from judge.ratings import LONGEST_NAME, Item, Rating, RatingState
from judge.records import RunRecord
from judge.review.desk import Line, due_ids, ratings_of, say
from judge.review.labels import latest
from judge.store import Store, utc_now
from judge.types import Grade
from judge.web.problems import Refusal
from judge.web.service import rater_name
from runner.identity import digest
from runner.types import Value

LONGEST_COMMENT = 4000
"""Characters."""


class Said(Value):
    """What a rater says of an item."""

    # The web framework builds what it checks bodies with at once, and takes a model that is built later for a mistake of ours.
    model_config = ConfigDict(defer_build=False)

    rater: str = Field(min_length=1, max_length=LONGEST_NAME)
    score: Grade | None
    """1-5; ``None``: cannot assess, and for every state but ``rated``."""
    state: RatingState = "rated"
    comment: str = Field(default="", max_length=LONGEST_COMMENT)

    @model_validator(mode="after")
    def _only_ratings_have_scores(self) -> Self:
        if self.state != "rated" and self.score is not None:
            raise ValueError(f"a score goes with the state rated, not with {self.state}")
        return self


def opaque(run: RunRecord) -> str:
    """Return the id by which the pages of a blind review know a run: it tells nothing."""
    return _opaque(run.id)


def _opaque(run_id: str) -> str:
    return digest(["review of", run_id], length=10)


def reviewed_run(store: Store, opaque_id: str) -> RunRecord | None:
    """Return the run with this opaque id; ``None`` when there is none."""
    found = next((run_id for run_id in store.run_ids() if _opaque(run_id) == opaque_id), None)
    return store.run(found)[0] if found is not None else None


def item_of(store: Store, line: Line, item_id: str) -> Item:
    """Return an item of the queues. Raises Refusal when it is in neither."""
    item = store.review_item(item_id) if item_id in line.audit or item_id in line.repair else None
    if item is None:
        raise Refusal(404, "no such item is in the queues of this review; begin the review again")
    return item


def next_item(store: Store, line: Line, rater: str) -> Item | None:
    """Return what ``rater`` should rate next; ``None`` when nothing is left."""
    due = due_ids(line, rater)
    return store.review_item(due[0]) if due else None


def has_rated(line: Line, item: Item, rater: str) -> bool:
    """True when a rating of this rater counts, and so what others said may be shown."""
    return rater in latest(line.ratings).get(item.id, {})


def submit(store: Store, item: Item, said: Said) -> Rating:
    """Store what is said, and return it. The same said twice, as by a double click, is said once: the second would not be blind."""
    rater = rater_name(said.rater)
    counted = latest(ratings_of(store, item)).get(item.id, {}).get(rater)
    if counted and said.state == "rated" and (counted.score, counted.comment) == (said.score, said.comment):
        return counted
    return say(store, item, rater, utc_now(), state=said.state, score=said.score, comment=said.comment)


def shown_ratings(line: Line, rater: str) -> list[Rating]:
    """Return the ratings of the items that ``rater`` has rated, history included: of others nothing is shown before."""
    rated = {item for item, said in latest(line.ratings).items() if rater in said}
    return [rating for rating in line.ratings if rating.item in rated]
