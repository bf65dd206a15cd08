"""Whether a lock covers what methods change: a second look beside real threads, which meet only races that happen.
Static and pure.

Only stores to attributes (and to items of attributes) are looked at, in the methods that are named and in everything
of the program that they call without holding a lock. What is not understood counts as covered.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from judge.extract.source import read

_MAKERS = frozenset({"Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "allocate_lock"})
_CALLED_LOCK = re.compile(r"lock|mutex|guard|condition|semaphore", re.IGNORECASE)
"""What a parameter or a name from elsewhere is called when it is, or makes, a lock."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Uncovered:
    """A store that happens without a lock."""

    method: str
    target: str
    """As written: ``self.tokens``."""
    line: int


def uncovered_stores(code: str, class_name: str, methods: Sequence[str]) -> tuple[Uncovered, ...]:
    """Return the stores that calling these methods of a class makes without a lock. Empty when the code does not
    parse."""
    tree = read(code).tree
    if tree is None:
        return ()
    program = _Program(tree)
    found = [store for name in methods for store in program.stores(program.method(class_name, name))]
    return tuple(dict.fromkeys(found))


class _Program:
    """The functions of a program, and the names of its locks."""

    def __init__(self, tree: ast.Module) -> None:
        self._classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        self._functions = [node for node in ast.walk(tree) if isinstance(node, _Function)]
        self._locks = _with_aliases(frozenset(_lock_names(tree)), tree)

    def method(self, class_name: str, name: str) -> list[_Function]:
        """Return a method, looked up in the bases too."""
        node = self._classes.get(class_name)
        if node is None:
            return []
        own = [item for item in node.body if isinstance(item, _Function) and item.name == name]
        inherited = (self.method(base.id, name) for base in node.bases if isinstance(base, ast.Name))
        return own or next((found for found in inherited if found), [])

    def stores(self, functions: Sequence[_Function]) -> list[Uncovered]:
        """Return the uncovered stores of functions that are called without a lock."""
        found: list[Uncovered] = []
        pending, seen = list(functions), set(functions)
        while pending:
            function = pending.pop()
            for node in self._bare_nodes(function):
                found += [Uncovered(function.name, ast.unparse(t), t.lineno) for t in _targets(node)]
                called = [f for f in self._called(node) if f not in seen]
                seen.update(called)
                pending += called
        return sorted(found, key=lambda store: store.line)

    def _bare_nodes(self, function: _Function) -> Iterator[ast.AST]:
        """Yield the nodes of a function that are reached without a lock."""
        if any(self._guards(decorator, function) for decorator in function.decorator_list):
            return
        acquired = min(self._acquired_lines(function), default=None)
        pending: list[ast.AST] = list(function.body)
        while pending:
            node = pending.pop()
            if acquired is not None and getattr(node, "lineno", 0) > acquired:
                continue
            if isinstance(node, ast.With) and any(self._guards(item.context_expr, function) for item in node.items):
                continue
            yield node
            pending.extend(ast.iter_child_nodes(node))

    def _acquired_lines(self, function: _Function) -> Iterator[int]:
        for node in ast.walk(function):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ("acquire", "__enter__")
                and self._guards(node, function)
            ):
                yield node.lineno

    def _guards(self, expression: ast.expr, function: _Function) -> bool:
        """Tell whether entering this (or being decorated with it) takes a lock that others share."""
        names = set(_names(expression))
        if names == {"self"}:
            names = {"__enter__"}  # "with self:" runs the object's own
        if isinstance(expression, ast.Call) and names & _MAKERS:
            return False  # a new lock excludes nobody
        own = {name for node in function.body for name in _lock_names(node, local=True)}
        helpers = [f for f in self._functions if f.name in names]
        return bool(names & (self._locks - own)) or any(
            set(_names(part)) & self._locks for helper in helpers for part in helper.body
        )

    def _called(self, node: ast.AST) -> list[_Function]:
        if not isinstance(node, ast.Call):
            return []
        name = next(_names(node.func), "")
        return [f for f in self._functions if f.name == name and f.name != "__init__"]


def _targets(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            written = targets
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            written = [target]
        case _:
            return []
    parts = [part for target in written for part in _flat(target)]
    return [part for part in parts if isinstance(part, ast.Attribute | ast.Subscript) and _on_attribute(part)]


def _flat(target: ast.expr) -> list[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        return [part for element in target.elts for part in _flat(element)]
    return [target]


def _on_attribute(target: ast.expr) -> bool:
    return any(isinstance(node, ast.Attribute) for node in ast.walk(target))


def _lock_names(tree: ast.AST, *, local: bool = False) -> Iterator[str]:
    """Yield the names that are bound to locks; with ``local`` only plain names, not attributes."""
    arguments = (node for node in ast.walk(tree) if isinstance(node, ast.arguments))
    given = frozenset(argument.arg for one in arguments for argument in _given(one))
    own = frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and _is_entered(node))
    for node in ast.walk(tree):
        for target, value in _bindings(node):
            if (_makes_lock(value, own) or _is_given_lock(value, given)) and (
                not local or isinstance(target, ast.Name)
            ):
                yield from list(_names(target))[:1]


def _bindings(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield targets with their values, those of ``a, b = c, d`` one by one."""
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
            yield from zip(targets, values, strict=True)
        case ast.Assign(targets=targets, value=value):
            yield from ((target, value) for target in targets)
        case ast.AnnAssign(target=target, value=value) if value is not None:
            yield target, value


def _is_entered(node: ast.ClassDef) -> bool:
    """Tell whether the objects of a class are locks of their own: with ``__enter__`` that acquires something."""
    entering = (item for item in node.body if isinstance(item, _Function) and item.name in ("__enter__", "acquire"))
    return any(name == "acquire" for item in entering for part in item.body for name in _names(part))


def _given(arguments: ast.arguments) -> list[ast.arg]:
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def _is_given_lock(value: ast.expr, given: frozenset[str]) -> bool:
    """Tell whether a value comes from a parameter that is called a lock: ``lock``, ``lock_factory()``."""
    names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
    return any(_CALLED_LOCK.search(name) for name in names & given)


def _with_aliases(locks: frozenset[str], tree: ast.AST) -> frozenset[str]:
    """Add what is set to a lock: ``self.lock = _SHARED``, ``lock = self._lock``."""
    assignments = [
        (next(_names(node.targets[0]), ""), node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Attribute)
    ]
    while added := {name for name, value in assignments if next(_names(value), "") in locks} - locks:
        locks |= added
    return locks


def _makes_lock(value: ast.expr, own: frozenset[str] = frozenset()) -> bool:
    return any(
        (isinstance(node, ast.Name) and node.id in _MAKERS | own)
        or (isinstance(node, ast.Attribute) and node.attr in _MAKERS and ast.unparse(node.value) != "asyncio")
        for node in ast.walk(value)
    )


def _names(expression: ast.AST) -> Iterator[str]:
    """Yield the names and attributes in an expression, outermost first."""
    for node in ast.walk(expression):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
