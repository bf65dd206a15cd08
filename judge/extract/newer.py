"""Syntax that came after the Python that runs here: is code right in a newer one? Pure, linear.

Each newer form is put into an older one that stands for it; code that parses then, and did not before, is newer. The
result is only parsed, never run.
"""

import re

from judge.extract.source import read

_STRING = re.compile(r"(?P<prefix>[A-Za-z]{0,3})(?P<quote>'''|\"\"\"|'|\")")
_ALIAS = re.compile(
    r"^([ \t]*)type[ \t]+(\w+[ \t]*(?:\[[^\]\n=]*(?:\[[^\]\n]*\][^\]\n=]*)*\])?)[ \t]*=(?!=)", re.MULTILINE
)
_GENERIC = re.compile(r"^([ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+\w+)\[", re.MULTILINE)
_EXCEPT = re.compile(r"^([ \t]*except\*?[ \t]+)(\w[\w.]*(?:[ \t]*,[ \t]*\w[\w.]*)+)[ \t]*:", re.MULTILINE)
_MAX_DEPTH = 20
"""Of strings in fields of strings in fields; nobody writes more than three."""


def is_newer(code: str) -> bool:
    """Tell whether code that does not parse here would in a newer Python."""
    older = _without_type_parameters(_with_plain_strings(code))
    older = _ALIAS.sub(lambda match: f"{match[1]}{re.match(r'[a-zA-Z_0-9]+', match[2])[0]} =", older)  # type: ignore[index]
    older = _EXCEPT.sub(r"\1(\2):", older)
    return older != code and read(code).tree is None and read(older).tree is not None


def _without_type_parameters(code: str) -> str:
    parts, done = [], 0
    for match in _GENERIC.finditer(code):
        if match.start() < done:
            continue
        end = _closing(code, match.end())
        if end is None:
            break
        parts += [code[done : match.end() - 1]]
        done = end
    return "".join([*parts, code[done:]])


def _closing(code: str, at: int) -> int | None:
    """Return the place after the bracket that closes the one before ``at``; ``None``: it is not closed soon."""
    depth = 1
    for index in range(at, min(len(code), at + 2000)):
        depth += {"[": 1, "]": -1}.get(code[index], 0)
        if depth == 0:
            return index + 1
    return None


def _with_plain_strings(code: str) -> str:
    """Put a plain string for every f-string and template string, whose fields may hold any quotes since Python 3.12."""
    parts: list[str] = []
    at = done = 0
    while at < len(code):
        if code[at] == "#":
            at = _line_end(code, at)
            continue
        match = _STRING.match(code, at) if code[at] in "'\"" or _starts_word(code, at) else None
        if match is None:
            at += 1
            continue
        end = _string_end(code, match, 0)
        if end is None:
            break
        if set(match["prefix"].lower()) & set("ft"):
            parts += [code[done:at], '""', "\\\n" * code.count("\n", at, end)]
            done = end
        at = end
    return "".join([*parts, code[done:]])


def _starts_word(code: str, at: int) -> bool:
    return code[at] in "bBfFrRtTuU" and not (at and (code[at - 1].isalnum() or code[at - 1] == "_"))


def _line_end(code: str, at: int) -> int:
    end = code.find("\n", at)
    return len(code) if end < 0 else end


def _string_end(code: str, opened: re.Match[str], depth: int) -> int | None:
    """Return the place after a string; ``None`` when it is not closed."""
    prefix, quote = opened["prefix"].lower(), opened["quote"]
    has_fields = bool(set(prefix) & set("ft"))
    at = opened.end()
    while at < len(code):
        if code.startswith(quote, at):
            return at + len(quote)
        if code[at] == "\n" and len(quote) == 1:
            return None
        if code[at] == "\\":
            at += 2
        elif has_fields and code[at] == "{" and code[at : at + 2] != "{{":
            end = _field_end(code, at + 1, depth + 1)
            if end is None:
                return None
            at = end
        else:
            at += 2 if has_fields and code[at : at + 2] == "{{" else 1
    return None


def _field_end(code: str, at: int, depth: int) -> int | None:
    """Return the place after the brace that closes a field; strings in the field may hold braces and quotes."""
    if depth > _MAX_DEPTH:
        return None
    open_brackets = 0
    while at < len(code):
        char = code[at]
        if char == "}" and open_brackets == 0:
            return at + 1
        match = _STRING.match(code, at) if char in "'\"" or _starts_word(code, at) else None
        if match is not None:
            end = _string_end(code, match, depth)
            if end is None:
                return None
            at = end
            continue
        open_brackets += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(char, 0)
        at += 1
    return None
