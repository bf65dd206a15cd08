"""Which class of an answer is the rate limiter, and how it is made for N requests a minute.

The question leaves the constructor open, so its parameters are read by their names: the number of requests, a window
of time, a bucket's capacity with a rate of refilling. Where a name does not say whether a rate is per second or per
minute, both are tried in plain use and the first that works is taken.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from judge.checks.cases import Results
from judge.checks.filling import CALLBACK, filler
from judge.checks.subject import CannotExamine, Subject
from runner.outcomes import CallResult, Class, Parameter
from runner.protocol import Call, Handle

_ALLOW = ("allowrequest", "allow", "isallowed", "tryacquire", "acquire", "request", "consume", "tryconsume", "check")
_RESET = ("reset", "resetbucket", "resetlimiter", "clear")
_TRIAL_N = 20
"""Not 60, for which a request a second is right by chance."""

_CLOCK = re.compile(r"clock|timer|time_?func|time_?source|now")
_MINUTES = re.compile(r"(?<!per)(?<!a)(^|_)minutes?$")
_MINUTE = re.compile(r"minute|rpm")
_SECOND = re.compile(r".per_?s(ec|$)|rps$|tps$")
_WINDOW = re.compile(r"^per($|_)|window|period|interval|duration|^seconds?$|time|span")
_STEP = re.compile(r"interval|every|between|per_token")
"""A time that may be that of a single token."""
_RATE = re.compile(r"rate(?!_?limit)")
_CAPACITY = re.compile(r"capacity|bucket|burst|max_?tokens|size")
_COUNT = re.compile(r"^n$|^n_|_n$|limit|max|request|call|token|count|num|quota|allow|amount|permits")


@dataclass(frozen=True)
class Limiter:
    """How to use the rate limiter of an answer."""

    name: str
    """Its class."""
    maker: str
    """Name of the function of ours that makes one for N requests a minute."""
    allow: str
    reset: str
    is_async: bool = False
    """True when allow_request is a coroutine function."""
    own_thread: bool = False
    """True when its class starts threads, which usually refill the bucket by sleeping."""

    def new(self, handle: Handle, n: int) -> Call:
        """Return the call that makes a limiter for ``n`` requests a minute."""
        return Call(target=self.maker, args=(n,), keep=handle)


async def find_limiter(subject: Subject) -> Limiter:
    """Return how to use the rate limiter, and note it in the subject.

    Raises CannotExamine: there is none, or it hangs or dies in plain use.
    """
    owner = _owner(subject)
    made = owner.method("__init__")
    parameters = made.parameters if made is not None else ()
    likely = list(dict.fromkeys(arguments(parameters, subject.inventory.classes)))
    ways = list(dict.fromkeys([*likely, *_PLAIN_WAYS]))
    lines = [f"def _limiter_{i}(n):\n    return {owner.name}({way})\n" for i, way in enumerate(ways)]
    await subject.install("\n".join([*lines, _PASSING_TIME]))
    limiters = [_limiter(subject, owner, i) for i in range(len(ways))]
    chosen = 0
    if not limiters[0].is_async and not limiters[0].own_thread:
        chosen = await _tried(subject, limiters, len(likely), is_guess=_is_guess(parameters, subject.inventory.classes))
    subject.entry_point = f"{owner.name}({ways[chosen]}): {limiters[chosen].allow}, {limiters[chosen].reset}"
    return limiters[chosen]


_PLAIN_WAYS = ("n", "n, 60", "n, n / 60")
"""For constructors whose names say nothing, or that refuse what they suggest."""


def _limiter(subject: Subject, owner: Class, way: int) -> Limiter:
    allow, reset = _method(owner, _ALLOW) or "allow_request", _method(owner, _RESET) or "reset"
    described = owner.method(allow)
    is_async = described is not None and described.is_async
    return Limiter(owner.name, f"_limiter_{way}", allow, reset, is_async, _starts_threads(subject.tree))


async def _tried(subject: Subject, limiters: Sequence[Limiter], likely: int, *, is_guess: bool) -> int:
    """Return which way to take: the first likely one that works, else one that makes a limiter at all.

    Raises CannotExamine when none works and its arguments are a guess: then the failure may be ours.
    """
    results = await subject.run_each([_trial(limiter) for limiter in limiters[:likely]])
    working = next((i for i, played in enumerate(results) if _works(played)), None)
    for result in results[working or 0] or ():
        subject.require_possible(result)
        if result.state in ("timeout", "died"):
            raise CannotExamine("timeout" if result.state == "timeout" else "died", f"{limiters[0].name} in plain use")
    if working is not None or any(played is None or (played[0].ok and not is_guess) for played in results):
        return working or _bursting(results)
    made = await subject.run_each([[limiter.new(Handle(), _TRIAL_N)] for limiter in limiters])
    if is_guess:
        raise CannotExamine("not_run", f"it is not known what the constructor of {limiters[0].name} has to be given")
    return next((i for i, played in enumerate(made) if played is not None and played[0].ok), 0)


def _bursting(results: Sequence[Results | None]) -> int:
    """Return the first way that makes a full bucket of N, else the first."""
    full = (i for i, played in enumerate(results) if played and allowed(played[1 : 2 + _TRIAL_N]) == _TRIAL_N)
    return next(full, 0)


_PASSING_TIME = """
def _passing_time():
    import time
    return time.sleep, time.monotonic

_pass_time, _time_now = _passing_time()
"""
"""Taken from the sandbox's clock: sleeping is how time passes on it."""


def _trial(limiter: Limiter) -> list[Call]:
    """Drain it, wait for half a minute, and drain it again."""
    handle = Handle()
    asked = Call(target=handle.method(limiter.allow))
    wait = Call(target="_pass_time", args=(30.01,))
    return [limiter.new(handle, _TRIAL_N), *[asked] * (_TRIAL_N + 1), wait, *[asked] * _TRIAL_N]


def _works(results: Results | None) -> bool:
    if results is None:
        return False
    first, again = results[1 : 2 + _TRIAL_N], results[3 + _TRIAL_N :]
    return allowed(first) == _TRIAL_N and abs(allowed(again) - _TRIAL_N // 2) <= 1


def allowed(results: Sequence[CallResult]) -> int:
    """Return how many requests were allowed."""
    return sum(result.ok and not result.awaited and bool(result.value) for result in results)


# --- class and methods --------------------------------------------------------------------------------------------


def _owner(subject: Subject) -> Class:
    """The class with both methods; not the base of another, named like a limiter, the last of equals."""
    classes = subject.inventory.classes
    bases = {base for owner in classes for base in owner.bases}

    def rank(owner: Class) -> tuple[bool, ...]:
        exact = _method(owner, _ALLOW[:1]) is not None
        both = _method(owner, _ALLOW) is not None and _method(owner, _RESET) is not None
        return exact and both, exact, both, owner.name not in bases, "limit" in owner.name.lower()

    fitting = [owner for owner in classes if _method(owner, _ALLOW) is not None]
    if not fitting:
        names = ", ".join(owner.name for owner in classes) or "none"
        raise CannotExamine("no_entry_point", f"no class has allow_request; classes: {names}")
    return max(reversed(fitting), key=rank)


def _starts_threads(tree: ast.Module) -> bool:
    """Tell whether any class makes a thread or timer; demonstrations outside of classes do not matter."""
    called = (
        node.func
        for owner in ast.walk(tree)
        if isinstance(owner, ast.ClassDef)
        for node in ast.walk(owner)
        if isinstance(node, ast.Call)
    )
    names = {func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in called}
    return bool(names & {"Thread", "Timer"})


def _method(owner: Class, names: tuple[str, ...]) -> str | None:
    by_plain_name = {method.name.replace("_", "").lower(): method.name for method in owner.methods}
    return next((by_plain_name[name] for name in names if name in by_plain_name), None)


# --- constructor: pure --------------------------------------------------------------------------------------------


def arguments(parameters: Sequence[Parameter], classes: Sequence[Class] = ()) -> Iterator[str]:
    """Yield the argument lists that may mean ``n`` requests a minute, the likeliest first."""
    usable = [p for p in parameters if p.kind not in ("var_positional", "var_keyword")]
    fillers = {p.name: filler(p, classes, "n") for p in usable}
    roles = {p.name: _role_of(p, fillers[p.name]) for p in usable}
    passed = _passed(usable, roles)
    numbers = [p.name for p in passed if roles[p.name] in ("count", "capacity")]
    rates = [p.name for p in passed if roles[p.name] == "rate"]
    open_rates = rates if numbers else rates[1:]
    steps = [p.name for p in passed if roles[p.name] == "window" and _STEP.search(p.name.lower())]
    for step in (None, "60 / n") if steps and numbers else (None,):
        for rate in ("n / 60", "n") if open_rates else ("n",):
            values = {p.name: _argument(p, roles[p.name], fillers[p.name]) for p in passed}
            values |= dict.fromkeys(open_rates, rate) | (dict.fromkeys(steps, step) if step is not None else {})
            yield _listed(usable, passed, values)
    if any(roles[p.name] == "other" for p in passed):
        yield from _PLAIN_WAYS


def _passed(usable: Sequence[Parameter], roles: dict[str, str]) -> list[Parameter]:
    passed = [p for p in usable if not p.has_default]
    if not any(roles[p.name] in (*_NUMBERS, "holder") for p in passed):
        passed += _main_defaults([p for p in usable if p.has_default], roles)
    return passed or list(usable[:1])


def _is_guess(parameters: Sequence[Parameter], classes: Sequence[Class]) -> bool:
    """Tell whether something has to be passed of which nothing says what it is."""
    usable = [p for p in parameters if p.kind not in ("var_positional", "var_keyword")]
    roles = {p.name: _role_of(p, filler(p, classes, "n")) for p in usable}
    several = sum(not p.has_default for p in usable) > 1
    return any(roles[p.name] == "holder" or (roles[p.name] == "other" and several) for p in _passed(usable, roles))


def _role_of(parameter: Parameter, expression: str | None) -> str:
    """``holder``: an object that may hold the number; ``filled``: what has nothing to do with it."""
    role = _role(parameter.name)
    if expression is None or (role not in ("other",) and not parameter.annotation):
        return role
    if re.search(r"\bn\b|^\{\}$|^sorted\(", expression):
        return "holder"
    return "clock" if role == "clock" and expression == CALLBACK else "filled"


_NUMBERS = ("count", "capacity", "rate", "per_minute", "per_second")


def _main_defaults(optional: Sequence[Parameter], roles: dict[str, str]) -> list[Parameter]:
    """Of parameters that all have defaults: the first that means N, and a rate that has to fit it."""
    numbers = [p for p in optional if roles[p.name] in _NUMBERS]
    if not numbers:
        return []
    first = numbers[0]
    fitting = [p for p in numbers[1:] if p.default != "None" and roles[p.name] != roles[first.name]]
    return [first, *fitting]


def _role(name: str) -> str:
    plain = name.lower().strip("_")
    for role, pattern in (
        ("window", _MINUTES),
        ("per_minute", _MINUTE),
        ("per_second", _SECOND),
        ("clock", _CLOCK),
        ("window", _WINDOW),
        ("rate", _RATE),
        ("capacity", _CAPACITY),
        ("count", _COUNT),
    ):
        if pattern.search(plain):
            return role
    return "other"


def _argument(parameter: Parameter, role: str, expression: str | None) -> str:
    return expression if expression is not None and role in ("filled", "holder") else _value(parameter, role)


def _value(parameter: Parameter, role: str) -> str:
    plain = parameter.name.lower()
    if role == "per_second":
        return "n / 60"
    if role == "clock":
        return "_time_now"
    if role == "window":
        seconds = "1" if "minute" in plain else "60000" if re.search(r"_ms$|milli", plain) else "60"
        hint = parameter.annotation or ""
        return f"__import__('datetime').timedelta(seconds={seconds})" if "timedelta" in hint else seconds
    return "n"


def _listed(usable: Sequence[Parameter], passed: Sequence[Parameter], values: dict[str, str]) -> str:
    """Positional as long as nothing is left out before, else by keyword."""
    parts: list[str] = []
    for position, parameter in enumerate(usable):
        if parameter in passed:
            in_order = position == len(parts) and parameter.kind != "keyword_only"
            value = values[parameter.name]
            parts.append(value if in_order else f"{parameter.name}={value}")
    return ", ".join(parts)
