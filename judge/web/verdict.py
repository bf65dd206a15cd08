"""What a program gets when it had one answer judged: every verdict, and a score or the reason why there is none. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from judge.checks.checking import Evidence
from judge.grounding import bounded
from judge.panel import Standing
from judge.scoring import answer_score
from judge.types import Grade, JudgeFailure, JudgeFailureKind, Judgement, Question
from runner.types import Value


class CriterionVerdict(Value):
    """What one scoring says of one criterion."""

    criterion: str
    score: Grade | None
    """As the judge gave it; ``null``: it cannot assess this."""
    counted: Grade | None
    """The same, at most what the tests allow."""
    evidence: str
    """What in the answer the judge points to."""
    reasoning: str


class Scoring(Value):
    """One replicate."""

    replicate: int
    """0-based: decides the order of the criteria and the seed."""
    verdicts: tuple[CriterionVerdict, ...]
    """Empty when it failed."""
    score: float | None
    """Weighted, as counted, 1.0-5.0; ``null`` when any criterion has no score."""
    failure: JudgeFailureKind | None
    """``null``: it gave verdicts."""
    repaired: bool
    """True when the judge's first reply was no verdict and it was asked once more."""
    seconds: float | None
    """Over all requests to the judge; ``null`` when it failed."""
    prompt_tokens: int | None
    completion_tokens: int | None


class JudgedAnswer(Value):
    """One answer as it was judged. Nothing of it is stored."""

    judge: str
    judge_fingerprint: str
    standing: Standing
    """What its exam on the question said."""
    standing_reason: str
    asked: bool
    """False for a text that is no answer: that is the lowest score, and no judge is asked."""
    score: float | None
    """Weighted mean over the scorings, at most what the tests allow, 1.0-5.0; ``null`` when anything of it is missing."""
    reason: str | None
    """Why there is no score; ``null`` when there is one."""
    scorings: tuple[Scoring, ...]
    bounds: dict[str, Grade]
    """Criterion -> highest score that the tests allow; empty without evidence."""
    evidence: Evidence | None
    """What executing the answer showed; ``null`` when it was not executed, or its question has no checks."""
    prompt_hash: str
    """Of the templates that the judge was asked with."""
    rubric_hash: str
    seconds: float
    """From the request to the reply, waiting and executing included."""


def scoring(
    question: Question, replicate: int, outcome: Judgement | JudgeFailure, bounds: Mapping[str, Grade]
) -> Scoring:
    """Return one outcome as it is told: of a failure its kind and nothing from inside."""
    if isinstance(outcome, JudgeFailure):
        return Scoring(
            replicate=replicate,
            verdicts=(),
            score=None,
            failure=outcome.kind,
            repaired=False,
            seconds=None,
            prompt_tokens=None,
            completion_tokens=None,
        )
    counted = bounded(outcome.verdicts, bounds)
    return Scoring(
        replicate=replicate,
        verdicts=tuple(
            CriterionVerdict(
                criterion=said.criterion,
                score=said.score,
                counted=counts.score,
                evidence=said.evidence,
                reasoning=said.reasoning,
            )
            for said, counts in zip(outcome.verdicts, counted, strict=True)
        ),
        score=answer_score(question, counted),
        failure=None,
        repaired=outcome.repaired,
        seconds=outcome.latency_s,
        prompt_tokens=outcome.prompt_tokens,
        completion_tokens=outcome.completion_tokens,
    )


def whole_score(scorings: Sequence[Scoring]) -> tuple[float | None, str | None]:
    """Return the mean of all scorings; where anything is missing, ``None`` and why."""
    missing = "; ".join(_missing(scorings))
    if missing:
        return None, missing
    return fmean(one.score for one in scorings if one.score is not None), None


def _missing(scorings: Sequence[Scoring]) -> Iterator[str]:
    failed = Counter(one.failure for one in scorings if one.failure)
    yield from (f"{count} of {len(scorings)} scorings failed ({kind})" for kind, count in failed.items())
    unassessed = dict.fromkeys(v.criterion for one in scorings for v in one.verdicts if v.score is None)
    if unassessed:
        yield f"the judge cannot assess {', '.join(unassessed)}"
