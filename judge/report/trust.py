"""What the scores of a run rest on: who judged, whether that judge was examined, whether people checked, how much is there. Pure."""

from collections.abc import Iterator
from typing import Literal

from judge.results import Results
from runner.types import Value


class TrustItem(Value):
    """One ground for trust, or the lack of it."""

    about: str
    verdict: str
    """One or two words."""
    why: str
    state: Literal["good", "bad", "open"]
    """``open``: nobody knows."""


ENOUGH_COVERAGE = 0.95
"""More than one in twenty missing, and the mean may be that of another set of answers."""


def trust_items(results: Results) -> tuple[TrustItem, ...]:
    """Return the grounds for trust, the weightiest first."""
    return tuple(_items(results))


def _items(results: Results) -> Iterator[TrustItem]:
    if results.judge is None:
        yield TrustItem(about="Judge", verdict="nobody", why="Not judged.", state="open")
    else:
        why = f"{results.judge}, {results.judge_replicates} per answer. How well it tells right from wrong is unknown."
        yield TrustItem(about="Judge", verdict="not examined", why=why, state="open")
    yield TrustItem(
        about="Audit",
        verdict="not audited",
        why="No person checked a random sample: a role is provisional at most.",
        state="open",
    )
    yield _coverage(results)


def _coverage(results: Results) -> TrustItem:
    c = results.coverage
    return TrustItem(
        about="Coverage",
        verdict=f"{c.share:.0%}",
        why=f"{c.scored} of {c.wanted} answers scored, {c.answered} answered, {results.samples} a question.",
        state="good" if c.share >= ENOUGH_COVERAGE else "bad",
    )


def warnings(results: Results) -> tuple[str, ...]:
    """Return what a reader must know before the first number."""
    return tuple(_warnings(results))


def _warnings(results: Results) -> Iterator[str]:
    if any(question.unsafe_executions for arm in results.arms for question in arm.questions):
        yield "Warning: answers were executed WITHOUT a sandbox; they could have forged what the checks saw."
    if family := [arm.id for arm in results.arms if arm.same_family_as_judge]:
        yield f"Warning: the judge is of the same or unknown family as {', '.join(family)}; judges favour their own family."
