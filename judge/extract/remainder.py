"""A program without a statement of its module that cannot run: what is left, and which names are gone. Pure."""

import ast
from dataclasses import dataclass

from judge.extract.source import Definition, bound_names, compile_error, first_line, global_reads, last_line, read


@dataclass(frozen=True)
class Remainder:
    """What is left of a program."""

    code: str
    """The lines of what was left out are empty."""
    left_out: str
    """The first line of what was left out."""
    gone: frozenset[str]
    """Names that nothing binds any more."""
    is_needed: bool
    """True when other statements read a name that is gone."""
    is_function: bool


def without_statement(code: str, line: int, name: str | None = None) -> Remainder | None:
    """Leave out the statement of the module at a line (1-based); of an import only what it imports under ``name``.

    ``None``: there is no such statement, or the rest does not compile. A line inside of a function stands for the one
    other statement that reads the function.
    """
    tree = read(code).tree
    node = _at(tree, line) if tree is not None else None
    if tree is None or node is None:
        return None
    rest = _import_without(node, name) if isinstance(node, ast.Import | ast.ImportFrom) and name is not None else None
    others = [other for other in tree.body if other is not node]
    bound = set(bound_names(others + ([rest] if rest is not None else [])))
    gone = frozenset(set(bound_names([node])) - bound)
    text = _text(code, node, rest, others)
    if compile_error(text) is not None:
        return None
    needed = any(gone & global_reads(ast.unparse(other) + "\n", other) for other in others)
    lines = code.split("\n")
    return Remainder(
        text,
        lines[first_line(node) - 1].strip()[:100],
        gone,
        needed,
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef),
    )


def _at(tree: ast.Module, line: int) -> ast.stmt | None:
    node = next((node for node in tree.body if first_line(node) <= line <= last_line(node)), None)
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or line < node.body[0].lineno:
        return node
    callers = [other for other in tree.body if not isinstance(other, Definition) and _loads(other, node.name)]
    return callers[0] if len(callers) == 1 else None


def _loads(node: ast.stmt, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(node))


def _import_without(node: ast.Import | ast.ImportFrom, name: str) -> ast.stmt | None:
    """Return the import without one module or name; ``None`` when nothing is left of it."""
    kept = [
        alias for alias in node.names if alias.name != name and alias.name.partition(".")[0] != name.partition(".")[0]
    ]
    if not kept or len(kept) == len(node.names):
        return None
    if isinstance(node, ast.Import):
        return ast.Import(names=kept)
    return ast.ImportFrom(module=node.module, names=kept, level=node.level)


def _text(code: str, node: ast.stmt, rest: ast.stmt | None, others: list[ast.stmt]) -> str:
    lines = code.split("\n")
    first, last = first_line(node), last_line(node)
    if any(first <= last_line(other) and first_line(other) <= last for other in others):  # "a = 1; b = 2"
        body = sorted([*others, *([ast.copy_location(rest, node)] if rest is not None else [])], key=first_line)
        return ast.unparse(ast.Module(body=body, type_ignores=[])) + "\n"
    kept = [ast.unparse(rest)] if rest is not None else [""]
    lines[first - 1 : last] = [*kept, *[""] * (last - first)]
    return "\n".join(lines)
