"""C-T3-Q2: a thread-safe rate limiter, N requests a minute, by the token bucket algorithm.

Open, so accepted: what the constructor takes beside N, a bucket that refills continuously or by whole tokens, any
clock of the standard library, how a lock is used. A token bucket starts full, lets bursts of N through, refills at
N a minute all the time, and never holds more than N: counters of fixed windows and logs of requests are something else.

Time is a clock that stands still until somebody sleeps; threads are real ones.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from judge.checks.cases import Results
from judge.checks.checking import Check
from judge.checks.limiter_entry import Limiter, allowed, find_limiter
from judge.checks.locking import uncovered_stores
from judge.checks.subject import Subject
from runner.outcomes import CallResult
from runner.protocol import Call, Handle, Threads

QUESTION = "C-T3-Q2"
CLOCK = "fake"

_BUCKET, _SAFETY, _TIME = ("correct_token_bucket",), ("thread_safety",), ("time_handling",)

BURST = Check(id="burst", criteria=_BUCKET, about="a new bucket is full: N requests at once are allowed, no more")
REFILL = Check(id="refill", criteria=_BUCKET, about="half a minute after it was empty the bucket has N/2 tokens")
WHOLE = Check(
    id="whole_token", criteria=_BUCKET, about="a part of a token allows nothing, one token allows one request"
)
CAP = Check(id="cap", criteria=_BUCKET, about="however long it is idle, the bucket holds N tokens")
REFUSED = Check(id="refused_costs_nothing", criteria=_BUCKET, about="a refused request takes no token")
RESET = Check(id="reset", criteria=_BUCKET, about="reset fills the bucket, and not beyond N")
NO_WAIT = Check(id="no_wait", criteria=_BUCKET, about="allow_request answers True or False at once, without waiting")
RATE = Check(id="rate", criteria=_TIME, about="tokens come at N a minute, whatever N is")
POLLED = Check(
    id="polled", criteria=_TIME, about="asking more often than tokens come loses no time, and counts none twice"
)
FINE = Check(id="fine", criteria=_TIME, about="steps of a hundredth of a second add up")
IDLE = Check(id="idle_day", criteria=_TIME, about="a day without requests fills the bucket")
LONG = Check(
    id="long_run", criteria=_TIME, about="random requests over a quarter of an hour are allowed as a token bucket does"
)
RACES = Check(
    id="races", criteria=_SAFETY, about="real threads that ask at the same time get N requests allowed, no more"
)
LOCKED = Check(
    id="locked", criteria=_SAFETY, about="everything that changes the state holds a lock that all share", static=True
)

CHECKS = (BURST, REFILL, WHOLE, CAP, REFUSED, RESET, NO_WAIT, RATE, POLLED, FINE, IDLE, LONG, RACES, LOCKED)

_MARGIN_S = 0.01
"""Added to waits, so that rounding in floats does not decide whether a token is there."""
_THREADS, _CALLS, _ROUNDS = 4, 4, 12
"""Every limiter without a lock that was tried lost its first round; twelve leave chance nothing."""
_SHARE = 0.9
"""Of the requests that a continuous bucket allows in random use, the share that must be allowed."""
_SEED = 32


@dataclass(frozen=True)
class Ask:
    """Requests in a row."""

    times: int
    low: int
    high: int
    """Fewest and most that may be allowed."""


@dataclass(frozen=True)
class Wait:
    """Time that passes."""

    seconds: float


@dataclass(frozen=True)
class Poll:
    """One request after each of many short waits."""

    times: int
    every_s: float
    low: int
    high: int


@dataclass(frozen=True)
class Reset:
    """A call of reset."""


@dataclass(frozen=True)
class Total:
    """No call: how many requests must have been allowed up to here."""

    low: int
    high: int


Step = Ask | Wait | Poll | Reset | Total


@dataclass(frozen=True)
class _Play:
    """What is done with one limiter."""

    check: Check
    n: int
    steps: tuple[Step, ...]

    def shown(self, upto: int) -> str:
        """The steps up to this one; the last ones when they are many."""
        steps = [_shown(step) for step in self.steps[: upto + 1]]
        left_out = f"{len(steps) - 8} steps, " if len(steps) > 8 else ""
        return f"N={self.n}: {left_out}{', '.join(steps[-8:])}"


def _shown(step: Step) -> str:
    match step:
        case Ask(times=times):
            return f"{times} requests"
        case Wait(seconds=seconds):
            return f"{seconds:g} s later"
        case Poll(times=times, every_s=every_s):
            return f"{times} requests {every_s:g} s apart"
        case Reset():
            return "reset()"
        case Total():
            return "all together"


def _plays() -> Iterator[_Play]:
    """Yield what is tried, one of each criterion first: a limiter that hangs is given up after a few times."""
    yield _Play(BURST, 60, (Ask(65, 60, 60),))
    yield _Play(RATE, 60, (_drain(60), Wait(1 + _MARGIN_S), Ask(5, 1, 1), Wait(10), Ask(20, 10, 10)))
    yield _Play(BURST, 1, (Ask(3, 1, 1),))
    yield _Play(BURST, 5, (Ask(5, 5, 5), Ask(5, 0, 0)))
    yield _Play(REFILL, 60, (_drain(60), Wait(30 + _MARGIN_S), Ask(60, 29, 31)))
    yield _Play(REFILL, 10, (_drain(10), Wait(30 + _MARGIN_S), Ask(10, 4, 6)))
    yield _Play(WHOLE, 60, (_drain(60), Wait(0.4), Ask(3, 0, 0)))
    yield _Play(WHOLE, 60, (_drain(60), Wait(1.2), Ask(3, 1, 1)))
    yield _Play(CAP, 60, (_drain(60), Wait(600), Ask(700, 60, 60)))
    yield _Play(CAP, 30, (Wait(3600), Ask(100, 30, 30)))
    yield _Play(REFUSED, 60, (Ask(120, 60, 60), Wait(30 + _MARGIN_S), Ask(60, 29, 31)))
    for before in (0, 20, 65):
        yield _Play(RESET, 60, (Ask(before, 0, 60), Reset(), Ask(70, 60, 60)))
    yield _Play(RESET, 60, (_drain(60), Wait(20), Reset(), Ask(70, 60, 60), Wait(10 + _MARGIN_S), Ask(30, 9, 11)))
    yield _Play(RATE, 600, (_drain(600), Wait(1 + _MARGIN_S), Ask(30, 10, 10)))
    yield _Play(RATE, 6, (_drain(6), Wait(9), Ask(2, 0, 0)))
    yield _Play(RATE, 6, (_drain(6), Wait(10 + _MARGIN_S), Ask(2, 1, 1)))
    yield _Play(POLLED, 60, (_drain(60), Poll(120, 0.5, 59, 61)))
    yield _Play(POLLED, 60, (_drain(60), Poll(150, 0.4, 59, 61)))
    yield _Play(POLLED, 10, (_drain(10), Poll(60, 1.0, 9, 11)))
    yield _Play(FINE, 600, (_drain(600), Poll(50, 0.01, 4, 6), Poll(100, 0.01, 9, 11)))
    yield _Play(IDLE, 60, (_drain(60), Wait(86_405), Ask(65, 60, 60)))
    yield from _random_plays()


def _drain(n: int) -> Ask:
    return Ask(n + 5, 0, n + 5)


def _random_plays() -> Iterator[_Play]:
    """Yield random use, compared with what a continuous bucket allows in all: never more, and about as much.

    A bucket of whole tokens may be one before; one that loses parts of tokens now and then falls a little behind.
    """
    source = random.Random(_SEED)
    for n in (60, 30):
        tokens, total, steps = float(n), 0, list[Step]()
        for _ in range(60):
            wait_s, times = source.uniform(0.5, 30.0), source.randint(1, 20)
            tokens = min(n, tokens + wait_s * n / 60)
            allowed = min(times, int(tokens))
            tokens -= allowed
            total += allowed
            steps += [Wait(wait_s), Ask(times, 0, times), Total(int(_SHARE * total) - 2, total + 1)]
        yield _Play(LONG, n, tuple(steps))


async def examine(subject: Subject) -> None:
    """Record every check."""
    limiter = await find_limiter(subject)
    _look_at_locks(subject, limiter)
    if limiter.is_async:
        for check in CHECKS:
            subject.failed(check, f"{limiter.allow} is a coroutine function", expected="a method that returns a bool")
        return
    if limiter.own_thread:
        await _in_real_time(subject, limiter)
        return
    plays = list(_plays())
    calls = [_calls(limiter, play) for play in plays]
    hammered = [_hammered(limiter, n, seed) for seed, n in enumerate((5, 6, 7) * (_ROUNDS // 3))]
    results = await subject.run_each([*calls[:2], hammered[0], _timed(limiter), *hammered[1:], *calls[2:]])
    races = [results[2], *results[4 : 3 + _ROUNDS]]
    for play, played in zip(plays, [*results[:2], *results[3 + _ROUNDS :]], strict=True):
        _record(subject, play, played)
    _record_wait(subject, results[3])
    for n, raced in zip((5, 6, 7) * (_ROUNDS // 3), races, strict=True):
        _record_race(subject, n, raced)


# --- on the clock -------------------------------------------------------------------------------------------------


def _calls(limiter: Limiter, play: _Play) -> list[Call]:
    handle = Handle()
    return [limiter.new(handle, play.n), *(call for step in play.steps for call in _step_calls(limiter, handle, step))]


def _number_of_calls(step: Step) -> int:
    match step:
        case Ask(times=times):
            return times
        case Poll(times=times):
            return 2 * times
        case Total():
            return 0
    return 1


def _step_calls(limiter: Limiter, handle: Handle, step: Step) -> list[Call]:
    asked = Call(target=handle.method(limiter.allow))
    match step:
        case Ask(times=times):
            return [asked] * times
        case Wait(seconds=seconds):
            return [Call(target="_pass_time", args=(seconds,))]
        case Poll(times=times, every_s=every_s):
            return [Call(target="_pass_time", args=(every_s,)), asked] * times
        case Reset():
            return [Call(target=handle.method(limiter.reset))]
        case Total():
            return []


def _record(subject: Subject, play: _Play, results: Results | None) -> None:
    if results is None:
        subject.not_run(play.check, "not tried: the answer hung or died before")
        return
    if not results[0].ok:
        subject.failed_call(play.check, results[0], input=f"N={play.n}", expected="a rate limiter")
        return
    position, total = 1, 0
    for index, step in enumerate(play.steps):
        part = results[position : position + _number_of_calls(step)]
        position += len(part)
        asked = part[1::2] if isinstance(step, Poll) else part
        total += allowed(asked) if isinstance(step, Ask | Poll) else 0
        number = total if isinstance(step, Total) else allowed(asked)
        if not _step_is_right(subject, play, index, asked, number):
            return
    subject.passed(play.check)


def _step_is_right(subject: Subject, play: _Play, index: int, results: Sequence[CallResult], number: int) -> bool:
    step, text = play.steps[index], play.shown(index)
    answers = isinstance(step, Ask | Poll)
    broken = next((result for result in results if not (result.ok and (not answers or _is_answer(result)))), None)
    if broken is not None:
        subject.failed_call(play.check, broken, input=text, expected="True or False" if answers else "no exception")
        return False
    if isinstance(step, Wait | Reset) or step.low <= number <= step.high:
        return True
    wanted = str(step.low) if step.low == step.high else f"{step.low} to {step.high}"
    subject.failed(
        play.check,
        "wrong number of requests allowed",
        input=text,
        expected=f"{wanted} allowed",
        got=f"{number} allowed",
    )
    return False


def _is_answer(result: CallResult) -> bool:
    """A coroutine is no answer for threads, even if it can be awaited."""
    return not result.awaited and (result.value is None or isinstance(result.value, int))


def _timed(limiter: Limiter) -> list[Call]:
    handle, now = Handle(), Call(target="_time_now")
    return [limiter.new(handle, 2), now, *[Call(target=handle.method(limiter.allow))] * 4, now]


def _record_wait(subject: Subject, results: Results | None) -> None:
    if results is None:
        subject.not_run(NO_WAIT, "not tried: the answer hung or died before")
        return
    text = "N=2: 4 requests"
    broken = next((result for result in results if not result.ok), None) or next(
        (result for result in results[2:-1] if not _is_answer(result)), None
    )
    if broken is not None:
        subject.failed_call(NO_WAIT, broken, input=text, expected="True or False")
        return
    waited_s = results[-1].value - results[1].value
    if waited_s > _MARGIN_S:
        subject.failed(NO_WAIT, "it waits for tokens", input=text, expected="no wait", got=f"a wait of {waited_s:g} s")
    else:
        subject.passed(NO_WAIT)


async def _in_real_time(subject: Subject, limiter: Limiter) -> None:
    """A thread that sleeps and adds tokens would run away on the fake clock: look at what needs no time, on the real one."""
    plays = [_Play(BURST, 5, (Ask(8, 5, 5),)), _Play(RESET, 5, (Ask(3, 3, 3), Reset(), Ask(8, 5, 5)))]
    plays.append(_Play(REFUSED, 5, (Ask(50, 5, 5),)))
    seeds = range(4)
    for play in plays:
        async with subject.fresh(clock="real") as sandbox:
            _record(subject, play, await sandbox.run(_calls(limiter, play)))
    for seed in seeds:
        async with subject.fresh(clock="real") as sandbox:
            _record_race(subject, 5, await sandbox.run(_hammered(limiter, 5, seed)))
    for check in CHECKS:
        if check.id not in subject.results:
            subject.not_run(check, "it refills from a thread of its own, which needs minutes of real time to be seen")


# --- threads ------------------------------------------------------------------------------------------------------


def _hammered(limiter: Limiter, n: int, seed: int) -> list[Call]:
    handle = Handle()
    hammer = Threads(threads=_THREADS, calls=_CALLS, seed=seed)
    return [limiter.new(handle, n), Call(target=handle.method(limiter.allow), threads=hammer)]


def _record_race(subject: Subject, n: int, results: Results | None) -> None:
    if results is None:
        subject.not_run(RACES, "not tried: the answer hung or died before")
        return
    text, expected = f"N={n}: {_THREADS} threads ask {_CALLS} times each", f"{n} allowed"
    made, raced = results
    if not made.ok or not raced.ok or not isinstance(raced.value, list):
        subject.failed_call(RACES, raced if made.ok else made, input=text, expected=expected)
        return
    answers = [answer for thread in raced.value if isinstance(thread, list) for answer in thread]
    number = sum(answer is True or (type(answer) is int and answer != 0) for answer in answers)
    if number == n:
        subject.passed(RACES)
    else:
        subject.failed(RACES, "threads get in each other's way", input=text, expected=expected, got=f"{number} allowed")


def _look_at_locks(subject: Subject, limiter: Limiter) -> None:
    stores = uncovered_stores(subject.program.code, limiter.name, (limiter.allow, limiter.reset))
    if not stores:
        subject.passed(LOCKED)
        return
    first = stores[0]
    subject.failed(
        LOCKED,
        "state is changed without a lock",
        expected="a lock that all calls share",
        got=f"{first.method} sets {first.target} in line {first.line} without one",
    )
