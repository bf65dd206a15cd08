"""Two stored arms on the same questions: the verdict, and per question what each was given and which answers answer each other."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from judge.compare import Comparison, compare
from judge.errors import UserError
from judge.panel import Standing
from judge.plan import questions_of
from judge.records import ArmRecord, RunRecord
from judge.results.against import side
from judge.results.arms import ArmFigures, Scored, arm_figures, seats
from judge.results.standing import standings_of
from judge.results.values import QuestionScore
from judge.scoring import Coverage
from judge.store import Store
from judge.types import Question
from runner.types import Value

FindRun = Callable[[str], RunRecord]
"""Id, or ``latest`` -> the run; raises when there is none."""


class ArmSide(Value):
    """One of the two arms."""

    run_id: str
    arm_id: str
    """``coder/moe4``."""
    fingerprint: str
    judges: tuple[str, ...]
    """Whose scores count; empty when nobody scores it."""
    standing: Standing | None
    """Of all of them; ``None`` when nobody scores it."""


class QuestionSide(Value):
    """One question of one arm."""

    mean: float | None
    """By the run's policy, 1.0-5.0; ``None`` without a score."""
    coverage: Coverage
    checks_passed: int
    """Over all answers that were executed."""
    checks_known: int
    """Passed and failed; what could not be run is left out."""


class SamplePair(Value):
    """The answers of both arms to one question in one sample, where both can be scored."""

    sample: int
    """0-based."""
    left: str
    """Id of the answer."""
    right: str
    left_score: float | None
    """1.0-5.0; ``None``: missing."""
    right_score: float | None


class QuestionPair(Value):
    """One question of both arms."""

    id: str
    title: str
    left: QuestionSide | None
    """``None``: this arm was not asked it."""
    right: QuestionSide | None
    samples: tuple[SamplePair, ...]


class PairedArms(Value):
    """The right arm against the left one."""

    left: ArmSide
    right: ArmSide
    same_suite: bool
    """False when the arms were asked by different versions of the suite: what was asked or scored may differ."""
    comparison: Comparison
    sentence: str
    """The whole comparison in one line."""
    questions: tuple[QuestionPair, ...]
    """In the order of the suite; those that either arm was asked."""


def find_arm(find_run: FindRun, name: str, run_id: str) -> tuple[RunRecord, ArmRecord]:
    """Return the arm that is called ``ARM`` in ``run_id``, or ``RUN:ARM``, by id or fingerprint. Raises UserError without one."""
    run = find_run(run_id)
    found = _arms(run).get(name)
    named, _, arm = name.rpartition(":")
    if found is None and named:
        run = find_run(named)
        found = _arms(run).get(arm)
    if found is None:
        known = ", ".join(record.arm.id for record in run.arms) or "none"
        raise UserError(f"run {run.id} has no arm {arm!r}; it has {known}")
    return run, found


def _arms(run: RunRecord) -> dict[str, ArmRecord]:
    return {name: record for record in run.arms for name in (record.arm.fingerprint, record.arm.id)}


def pair_arms(
    store: Store, left: tuple[RunRecord, ArmRecord], right: tuple[RunRecord, ArmRecord], margin: float
) -> PairedArms:
    """Compare ``right`` with ``left``; ``margin`` in points, positive."""
    one, other = _read(store, *left), _read(store, *right)
    comparison = compare(side(_scored(one)), side(_scored(other)), margin)
    return PairedArms(
        left=_side(*left, one),
        right=_side(*right, other),
        same_suite=left[0].suite.hash == right[0].suite.hash,
        comparison=comparison,
        sentence=comparison.sentence,
        questions=tuple(_question_pairs(left, right, one, other)),
    )


def _read(store: Store, run: RunRecord, record: ArmRecord) -> ArmFigures:
    return arm_figures(run, seats(run, record, standings_of(run, store)), store, None, keep=True)


def _scored(figures: ArmFigures) -> Scored:
    assert figures.scored is not None, "it was read to be kept"
    return figures.scored


def _side(run: RunRecord, record: ArmRecord, figures: ArmFigures) -> ArmSide:
    counting = figures.result.panel
    return ArmSide(
        run_id=run.id,
        arm_id=record.arm.id,
        fingerprint=record.arm.fingerprint,
        judges=counting.judges,
        standing=counting.standing,
    )


# --- question by question ---------------------------------------------------------------------------------------------


def _question_pairs(
    left: tuple[RunRecord, ArmRecord], right: tuple[RunRecord, ArmRecord], one: ArmFigures, other: ArmFigures
) -> Iterator[QuestionPair]:
    sides = _question_sides(*left, one), _question_sides(*right, other)
    samples = _sample_pairs(_scored(one), _scored(other))
    for question in _asked(left[0], right[0]):
        yield QuestionPair(
            id=question.id,
            title=question.title,
            left=sides[0].get(question.id),
            right=sides[1].get(question.id),
            samples=tuple(samples.get(question.id, ())),
        )


def _asked(left: RunRecord, right: RunRecord) -> list[Question]:
    return list({question.id: question for run in (right, left) for question in questions_of(run)}.values())


def _question_sides(run: RunRecord, record: ArmRecord, figures: ArmFigures) -> dict[str, QuestionSide]:
    answers = _scored(figures).answers
    answered = Counter(one.question_id for one in answers)
    scored = Counter(one.question_id for one in answers if one.score is not None)
    counts = {
        question.id: Coverage(
            wanted=run.samples_of(record, question), answered=answered[question.id], scored=scored[question.id]
        )
        for question in questions_of(run)
    }
    return {found.id: _question_side(found, counts[found.id]) for found in figures.result.questions}


def _question_side(found: QuestionScore, coverage: Coverage) -> QuestionSide:
    return QuestionSide(
        mean=found.mean, coverage=coverage, checks_passed=found.checks_passed, checks_known=found.checks_known
    )


def _sample_pairs(left: Scored, right: Scored) -> Mapping[str, Sequence[SamplePair]]:
    known = {(one.score.question_id, one.score.sample): one for one in left.scored}
    found: dict[str, list[SamplePair]] = {}
    for one in right.scored:
        other = known.get((one.score.question_id, one.score.sample))
        if other is not None:
            pair = SamplePair(
                sample=one.score.sample,
                left=other.key,
                right=one.key,
                left_score=other.score.score,
                right_score=one.score.score,
            )
            found.setdefault(one.score.question_id, []).append(pair)
    return found
