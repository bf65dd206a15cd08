"""One item as a rater sees it before rating: never a name of a model, config, judge or run, never a speed or a score."""

from collections.abc import Iterator, Mapping

from judge.checks.checking import Evidence
from judge.extract.answer import extract
from judge.grounding import findings
from judge.ratings import Item
from judge.records import RunRecord
from judge.review.desk import Revealed
from judge.store import Store
from judge.types import Level, Question
from judge.units import evidence_key
from runner.types import Value


class Sheet(Value):
    """What is put before a rater."""

    item: str
    """Opaque id."""
    question: str
    """Its title."""
    prompt: str
    """As the candidate was asked."""
    expected: str
    """What a good answer does."""
    criterion: str
    """Its id, used when rating."""
    criterion_name: str
    scale: tuple[Level, ...]
    code: str
    """The program of the answer; the whole answer when there is none in it. Untrusted."""
    has_code: bool
    """False when ``code`` is the whole answer."""
    evidence: str | None
    """What executing it showed, one line a fact; ``None`` when it was not executed or is hidden."""


def sheet_of(store: Store, run: RunRecord, item: Item, *, evidence: bool = True) -> Sheet:
    """Return the sheet of an item."""
    question = run.suite.question(item.question_id)
    criterion = next(one for one in question.criteria if one.id == item.criterion)
    text = next(answer.text for _, answer in store.answers([item.answer_unit]))
    found = extract(text, prompt=question.prompt)
    return Sheet(
        item=item.id,
        question=question.title,
        prompt=question.prompt,
        expected=question.expected,
        criterion=criterion.id,
        criterion_name=criterion.name,
        scale=run.suite.scale,
        code=found.code or text,
        has_code=bool(found.code),
        evidence=_evidence(store, run, item, question) if evidence else None,
    )


def _evidence(store: Store, run: RunRecord, item: Item, question: Question) -> str | None:
    checks = run.checks.get(question.id)
    keys = [evidence_key(item.answer_unit, checks)] if checks else []
    known: Mapping[str, Evidence] = dict(store.evidence(keys))
    return findings(known.get(item.answer_unit), question) or None


def printable(text: str) -> str:
    """Return text of a model without characters that could steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)


def sheet_lines(sheet: Sheet) -> Iterator[str]:
    """Yield the sheet as text for a terminal."""
    yield f"Item {sheet.item}"
    yield f"\n# {sheet.question}\n"
    yield sheet.prompt.strip()
    yield f"\nA good answer: {sheet.expected.strip()}"
    yield f"\n# {'Code' if sheet.has_code else 'Answer (no code was found in it)'}\n"
    yield printable(sheet.code).strip("\n")
    if sheet.evidence is not None:
        yield f"\n# What executing it showed\n\n{sheet.evidence}"
    yield f"\n# Rate: {sheet.criterion_name} ({sheet.criterion})\n"
    yield from (f"  {'-'.join(map(str, level.scores))}  {level.text}" for level in sheet.scale)


def revealed_lines(found: Revealed) -> Iterator[str]:
    """Yield what a rater is shown after rating."""
    yield f"You: {found.own or 'cannot assess'}"
    for judge in found.judges:
        grades = ", ".join(str(verdict.score or "cannot assess") for verdict in judge.verdicts) or "not scored"
        yield f"{judge.judge}: {grades}{'' if judge.counts else ' (does not count here)'}"
        yield from (f"    {printable(verdict.reasoning)}" for verdict in judge.verdicts[:1])
    if found.bound is not None and found.bound < 5:
        yield f"Tests: at most {found.bound}"
    yield from (f"{printable(rater)}: {grade or 'cannot assess'}" for rater, grade in found.others.items())
    if found.exact is not None and found.within_one is not None:
        yield (
            f"You and the judges so far: equal on {found.exact:.0%} of {found.compared} audited units, "
            f"within one point on {found.within_one:.0%}"
        )
