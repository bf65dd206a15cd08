"""Which class of an answer is meant, what its constructor takes, and what its methods are called."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from judge.checks.cases import Results, ended, same
from judge.checks.checking import Check
from judge.checks.entry import require_unambiguous
from judge.checks.filling import made, required_count, wants_no_number
from judge.checks.showing import shown
from judge.checks.subject import NOT_TRIED, CannotExamine, Subject
from runner.outcomes import CallResult, Class
from runner.protocol import Builtin, Call, Handle

How = Literal["method", "property"]


@dataclass(frozen=True)
class WantedClass:
    """What the class of a question looks like."""

    names: tuple[str, ...]
    """Usual names; case and underscores do not matter. A class with the methods is taken whatever its name."""
    methods: Mapping[str, tuple[str, ...]]
    """Role -> usual method names, the question's own first; all roles are required."""
    constructors: tuple[tuple[Any, ...], ...] = ((),)
    """Arguments to construct it with, tried in this order."""
    example: tuple[tuple[Any, ...], ...] = ()
    """Plain use, ``(role, *args)`` each; classes that give different results on it are ambiguous."""
    accepts: Callable[[Results], bool] = lambda results: all(result.ok for result in results)
    """Tells whether the example went right; its results, without that of the constructor."""


@dataclass(frozen=True)
class ClassEntry:
    """How to use the class of an answer."""

    name: str
    arguments: tuple[Any, ...]
    """What its constructor is given, unless a check gives something else."""
    methods: Mapping[str, tuple[str, How]]
    """Role -> name in this class, and whether it is called or read."""
    keywords: tuple[str, ...] = ()
    """Parameters of a constructor that takes nothing by position; its arguments go to them in this order."""
    maker: str | None = None
    """Name of a function of ours that makes an object from one number; ``None``: the class itself does."""
    made: str = ""
    """What the maker calls: ``LRUCache('a', n)``."""

    @property
    def text(self) -> str:
        """As a person would write it: ``Stack(): push, pop, peek, isEmpty``."""
        methods = ", ".join(name + (" (property)" if how == "property" else "") for name, how in self.methods.values())
        made = self.made or f"{self.name}({', '.join(map(shown, self.arguments))})"
        return f"{made}: {methods}"

    def new(self, handle: Handle, *args: Any) -> Call:
        """Return the call that makes an object; without arguments it gets those that were found."""
        given = args or self.arguments
        if self.keywords:
            kwargs = dict(zip(self.keywords, given, strict=False))
            return Call(target=self.name, kwargs=kwargs, keep=handle)
        return Call(target=self.maker or self.name, args=given, keep=handle)

    def use(self, handle: Handle, role: str, *args: Any) -> Call:
        """Return the call of the method that plays a role."""
        name, how = self.methods[role]
        if how == "property":
            return Call(target=Builtin(name="getattr"), args=(handle, name))
        return Call(target=handle.method(name), args=args)

    def session(self, *steps: tuple[Any, ...], arguments: tuple[Any, ...] = ()) -> list[Call]:
        """Return one batch: make an object, then use it, ``(role, *args)`` each."""
        handle = Handle()
        return [self.new(handle, *arguments), *(self.use(handle, *step) for step in steps)]


async def find_class(subject: Subject, wanted: WantedClass) -> ClassEntry:
    """Return how to use the class, and note it in the subject.

    Raises CannotExamine: no such class, several that behave differently, or one that hangs or dies on the example.
    """
    found = _ranked(subject.inventory.classes, wanted)
    if not found:
        raise CannotExamine("no_entry_point", _nothing_fits(subject, wanted))
    entries = [ClassEntry(c.name, args, {}, _keywords(c)) for c in found for args in wanted.constructors]
    entries += [entry for owner in found if (entry := await _filled(subject, owner, wanted)) is not None]
    looked = await subject.run_each([_look(entry) for entry in entries])
    completed = [_completed(subject, *pair, wanted) for pair in zip(entries, looked, strict=True)]
    complete = [entry for entry in completed if entry is not None]
    complete = list({entry.name: entry for entry in reversed(complete)}.values())[::-1]
    if not complete:
        raise _not_made(subject, found, looked, wanted)
    tried = await subject.run_each([entry.session(*wanted.example) for entry in complete])
    return _chosen(subject, wanted, complete, tried)


async def _filled(subject: Subject, owner: Class, wanted: WantedClass) -> ClassEntry | None:
    """Return a way to make an object whose constructor insists on more than the question speaks of."""
    numbers = [args for args in wanted.constructors if args and isinstance(args[0], int)]
    expression = made(owner, subject.inventory.classes, "n") if numbers else None
    if expression in (None, f"{owner.name}()", f"{owner.name}(n)"):
        return None
    maker = f"_made_{owner.name}"
    await subject.install(f"def {maker}(n):\n    return {expression}\n")
    return ClassEntry(owner.name, numbers[0], {}, maker=maker, made=expression or "")


def _not_made(
    subject: Subject, found: Sequence[Class], looked: Sequence[Results | None], wanted: WantedClass
) -> CannotExamine:
    """Say why there is no object: this machine, a constructor that we cannot read, or the answer."""
    for results in looked:
        if results is not None:
            subject.require_possible(results[0])
    most = max(len(args) for args in wanted.constructors)
    if unread := [c for c in found if (required_count(c) > most or wants_no_number(c)) and _plays(c, wanted)]:
        init = unread[0].method("__init__")
        names = ", ".join(p.name for p in init.parameters) if init is not None else ""
        return CannotExamine("not_run", f"it is not known what {unread[0].name}({names}) has to be given")
    return CannotExamine("no_entry_point", _nothing_fits(subject, wanted))


def _plays(owner: Class, wanted: WantedClass) -> bool:
    names = {method.name for method in owner.methods}
    return all(_method(names, usual, owner) is not None for usual in wanted.methods.values())


def _chosen(
    subject: Subject, wanted: WantedClass, made: Sequence[ClassEntry], tried: Sequence[Results | None]
) -> ClassEntry:
    passes = [results is not None and results[0].ok and wanted.accepts(results[1:]) for results in tried]
    best = made[0]
    rivals = [i for i, entry in enumerate(made) if i and _is_named(entry.name, wanted) >= _is_named(best.name, wanted)]
    bases = {base for owner in subject.inventory.classes for base in owner.bases}
    if not passes[0] and best.name in bases and _is_abstract(tried[0]) and any(passes[i] for i in rivals):
        first = next(i for i in rivals if passes[i])
        return _chosen(subject, wanted, made[first:], tried[first:])
    rivals = [i for i in rivals if not (made[i].name in bases and not passes[i] and _is_abstract(tried[i]))]
    if any(passes[i] != passes[0] for i in rivals):
        require_unambiguous([best.name, *(made[i].name for i in rivals)])
    subject.notes += [f"there is also {made[i].text}" for i in rivals]
    subject.entry_point = best.text
    if tried[0] is not None and ended(tried[0]):
        state = next(result.state for result in tried[0] if not result.ok)
        raise CannotExamine("timeout" if state == "timeout" else "died", f"{best.text} in plain use")
    return best


def _is_abstract(results: Results | None) -> bool:
    """Tell whether plain use ends at a method that a subclass has to define."""
    return results is not None and any(r.error is not None and r.error.is_a("NotImplementedError") for r in results)


def _look(entry: ClassEntry) -> list[Call]:
    """Ask an object for its methods: inherited ones stand in no source."""
    handle = Handle()
    return [entry.new(handle), Call(target=Builtin(name="dir"), args=(handle,))]


def _completed(subject: Subject, entry: ClassEntry, results: Results | None, wanted: WantedClass) -> ClassEntry | None:
    """Find the method for each role; ``None`` when it cannot be made or some role is not played."""
    if results is None or not results[0].ok or not isinstance(results[1].value, list):
        return None
    names = {name for name in results[1].value if isinstance(name, str)}
    owner = next(c for c in subject.inventory.classes if c.name == entry.name)
    methods = {role: _method(names, usual, owner) for role, usual in wanted.methods.items()}
    complete = {role: method for role, method in methods.items() if method is not None}
    return replace(entry, methods=complete) if len(complete) == len(methods) else None


def _keywords(owner: Class) -> tuple[str, ...]:
    made = owner.method("__init__")
    parameters = made.parameters if made is not None else ()
    by_position = [p for p in parameters if p.kind not in ("keyword_only", "var_keyword")]
    return tuple(p.name for p in parameters if p.kind == "keyword_only") if not by_position else ()


def _method(names: set[str], usual: Sequence[str], owner: Class) -> tuple[str, How] | None:
    by_plain = {_plain(name): name for name in sorted(names, reverse=True) if not name.startswith("_")}
    for name in usual:
        found = name if name in names else by_plain.get(_plain(name))
        if found is not None:
            described = owner.method(found)
            return found, "property" if described is not None and described.kind == "property" else "method"
    return None


def _ranked(classes: Sequence[Class], wanted: WantedClass) -> list[Class]:
    """Classes that may play all roles, the likeliest name first; those that need a constructor's arguments included."""
    return sorted(
        (c for c in classes if c.bases != ("Protocol",) and "Exception" not in c.bases and _may_play(c, wanted)),
        key=lambda c: -_is_named(c.name, wanted),
    )


def _may_play(owner: Class, wanted: WantedClass) -> bool:
    inherits = any(base not in ("object", "Generic", "ABC") for base in owner.bases)
    usual = {_plain(name) for names in wanted.methods.values() for name in names}
    return inherits or any(_plain(method.name) in usual for method in owner.methods)


def _is_named(name: str, wanted: WantedClass) -> int:
    """2 for a usual name, 1 for one that contains it, else 0."""
    plain, usual = _plain(name), [_plain(one) for one in wanted.names]
    return 2 if plain in usual else 1 if any(one in plain for one in usual) else 0


def _plain(name: str) -> str:
    return re.sub(r"_", "", name).lower()


def _nothing_fits(subject: Subject, wanted: WantedClass) -> str:
    names = [c.name for c in subject.inventory.classes][:8]
    return f"no class with {', '.join(wanted.methods)} that can be made; classes: {', '.join(names) or 'none'}"


# --- checking ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One use of an object and what is right for it."""

    role: str
    args: tuple[Any, ...] = ()
    accepts: Callable[[CallResult], bool] = lambda result: result.ok
    expected: str = "no exception"
    """What is right, in words."""


def gives(role: str, *args: Any, value: Any) -> Step:
    """Return a step that must give exactly ``value``."""
    return Step(role, args, lambda result: result.ok and same(result.value, value), shown(value))


async def check_sessions(
    subject: Subject,
    entry: ClassEntry,
    sessions: Mapping[Check, Sequence[Sequence[Step]]],
    *,
    arguments: tuple[Any, ...] = (),
) -> None:
    """Use a new object for each session, all in one go, and record each check: it passes when all its sessions do."""
    flat = [(check, session) for check, some in sessions.items() for session in some]
    batches = [entry.session(*((s.role, *s.args) for s in session), arguments=arguments) for _, session in flat]
    groups = [check.id for check, _ in flat]
    for (check, session), results in zip(flat, await subject.run_each(batches, groups), strict=True):
        if results is None:
            subject.not_run(check, NOT_TRIED)
        elif (wrong := _first_wrong(session, results)) is None:
            subject.passed(check)
        else:
            steps, result, expected = wrong
            subject.failed_call(check, result, input=_history(entry, steps, arguments), expected=expected)


def _first_wrong(session: Sequence[Step], results: Results) -> tuple[Sequence[Step], CallResult, str] | None:
    if not results[0].ok:
        return (), results[0], "an object"
    for index, (step, result) in enumerate(zip(session, results[1:], strict=True)):
        if not step.accepts(result):
            return session[: index + 1], result, step.expected
    return None


_HISTORY_STEPS = 6


def _history(entry: ClassEntry, steps: Sequence[Step], arguments: tuple[Any, ...]) -> str:
    """Return what was done, the last steps only when there are many."""
    calls = [f"{step.role}({', '.join(map(shown, step.args))})" for step in steps[-_HISTORY_STEPS:]]
    skipped = [f"...{len(steps) - _HISTORY_STEPS} more"] if len(steps) > _HISTORY_STEPS else []
    made = f"{entry.name}({', '.join(map(shown, arguments or entry.arguments))})"
    return ", ".join([made, *skipped, *calls])
