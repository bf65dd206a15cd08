"""Which function of an answer is meant: questions name none, so it is found by name, signature, place in the call graph,
and by trying it on the question's own example.

Candidates and their ranks are pure. What remains open after the trial (two candidates that stand equal and behave
differently) is reported as ambiguous, never guessed.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from judge.checks.checking import shown_result
from judge.checks.subject import CannotExamine, Case, Results, Subject, kind_of
from runner.outcomes import Class, Function, Inventory
from runner.protocol import Call, Opaque

_EXACT, _ALL_WORDS, _SOME_WORDS = 100, 60, 30
_GENERIC_NAME, _DOC, _HELPER, _CALLED, _DEMO, _PRIVATE = 20, 5, -30, -30, -60, -40
_RIVAL_WITHIN = 15
"""Candidates whose ranks are this close stand equal."""
_MAX_TRIED = 8

# fmt: off
_GENERIC = frozenset({
    "solve", "solution", "run", "execute", "compute", "calculate", "process", "call", "get", "apply", "transform",
    "convert", "find", "evaluate", "perform", "answer", "func", "function",
})
_DEMO_NAMES = re.compile(r"^(main|demo|example|usage|bench|profile|print|show|display|test|check|verify|assert|time)")
_HELPER_NAMES = re.compile(r"helper|inner|aux|impl|util|valid|expand|is_|_is")
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


@dataclass(frozen=True)
class _Tried:
    candidate: Candidate
    results: Results
    passes: bool

    @property
    def rank(self) -> int:
        return self.candidate.rank

    @property
    def text(self) -> str:
        return self.candidate.entry.text


async def find_function(subject: Subject, wanted: WantedFunction) -> Entry:
    """Return how to call the answer, and note it in the subject.

    Raises CannotExamine: no entry point, an ambiguous one, or one that hangs or dies on the example.
    """
    found = candidates(subject.inventory, subject.tree, wanted)[:_MAX_TRIED]
    if not found:
        raise CannotExamine("no_entry_point", _nothing_fits(subject.inventory))
    tried = [await _settle(subject, each, wanted) for each in await _try(subject, found, wanted)]
    chosen, notes = choose(tried)
    subject.notes += notes
    entry = chosen.candidate.entry
    subject.entry_point = entry.text
    if chosen.results[0].state in ("timeout", "died"):
        state = kind_of(chosen.results[0])
        raise CannotExamine("timeout" if state == "timeout" else "died", f"{entry.text} on the question's own example")
    return entry


def require_unambiguous(ambiguous: Sequence[str]) -> None:
    """Raise CannotExamine when there is more than one."""
    if len(ambiguous) > 1:
        raise CannotExamine("ambiguous", f"these behave differently on the example: {', '.join(ambiguous)}")


# --- candidates: pure ---------------------------------------------------------------------------------------------


def candidates(inventory: Inventory, tree: ast.Module, wanted: WantedFunction) -> list[Candidate]:
    """Return everything that can be called with the example's arguments, most likely first."""
    calls = call_graph(tree)
    found = [*_functions(inventory, wanted), *_methods(inventory, wanted), *_rebound(inventory, tree, wanted)]
    entries = list({(entry.owner, entry.function): (entry, base) for entry, base in reversed(found)}.values())[::-1]
    named = max((base for _, base in entries), default=0) >= _EXACT
    # Who uses an exactly named function is something further, unless its own name is as good.
    users = [entry.function for entry, base in entries if base >= _EXACT or not named]
    helpers = _used_by_others([entry.function for entry, _ in entries], users, calls)
    ranked = [
        Candidate(entry, base + (_CALLED if entry.function in helpers else 0), calls.get(entry.function, _NONE))
        for entry, base in entries
    ]
    return sorted(ranked, key=lambda candidate: -candidate.rank)


_NONE: frozenset[str] = frozenset()


def call_graph(tree: ast.Module) -> dict[str, frozenset[str]]:
    """Return for each function or method name what its code reads, through the module's own functions.

    Reading counts, not only calling: decorators and ``map(helper, ...)`` make helpers too.
    """
    direct: dict[str, frozenset[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            direct[node.name] = direct.get(node.name, _NONE) | _reads(node)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            direct |= {target.id: _reads(node.value) for target in node.targets if isinstance(target, ast.Name)}
    return {name: _closure(name, direct) for name in direct}


def _reads(node: ast.AST) -> frozenset[str]:
    names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load)}
    return frozenset(names | {inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)})


def _closure(name: str, direct: dict[str, frozenset[str]]) -> frozenset[str]:
    reached: set[str] = set()
    pending = [name]
    while pending:
        for read in direct.get(pending.pop(), _NONE) - reached:
            reached.add(read)
            pending.append(read)
    return frozenset(reached)


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
    fill = dict(wanted.fill)
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
    names = [p.name for p in function.parameters if p.kind != "var_keyword"] or ["x"]
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


def _nothing_fits(inventory: Inventory) -> str:
    names = [*(f.name for f in inventory.functions), *(c.name for c in inventory.classes)]
    return f"nothing can be called as the question asks; it defines {', '.join(names[:8]) or 'nothing'}"


# --- trial --------------------------------------------------------------------------------------------------------


async def _try(subject: Subject, found: list[Candidate], wanted: WantedFunction) -> list[_Tried]:
    glue = [candidate.entry.glue for candidate in found if candidate.entry.glue is not None]
    if glue:
        await subject.install("\n".join(glue))
    calls = [[Call(target=candidate.entry.target, args=wanted.example.args)] for candidate in found]
    results = await subject.run_each(calls)
    pairs = zip(found, results, strict=True)
    tried = [_Tried(c, r, wanted.example.accepted(r[0])) for c, r in pairs if r is not None]
    if not tried:
        raise CannotExamine("timeout", "everything that could be called hangs")
    return tried


async def _settle(subject: Subject, tried: _Tried, wanted: WantedFunction) -> _Tried:
    """An entry that gives an iterator gives a list from now on."""
    value = tried.results[0].value
    if not isinstance(value, Opaque) or tried.passes or value.type_name not in _LAZY:
        return tried
    entry = tried.candidate.entry
    target = f"{entry.target}_listed"
    lazily = replace(entry, target=target, text=f"list({entry.text})")
    await subject.install(f"def {target}(*args):\n    return list({entry.target}(*args))\n")
    candidate = replace(tried.candidate, entry=lazily)
    results = await subject.run([Call(target=target, args=wanted.example.args)])
    return tried if results is None else _Tried(candidate, results, wanted.example.accepted(results[0]))


_LAZY = frozenset({"generator", "map", "filter", "zip", "chain", "islice", "reversed", "dict_values", "dict_keys"})


def choose(tried: Sequence[_Tried]) -> tuple[_Tried, list[str]]:
    """Return the entry point among tried candidates, most likely first, and notes on the others. Raises CannotExamine."""
    best = tried[0]
    rivals = [other for other in tried[1:] if other.rank >= best.rank - _RIVAL_WITHIN and not _serves(other, best)]
    if not best.passes:
        users = [other for other in tried[1:] if other.passes and _serves(best, other)]
        if users:
            return users[0], [f"{users[0].text} was taken: it passes the example and uses {best.text}"]
        named = best.rank >= _EXACT + _CALLED
        passing = [other for other in tried[1:] if other.passes and not named and not _serves(other, best)]
        if passing and not any(other.passes for other in rivals):
            return passing[0], [f"{passing[0].text} was taken: {best.text} fails the example"]
    if any(other.passes != best.passes for other in rivals):
        require_unambiguous([best.text, *(rival.text for rival in rivals)])
    return best, [f"there is also {other.text}: {_how(other)}" for other in rivals]


def _serves(helper: _Tried, user: _Tried) -> bool:
    name, owner = helper.candidate.entry.function, user.candidate.entry.function
    return name in user.candidate.calls and owner not in helper.candidate.calls


def _how(tried: _Tried) -> str:
    return "passes the example too" if tried.passes else shown_result(tried.results[0])
