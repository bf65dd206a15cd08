"""C-T3-Q4: a decorator @retry(max_attempts=3, delay=1.0, backoff=2.0) for sync and async functions.

Open, so accepted: further parameters, use without parentheses, how the waiting is done, whether the last exception
itself is raised or another one from it, whether the defaults exist. Jitter is not asked for. Waits are what passes on
a clock that stands still until somebody sleeps, so no test waits.
"""

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from judge.checks.call_graph import call_graph
from judge.checks.checking import Check
from judge.checks.showing import shown
from judge.checks.subject import CannotExamine, Subject
from runner.outcomes import CallResult
from runner.protocol import Call, Global

QUESTION = "C-T3-Q4"
CLOCK = "fake"

_SYNC, _ASYNC, _BACKOFF = ("works_sync",), ("works_async",), ("correct_backoff",)

SYNC_VALUE = Check(
    id="sync_value", criteria=_SYNC, about="a sync function that succeeds is called once, with its arguments"
)
SYNC_RETRY = Check(
    id="sync_retry", criteria=_SYNC, about="a sync function that fails is called again until it succeeds"
)
SYNC_FAILS = Check(id="sync_gives_up", criteria=_SYNC, about="after max_attempts calls the last exception is raised")
SYNC_AGAIN = Check(id="sync_again", criteria=_SYNC, about="every call of the decorated sync function starts afresh")
SYNC_IN_LOOP = Check(
    id="sync_in_loop", criteria=_SYNC, about="a sync function is retried inside a running event loop too"
)
SYNC_INTERRUPT = Check(id="sync_interrupt", criteria=_SYNC, about="KeyboardInterrupt is no failure to be retried")
ASYNC_VALUE = Check(id="async_value", criteria=_ASYNC, about="an async function that succeeds is awaited once")
ASYNC_RETRY = Check(id="async_retry", criteria=_ASYNC, about="an async function that fails is awaited again")
ASYNC_FAILS = Check(
    id="async_gives_up", criteria=_ASYNC, about="after max_attempts awaits the last exception is raised"
)
ASYNC_AGAIN = Check(id="async_again", criteria=_ASYNC, about="every call of the decorated async function starts afresh")
ASYNC_CANCEL = Check(id="async_cancel", criteria=_ASYNC, about="CancelledError is no failure to be retried")
NO_BLOCKING = Check(id="no_blocking", criteria=_ASYNC, about="two retried coroutines wait at the same time")
SYNC_WAITS = Check(id="sync_waits", criteria=_BACKOFF, about="waits of 1 s and 2 s between three attempts (sync)")
ASYNC_WAITS = Check(id="async_waits", criteria=_BACKOFF, about="waits of 1 s and 2 s between three attempts (async)")
LONGER = Check(
    id="longer", criteria=_BACKOFF, about="every wait is backoff times the one before, whatever the parameters"
)
NO_WAIT = Check(
    id="no_needless_wait", criteria=_BACKOFF, about="no wait before the first attempt or after the last one"
)
AFRESH = Check(id="waits_afresh", criteria=_BACKOFF, about="the next call waits as long as the first one did")
DEFAULTS = Check(id="defaults", criteria=_BACKOFF, about="@retry() means 3 attempts, 1 s, and twice as long each time")

CHECKS = (
    SYNC_VALUE, SYNC_RETRY, SYNC_FAILS, SYNC_AGAIN, SYNC_IN_LOOP, SYNC_INTERRUPT,
    ASYNC_VALUE, ASYNC_RETRY, ASYNC_FAILS, ASYNC_AGAIN, ASYNC_CANCEL, NO_BLOCKING,
    SYNC_WAITS, ASYNC_WAITS, LONGER, NO_WAIT, AFRESH, DEFAULTS,
)  # fmt: skip

_TOLERANCE_S = 0.01
_SPEC: dict[str, Any] = {"max_attempts": 3, "delay": 1.0, "backoff": 2.0}

_GLUE = '''
def _retry_harness():
    import asyncio
    import inspect
    import time

    class Endless(BaseException):
        pass

    class Trouble(Exception):
        pass

    class Play:
        """A function that follows a script, and what became of calling it decorated."""

        def __init__(self, script):
            self.script, self.at, self.got = script, [], []

        def step(self, args, kwargs):
            self.at.append(time.monotonic())
            self.got.append([list(args), dict(kwargs)])
            if len(self.at) > 40:
                raise Endless("called more than 40 times")
            kind, *rest = self.script[min(len(self.at), len(self.script)) - 1]
            if kind == "return":
                return rest[0]
            raise errors[kind](*rest)

    errors = {
        "ValueError": ValueError, "OSError": OSError, "KeyError": KeyError, "KeyboardInterrupt": KeyboardInterrupt,
        "CancelledError": asyncio.CancelledError, "RuntimeError": RuntimeError, "Trouble": Trouble,
    }

    def chain(error, depth=0):
        if error is None or depth > 20:
            return []
        context = None if error.__suppress_context__ else error.__context__
        return [type(error).__name__] + chain(error.__cause__ or context, depth + 1)

    def report(play, started, start, outcome):
        at = [round(moment - start, 6) for moment in play.at[started:]]
        return {"at": at, "end": round(time.monotonic() - start, 6), "got": play.got[started:], **outcome}

    def failure(error):
        return {"error": type(error).__name__, "message": str(error), "chain": chain(error)}

    def value(result):
        plain = result is None or isinstance(result, (bool, int, float, str, list, tuple, dict))
        return {"value": result} if plain else {"object": type(result).__name__}

    def decorated(retry, settings, play, is_async):
        def work(*args, **kwargs):
            return play.step(args, kwargs)

        async def async_work(*args, **kwargs):
            return play.step(args, kwargs)

        return retry(**settings)(async_work if is_async else work)

    def run_sync(retry, settings, script, calls, arguments):
        play = Play(script)
        function = decorated(retry, settings, play, False)
        reports = []
        for _ in range(calls):
            started, start = len(play.at), time.monotonic()
            try:
                outcome = value(function(*arguments[0], **arguments[1]))
            except BaseException as error:
                outcome = failure(error)
            reports.append(report(play, started, start, outcome))
        return reports

    async def run_async(retry, settings, script, calls, arguments):
        play = Play(script)
        function = decorated(retry, settings, play, True)
        reports = []
        for _ in range(calls):
            started, start = len(play.at), time.monotonic()
            try:
                waiting = function(*arguments[0], **arguments[1])
                outcome = value(await waiting) if inspect.isawaitable(waiting) else {"not_awaitable": type(waiting).__name__}
            except BaseException as error:
                outcome = failure(error)
            reports.append(report(play, started, start, outcome))
        return reports

    async def run_in_loop(*given):
        return run_sync(*given)

    async def run_together(retry, settings, script, calls, arguments):
        start = time.monotonic()
        each = [run_async(retry, settings, script, 1, arguments) for _ in range(calls)]
        reports = [one[0] for one in await asyncio.gather(*each)]
        for one in reports:
            one["end"] = round(time.monotonic() - start, 6)
        return reports

    return run_sync, run_async, run_in_loop, run_together

_retry_sync, _retry_async, _retry_in_loop, _retry_together = _retry_harness()
'''


@dataclass(frozen=True)
class _Play:
    """A scripted function, decorated and called."""

    check: Check
    how: str
    """Which harness function: sync, async, in_loop (sync, inside a loop), together (async, ``calls`` at once)."""
    script: tuple[tuple[Any, ...], ...]
    waits: tuple[tuple[float, ...], ...] | None = None
    """Expected seconds between the attempts of each call; ``None``: only their number matters."""
    attempts: tuple[int, ...] = ()
    """Expected attempts of each call; empty: it does not matter here."""
    ending: tuple[Any, ...] | None = None
    """How every call must end: a step of the script; ``None``: it does not matter here."""
    total_s: float | None = None
    """Expected seconds from the call to its end."""
    calls: int = 1
    settings: dict[str, Any] = field(default_factory=lambda: dict(_SPEC))
    arguments: tuple[list[Any], dict[str, Any]] = ((), {})  # type: ignore[assignment]


def _plays() -> list[_Play]:
    one, two, three = ("ValueError", "boom 1"), ("OSError", "boom 2"), ("ValueError", "boom 3")
    good, failing = ("return", 42), (one, two, three)
    arguments = ([1, "x"], {"key": [2]})
    both = []
    for how, value, again, fails, afresh, waits in (
        ("sync", SYNC_VALUE, SYNC_RETRY, SYNC_FAILS, SYNC_AGAIN, SYNC_WAITS),
        ("async", ASYNC_VALUE, ASYNC_RETRY, ASYNC_FAILS, ASYNC_AGAIN, ASYNC_WAITS),
    ):
        both += [
            _Play(value, how, (good,), attempts=(1,), ending=good, arguments=arguments),
            _Play(value, how, (("return", None),), attempts=(1,), ending=("return", None)),
            _Play(again, how, (one, good), attempts=(2,), ending=good, arguments=arguments),
            _Play(again, how, (one, two, good), attempts=(3,), ending=good),
            _Play(again, how, (("Trouble", "boom 4"), ("RuntimeError", "boom 5"), good), attempts=(3,), ending=good),
            _Play(again, how, (one,) * 4 + (good,), attempts=(5,), ending=good, settings={**_SPEC, "max_attempts": 5}),
            _Play(fails, how, failing, attempts=(3,), ending=three),
            _Play(fails, how, (one, two, ("Trouble", "boom 4")), attempts=(3,), ending=("Trouble", "boom 4")),
            _Play(fails, how, failing, attempts=(1,), ending=one, settings={**_SPEC, "max_attempts": 1}),
            _Play(fails, how, (one, two), attempts=(2,), ending=two, settings={**_SPEC, "max_attempts": 2}),
            _Play(afresh, how, failing * 2, attempts=(3, 3), ending=three, calls=2),
            _Play(waits, how, failing, attempts=(3,), waits=((1.0, 2.0),)),
            _Play(waits, how, (one, two, good), attempts=(3,), waits=((1.0, 2.0),)),
            _Play(LONGER, how, (one,) * 4, waits=((1.0, 2.0, 4.0),), settings={**_SPEC, "max_attempts": 4}),
            _Play(
                LONGER, how, (one,) * 4, waits=((0.5, 1.5, 4.5),),
                settings={"max_attempts": 4, "delay": 0.5, "backoff": 3.0},
            ),
            _Play(
                LONGER, how, (one,) * 3, waits=((0.2, 0.2),),
                settings={"max_attempts": 3, "delay": 0.2, "backoff": 1.0},
            ),
            _Play(NO_WAIT, how, (good,), waits=((),), total_s=0.0),
            _Play(NO_WAIT, how, failing, total_s=3.0),
            _Play(NO_WAIT, how, (one, good), total_s=1.0),
            _Play(AFRESH, how, failing * 2, waits=((1.0, 2.0), (1.0, 2.0)), calls=2),
        ]  # fmt: skip
    return [
        *both,
        _Play(SYNC_IN_LOOP, "in_loop", (one, two, good), attempts=(3,), ending=good),
        _Play(SYNC_INTERRUPT, "sync", (("KeyboardInterrupt",), good), attempts=(1,), ending=("KeyboardInterrupt",)),
        _Play(ASYNC_CANCEL, "async", (("CancelledError",), good), attempts=(1,), ending=("CancelledError",)),
        _Play(DEFAULTS, "sync", failing, waits=((1.0, 2.0),), settings={}),
    ]


async def examine(subject: Subject) -> None:
    """Record every check."""
    name = _decorator(subject)
    await subject.install(_GLUE)
    plays = _plays()
    batches = [[_call(name, play)] for play in plays]
    for play, results in zip(plays, await subject.run_each(batches), strict=True):
        if results is None:
            subject.not_run(play.check, "not tried: the answer hung or died before")
        else:
            _record(subject, name, play, results[0])
    await _together(subject, name)


async def _together(subject: Subject, name: str) -> None:
    """Two retried coroutines must take as long as one, however long that is."""
    script = (("ValueError", "boom 1"), ("ValueError", "boom 2"))
    plays = [_Play(NO_BLOCKING, "together", script, calls=calls) for calls in (1, 2)]
    single, pair = await subject.run_each([[_call(name, play)] for play in plays])
    if single is None or pair is None:
        subject.not_run(NO_BLOCKING, "not tried: the answer hung or died before")
        return
    for play, results in zip(plays, (single, pair), strict=True):
        _record(subject, name, play, results[0])
    if NO_BLOCKING.id in subject.results and subject.results[NO_BLOCKING.id].outcome == "pass":
        alone_s, together_s = (max(report["end"] for report in results[0].value) for results in (single, pair))
        if not _near((together_s,), (alone_s,)):
            text = _shown_play(name, plays[1]) + " at the same time"
            subject.failed(
                NO_BLOCKING,
                "they wait one after the other",
                input=text,
                expected=f"{alone_s:g} s in all",
                got=f"{together_s:g} s",
            )


def _call(name: str, play: _Play) -> Call:
    script = [list(step) for step in play.script]
    arguments = [list(play.arguments[0]), dict(play.arguments[1])]
    return Call(target=f"_retry_{play.how}", args=(Global(name=name), play.settings, script, play.calls, arguments))


def _decorator(subject: Subject) -> str:
    """Return the name of the decorator: retry, else what is called nearly so, else what takes max_attempts."""
    functions = {f.name: {p.name for p in f.parameters} for f in subject.inventory.functions}
    makers = {c.name: c.method("__init__") for c in subject.inventory.classes}
    classes = {name: {p.name for p in made.parameters} for name, made in makers.items() if made is not None}
    callables = {**functions, **classes}
    used = {inner for name in functions for inner in call_graph(subject.tree).get(name, ()) if inner != name}

    def rank(name: str) -> tuple[bool, bool, bool, bool]:
        plain = re.sub(r"_", "", name).lower()
        return plain == "retry", "retry" in plain, callables[name] >= set(_SPEC), name not in used

    likely = [name for name in callables if "retry" in name.lower() or callables[name] >= set(_SPEC)]
    if not likely:
        raise CannotExamine("no_entry_point", f"no decorator retry; it defines {', '.join(callables) or 'nothing'}")
    name = max(likely, key=rank)
    subject.entry_point = f"@{name}(max_attempts=3, delay=1.0, backoff=2.0)"
    return name


# --- what comes out -----------------------------------------------------------------------------------------------


def _record(subject: Subject, name: str, play: _Play, result: CallResult) -> None:
    text = _shown_play(name, play)
    reports = result.value if result.ok and isinstance(result.value, list) else None
    if reports is None or len(reports) != play.calls or not all(isinstance(one, dict) for one in reports):
        if play.settings or result.error is None or not result.error.is_a("TypeError"):
            subject.failed_call(play.check, result, input=text, expected="a decorated function")
        else:
            subject.not_run(play.check, "its parameters have no defaults, which the question does not ask for")
        return
    for index, report in enumerate(reports):
        if (wrong := _wrong(play, index, report)) is not None:
            expected, got = wrong
            subject.failed(play.check, "wrong result", input=text, expected=expected, got=got)
            return
    subject.passed(play.check)


def _wrong(play: _Play, index: int, report: dict[str, Any]) -> tuple[str, str] | None:
    """Return what was expected and what came, ``None`` when all is right."""
    at = [moment for moment in report.get("at", ()) if isinstance(moment, float)]
    if not _ends_well(play, report):
        return f"it {_told(play.ending)}", _shown_ending(report)
    if play.attempts and len(at) != play.attempts[index]:
        return f"{play.attempts[index]} attempts", f"{len(at)} attempts"
    if any(given != [list(play.arguments[0]), dict(play.arguments[1])] for given in report["got"]):
        return f"called with {shown(play.arguments)}", shown(report["got"])
    waits = tuple(round(later - sooner, 3) for sooner, later in itertools.pairwise(at))
    if play.waits is not None and not _near(waits, play.waits[index]):
        return f"waits {list(play.waits[index])} s", f"waits {list(waits)} s"
    if play.total_s is not None and not _near((report["end"],), (play.total_s,)):
        return f"{play.total_s:g} s in all", f"{report['end']:g} s in all"
    return None


def _near(got: tuple[float, ...], wanted: tuple[float, ...]) -> bool:
    return len(got) == len(wanted) and all(abs(a - b) <= _TOLERANCE_S for a, b in zip(got, wanted, strict=True))


def _ends_well(play: _Play, report: dict[str, Any]) -> bool:
    if play.ending is None:
        return True
    kind, *rest = play.ending
    if kind == "return":
        return "value" in report and report["value"] == rest[0] and type(report["value"]) is type(rest[0])
    if report.get("error") == kind:
        return not rest or report.get("message") == rest[0]
    return kind in report.get("chain", ()) and report.get("error") != "Endless"


def _told(ending: tuple[Any, ...] | None) -> str:
    kind, *rest = ending or ("anything",)
    return f"returns {shown(rest[0])}" if kind == "return" else f"raises {kind}({', '.join(map(shown, rest))})"


def _shown_ending(report: dict[str, Any]) -> str:
    if "error" in report:
        return f"it raises {report['error']}: {report.get('message')}"
    if "value" in report:
        return f"it returns {shown(report['value'])}"
    return f"it gives a {report.get('object') or report.get('not_awaitable')} object"


def _shown_play(name: str, play: _Play) -> str:
    settings = ", ".join(f"{key}={value:g}" for key, value in play.settings.items())
    steps = ", ".join(f"{kind} {shown(rest[0])}" if rest else kind for kind, *rest in play.script)
    kinds = {
        "sync": "function",
        "async": "async function",
        "in_loop": "function in a loop",
        "together": "async function",
    }
    return f"@{name}({settings}) on a {kinds[play.how]} that does: {steps}; called {play.calls} times"
