"""Which class of an answer is meant, what its methods are called, and how it is constructed.

A class that answers the question has its methods; among several, the one that the others serve is taken: not the base
of another, not one that another is built on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from judge.entry import call_graph
from judge.subject import CannotExamine, Subject
from runner.outcomes import Class, Function, Parameter
from runner.protocol import Call, Handle


@dataclass(frozen=True)
class WantedClass:
    """What the class of a question looks like."""

    words: tuple[str, ...]
    """Parts of usual names, in lower case."""
    methods: tuple[tuple[str, ...], ...]
    """For each method the names that it may have; the first is the question's. Case and underscores do not matter."""


@dataclass(frozen=True)
class ClassEntry:
    """A class of the answer, and what it calls the methods that were wanted."""

    name: str
    methods: tuple[str, ...]
    """In the order of ``WantedClass.methods``; the question's own name where the class has none of the names."""
    parameters: tuple[Parameter, ...]
    """Of the constructor."""

    def made(self, handle: Handle, *args: Any, **kwargs: Any) -> Call:
        """Return the call that constructs an object behind ``handle``."""
        return Call(target=self.name, args=args, kwargs=kwargs, keep=handle)


def find_class(subject: Subject, wanted: WantedClass) -> ClassEntry:
    """Return the class that is meant, and note it in the subject. Raises CannotExamine when there is none."""
    classes = subject.inventory.classes
    most = max((_fitting(owner, wanted) for owner in classes), default=0)
    if most == 0:
        names = ", ".join(owner.name for owner in classes) or "nothing"
        methods = " and ".join(names[0] for names in wanted.methods)
        raise CannotExamine("no_entry_point", f"no class has {methods}; the answer defines {names}")
    fitting = [owner for owner in classes if _fitting(owner, wanted) == most]
    chosen = _main(fitting, subject, wanted)
    subject.entry_point = chosen.name
    subject.notes += [f"there is also the class {owner.name}" for owner in fitting if owner is not chosen]
    made = chosen.method("__init__")
    return ClassEntry(
        name=chosen.name,
        methods=tuple(_named(chosen, names) for names in wanted.methods),
        parameters=made.parameters if made is not None else (),
    )


def _main(fitting: Sequence[Class], subject: Subject, wanted: WantedClass) -> Class:
    bases = {base for owner in fitting for base in owner.bases}
    reads = call_graph(subject.tree)
    used = {
        owner.name
        for owner in fitting
        for other in fitting
        if other is not owner and any(owner.name in reads.get(method.name, ()) for method in _own(other, owner))
    }

    def rank(owner: Class) -> tuple[bool, bool, int]:
        words = sum(word in owner.name.lower() for word in wanted.words)
        return owner.name not in bases, owner.name not in used, words

    return max(fitting, key=rank)


def _own(owner: Class, other: Class) -> list[Function]:
    """Methods that only ``owner`` has: the call graph knows methods by name alone."""
    return [method for method in owner.methods if other.method(method.name) is None]


def _fitting(owner: Class, wanted: WantedClass) -> int:
    return sum(_find(owner, names) is not None for names in wanted.methods)


def _named(owner: Class, names: tuple[str, ...]) -> str:
    return _find(owner, names) or names[0]


def _find(owner: Class, names: tuple[str, ...]) -> str | None:
    by_plain_name = {_plain(method.name): method.name for method in reversed(owner.methods)}
    return next((by_plain_name[_plain(name)] for name in names if _plain(name) in by_plain_name), None)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
