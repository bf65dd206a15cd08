"""Which function of an answer is meant: questions name none, so the likely ones are tried on the question's own example.

What remains open after the trial (two candidates that stand equal and behave differently) is reported as ambiguous,
never guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from judge.checks.candidates import BARE_SELF, BARE_SELF_GLUE, Candidate, Entry, WantedFunction, candidates
from judge.checks.cases import Results, kind_of
from judge.checks.checking import EvidenceState
from judge.checks.showing import shown_result
from judge.checks.subject import CannotExamine, Subject
from runner.outcomes import Inventory
from runner.protocol import Call, Opaque

_RIVAL_WITHIN = 15
"""Candidates whose ranks are this close stand equal."""
_MAX_TRIED = 8


@dataclass(frozen=True)
class _Tried:
    candidate: Candidate
    results: Results
    passes: bool

    @property
    def rank(self) -> int:
        return self.candidate.rank

    @property
    def makes_code(self) -> bool:
        """True when the result is a function or class: decorators and factories answer no question."""
        value = self.results[0].value
        return isinstance(value, Opaque) and value.type_name in (
            "function",
            "type",
            "partial",
            "builtin_function_or_method",
        )

    @property
    def text(self) -> str:
        return self.candidate.entry.text


async def find_function(subject: Subject, wanted: WantedFunction) -> Entry:
    """Return how to call the answer, and note it in the subject.

    Raises CannotExamine: no entry point, an ambiguous one, or one that hangs or dies on the example.
    """
    found = candidates(subject.inventory, subject.tree, wanted)[:_MAX_TRIED]
    if not found:
        raise CannotExamine("no_entry_point", _nothing_fits(subject.inventory))
    tried = [await _settle(subject, each, wanted) for each in await _try(subject, found, wanted)]
    chosen, notes = choose(tried, versions=wanted.versions)
    subject.notes += notes
    entry = chosen.candidate.entry
    subject.entry_point = entry.text
    subject.require_possible(chosen.results[0])
    if chosen.results[0].state in ("timeout", "died"):
        state = kind_of(chosen.results[0])
        raise CannotCall(
            "timeout" if state == "timeout" else "died", f"{entry.text} on the question's own example", entry
        )
    return entry


class CannotCall(CannotExamine):
    """The entry point was found but hangs or dies; what stands in its source can still be looked at."""

    def __init__(self, state: EvidenceState, message: str, entry: Entry) -> None:
        super().__init__(state, message)
        self.entry = entry


def _nothing_fits(inventory: Inventory) -> str:
    names = [*(f.name for f in inventory.functions), *(c.name for c in inventory.classes)]
    return f"nothing can be called as the question asks; it defines {', '.join(names[:8]) or 'nothing'}"


def require_unambiguous(ambiguous: Sequence[str]) -> None:
    """Raise CannotExamine when there is more than one."""
    if len(ambiguous) > 1:
        raise CannotExamine("ambiguous", f"these behave differently on the example: {', '.join(ambiguous)}")


# --- trial --------------------------------------------------------------------------------------------------------


async def _try(subject: Subject, found: list[Candidate], wanted: WantedFunction) -> list[_Tried]:
    glue = [candidate.entry.glue for candidate in found if candidate.entry.glue is not None]
    if glue:
        own = [BARE_SELF_GLUE] if any(BARE_SELF in text for text in glue) else []
        await subject.install("\n".join([*own, *glue]))
    calls = [[Call(target=candidate.entry.target, args=wanted.example.args)] for candidate in found]
    results = await subject.run_each(calls)
    pairs = zip(found, results, strict=True)
    tried = [_Tried(c, r, wanted.example.accepted(r[0])) for c, r in pairs if r is not None]
    if not tried:
        raise CannotExamine("timeout", "everything that could be called hangs")
    return [one for one in tried if not one.makes_code] or tried


async def _settle(subject: Subject, tried: _Tried, wanted: WantedFunction) -> _Tried:
    """An entry that gives an iterator gives a list from now on."""
    value = tried.results[0].value
    if not isinstance(value, Opaque) or tried.passes or value.type_name not in _LAZY:
        return tried
    entry = tried.candidate.entry
    target = f"{entry.target}_listed"
    lazily = replace(entry, target=target, text=f"list({entry.text})")
    await subject.install(f"def {target}(*args):\n    return list({entry.target}(*args))\n")
    candidate = replace(tried.candidate, entry=lazily)
    results = await subject.run([Call(target=target, args=wanted.example.args)])
    return tried if results is None else _Tried(candidate, results, wanted.example.accepted(results[0]))


_LAZY = frozenset({"generator", "map", "filter", "zip", "chain", "islice", "reversed", "dict_values", "dict_keys"})


def choose(tried: Sequence[_Tried], *, versions: bool = False) -> tuple[_Tried, list[str]]:
    """Return the entry point among tried candidates, most likely first, and notes on the others. Raises CannotExamine.

    ``versions``: of candidates that stand equal the one that passes counts.
    """
    best = tried[0]
    rivals = [other for other in tried[1:] if other.rank >= best.rank - _RIVAL_WITHIN and not _serves(other, best)]
    if best.passes:
        rivals = [rival for rival in rivals if rival.passes or not rival.candidate.says_else]
        if not versions and not all(rival.passes for rival in rivals):
            require_unambiguous([best.text, *(rival.text for rival in rivals)])
        return best, [f"there is also {other.text}: {_how(other)}" for other in rivals]
    if users := [other for other in tried[1:] if other.passes and _serves(best, other)]:
        return users[0], [f"{users[0].text} was taken: it passes the example and uses {best.text}"]
    passing = [other for other in tried[1:] if other.passes and not _is_part(other, best)]
    if not passing:
        return best, [f"there is also {other.text}: {_how(other)}" for other in rivals]
    if not (versions or best.candidate.says_else) and _stand_equal(best, passing, rivals):
        require_unambiguous([best.text, *(other.text for other in passing)])
    return passing[0], [f"{passing[0].text} was taken: {best.text} fails the example"]


def _is_part(other: _Tried, best: _Tried) -> bool:
    """Tell whether ``other`` only serves ``best``: what a user of a private or a well-named function gets is what counts."""
    return _serves(other, best) and (best.candidate.is_named or other.candidate.is_private)


def _stand_equal(best: _Tried, passing: Sequence[_Tried], rivals: Sequence[_Tried]) -> bool:
    """Tell whether nothing says that one that passes is meant, rather than the likelier one that fails."""
    return best.candidate.is_named or any(other in rivals or _serves(other, best) for other in passing[:1])


def _serves(helper: _Tried, user: _Tried) -> bool:
    name, owner = helper.candidate.entry.function, user.candidate.entry.function
    return name in user.candidate.calls and owner not in helper.candidate.calls


def _how(tried: _Tried) -> str:
    return "passes the example too" if tried.passes else shown_result(tried.results[0])
