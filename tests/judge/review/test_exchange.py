"""Rating offline, and ratings that travel between stores."""

from pathlib import Path

import pytest
from rated_run import RUN, minute, path, queued, rate, scored_store, store
from reviews import SECRETS, add_code

from judge.errors import UserError
from judge.review.desk import queues_of, say
from judge.review.exchange import blank_lines, import_lines, rating_lines
from judge.store import Store
from judge.types import Grade

__all__ = ["path", "scored_store", "store"]


def filled_in(store: Store, score: Grade, rater: str = "ann") -> list[str]:
    lines = list(blank_lines(RUN, store, rater))
    return [lines[0].model_copy(update={"score": score}).model_dump_json(), *(x.model_dump_json() for x in lines[1:])]


def test_items_are_rated_offline_and_taken_in_once(store: Store) -> None:
    items = queued(store)
    lines = filled_in(store, 4)
    assert not [name for name in SECRETS if name in "".join(lines)]
    for n in range(2):
        done = import_lines(store, lines, "f.jsonl", minute(n))
        assert (done.ratings, done.empty) == (1, len(items) - 1)
    (kept,) = queues_of(RUN, store).ratings
    assert (kept.item, kept.score, kept.blind) == (items[0].id, 4, True)


def test_ratings_travel_between_stores_with_their_history(store: Store, tmp_path: Path) -> None:
    items = queued(store)
    rate(store, items[0], 4)
    rate(store, items[0], None, at=1)
    rate(store, items[-1], 2, at=2, rater="bob")
    say(store, items[1], "ann", minute(3), state="skipped")
    other = copy_of_queues(store, tmp_path / "other.db")
    lines = [line.model_dump_json(exclude_none=True) for line in rating_lines(RUN, store)]
    for _ in range(2):
        import_lines(other, lines, "f.jsonl", minute(9))
    assert queues_of(RUN, other).ratings == queues_of(RUN, store).ratings
    other.close()


def copy_of_queues(store: Store, path: Path) -> Store:
    other = Store.open(path)
    add_code(other, RUN)
    queues = queues_of(RUN, store)
    other.add_audit_items(queues.audit)
    other.add_repair_items(queues.repair)
    return other


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"item": "nope", "rater": "ann", "score": 4}', "f.jsonl:2: no item 'nope'"),
        ('{"item": "x", "rater": "ann", "score": 6}', "f.jsonl:2: score: "),
        ('{"item": "x", "rater": "", "score": 4}', "f.jsonl:2: rater: "),
        ("not json", "f.jsonl:2: the line: Invalid JSON"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_nothing_is_taken_in(store: Store, line: str, message: str) -> None:
    queued(store)
    with pytest.raises(UserError) as caught:
        import_lines(store, [filled_in(store, 4)[0], line], "f.jsonl", minute(0))
    assert message in str(caught.value) and "nothing was imported" in str(caught.value)
    assert queues_of(RUN, store).ratings == ()
