"""C-T1-Q3: a class for a stack with push, pop, peek and is_empty.

Open, so accepted: what pop and peek do on an empty stack as long as it is no made-up item (an exception of any kind,
None, a message, False), what push returns, a capacity, further methods, and whatever else the class can do.
"""

import functools
import random
from collections.abc import Iterator

from judge.checks.cases import Results, same
from judge.checks.checking import Check
from judge.checks.entry_class import ClassEntry, Step, WantedClass, check_sessions, find_class, gives
from judge.checks.subject import NOT_TRIED, Subject
from runner.outcomes import CallResult
from runner.protocol import Handle

QUESTION = "C-T1-Q3"
CALL_WALL_S = 1.0

ORDER = Check(id="order", criteria=("all_methods_work",), about="items come back last in, first out")
PEEK = Check(id="peek", criteria=("all_methods_work",), about="peek gives the last item and leaves it")
IS_EMPTY = Check(id="is_empty", criteria=("all_methods_work",), about="is_empty is true only without items")
ANY_ITEM = Check(id="any_item", criteria=("all_methods_work",), about="None, 0, '' and repeated items are items too")
OWN_ITEMS = Check(id="own_items", criteria=("all_methods_work",), about="two stacks share nothing")
RANDOM = Check(id="random", criteria=("all_methods_work",), about="150 random operations agree with a list")
POP_EMPTY = Check(id="pop_empty", criteria=("handles_empty_stack",), about="pop on an empty stack makes up no item")
PEEK_EMPTY = Check(id="peek_empty", criteria=("handles_empty_stack",), about="peek on an empty stack makes up no item")
AFTER_EMPTY = Check(
    id="after_empty", criteria=("handles_empty_stack",), about="the stack works on after pop and peek on empty"
)
NEW_IS_EMPTY = Check(id="new_is_empty", criteria=("handles_empty_stack",), about="a new and an emptied stack are empty")

NAMED = Check(
    id="named_as_asked", criteria=("all_methods_work",), about="the methods are called push, pop, peek and is_empty"
)

CHECKS = (NAMED, ORDER, PEEK, IS_EMPTY, ANY_ITEM, OWN_ITEMS, RANDOM, POP_EMPTY, PEEK_EMPTY, AFTER_EMPTY, NEW_IS_EMPTY)

_SEED = 21
_LARGE = 1000
"""Capacity for a stack that insists on one: more than any check pushes."""
_ACCIDENTS = ("AttributeError", "NameError", "TypeError", "RecursionError")
"""Nobody raises these to say that a stack is empty."""


def _plain_use(results: Results) -> bool:
    return (
        all(result.ok for result in results)
        and [same(r.value, v) for r, v in zip(results[2:], (2, 2, 1), strict=True)] == [True] * 3
    )


_WANTED = WantedClass(
    names=("Stack",),
    methods={
        "push": ("push", "add", "append"),
        "pop": ("pop", "remove"),
        "peek": ("peek", "top"),
        "is_empty": ("is_empty", "empty"),
    },
    constructors=((), (_LARGE,), ([],)),
    example=(("push", 1), ("push", 2), ("peek",), ("pop",), ("pop",)),
    accepts=_plain_use,
)


async def examine(subject: Subject) -> None:
    """Record every check."""
    entry = await find_class(subject, _WANTED)
    _names(subject, entry)
    await check_sessions(subject, entry, _sessions())
    await _own_items(subject, entry)


@functools.cache
def _sessions() -> dict[Check, list[list[Step]]]:
    """Made once: they are the same for every answer."""
    items = (None, 0, "", 7, 7, [1], (2, 3), "a")
    pushes = [_push(n) for n in range(20)]
    return {
        ORDER: [
            [*pushes, *(_pop(n) for n in reversed(range(20)))],
            [_push(1), _pop(1), _push(2), _push(3), _pop(3), _pop(2)],
        ],
        PEEK: [[_push(1), _peek(1), _peek(1), _push(2), _peek(2), _peek(2), _pop(2), _peek(1), _pop(1)]],
        IS_EMPTY: [[_push(1), _is(False), _peek(1), _is(False), _push(2), _pop(2), _is(False), _pop(1), _is(True)]],
        ANY_ITEM: [
            [
                *map(_push, items),
                *(step for item in reversed(items) for step in (_is(False), _peek(item), _pop(item))),
            ]
        ],
        RANDOM: [list(_random_session())],
        POP_EMPTY: [[_refuses("pop")], [_push(41), _pop(41), _refuses("pop"), _refuses("pop")]],
        PEEK_EMPTY: [[_refuses("peek")], [_push(41), _pop(41), _refuses("peek"), _refuses("peek")]],
        AFTER_EMPTY: [
            [Step(role, (), _survived, "no crash"), _is(True), _push(7), _is(False), _peek(7), _pop(7), _is(True)]
            for role in ("pop", "peek")
        ],
        NEW_IS_EMPTY: [[_is(True)], [_push(1), _push(2), _pop(2), _pop(1), _is(True), _push(3), _is(False)]],
    }


def _names(subject: Subject, entry: ClassEntry) -> None:
    """Other spellings are used by all other checks, but whoever uses the class as the question says gets an error."""
    wrong = [name for role, (name, how) in entry.methods.items() if name != role or how != "method"]
    subject.judge(
        NAMED,
        not wrong,
        "the question names the methods",
        expected="methods push, pop, peek, is_empty",
        got=entry.text,
    )


def _push(item: object) -> Step:
    return Step("push", (item,))


def _pop(item: object) -> Step:
    return gives("pop", value=item)


def _peek(item: object) -> Step:
    return gives("peek", value=item)


def _is(empty: bool) -> Step:
    return Step("is_empty", (), lambda r: r.ok and isinstance(r.value, int) and r.value == empty, str(empty))


def _refuses(role: str) -> Step:
    return Step(role, (), _no_item, "an exception, None or a message")


def _no_item(result: CallResult) -> bool:
    """Refused on purpose: an exception, or a value that cannot be taken for one of the numbers that were pushed."""
    if result.error is not None:
        return result.error.is_a("Exception") and not any(map(result.error.is_a, _ACCIDENTS))
    is_number = isinstance(result.value, int | float) and not isinstance(result.value, bool)
    return result.ok and (not is_number or result.value == -1)


def _survived(result: CallResult) -> bool:
    return result.state in ("returned", "raised")


def _random_session() -> Iterator[Step]:
    choose = random.Random(_SEED)
    model: list[int] = []
    for _ in range(150):
        match choose.choice(("push", "push", "pop", "peek", "is_empty")):
            case "push":
                model.append(choose.randrange(100))
                yield _push(model[-1])
            case "pop" if model:
                yield _pop(model.pop())
            case "peek" if model:
                yield _peek(model[-1])
            case _:
                yield _is(not model)


async def _own_items(subject: Subject, entry: ClassEntry) -> None:
    one, other = Handle(), Handle()
    calls = [
        entry.new(one),
        entry.new(other),
        entry.use(one, "push", 1),
        entry.use(other, "is_empty"),
        entry.use(other, "push", 2),
        entry.use(one, "peek"),
    ]
    results = await subject.run(calls)
    if results is None:
        subject.not_run(OWN_ITEMS, NOT_TRIED)
    elif _is(True).accepts(results[3]) and results[5].ok and same(results[5].value, 1):
        subject.passed(OWN_ITEMS)
    else:
        subject.failed_call(
            OWN_ITEMS, results[5], input="a.push(1), b.push(2), a.peek()", expected="1, and b empty before"
        )
