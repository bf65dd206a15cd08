"""C-T2-Q3: an LRU cache with get and put in O(1), and a capacity.

Open, so accepted: what a miss gives (-1, None, an exception such as KeyError), how recency is kept, what put returns,
a capacity of 0 or less, and refusing keys or values that are no integers with a TypeError or ValueError. The cost is
counted in operations, never timed: what a cache of 256 items takes for one get or put is compared with what a cache
of 16 items takes.
"""

import random
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from judge.checks.cases import Results, kind_of, reason_of, same
from judge.checks.checking import Check
from judge.checks.counted_walks import with_counted_walks
from judge.checks.entry_class import ClassEntry, WantedClass, find_class
from judge.checks.showing import shown, shown_result
from judge.checks.subject import Subject
from runner.outcomes import CallResult
from runner.protocol import Call, Counted, Counting, Handle, Opaque

QUESTION = "C-T2-Q3"

_EVICTION, _CAPACITY, _COST = ("correct_eviction",), ("handles_capacity",), ("o1_operations",)

MISS = Check(id="miss", criteria=_EVICTION, about="a missing key gives -1, None or a KeyError, and always the same")
OLDEST = Check(id="oldest", criteria=_EVICTION, about="the key that was not used for longest goes first")
GET = Check(id="get_refreshes", criteria=_EVICTION, about="get makes a key the most recently used one")
PUT = Check(id="put_refreshes", criteria=_EVICTION, about="put on a known key changes its value and makes it recent")
OVERWRITE = Check(id="overwrite", criteria=_EVICTION, about="put on a known key of a full cache evicts nothing")
FALSY = Check(id="falsy_values", criteria=_EVICTION, about="0, '' and False are values like any other")
OWN = Check(id="own_state", criteria=_EVICTION, about="two caches do not share their items")
RANDOM = Check(id="random", criteria=_EVICTION, about="random operations give what a reference model gives")
ONE = Check(id="capacity_one", criteria=_CAPACITY, about="a cache of one item holds one")
FULL = Check(id="full", criteria=_CAPACITY, about="n items fit into a cache of n, and no more")
BOUNDED = Check(id="bounded", criteria=_CAPACITY, about="hundreds of puts leave n items in a cache of n")
GET_COST = Check(id="get_cost", criteria=_COST, about="get takes no more operations in a larger cache")
PUT_COST = Check(id="put_cost", criteria=_COST, about="put takes no more operations in a larger cache")
HISTORY = Check(id="history_cost", criteria=_COST, about="put takes no more operations after more gets")

CHECKS = (MISS, OLDEST, GET, PUT, OVERWRITE, FALSY, OWN, RANDOM, ONE, FULL, BOUNDED, GET_COST, PUT_COST, HISTORY)

_SEED = 23
_OPERATIONS = Counting(cap=100_000)
"""Of one call: an endless loop ends here instead of at the wall clock. A right one takes about a hundred."""
_SMALL, _LARGE = 16, 256
_FEW_GETS, _MANY_GETS = 100, 2000
_COST_RATIO = 2.0
"""Highest ratio of mean costs that passes. O(1) gives 1.0; O(n) at least 5 between these sizes; O(log n) through C
code such as a heap of plain numbers gives 1.0 too and is not seen."""

_WANTED = WantedClass(
    names=("LRUCache", "LRU", "Cache"),
    methods={"get": ("get",), "put": ("put",)},
    constructors=((2,),),
    example=(("put", 1, 10), ("put", 2, 20), ("get", 1), ("put", 3, 30), ("get", 1), ("get", 3)),
)

Step = tuple[str, Any] | tuple[str, Any, Any]


@dataclass(frozen=True)
class _Session:
    """What is done with one cache."""

    check: Check
    capacity: int
    steps: tuple[Step, ...]
    is_open: bool = False
    """True when an answer may refuse its keys or values."""

    def expected(self) -> Iterator[tuple[bool, Any]]:
        """Yield for each step whether it finds something, and what."""
        items: OrderedDict[Any, Any] = OrderedDict()
        for role, key, *value in self.steps:
            found = key in items
            if role == "put":
                items[key] = value[0]
            if key in items:
                items.move_to_end(key)
            if len(items) > self.capacity:
                items.popitem(last=False)
            yield found, items.get(key)

    def shown(self, upto: int) -> str:
        """The steps before ``upto`` and that one; the last ones when they are many."""
        steps = [f"{role}({', '.join(map(shown, rest))})" for role, *rest in self.steps[: upto + 1]]
        left_out = f"{len(steps) - 12} more, " if len(steps) > 12 else ""
        return f"capacity {self.capacity}: {left_out}{', '.join(steps[-12:])}"


async def examine(subject: Subject) -> None:
    """Record every check."""
    entry = await find_class(subject, _WANTED)
    miss = await _miss(subject, entry)
    sessions = [*_eviction_sessions(), *_random_sessions()]
    batches = [_limited(entry.session(*s.steps, arguments=(s.capacity,))) for s in sessions]
    for session, results in zip(sessions, await subject.run_each(batches), strict=True):
        if not (session.is_open and _refuses(results)):
            _compare(subject, session, results, miss)
    await _holds(subject, entry, miss)
    await _own_state(subject, entry, miss)
    await _costs(subject, entry)


def _limited(calls: Sequence[Call]) -> list[Call]:
    return [replace(call, count=_OPERATIONS) for call in calls]


# --- what comes out -----------------------------------------------------------------------------------------------


async def _miss(subject: Subject, entry: ClassEntry) -> CallResult | None:
    """Return what this answer gives for a missing key; ``None`` when that is no way to say so."""
    results = await subject.run(_limited(entry.session(("get", 1), ("get", 77), arguments=(2,))))
    if results is None:
        subject.not_run(MISS, "the answer hung before")
        return None
    told = results[1]
    if _tells_a_miss(told) and _alike(results[2], told):
        subject.passed(MISS)
        return told
    subject.failed_call(MISS, told, input="capacity 2: get(1)", expected="-1, None or KeyError, whatever the key")
    return None


def _tells_a_miss(result: CallResult) -> bool:
    if result.error is None:
        return result.ok
    own = "Exception" in result.error.bases and result.error.type not in _MISTAKES
    return own or result.error.is_a("LookupError")


_MISTAKES = frozenset({"AttributeError", "TypeError", "NameError", "UnboundLocalError", "RecursionError"})
"""What broken code raises by itself."""


def _alike(one: CallResult, other: CallResult) -> bool:
    if one.error is not None or other.error is not None:
        return one.error is not None and other.error is not None and one.error.type == other.error.type
    if isinstance(one.value, Opaque) and isinstance(other.value, Opaque):
        return one.value.type_name == other.value.type_name
    return one.state == other.state and same(one.value, other.value)


def _compare(subject: Subject, session: _Session, results: Results | None, miss: CallResult | None) -> None:
    if results is None:
        subject.not_run(session.check, "not tried: the answer hung or died before")
        return
    if not results[0].ok:
        subject.failed_call(session.check, results[0], input=f"capacity {session.capacity}", expected="a cache")
        return
    for index, ((found, value), result) in enumerate(zip(session.expected(), results[1:], strict=True)):
        if not _right(session.steps[index][0], found, value, result, miss):
            expected = shown(value) if found else f"a miss ({shown_result(miss)})" if miss is not None else "a miss"
            expected = expected if session.steps[index][0] == "get" else "no exception"
            subject.failed_call(session.check, result, input=session.shown(index), expected=expected)
            return
    subject.passed(session.check)


def _refuses(results: Results | None) -> bool:
    """Tell whether the cache says at once that it takes integers only."""
    first = next((result.error for result in results or () if not result.ok), None)
    return (
        first is not None and (first.is_a("TypeError") or first.is_a("ValueError")) and "int" in first.message.lower()
    )


def _right(role: str, found: bool, value: Any, result: CallResult, miss: CallResult | None) -> bool:
    if role == "put":
        return result.ok
    if found:
        return result.ok and same(result.value, value)
    return _alike(result, miss) if miss is not None else _tells_a_miss(result)


# --- sessions -----------------------------------------------------------------------------------------------------


def _eviction_sessions() -> Iterator[_Session]:
    def both(*keys: int) -> tuple[Step, ...]:
        return tuple(("get", key) for key in keys)

    def puts(*keys: int) -> tuple[Step, ...]:
        return tuple(("put", key, key * 10) for key in keys)

    yield _Session(OLDEST, 2, (*puts(1, 2, 3), *both(1, 2, 3)))
    yield _Session(OLDEST, 3, (*puts(1, 2, 3, 4, 5), *both(5, 1, 4, 2, 3)))
    mixed: tuple[Step, ...] = (("put", "a", "x"), ("put", (1, 2), "y"), ("put", "b", [1]), ("get", "a"), ("get", "b"))
    yield _Session(OLDEST, 2, mixed, is_open=True)
    yield _Session(GET, 2, (*puts(1, 2), *both(1), *puts(3), *both(1, 2, 3)))
    yield _Session(GET, 3, (*puts(1, 2, 3), *both(2, 1), *puts(4), *both(3, 2), *puts(5), *both(1, 2, 4, 5)))
    yield _Session(GET, 2, (*puts(1, 2), *both(9, 2, 2), *puts(3), *both(2, 1, 3)))
    yield _Session(PUT, 2, (*puts(1, 2), ("put", 1, 11), *puts(3), *both(1, 2, 3)))
    yield _Session(PUT, 3, (*puts(1, 2, 3), ("put", 2, 22), ("put", 1, 11), *puts(4, 5), *both(1, 2, 3, 4, 5)))
    yield _Session(OVERWRITE, 2, (*puts(1, 2), ("put", 2, 22), *both(1, 2)))
    yield _Session(OVERWRITE, 3, (*puts(1, 2, 3), ("put", 1, 11), ("put", 1, 12), *both(1, 2, 3)))
    for value in (0, "", False):
        steps: tuple[Step, ...] = (("put", 1, value), ("put", 2, 5), *both(1), *puts(3), *both(1, 2))
        yield _Session(FALSY, 2, steps, is_open=value != 0 or value is False)


async def _holds(subject: Subject, entry: ClassEntry, miss: CallResult | None) -> None:
    """How many items are held, whichever they are: a cache that evicts the wrong one may still hold the right number."""
    wanted = [(ONE, 1, 1), (ONE, 1, 2), (BOUNDED, 5, 400)]
    wanted += [(FULL, capacity, puts) for capacity in (2, 3, 10, 100) for puts in (capacity, capacity + 1)]
    batches = []
    for _, capacity, puts in wanted:
        steps: list[Step] = [("put", key, key + 1000) for key in range(puts)]
        steps += [("get", key) for key in range(puts)]
        batches.append(_limited(entry.session(*steps, arguments=(capacity,))))
    for (check, capacity, _), results in zip(wanted, await subject.run_each(batches), strict=True):
        _compare_number(subject, check, capacity, results, miss)


def _compare_number(
    subject: Subject, check: Check, capacity: int, results: Results | None, miss: CallResult | None
) -> None:
    if results is None:
        subject.not_run(check, "not tried: the answer hung or died before")
        return
    puts = len(results) // 2
    text = f"capacity {capacity}: put of {puts} keys, then get of each"
    if (broken := next((result for result in results[: 1 + puts] if not result.ok), None)) is not None:
        subject.failed_call(check, broken, input=text, expected="no exception")
        return
    held = sum(_right("get", True, key + 1000, result, miss) for key, result in enumerate(results[1 + puts :]))
    if held == capacity:
        subject.passed(check)
    else:
        subject.failed(check, "wrong number of items", input=text, expected=f"{capacity} found", got=f"{held} found")


def _random_sessions() -> Iterator[_Session]:
    source = random.Random(_SEED)
    for _ in range(20):
        capacity = source.randint(1, 6)
        keys = range(capacity + 3)
        steps: list[Step] = [
            ("put", source.choice(keys), 100 + source.randrange(900))
            if source.random() < 0.5
            else ("get", source.choice(keys))
            for _ in range(60)
        ]
        yield _Session(RANDOM, capacity, tuple(steps))


async def _own_state(subject: Subject, entry: ClassEntry, miss: CallResult | None) -> None:
    first, second = Handle(), Handle()
    calls = [
        entry.new(first, 2),
        entry.new(second, 2),
        entry.use(first, "put", 1, 10),
        entry.use(second, "put", 2, 20),
        entry.use(first, "get", 1),
        entry.use(first, "get", 2),
    ]
    results = await subject.run(_limited(calls))
    if results is None:
        subject.not_run(OWN, "not tried: the answer hung or died before")
    elif not _right("get", True, 10, results[4], miss):
        subject.failed_call(OWN, results[4], input="a.put(1, 10), b.put(2, 20), a.get(1)", expected="10")
    elif not _right("get", False, None, results[5], miss):
        subject.failed_call(OWN, results[5], input="a.put(1, 10), b.put(2, 20), a.get(2)", expected="a miss")
    else:
        subject.passed(OWN)


# --- cost ---------------------------------------------------------------------------------------------------------


async def _costs(subject: Subject, entry: ClassEntry) -> None:
    """Compare mean costs of caches of two sizes, keys used in random order so that no end of a container is favoured."""
    await subject.install(with_counted_walks(subject.program.code))
    small, large = [await subject.run(_use_of_everything(entry, size)) for size in (_SMALL, _LARGE)]
    for check, role in ((GET_COST, "get"), (PUT_COST, "put")):
        for offset, what in enumerate(_KINDS[role]):
            part = 2 * offset + (role == "put")
            _compare_costs(
                subject,
                check,
                _part(small, _SMALL, part),
                _part(large, _LARGE, part),
                f"{what} in full caches of {_SMALL} and {_LARGE} items",
            )
    few, many = [await subject.run(_after_gets(entry, gets)) for gets in (_FEW_GETS, _MANY_GETS)]
    text = f"4 puts after {_FEW_GETS} and after {_MANY_GETS} gets, capacity 4"
    _compare_costs(subject, HISTORY, few and few[-4:], many and many[-4:], text)


_KINDS = {"get": ("get of a known key", "get of a missing key"), "put": ("put of a known key", "put of a new key")}


def _use_of_everything(entry: ClassEntry, size: int) -> list[Call]:
    """Fill a cache; then one part of ``size`` calls for each kind of use, in the order get, put, get, put."""
    keys = random.Random(_SEED).sample(range(size), size)
    known_again = random.Random(_SEED + 1).sample(keys, size)
    parts: list[list[tuple[str, int]]] = [
        [("put", key) for key in range(size)],
        [("get", key) for key in keys],
        [("put", key) for key in known_again],
        [("get", -key - 1) for key in keys],
        [("put", key + size) for key in keys],
    ]
    return _counted(entry, size, [step for part in parts for step in part])


def _after_gets(entry: ClassEntry, gets: int) -> list[Call]:
    steps = [("put", key) for key in range(4)] + [("get", turn % 4) for turn in range(gets)]
    return _counted(entry, 4, steps + [("put", key + 10) for key in range(4)])


def _counted(entry: ClassEntry, capacity: int, steps: Sequence[tuple[str, int]]) -> list[Call]:
    handle = Handle()
    uses = (entry.use(handle, role, Counted(value=key), *([key] if role == "put" else [])) for role, key in steps)
    return _limited([entry.new(handle, capacity), *uses])


def _part(results: Results | None, size: int, part: int) -> Results | None:
    start = 1 + size * (1 + part)
    return results and results[start : start + size]


def _compare_costs(subject: Subject, check: Check, small: Results | None, large: Results | None, text: str) -> None:
    if small is None or large is None:
        subject.not_run(check, "not tried: the answer hung or died before")
        return
    for result in (*small, *large):
        if result.work is None or result.state == "aborted":
            expected = "an end" if result.state == "aborted" else "a call that can be counted"
            subject.failed(
                check, reason_of(result), kind=kind_of(result), input=text, expected=expected, got=shown_result(result)
            )
            return
    before, after = _mean_cost(small), _mean_cost(large)
    if after <= _COST_RATIO * before:
        subject.passed(check)
        return
    subject.failed(
        check,
        "the cost grows",
        kind="unbounded",
        input=text,
        expected=f"at most {_COST_RATIO:g} times the operations",
        got=f"{before:.0f} and {after:.0f} operations",
    )


def _mean_cost(results: Results) -> float:
    return sum(result.work.total for result in results if result.work is not None) / len(results)
