"""What an answer says about itself in its source: type hints and docstrings. Pure."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

FunctionDef = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Hints:
    """The annotations of one function, as text; type comments count."""

    parameters: dict[str, str | None]
    """In order, without ``self`` and ``cls``."""
    returns: str | None


def function_hints(tree: ast.Module, name: str, owner: str | None = None) -> Hints | None:
    """Return the hints of a function, of a method when ``owner`` names a class; the last definition counts.

    ``f: Callable[[int], int] = lambda n: ...`` has hints too. ``None``: nothing of that name is defined.
    """
    found: Hints | None = None
    for node in _scope(tree, owner):
        match node:
            case ast.FunctionDef(name=defined) | ast.AsyncFunctionDef(name=defined) if defined == name:
                found = _hints(node, is_method=owner is not None)
            case ast.Assign(targets=[ast.Name(id=bound)], value=ast.Lambda() as body) if bound == name:
                found = Hints({argument.arg: None for argument in body.args.args}, None)
            case ast.AnnAssign(target=ast.Name(id=bound), annotation=annotation, value=ast.Lambda() as body) if (
                bound == name
            ):
                found = _callable_hints(annotation, body)
    return found


def _scope(tree: ast.Module, owner: str | None) -> Iterator[ast.stmt]:
    for node in tree.body:
        if owner is None:
            yield node
        elif isinstance(node, ast.ClassDef) and node.name == owner:
            yield from node.body
    if owner is None:
        for node in tree.body:
            if isinstance(node, ast.If | ast.Try):
                yield from (inner for inner in ast.walk(node) if isinstance(inner, FunctionDef))


def _hints(node: FunctionDef, *, is_method: bool) -> Hints:
    arguments = [*node.args.posonlyargs, *node.args.args]
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
    arguments = arguments[1:] if is_method and not static else arguments
    arguments += [*filter(None, [node.args.vararg]), *node.args.kwonlyargs]
    comments, returned = _type_comment(node, len(arguments))
    return Hints(
        {
            argument.arg: _text(argument.annotation) or argument.type_comment or comment
            for argument, comment in zip(arguments, comments, strict=True)
        },
        _text(node.returns) or returned,
    )


def _type_comment(node: FunctionDef, parameters: int) -> tuple[list[str | None], str | None]:
    """Return what ``# type: (int) -> int`` says of each parameter and of the result."""
    nothing: list[str | None] = [None] * parameters
    if node.type_comment is None:
        return nothing, None
    try:
        signature = ast.parse(node.type_comment, mode="func_type")
    except SyntaxError:
        return nothing, None
    kinds = [_text(kind) for kind in signature.argtypes]
    return (kinds[-parameters:] if len(kinds) >= parameters > 0 else nothing), _text(signature.returns)


def with_type_comments(code: str) -> ast.Module:
    """Parse code that parses, type comments included where they are well formed."""
    try:
        return ast.parse(code, type_comments=True)
    except SyntaxError:
        return ast.parse(code)


def _callable_hints(annotation: ast.expr, body: ast.Lambda) -> Hints:
    names = [argument.arg for argument in body.args.args]
    match annotation:
        case ast.Subscript(slice=ast.Tuple(elts=[ast.List(elts=kinds), result])):
            return Hints({name: _text(kind) for name, kind in zip(names, kinds, strict=False)}, _text(result))
    return Hints(dict.fromkeys(names), None)


def _text(node: ast.expr | None) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None if node is None else ast.unparse(node)


_NO_INTEGER = frozenset({"str", "list", "dict", "bool", "None", "tuple", "set", "bytes", "Any", "object", "callable"})


def says_integer(hint: str | None) -> bool:
    """True for an annotation that covers integers: ``int``, ``Optional[int]``, ``Integral``, a type of its own.

    Not for one that means something else, or nothing in particular.
    """
    if hint is None:
        return False
    words = re.findall(r"\w+", hint)
    if any(word in ("int", "Integral", "SupportsIndex", "SupportsInt") for word in words):
        return True
    return bool(words) and not any(word in _NO_INTEGER or word == "float" for word in words)
