"""Putting a part of a program into the whole it belongs to: diffs, single methods, a corrected line. Pure.

A part is put in only where its place is certain (one class with that method, one statement with that target) and when
the result parses; otherwise nothing is returned and the part stays a part.
"""

import ast
import re
import textwrap

from judge.extract.source import Definition, Source, first_line, last_line, read

_HUNK = re.compile(r"@@ ")
_HEADER = re.compile(r"(?:--- |\+\+\+ |diff |index |\\ No newline)")
MAX_HUNK_TESTS = 2_000_000
"""Line comparisons spent on finding the places of a diff; real ones need a few hundred."""

Edit = tuple[int, int, list[str]]
"""First and last line (1-based, inclusive; last < first inserts before first) and the lines to put there."""


def with_diff(base: str | None, diff: str) -> str | None:
    """Apply a diff to ``base``; when it does not fit or there is no base, return its new side if that is a program."""
    hunks = _hunks(diff)
    patched = base
    for old, new in hunks:
        patched = _replaced(patched, old, new) if patched is not None else None
    if hunks and patched is not None and patched != base and read(patched).defines:
        return patched
    after = read("\n".join(line for _, new in hunks for line in new) + "\n")
    return after.code if after.tree is not None and after.defines else None


def with_definitions(base: Source, part: Source, *, shortened: bool) -> str | None:
    """Replace or add the definitions of ``part`` in ``base``: functions, classes, and methods without their class.

    A class replaces the one of its name, or only its methods when it is shortened or lacks the constructor.
    """
    if base.tree is None or part.tree is None or not base.tree.body:
        return None
    edits: list[Edit] = []
    for node in part.tree.body:
        if isinstance(node, Definition):
            found = _definition_edits(base.tree, part, node, shortened=shortened)
            if found is None:
                return None
            edits += found
        elif isinstance(node, ast.Import | ast.ImportFrom):
            edits.append(_before(_first_statement(base.tree), _lines(part, node)))
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            edits.append(_after(base.tree.body[-1], _lines(part, node)))
    return _edited(base.code, edits) if edits else None


def with_statements(base: Source, part: Source) -> str | None:
    """Replace the one statement in ``base`` with the same head as one in ``part``: the condition of an ``if``, what a loop
    runs over; else the one assignment that has the same target."""
    if base.tree is None or part.tree is None or part.reads & base.defines:
        return None  # an example that calls the base is no correction of it
    try:
        compound = _compound_edits(base.tree, part)
        if compound and (whole := _edited(base.code, compound)) is not None:
            return whole
        old, new = _assignments(base.tree), _assignments(part.tree)
    except RecursionError:  # an expression nested deeper than anything a person writes
        return None
    edits: list[Edit] = []
    for target in old.keys() & new.keys():
        (place, before), (_, after) = old[target][0], new[target][-1]
        if len(old[target]) == 1 and before != after:
            edits.append((place.lineno, last_line(place), [" " * place.col_offset + after]))
    return _edited(base.code, edits) if edits else None


def with_expression(base: Source, old: str, new: str) -> str | None:
    """Replace the one place in ``base`` where the expression ``old`` stands and is read."""
    wanted = _expression(old)
    if base.tree is None or wanted is None or _expression(new) is None:
        return None
    places = [n for n in ast.walk(base.tree) if isinstance(n, ast.expr) and ast.dump(n) == wanted]
    if len(places) != 1 or places[0].lineno != places[0].end_lineno:
        return None
    line = base.lines[places[0].lineno - 1].encode()
    changed = line[: places[0].col_offset] + new.strip().encode() + line[places[0].end_col_offset :]
    return _edited(base.code, [(places[0].lineno, places[0].lineno, [changed.decode()])])


def is_partial_class(base: Source, part: Source) -> bool:
    """Tell whether ``part`` repeats a class of ``base`` without its constructor, to show only what changes."""
    own = _classes(base.tree)
    return any(name in own and _lacks_constructor(node, own[name]) for name, node in _classes(part.tree).items())


def is_loose_methods(part: Source) -> bool:
    """Tell whether all functions of the module are methods that lost their class."""
    functions = [n for n in part.tree.body if isinstance(n, Definition)] if part.tree else []
    return bool(functions) and all(not isinstance(n, ast.ClassDef) and _takes_self(n) for n in functions)


def _hunks(diff: str) -> list[tuple[list[str], list[str]]]:
    hunks: list[tuple[list[str], list[str]]] = [([], [])]
    for line in diff.split("\n"):
        if _HUNK.match(line):
            hunks.append(([], []))
        elif not _HEADER.match(line):
            if line[:1] != "+":
                hunks[-1][0].append(line[1:])
            if line[:1] != "-":
                hunks[-1][1].append(line[1:])
    return [_stripped(hunk) for hunk in hunks if any(line.strip() for side in hunk for line in side)]


def _stripped(hunk: tuple[list[str], list[str]]) -> tuple[list[str], list[str]]:
    old, new = hunk
    while old and new and not old[-1].strip() and not new[-1].strip():
        old, new = old[:-1], new[:-1]
    return old, new


def _replaced(base: str, old: list[str], new: list[str]) -> str | None:
    lines, wanted = base.split("\n"), [line.strip() for line in old]
    bare = [line.strip() for line in lines]
    if not wanted or len(bare) * len(wanted) > MAX_HUNK_TESTS:
        return None
    places = [i for i in range(len(bare) - len(wanted) + 1) if bare[i : i + len(wanted)] == wanted]
    if len(places) != 1:
        return None
    shift = _indent(lines[places[0]]) - _indent(old[0])
    moved = [(" " * shift + line if shift > 0 else line[-shift:]) if line.strip() else line for line in new]
    return "\n".join([*lines[: places[0]], *moved, *lines[places[0] + len(wanted) :]])


def _definition_edits(base: ast.Module, part: Source, node: Definition, *, shortened: bool) -> list[Edit] | None:
    classes = _classes(base)
    home = classes.get(node.name)
    if isinstance(node, ast.ClassDef) and home and (shortened or _lacks_constructor(node, home)):
        methods = [n for n in node.body if isinstance(n, Definition)]
        return [_method_edit(home, part, n) for n in methods]
    own = [n for n in base.body if isinstance(n, Definition) and n.name == node.name]
    if own:
        return [(first_line(own[-1]), last_line(own[-1]), _lines(part, node))]
    if isinstance(node, ast.ClassDef) or not _takes_self(node):
        return [_after(base.body[-1], ["", "", *_lines(part, node)])]
    homes = [c for c in classes.values() if node.name in _methods(c)] or list(classes.values())
    return [_method_edit(homes[0], part, node)] if len(homes) == 1 else None


def _method_edit(home: ast.ClassDef, part: Source, node: Definition) -> Edit:
    indent = " " * home.body[0].col_offset
    lines = [
        indent + line if line.strip() else line for line in textwrap.dedent("\n".join(_lines(part, node))).split("\n")
    ]
    if (old := _methods(home).get(node.name)) is not None:
        return first_line(old), last_line(old), lines
    return _after(home, ["", *lines])


def _before(node: ast.stmt, lines: list[str]) -> Edit:
    return first_line(node), first_line(node) - 1, lines


def _after(node: ast.stmt, lines: list[str]) -> Edit:
    return last_line(node) + 1, last_line(node), lines


def _first_statement(tree: ast.Module) -> ast.stmt:
    """Return the first statement that others may stand before: not the docstring, not a ``__future__`` import."""
    for node in tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_docstring and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            return node
    return tree.body[-1]


def _edited(code: str, edits: list[Edit]) -> str | None:
    lines = code.rstrip("\n").split("\n")
    for first, last, new in sorted(edits, key=lambda edit: edit[0], reverse=True):
        lines[first - 1 : last] = new
    result = "\n".join(lines) + "\n"
    return result if read(result).tree is not None else None


def _compound_edits(base: ast.Module, part: Source) -> list[Edit]:
    """Edits that put the compound statements of ``part`` in the place of those with the same head, where that is certain."""
    heads: dict[str, list[ast.stmt]] = {}
    for node in ast.walk(base):
        if (head := _head(node)) is not None and isinstance(node, ast.stmt):
            heads.setdefault(head, []).append(node)
    edits: list[Edit] = []
    for node in part.tree.body if part.tree is not None else ():
        homes = heads.get(_head(node) or "", [])
        if len(homes) == 1 and ast.dump(homes[0]) != ast.dump(node):
            indent = " " * homes[0].col_offset
            lines = [indent + line if line.strip() else line for line in _lines(part, node)]
            edits.append((homes[0].lineno, _last_replaced(homes[0], node), lines))
    return edits


def _last_replaced(old: ast.stmt, new: ast.stmt) -> int:
    """Return the last line to replace: an ``else`` that the new statement does not speak of stays."""
    if isinstance(old, ast.If) and isinstance(new, ast.If) and old.orelse and not new.orelse:
        return last_line(old.body[-1])
    return last_line(old)


def _head(node: ast.AST) -> str | None:
    match node:
        case ast.If(test=test) | ast.While(test=test):
            return f"{type(node).__name__} {ast.dump(test)}"
        case ast.For(target=target, iter=over):
            return f"For {ast.dump(target)} {ast.dump(over)}"
    return None


def _expression(text: str) -> str | None:
    """Return what an expression is; ``None`` when the text is none, or a name or number that says too little."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return None if isinstance(node, ast.Name | ast.Constant) else ast.dump(node)


def _assignments(tree: ast.AST) -> dict[str, list[tuple[ast.stmt, str]]]:
    """Assignments by the text of their target, each with its own text."""
    found: dict[str, list[tuple[ast.stmt, str]]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            found.setdefault(ast.unparse(target), []).append((node, ast.unparse(node)))
    return found


def _classes(tree: ast.Module | None) -> dict[str, ast.ClassDef]:
    return {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)} if tree else {}


def _lacks_constructor(node: ast.ClassDef, whole: ast.ClassDef) -> bool:
    return "__init__" in _methods(whole) and "__init__" not in _methods(node) and not node.decorator_list


def _methods(node: ast.ClassDef) -> dict[str, Definition]:
    return {n.name: n for n in node.body if isinstance(n, Definition)}


def _takes_self(node: Definition) -> bool:
    return not isinstance(node, ast.ClassDef) and bool(node.args.args) and node.args.args[0].arg in ("self", "cls")


def _lines(source: Source, node: ast.stmt) -> list[str]:
    return source.lines[first_line(node) - 1 : last_line(node)]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
