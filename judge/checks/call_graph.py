"""Which names the functions of a program read, through each other. Pure."""

import ast

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


def decorator_names(tree: ast.Module) -> frozenset[str]:
    """Return the names of the module's own functions and classes that it uses as decorators."""
    definitions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef))
    used = {
        inner.id for n in definitions for d in n.decorator_list for inner in ast.walk(d) if isinstance(inner, ast.Name)
    }
    return frozenset(used)
