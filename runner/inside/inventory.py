"""What a module defines: its functions and classes, in the order of definition. Reads code objects; runs nothing.

The ``inspect`` module would do the same and cost more than the whole start of the interpreter's other imports.
"""

from __future__ import annotations

TYPE_CHECKING = False  # not imported: see the package
if TYPE_CHECKING:
    from types import CodeType, FunctionType, ModuleType
    from typing import Any

_VARARGS, _VARKEYWORDS = 0x04, 0x08
_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200
_MAX_TEXT = 4000
_FUNCTION: type[FunctionType] = type(lambda: None)  # type: ignore[assignment]  # types.FunctionType, not imported


def inventory(module: ModuleType) -> dict[str, Any]:
    """Return the functions and classes that were defined in ``module`` itself, not the imported ones."""
    own = [(name, value) for name, value in vars(module).items() if _defined_in(value, module.__name__)]
    return {
        "functions": [_function(name, value) for name, value in own if not isinstance(value, type)],
        "classes": [_class(name, value) for name, value in own if isinstance(value, type)],
    }


def _defined_in(value: Any, module: str) -> bool:
    function = _unwrap(value)
    if function is not None or isinstance(value, type):
        return getattr(function or value, "__module__", None) == module
    return _called(value) is not None and type(value).__module__ in (module, "functools")


def _called(value: Any) -> FunctionType | None:
    """The function that is run by calling an object: that of its class's ``__call__``, or the one a partial wraps."""
    if type(value).__module__ == "functools" and type(value).__name__ == "partial":
        return _unwrap(value.func)
    if isinstance(value, type):
        return None
    return _unwrap(next((vars(base)["__call__"] for base in type(value).__mro__ if "__call__" in vars(base)), None))


def _wrapped(name: str, value: Any) -> FunctionType | None:
    """The function that an object of a decorator class holds: the one of the same name."""
    held = vars(value).values() if hasattr(value, "__dict__") else ()
    return next((inner for inner in map(_unwrap, held) if inner is not None and inner.__name__ == name), None)


def _unwrap(value: Any) -> FunctionType | None:
    """The function under decorators that set ``__wrapped__``, such as functools.wraps and lru_cache; else ``None``."""
    for _ in range(20):
        if isinstance(value, type):
            return None
        inner = vars(value).get("__wrapped__") if hasattr(value, "__dict__") else None
        if inner is None:
            break
        value = inner
    return value if isinstance(value, _FUNCTION) else None


def _function(name: str, value: Any, kind: str = "function") -> dict[str, Any]:
    function = _unwrap(value) or _wrapped(name, value) or _called(value)
    code = function.__code__ if function is not None else None
    flags = code.co_flags if code is not None else 0
    parameters = _parameters(function) if function is not None else []
    if function is not None and function is _called(value):
        parameters = _left_open(value, parameters)
    return {
        "name": name,
        "kind": kind,
        "parameters": parameters[1:] if kind in ("method", "classmethod", "property") else parameters,
        "returns": _annotation(function, "return"),
        "is_async": bool(flags & (_COROUTINE | _ASYNC_GENERATOR)),
        "is_generator": bool(flags & (_GENERATOR | _ASYNC_GENERATOR)),
        "doc": _text(getattr(function, "__doc__", None)),
        "line": code.co_firstlineno if code is not None else None,
    }


def _left_open(value: Any, parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a call of an object has to give: not ``self``, not what a partial holds."""
    if type(value).__name__ != "partial":
        return parameters[1:]
    rest = parameters[len(value.args) :] if parameters[:1] and parameters[0]["kind"] != "var_positional" else parameters
    return [one for one in rest if one["name"] not in value.keywords]


def _parameters(function: FunctionType) -> list[dict[str, Any]]:
    defaults = _defaults(function)
    return [
        {
            "name": name,
            "kind": kind,
            "has_default": name in defaults,
            "default": _text(_repr(defaults[name])) if name in defaults else None,
            "annotation": _annotation(function, name),
        }
        for name, kind in _names(function.__code__)
    ]


def _names(code: CodeType) -> list[tuple[str, str]]:
    positional = code.co_varnames[: code.co_argcount]
    rest = iter(code.co_varnames[code.co_argcount :])
    keyword_only = [next(rest) for _ in range(code.co_kwonlyargcount)]
    varargs = [(next(rest), "var_positional")] if code.co_flags & _VARARGS else []
    varkeywords = [(next(rest), "var_keyword")] if code.co_flags & _VARKEYWORDS else []
    kinds = ["positional_only"] * code.co_posonlyargcount
    kinds += ["positional_or_keyword"] * (len(positional) - len(kinds))
    return [
        *zip(positional, kinds, strict=True),
        *varargs,
        *((name, "keyword_only") for name in keyword_only),
        *varkeywords,
    ]


def _defaults(function: FunctionType) -> dict[str, Any]:
    values = function.__defaults__ or ()
    positional = function.__code__.co_varnames[: function.__code__.co_argcount]
    return {
        **dict(zip(positional[len(positional) - len(values) :], values, strict=True)),
        **(function.__kwdefaults__ or {}),
    }


def _annotation(function: FunctionType | None, name: str) -> str | None:
    try:
        annotation = getattr(function, "__annotations__", {})[name]
    except (KeyError, NameError, TypeError):
        return None
    if isinstance(annotation, str):
        return _text(annotation)
    plain_class = isinstance(annotation, type) and not hasattr(annotation, "__args__")
    return _text(annotation.__qualname__ if plain_class else _repr(annotation))


def _class(name: str, value: type) -> dict[str, Any]:
    members: dict[str, dict[str, Any]] = {}
    own = [base for base in reversed(value.__mro__) if base.__module__ == value.__module__]
    for base in own:
        for member, raw in vars(base).items():
            described = _member(member, raw)
            if described is not None:
                members[member] = described
    return {
        "name": name,
        "bases": [_text(base.__name__) for base in value.__bases__],
        "methods": list(members.values()),
        "doc": _text(value.__doc__),
        "line": min((m["line"] for m in members.values() if m["line"] is not None), default=None),
    }


def _member(name: str, raw: Any) -> dict[str, Any] | None:
    if isinstance(raw, property):
        return _function(name, raw.fget, "property") if raw.fget is not None else None
    if isinstance(raw, staticmethod):
        return _function(name, raw.__func__, "staticmethod")
    if isinstance(raw, classmethod):
        return _function(name, raw.__func__, "classmethod")
    return _function(name, raw, "method") if _unwrap(raw) is not None else None


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - a repr of the answer may raise anything; the inventory still stands
        return f"<{type(error).__name__} in repr>"


def _text(value: Any) -> str | None:
    return str.__str__(value)[:_MAX_TEXT] if isinstance(value, str) else None
