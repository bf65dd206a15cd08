"""Which functions of an answer can be called as the question asks, and how likely each is the one that is meant: by name,
signature and place in the call graph. Pure; trying them is the business of ``entry``.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from judge.checks.call_graph import call_graph, decorator_names
from judge.checks.cases import Case
from runner.outcomes import Class, Function, Inventory

_EXACT, _ALL_WORDS, _SOME_WORDS = 100, 60, 30
_GENERIC_NAME, _DOC, _HELPER, _CALLED, _DEMO, _PRIVATE = 20, 5, -30, -30, -60, -40

# fmt: off
_GENERIC = frozenset({
    "solve", "solution", "run", "execute", "compute", "calculate", "process", "call", "get", "apply", "transform",
    "convert", "find", "evaluate", "perform", "answer", "func", "function",
})
_DEMO_NAMES = re.compile(r"^(main|demo|example|usage|bench|profile|print|show|display|test|check|verify|assert|time)")
_HELPER_NAMES = re.compile(r"helper|inner|aux|impl|util|valid|expand|is_|_is")
_SAYS_ELSE = frozenset({
    "count", "counts", "length", "len", "size", "is", "has", "are", "report", "summary", "stats", "digits", "twice",
    "position", "positions", "index", "indices", "bounds", "check", "checker", "verify", "validate", "compare", "print",
    "show", "display", "test", "demo", "time", "benchmark", "main",
})
"""Words of names that say that something about the result is given, not the result."""
# fmt: on


@dataclass(frozen=True)
class WantedFunction:
    """What the entry point of a question looks like."""

    names: tuple[str, ...]
    """Usual names; case and underscores do not matter."""
    words: tuple[str, ...]
    """Parts that such names are made of: ``("longest", "palindrom")``."""
    example: Case
    """The question's own example, or the plainest case there is."""
    spreads: bool = False
    """True when the one argument is a list that an answer may take as ``*args``."""
    fill: tuple[tuple[str, str], ...] = ()
    """Further required parameters that an answer may have: name -> Python expression for it."""
    versions: bool = False
    """True when an answer may keep a version that is known to fail: of equals the one that passes counts."""


@dataclass(frozen=True)
class Entry:
    """How to call an answer."""

    target: str
    """Name in the loaded module."""
    text: str
    """As a person would write it: ``Solution().reverse(s)``."""
    glue: str | None = None
    """Definition of ``target``; ``None`` when the answer defines it."""
    function: str = ""
    """Name of the function or method behind it."""
    owner: str | None = None
    """Its class; ``None`` for a module's function."""

    @property
    def shown_name(self) -> str:
        """The text without its parameters: ``Solution().reverse``."""
        return self.text.rpartition("(")[0] or self.text


@dataclass(frozen=True)
class Candidate:
    """An entry and how likely it is, before it was tried."""

    entry: Entry
    rank: int
    calls: frozenset[str]
    """Names that its code calls, those of its own helpers included."""
    is_named: bool = False
    """True when it has a usual name of the question."""

    @property
    def is_private(self) -> bool:
        """True when its name says that nobody else should call it."""
        return self.entry.function.startswith("_") and self.entry.function != "__call__"

    @property
    def says_else(self) -> bool:
        """True when its name promises something about the result: ``count_addresses``, ``is_longest``."""
        return not self.is_named and bool(_SAYS_ELSE & set(words_of(self.entry.function)))


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case: ``isLongest_one`` -> is, longest, one."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+", name)]


BARE_SELF = "_bare_self"
"""What a method that lost its class gets for ``self``."""
BARE_SELF_GLUE = (
    f"{BARE_SELF} = type('Bare', (), {{n: f for n, f in globals().items() if type(f) is type(lambda: 0)}})()\n"
)
"""Its definition: an object that has all functions of the module as methods."""


def candidates(inventory: Inventory, tree: ast.Module, wanted: WantedFunction) -> list[Candidate]:
    """Return everything that can be called with the example's arguments, most likely first."""
    calls, decorators = call_graph(tree), decorator_names(tree)
    found = [*_functions(inventory, wanted), *_methods(inventory, wanted), *_rebound(inventory, tree, wanted)]
    found = [(entry, base) for entry, base in found if (entry.owner or entry.function) not in decorators]
    entries = list({(entry.owner, entry.function): (entry, base) for entry, base in reversed(found)}.values())[::-1]
    named = max((base for _, base in entries), default=0) >= _EXACT
    # Who uses an exactly named function is something further, unless its own name is as good.
    users = [entry.function for entry, base in entries if base >= _EXACT or not named]
    helpers = _used_by_others([entry.function for entry, _ in entries], users, calls)
    ranked = [
        Candidate(
            entry,
            base + (_CALLED if entry.function in helpers else 0),
            calls.get(entry.function, _NONE),
            base >= _EXACT,
        )
        for entry, base in entries
    ]
    return sorted(ranked, key=lambda candidate: -candidate.rank)


_NONE: frozenset[str] = frozenset()


def _used_by_others(names: list[str], users: list[str], calls: dict[str, frozenset[str]]) -> set[str]:
    """Names that one of ``users`` uses without being used by it; demonstrations use everything and do not count."""
    return {
        name
        for name in names
        for user in users
        if not _DEMO_NAMES.match(user.lower())
        and user != name
        and name in calls.get(user, _NONE)
        and user not in calls.get(name, _NONE)
    }


def _functions(inventory: Inventory, wanted: WantedFunction) -> Iterator[tuple[Entry, int]]:
    for function in inventory.functions:
        arguments = _arguments(function, wanted)
        if arguments is not None:
            yield _entry(function, function.name, arguments, None), _rank(function, wanted)


def _methods(inventory: Inventory, wanted: WantedFunction) -> Iterator[tuple[Entry, int]]:
    for owner in inventory.classes:
        made = _construction(owner, wanted)
        for method in owner.methods:
            if method.name.startswith("__") and method.name != "__call__":
                continue
            rank = _method_rank(owner, method, wanted)
            arguments = _arguments(method, wanted)
            if method.kind in ("staticmethod", "classmethod") and arguments is not None:
                yield _entry(method, f"{owner.name}.{method.name}", arguments, owner), rank
            elif arguments is not None and made is not None and not made:
                yield _entry(method, f"{owner.name}().{method.name}", arguments, owner), rank
            elif made and not [p for p in method.parameters if _is_required(p.kind, p.has_default)]:
                yield _entry(method, f"{owner.name}({made}).{method.name}", "", owner), rank


def _rebound(inventory: Inventory, tree: ast.Module, wanted: WantedFunction) -> Iterator[tuple[Entry, int]]:
    """Names that an answer binds to a callable it did not write: ``from math import factorial``, ``f = partial(g, 2)``."""
    known = {function.name for function in inventory.functions} | {owner.name for owner in inventory.classes}
    for name in _bound_names(tree):
        if name not in known and _name_rank(name, wanted) == _EXACT:
            yield Entry(name, f"{name}({_shown_parameter(wanted)})", None, name, None), _EXACT


def _bound_names(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
                yield name
            case ast.ImportFrom(names=names) | ast.Import(names=names):
                yield from (alias.asname or alias.name for alias in names)


def _shown_parameter(wanted: WantedFunction) -> str:
    return ", ".join("xyz"[i : i + 1] or "..." for i in range(len(wanted.example.args)))


def _is_required(kind: str, has_default: bool) -> bool:
    return not has_default and kind not in ("var_positional", "var_keyword")


def _arguments(function: Function, wanted: WantedFunction) -> str | None:
    """Return the argument list that passes the example's arguments as ``a0``, ``a1``...; ``None``: it cannot take them."""
    fill = dict(wanted.fill) | ({"self": BARE_SELF} if function.kind == "function" else {})
    places = [p for p in function.parameters if p.kind in ("positional_only", "positional_or_keyword")]
    variadic = any(p.kind == "var_positional" for p in function.parameters)
    named = [p for p in function.parameters if p.kind == "keyword_only" and not p.has_default]
    free = [p for p in places if p.has_default or p.name.lower() not in fill]
    given = len(wanted.example.args)
    required = [p for p in free if not p.has_default]
    if variadic and not required:
        return "*a0" if wanted.spreads else ", ".join(f"a{i}" for i in range(given))
    if not places and len(named) == given:
        return ", ".join(f"{p.name}=a{i}" for i, p in enumerate(named))
    if len(required) > given or len(free) < given or any(p.name.lower() not in fill for p in named):
        return None
    taken = [p for p in free if not p.has_default][:given]
    taken += [p for p in free if p.has_default][: given - len(taken)]
    passed = {p.name: f"a{i}" for i, p in enumerate(p for p in places if p in taken)}
    filled = {p.name: fill[p.name.lower()] for p in [*places, *named] if p.name.lower() in fill and not p.has_default}
    return _argument_list([p.name for p in places], {**filled, **passed}, [p.name for p in named])


def _argument_list(places: list[str], values: dict[str, str], named: list[str]) -> str:
    parts: list[str] = []
    for position, name in enumerate(places):
        if name in values:
            in_order = position == len(parts)
            parts.append(values[name] if in_order else f"{name}={values[name]}")
    return ", ".join([*parts, *(f"{name}={values[name]}" for name in named)])


def _construction(owner: Class, wanted: WantedFunction) -> str | None:
    """Return the arguments of the constructor: empty when it needs none, ``None`` when it cannot be filled."""
    made = owner.method("__init__")
    required = [p for p in made.parameters if _is_required(p.kind, p.has_default)] if made is not None else []
    if not required:
        return ""
    fill = dict(wanted.fill)
    if all(p.name.lower() in fill for p in required):
        return ""
    return _arguments(made, wanted) if made is not None else None


def _entry(function: Function, callee: str, arguments: str, owner: Class | None) -> Entry:
    text_arguments = _readable(arguments, function)
    is_global = "(" not in callee and arguments == ", ".join(f"a{i}" for i in range(arguments.count("a")))
    if is_global and not function.is_generator:
        return Entry(callee, f"{callee}({text_arguments})", None, function.name, owner.name if owner else None)
    count = max([int(n) + 1 for n in re.findall(r"\ba(\d+)\b", f"{callee} {arguments}")] or [0])
    target = "_entry_" + re.sub(r"\W+", "_", callee).strip("_")
    body = _body(function, callee, arguments, owner)
    keyword = "async def" if function.is_async else "def"
    glue = f"{keyword} {target}({', '.join(f'a{i}' for i in range(count))}):\n{body}"
    made = owner.method("__init__") if owner is not None else None
    shown_callee = _readable(callee, made or function)
    text = f"{shown_callee}({text_arguments})" if function.kind != "property" else shown_callee
    return Entry(target, text, glue, function.name, owner.name if owner else None)


def _body(function: Function, callee: str, arguments: str, owner: Class | None) -> str:
    call = f"{callee}({arguments})" if function.kind != "property" else callee
    if owner is not None and "(" in callee and owner.method("__aenter__") is not None and function.is_async:
        made, _, method = callee.rpartition(".")
        return f"    async with {made} as made:\n        return await made.{method}({arguments})\n"
    if function.is_async and function.is_generator:
        return f"    return [item async for item in {call}]\n"
    if function.is_async:
        return f"    return await {call}\n"
    return f"    return list({call})\n" if function.is_generator else f"    return {call}\n"


def _readable(text: str, function: Function) -> str:
    names = [p.name for p in function.parameters if p.kind != "var_keyword" and p.name != "self"] or ["x"]
    return re.sub(r"\ba(\d+)\b", lambda match: names[int(match[1])] if int(match[1]) < len(names) else match[0], text)


# --- ranks: pure --------------------------------------------------------------------------------------------------


def _rank(function: Function, wanted: WantedFunction) -> int:
    name = function.name.lower()
    rank = _name_rank(name, wanted)
    rank += _HELPER if rank < _EXACT and _HELPER_NAMES.search(name) else 0
    rank += _DEMO if rank < _EXACT and _DEMO_NAMES.match(name) else 0
    rank += _PRIVATE if name.startswith("_") and name != "__call__" else 0
    doc = (function.doc or "").lower()
    return rank + (_DOC if any(word in doc for word in wanted.words) else 0)


def _method_rank(owner: Class, method: Function, wanted: WantedFunction) -> int:
    by_name = _rank(method, wanted)
    generic = method.name.lower().strip("_") in _GENERIC
    return max(by_name, _name_rank(owner.name, wanted)) if generic else by_name


def _name_rank(name: str, wanted: WantedFunction) -> int:
    plain = _plain(name)
    if plain in map(_plain, wanted.names):
        return _EXACT
    matching = [word for word in wanted.words if word in plain]
    if matching:
        return _ALL_WORDS if len(matching) == len(wanted.words) else _SOME_WORDS
    return _GENERIC_NAME if plain in _GENERIC else 0


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
