"""An answer -> its twin: the same program with other names, unused code, another claim about itself. Pure.

What a twin does is what its program did before, so its score for logic must not move. Only answers that hold one piece of code
have twins; the others return ``None``.
"""

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass

from judge.exam_answers import Injection, Padding

_FENCED = re.compile(r"^```(?:python|py)?[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True)
class CodeInText:
    """The one program of an answer, and the words around it."""

    before: str
    code: str
    after: str
    tree: ast.Module

    def with_code(self, code: str) -> str:
        """Return the answer with another program."""
        return f"{self.before}{code}{self.after}"


def code_in(text: str) -> CodeInText | None:
    """Return the code of an answer; ``None`` when it is in several pieces, in none, or does not parse."""
    fenced = list(_FENCED.finditer(text))
    if len(fenced) > 1 or text.count("```") not in (0, 2):
        return None
    start, end = fenced[0].span(1) if fenced else (0, len(text))
    try:
        tree = ast.parse(text[start:end])
    except SyntaxError:
        return None
    return CodeInText(text[:start], text[start:end], text[end:], tree) if tree.body else None


def with_dead_code(text: str, dead_code: str) -> str | None:
    """Return the answer with code behind its program that nothing uses."""
    found = code_in(text)
    return None if found is None else found.with_code(f"{found.code.rstrip()}\n\n\n{dead_code}")


def with_comment(text: str, comment: str) -> str | None:
    """Return the answer with a comment at the head of its program."""
    found = code_in(text)
    return None if found is None else found.with_code(f"{comment}\n{found.code}")


def injected(text: str, injection: Injection) -> str | None:
    """Return the answer with an order to the judge in a comment, and in prose where words are no syntax error."""
    commented = with_comment(text, injection.comment)
    if commented is None or "```" not in commented:
        return commented
    return f"{commented.rstrip()}\n\n{injection.prose}"


def padded(text: str, padding: Padding) -> str | None:
    """Return the answer between words that say nothing about it."""
    found = code_in(text)
    if found is None:
        return None
    body = text if "```" in text else f"```python\n{text.rstrip()}\n```\n"
    return f"{padding.before}\n{body.rstrip()}\n\n{padding.after}"


# --- renaming -----------------------------------------------------------------------------------------------------


def renamed(text: str) -> str | None:
    """Return the answer with the local variables of its functions called ``value_1``, ``value_2`` ...; ``None``: it has none.

    Parameters, attributes and whatever else can be named from outside keep their names; comments and words do, too.
    """
    found = code_in(text)
    names = _local_names(found.tree) if found else []
    if found is None or not names:
        return None
    taken = {node.id for node in ast.walk(found.tree) if isinstance(node, ast.Name)}
    free = (f"value_{number}" for number in range(1, len(names) + len(taken) + 1))
    new_names = dict(zip(names, (name for name in free if name not in taken), strict=False))
    return found.with_code(_replaced(found, new_names))


def _replaced(found: CodeInText, new_names: dict[str, str]) -> str:
    """Change the names where they stand, so that comments and layout stay as they are; positions count bytes."""
    lines = [line.encode() for line in found.code.splitlines(keepends=True)]
    places = [(n.lineno - 1, n.col_offset, n.id) for n in ast.walk(found.tree) if isinstance(n, ast.Name)]
    for line, column, name in sorted(places, reverse=True):
        if name in new_names:
            lines[line] = lines[line][:column] + new_names[name].encode() + lines[line][column + len(name.encode()) :]
    return b"".join(lines).decode()


def _local_names(tree: ast.Module) -> list[str]:
    """Return, in order of appearance, the names that only ever mean a local variable of a function."""
    bound = dict.fromkeys(
        node.id
        for scope in ast.walk(tree)
        if isinstance(scope, _Scope)
        for node in ast.walk(scope)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    fixed = {name for node in ast.walk(tree) for name in _names_that_stay(node)}
    fixed |= {"_", *dir(builtins), *_bound_outside(tree)}
    return [name for name in bound if name not in fixed]


def _names_that_stay(node: ast.AST) -> Iterator[str]:
    """Yield the names that ``node`` binds in another way than by assignment, or whose places are not known exactly."""
    match node:
        case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield from names
        case ast.alias(name=name, asname=other):
            yield other or name.partition(".")[0]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
        case ast.JoinedStr():  # before Python 3.12 the names in an f-string have no places of their own
            yield from (inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name))


def _bound_outside(node: ast.AST) -> Iterator[str]:
    """Yield the names that a module or a class assigns in its own body: others may use them."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        if isinstance(child, ast.ClassDef) or not isinstance(child, _Scope):
            yield from _bound_outside(child)
        elif not isinstance(child, ast.Lambda):
            yield from (
                name for inner in ast.walk(child) if isinstance(inner, ast.ClassDef) for name in _bound_outside(inner)
            )
