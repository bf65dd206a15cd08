"""Reading Python source without running it: does it parse, what does it define, bind and read. Pure.

"Parses" always means on the Python that this program runs on.
"""

import ast
import builtins
import re
import symtable
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

_REMEMBERED = 8
"""Sources that are kept: extraction reads the same blocks several times. Few, because the tree of a long one takes megabytes."""
MAX_PARSED_CHARS = 200_000
"""Longer code is not parsed: its tree would take hundreds of MB, and no answer within a token limit is as long."""

BUILTINS = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__", "__builtins__", "__annotations__"}

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_DEFINED = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """Code together with its syntax tree. The tree is shared: nobody changes it."""

    code: str
    tree: ast.Module | None
    """``None`` when the code does not parse."""
    error: str | None
    """One line saying why not; ``None`` when it parses."""
    error_line: int | None
    """1-based; ``None`` when it parses or the error has no place."""

    @cached_property
    def lines(self) -> list[str]:
        """The code line by line, as the tree counts them."""
        return self.code.split("\n")

    @cached_property
    def defines(self) -> frozenset[str]:
        """Functions, classes and named lambdas of the module; by their looks when the code does not parse."""
        if self.tree is None:
            return frozenset(_DEFINED.findall(self.code))
        return frozenset(name for node in self.tree.body for name in defined_names(node))

    @cached_property
    def binds(self) -> frozenset[str]:
        """Every name that the module itself binds: definitions, imports, assignments, loop variables."""
        return self.defines if self.tree is None else frozenset(bound_names(self.tree.body))

    @cached_property
    def reads(self) -> frozenset[str]:
        """Names that the code looks up in its module or the builtins, function bodies included."""
        return frozenset() if self.tree is None else global_reads(self.code, self.tree)

    @cached_property
    def shapes(self) -> frozenset[str]:
        """The module's own functions and classes without comments and layout; empty when one of them is nested too deeply."""
        nodes = [node for node in self.tree.body if isinstance(node, Definition)] if self.tree is not None else []
        try:
            return frozenset(map(ast.dump, nodes))
        except RecursionError:
            return frozenset()

    @property
    def missing(self) -> frozenset[str]:
        """Names that are read and bound nowhere."""
        return self.reads - self.binds - BUILTINS


def read(code: str) -> Source:
    """Parse code. Never raises: what the parser cannot take is an error in the result."""
    if len(code) > MAX_PARSED_CHARS:
        return Source(code, None, f"{len(code)} characters are more than the {MAX_PARSED_CHARS} that are parsed", None)
    return remembered(code)


def _read(code: str) -> Source:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except SyntaxError as error:
        return Source(code, None, _syntax_message(error), error.lineno)
    except (ValueError, RecursionError, MemoryError) as error:
        # Null bytes and lone surrogates; nesting beyond the parser's stack.
        return Source(code, None, f"{type(error).__name__}: {_one_line(str(error)) or 'nested too deeply'}", None)
    return Source(code, tree, None, None)


remembered = lru_cache(_REMEMBERED)(_read)


def compile_error(code: str) -> str | None:
    """Say in one line why the code does not compile; ``None`` when it does. Finds more than parsing: a stray return."""
    source = read(code)
    if source.tree is None:
        return source.error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source.tree, "<answer>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return _syntax_message(error)
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return f"{type(error).__name__}: {_one_line(str(error)) or 'nested too deeply'}"
    return None


def bound_names(body: Iterable[ast.stmt]) -> Iterator[str]:
    """Yield the names that statements bind in their own scope; bodies of definitions are scopes of their own."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, Definition):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            if isinstance(node, ast.ExceptHandler) and node.name:
                yield node.name
            pending.extend(ast.iter_child_nodes(node))


def global_reads(code: str, tree: ast.AST) -> frozenset[str]:
    """Names that ``code`` (whose tree is ``tree``) looks up globally.

    Where the compiler's own symbol table cannot be built, every name that is loaded anywhere counts: too many
    rather than too few, because what nobody reads is left out of a program.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            top = symtable.symtable(code, "<answer>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    names = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    pending = list(top.get_children())
    while pending:
        table = pending.pop()
        names.update(s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced())
        pending.extend(table.get_children())
    return frozenset(names)


def statements_binding(source: Source, names: frozenset[str]) -> str:
    """Return the code of the module's statements that bind any of these names."""
    nodes = [n for n in source.tree.body if names & set(bound_names([n]))] if source.tree else []
    return "".join("\n".join(source.lines[first_line(n) - 1 : last_line(n)]) + "\n" for n in nodes)


def first_line(node: ast.stmt) -> int:
    """Return the 1-based first line of a statement, its decorators included."""
    decorators = node.decorator_list if isinstance(node, Definition) else []
    return min([node.lineno, *(d.lineno for d in decorators)])


def last_line(node: ast.stmt) -> int:
    """Return the 1-based last line of a statement."""
    return node.end_lineno or node.lineno


def defined_names(node: ast.stmt) -> Iterator[str]:
    """Yield the functions, classes, named lambdas and named partials that a statement of the module defines."""
    if isinstance(node, Definition):
        yield node.name
    elif isinstance(node, ast.Assign) and _is_function(node.value):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and _is_function(node.value) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif isinstance(node, ast.If | ast.Try):
        inner = [] if is_main_guard(node) else node.body
        yield from (name for statement in inner for name in defined_names(statement))


def _is_function(value: ast.expr | None) -> bool:
    """Tell whether an expression is a function by its looks: a lambda, ``partial(...)``, ``lru_cache(None)(lambda ...)``,
    ``(lambda f: ...)(lambda ...)``."""
    if isinstance(value, ast.Lambda) or not isinstance(value, ast.Call):
        return isinstance(value, ast.Lambda)
    name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", None)
    given = any(isinstance(argument, ast.Lambda) for argument in value.args)
    return name == "partial" or (given and (name == "cache" or isinstance(value.func, ast.Lambda | ast.Call)))


def makers(tree: ast.Module) -> frozenset[str]:
    """Return the module's own functions that return a function, and classes whose objects can be called."""
    return frozenset(node.name for node in tree.body if isinstance(node, Definition) and _makes_functions(node))


def _makes_functions(node: Definition) -> bool:
    inner = {n.name for n in ast.walk(node) if isinstance(n, Definition) and n is not node}
    if isinstance(node, ast.ClassDef):
        return "__call__" in inner
    returned = (n.value for n in ast.walk(node) if isinstance(n, ast.Return))
    return any(_is_function(value) or getattr(value, "id", None) in inner for value in returned)


def is_main_guard(node: ast.stmt) -> bool:
    """Tell whether this is ``if __name__ == "__main__":`` in any of its spellings."""
    return isinstance(node, ast.If) and any(isinstance(n, ast.Name) and n.id == "__name__" for n in ast.walk(node.test))


def _syntax_message(error: SyntaxError) -> str:
    place = f"line {error.lineno}: " if error.lineno else ""
    return f"{place}{type(error).__name__}: {_one_line(error.msg)}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
