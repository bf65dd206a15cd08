"""Code as a model wrote it -> code that can be loaded without running its examples. Pure.

Loading must neither hang nor fail a right answer: ``input()``, prints, self-tests and demonstrations at module level
go; imports, definitions, and whatever definitions need stay. In doubt a statement stays, unless it waits for somebody.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from judge.extract.candidates import is_test
from judge.extract.source import (
    Definition,
    Source,
    bound_names,
    compile_error,
    defined_names,
    first_line,
    global_reads,
    is_main_guard,
    last_line,
    makers,
    read,
)
from judge.extract.values import Program

# fmt: off
_WAITS = frozenset({
    "input", "raw_input", "breakpoint", "exit", "quit", "sys.exit", "os._exit", "asyncio.run", "time.sleep",
    "unittest.main", "pytest.main", "doctest.testmod", "anyio.run", "trio.run", "uvicorn.run", "stdin.read",
    "stdin.readline", "stdin.readlines", "requests.get", "requests.post", "requests.request", "httpx.get", "httpx.post",
    "timeit.timeit",
})
"""Calls that wait for a person, a network or a clock, or end the process: never made while an answer is loaded."""
_WAITING_METHODS = frozenset({
    "run_until_complete", "run_forever", "serve_forever", "urlopen", "mainloop", "parse_args",
})
"""The same, whatever they are called on."""
_OUTSIDE = frozenset({"sys.argv", "sys.stdin"})
"""What a started program is given and a loaded one is not."""
_SETTINGS = frozenset({
    "sys.setrecursionlimit", "sys.set_int_max_str_digits", "random.seed", "logging.basicConfig", "threading.stack_size",
    "asyncio.set_event_loop_policy", "warnings.filterwarnings", "warnings.simplefilter",
})
"""Calls whose effect lasts: without them a right definition may fail later."""
# fmt: on

_SHOWN_CHARS = 100

_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Sort = Literal["keep", "if_needed", "drop"]


@dataclass(frozen=True)
class _Statement:
    """A statement of the module and what it does to the module's names."""

    node: ast.stmt
    binds: frozenset[str]
    reads: frozenset[str]
    changes: frozenset[str]
    """Names that it binds, or whose objects it changes or calls methods of."""


def runnable(code: str) -> Program:
    """Return the program to load. Idempotent; code that does not parse comes back as it is, with its error."""
    source = read(code.replace("\r\n", "\n").replace("\r", "\n"))
    if source.tree is None:
        return Program(
            code=code, dropped=(), defines=tuple(sorted(source.defines)), parses=False, syntax_error=source.error
        )
    statements = [_statement(source, node) for node in source.tree.body]
    kept = _kept(statements, makers(source.tree))
    dropped = [s.node for i, s in enumerate(statements) if i not in kept]
    text = _without(source, dropped, [statements[i].node for i in sorted(kept)])
    error = compile_error(text)
    bound = frozenset().union(*(statements[i].binds for i in kept))
    return Program(
        code=text,
        dropped=tuple(_named(source, node) for node in dropped),
        defines=tuple(dict.fromkeys(n for i in sorted(kept) for n in defined_names(statements[i].node))),
        gone=tuple(sorted(frozenset().union(*(s.binds for s in statements)) - bound)),
        parses=error is None,
        syntax_error=error,
    )


def _kept(statements: list[_Statement], made_by: frozenset[str]) -> set[int]:
    """Return the indices of the statements to keep: definitions, and in a fixed point everything that they need."""
    sorts = _sorted(statements, made_by)
    kept = {i for i, sort in enumerate(sorts) if sort == "keep"}
    changers: dict[str, list[int]] = {}
    for i, sort in enumerate(sorts):
        for name in statements[i].changes if sort == "if_needed" else ():
            changers.setdefault(name, []).append(i)
    pending = list(kept)
    while pending:
        for name in statements[pending.pop()].reads:
            needed = [i for i in changers.pop(name, ()) if i not in kept]
            kept.update(needed)
            pending += needed
    return kept - _imports_of_usage(statements, kept)


def _sorted(statements: list[_Statement], made_by: frozenset[str]) -> list[_Sort]:
    own = {name for s in statements for name in defined_names(s.node)}
    variables = {name for s in statements if not _is_import(s.node) for name in s.binds} - own
    sorts: list[_Sort] = []
    doubtful: set[str] = set()
    gone: set[str] = set()
    for statement in statements:
        sort = _sort(statement.node, own, made_by)
        if not isinstance(statement.node, Definition):
            # What reads a value that is gone cannot run; what reads one that may go shares its fate.
            sort = "drop" if statement.reads & gone else sort
            sort = "if_needed" if sort == "keep" and statement.reads & doubtful else sort
        sorts.append(sort)
        for fate, names in (("drop", gone), ("if_needed", doubtful)):
            names.difference_update(statement.binds if sort != fate else ())
            names.update(statement.binds & variables if sort == fate else ())
    return sorts


def _sort(node: ast.stmt, own: set[str], made_by: frozenset[str]) -> _Sort:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return "if_needed" if is_test(node) else "keep"
        case ast.ImportFrom(module=str(module)) if _is_own_module(module, node, own):
            return "drop"
        case ast.Assert() | ast.Raise() | ast.Delete():
            return "drop"
        case ast.Expr(value=ast.Constant()):
            return "keep"
        case ast.Expr(value=ast.Call() as call) if _dotted(call.func) in _SETTINGS:
            return "keep"
        case ast.Expr():
            return "drop" if _waits(node) else "if_needed"
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            return "drop" if _waits(node) else _sort_assignment(node, own, made_by)
        case (
            ast.If() | ast.Try() | ast.With() | ast.For() | ast.While() | ast.Match() | ast.AsyncFor() | ast.AsyncWith()
        ):
            return _sort_compound(node, own)
    return "keep"


def _sort_assignment(node: ast.Assign | ast.AnnAssign | ast.AugAssign, own: set[str], made_by: frozenset[str]) -> _Sort:
    called = node.value.func if isinstance(node.value, ast.Call) else None
    if any(defined_names(node)) or (isinstance(called, ast.Name) and called.id in made_by):
        return "keep"  # "reverse_words = compose(...)" is a definition
    calls = [n for n in _own_nodes(node) if isinstance(n, ast.Call)]
    if not calls:
        return "keep"  # a constant, an alias
    given = {arg.id for call in calls for arg in call.args if isinstance(arg, ast.Name)}
    # "fast = lru_cache(None)(slow)" is a definition too.
    return "keep" if given & own and not _uses_own(node, own) else "if_needed"


def _sort_compound(node: ast.stmt, own: set[str]) -> _Sort:
    if is_main_guard(node):
        return "drop"
    inside = list(_own_nodes(node))
    if any(isinstance(n, Definition | ast.Import | ast.ImportFrom) for n in inside) and not _uses_own(node, own):
        return "keep"  # try: import aiohttp / except ImportError: ...
    return "drop" if _waits(node) else "if_needed"


def _statement(source: Source, node: ast.stmt) -> _Statement:
    binds = frozenset(bound_names([node]))
    reads = _reads(source, node)
    roots = {_root(n) for n in _own_nodes(node) if isinstance(n, ast.Attribute | ast.Subscript)}
    changed = {name for name in roots if name is not None} if not isinstance(node, Definition) else set()
    return _Statement(node, binds, reads, binds | changed)


def _reads(source: Source, node: ast.stmt) -> frozenset[str]:
    if isinstance(node, Definition):
        return global_reads("\n".join(source.lines[first_line(node) - 1 : last_line(node)]) + "\n", node)
    inner = [n for n in ast.walk(node) if isinstance(n, ast.comprehension | ast.Lambda)]
    local = {name for n in inner for name in _local_names(n)}
    if not isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        local.update(bound_names([node]))  # a loop reads its variable after it has bound it
    loads = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return frozenset(loads - local)


def _local_names(node: ast.comprehension | ast.Lambda) -> set[str]:
    if isinstance(node, ast.Lambda):
        return {n.arg for n in ast.walk(node.args) if isinstance(n, ast.arg)}
    return {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}


def _imports_of_usage(statements: list[_Statement], kept: set[int]) -> set[int]:
    """Return imports that only dropped statements read: a test library that is not there must not stop the answer."""
    used = frozenset().union(*(statements[i].reads for i in kept))
    left = frozenset().union(*(s.reads for i, s in enumerate(statements) if i not in kept))
    imports = [i for i in kept if _is_import(statements[i].node)]
    return {i for i in imports if statements[i].binds & left and not statements[i].binds & used}


def _is_own_module(module: str, node: ast.ImportFrom, own: set[str]) -> bool:
    # "from solution import factorial": the parts of a made-up project, joined here into one module.
    return module.partition(".")[0] not in sys.stdlib_module_names and {alias.name for alias in node.names} <= own


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module != "__future__")


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when the statement does: function bodies do not."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        if current is node or not isinstance(current, _Scope | ast.ClassDef):
            pending.extend(ast.iter_child_nodes(current))


def _waits(node: ast.AST) -> bool:
    for inner in _own_nodes(node):
        if isinstance(inner, ast.Await | ast.AsyncFor | ast.AsyncWith) or _dotted(inner) in _OUTSIDE:
            return True
        if isinstance(inner, ast.Call):
            name = _dotted(inner.func)
            parts = name.split(".")
            if name in _WAITS or ".".join(parts[-2:]) in _WAITS or parts[-1] in _WAITING_METHODS:
                return True
    return False


def _uses_own(node: ast.AST, own: set[str]) -> bool:
    """Tell whether a call runs the module's own code, directly or through a builtin such as ``map``."""
    for call in _own_nodes(node):
        if isinstance(call, ast.Call):
            root = _root(call.func)
            through = call.args if isinstance(call.func, ast.Name) and root not in own else []
            if root in own or any(isinstance(arg, ast.Name) and arg.id in own for arg in through):
                return True
    return False


def _dotted(node: ast.AST) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed([*parts, node.id if isinstance(node, ast.Name) else "?"]))


def _root(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _without(source: Source, dropped: list[ast.stmt], kept: list[ast.stmt]) -> str:
    if not dropped:
        return source.code
    gone = {line for node in dropped for line in range(first_line(node), last_line(node) + 1)}
    if any(first_line(node) in gone or last_line(node) in gone for node in kept):
        return ast.unparse(ast.Module(body=kept, type_ignores=[])) + "\n"
    lines = ["" if number in gone else line for number, line in enumerate(source.lines, start=1)]
    return "\n".join(lines).rstrip() + "\n"


def _named(source: Source, node: ast.stmt) -> str:
    return f"line {first_line(node)}: {source.lines[first_line(node) - 1].strip()[:_SHOWN_CHARS]}"
