"""Arguments for constructor parameters that the question does not speak of: a name, a callback, a lock, a configuration.
Pure.
"""

import re
from collections.abc import Sequence

from runner.outcomes import Class, Parameter

CALLBACK = "(lambda *args, **kwargs: None)"
"""A function that takes anything and does nothing."""
_NUMBER = re.compile(r"\b(int|float|Integral|Real|Number)\b")

_RATE_AS_TEXT = re.compile(r"rate|limit|spec|quota")
# What a parameter means, by its annotation or its name, and an expression for it; the first that fits.
_BY_ANNOTATION = (
    (re.compile(r"\bstr\b"), "'a'"),
    (re.compile(r"\b[Tt]ype\b"), "object"),
    (re.compile(r"\bbool\b"), "True"),
    (re.compile(r"\bCallable\b"), CALLBACK),
    (re.compile(r"\b(Lock|RLock)\b"), "__import__('threading').RLock()"),
    (re.compile(r"\bLogger\b"), "__import__('logging').getLogger('a')"),
    (re.compile(r"\b(list|List|Sequence|Iterable|Collection)\b"), "[]"),
    (re.compile(r"\b([Dd]ict|Mapping|MutableMapping)\b"), "{}"),
    (re.compile(r"\b([Ss]et)\b"), "set()"),
    (re.compile(r"\b(None|Optional)\b"), "None"),
)
_BY_NAME = (
    (re.compile(r"lock_?(factory|class|type|cls)|mutex_?factory"), "__import__('threading').RLock"),
    (re.compile(r"lock|mutex"), "__import__('threading').RLock()"),
    (re.compile(r"logger|^log$"), "__import__('logging').getLogger('a')"),
    (re.compile(r"callback|^on_|hook|listener|handler|func|factory"), CALLBACK),
    (re.compile(r"(^|_)(name|label|key|title|id|prefix|namespace|user|client|identifier|description)$"), "'a'"),
    (re.compile(r"(item|data|value|element|elem|key)_?(type|class)$|^(type|cls|dtype|klass|type_|kind)$"), "object"),
    (re.compile(r"^(is|has|use|enable|allow)_|thread_?safe|verbose|debug|strict"), "True"),
    (re.compile(r"^(items|iterable|initial|data|elements|values)"), "[]"),
)


def filler(parameter: Parameter, classes: Sequence[Class], number: str, depth: int = 0) -> str | None:
    """Return an expression for a parameter that is no plain number; ``None``: nothing says what it means.

    A class of the answer's own is made with ``number`` for each of its numbers.
    """
    hint, name = parameter.annotation or "", parameter.name.lower().strip("_")
    own = next((c for c in classes if re.search(rf"\b{re.escape(c.name)}\b", hint)), None)
    if own is not None:
        return _member(own) if _is_enum(own) else made(_filled_by(own, classes), classes, number, depth + 1)
    if _RATE_AS_TEXT.search(name) and hint == "str":
        return f"f'{{{number}}}/minute'"
    for pattern, expression in _BY_ANNOTATION:
        if pattern.search(hint) and not _NUMBER.search(hint):
            return expression
    if is_number(parameter):
        return None
    return next((expression for pattern, expression in _BY_NAME if pattern.search(name)), None)


def _is_enum(owner: Class) -> bool:
    return any(base.endswith(("Enum", "Flag")) for base in owner.bases)


def _member(owner: Class) -> str:
    """The member that means a minute, else the first."""
    members = f"sorted({owner.name}, key=lambda member: 'min' not in member.name.lower())"
    return f"{members}[0]"


def _filled_by(owner: Class, classes: Sequence[Class]) -> Class:
    """Return the last class that fills an interface, or the class itself."""
    return next((one for one in reversed(classes) if owner.name in one.bases), owner)


def is_number(parameter: Parameter) -> bool:
    """Tell whether the annotation says number."""
    return bool(_NUMBER.search(parameter.annotation or ""))


def made(owner: Class, classes: Sequence[Class], number: str, depth: int = 0) -> str | None:
    """Return an expression that makes an object with everything that its constructor requires; ``None``: not known how."""
    init = owner.method("__init__")
    required = [p for p in init.parameters if not p.has_default and not p.kind.startswith("var_")] if init else []
    parts = []
    for parameter in required if depth < 3 else ():
        value = filler(parameter, classes, number, depth) or (number if _may_be_number(parameter) else None)
        if value is None:
            return None
        parts.append(f"{parameter.name}={value}" if parameter.kind == "keyword_only" else value)
    return f"{owner.name}({', '.join(parts)})"


def _may_be_number(parameter: Parameter) -> bool:
    return is_number(parameter) or not parameter.annotation


def required_count(owner: Class) -> int:
    """Return how many arguments the constructor insists on."""
    init = owner.method("__init__")
    return sum(not p.has_default and not p.kind.startswith("var_") for p in init.parameters) if init is not None else 0


def wants_no_number(owner: Class) -> bool:
    """Tell whether the annotation of something that the constructor insists on says that it is no number."""
    init = owner.method("__init__")
    required = [p for p in init.parameters if not p.has_default and not p.kind.startswith("var_")] if init else []
    return any(p.annotation and not is_number(p) for p in required)
