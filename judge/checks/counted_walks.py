"""Code rewritten so that walks which C code makes over an answer's own containers are counted too. Pure.

Counting sees the answer's instructions and its counted arguments, but ``min(self.used)``, ``list(keys)[0]`` or
``self.order.pop(0)`` is one call into C, whatever the length. Here each of them first walks its container in code
that is counted. What the program computes stays the same.
"""

import ast

from judge.extract.source import read

_FUNCTIONS = frozenset(
    {"list", "tuple", "set", "frozenset", "dict", "sorted", "min", "max", "sum", "any", "all"}
    | {"deque", "OrderedDict", "heapify", "nsmallest", "nlargest"}
)
"""Called with one container, they go through all of it."""
_METHODS = frozenset({"remove", "index", "count", "copy", "sort", "reverse"})
"""Of a list or deque: search or touch all of it. Others that have such methods are left alone at run time."""
_AT_THE_FRONT = frozenset({"pop", "insert"})
"""Of a list: with position 0 they move all of it."""

_PRELUDE = """
def _walked(container):
    if hasattr(container, "__next__"):
        return (item for item in container)
    for _ in container:
        pass
    return container

def _searched(container, front=False):
    if type(container) is list or (type(container).__name__ == "deque" and not front):
        for _ in container:
            pass
    return container
"""


def with_counted_walks(code: str) -> str:
    """Return the program with its walks counted; unchanged when it does not parse. Line numbers change."""
    source = read(code)
    if source.tree is None:
        return code
    tree = _Rewriter(_FUNCTIONS - source.defines).visit(source.tree)
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    rest = [node for node in tree.body if node not in imports]
    parts = (imports, ast.parse(_PRELUDE).body, rest)
    return "\n".join(ast.unparse(ast.Module(body=list(part), type_ignores=[])) for part in parts)


class _Rewriter(ast.NodeTransformer):
    def __init__(self, functions: frozenset[str]) -> None:
        self._functions = functions

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        match node.func:
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="heapq" | "collections"), attr=name) if (
                name in self._functions and len(node.args) == 1 and not isinstance(node.args[0], ast.Starred)
            ):
                node.args[0] = _call("_walked", node.args[0])
            case ast.Attribute(value=container, attr=name) if name in _METHODS:
                node.func.value = _call("_searched", container)
            case ast.Attribute(value=container, attr=name) if name in _AT_THE_FRONT and _first_is_zero(node):
                node.func.value = _call("_searched", container, ast.Constant(True))
        return node

    def visit_Starred(self, node: ast.Starred) -> ast.Starred:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            node.value = _call("_walked", node.value)
        return node


def _first_is_zero(call: ast.Call) -> bool:
    return bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(func=ast.Name(id=name, ctx=ast.Load()), args=list(arguments), keywords=[])
