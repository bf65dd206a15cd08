"""What can be rated, one criterion of one answer, and what judges and tests say of it. Values."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from judge.types import Grade, Verdict
from runner.types import Value


class Unit(Value):
    """One criterion of one stored answer that can be scored."""

    answer_unit: str
    question_id: str
    tier: str
    criterion: str
    rubric: str
    """Hash of what judges and people score the question by."""
    weight: int
    """Percent of the answer's score."""
    arm: str
    """Fingerprint of the arm."""
    arm_id: str
    """Its name in reports: ``coder/moe4``."""

    @property
    def key(self) -> tuple[str, str]:
        """Identity."""
        return self.answer_unit, self.criterion

    @property
    def stratum(self) -> str:
        """The part of the population that it is drawn from: an arm on a tier, since that is what gets a score."""
        return f"{self.arm}/{self.tier}"


class JudgeScore(Value):
    """What one judge says of one unit."""

    judge: str
    counts: bool
    """True for a judge whose scores make the score of the arm."""
    verdicts: tuple[Verdict, ...]
    """One a replicate."""
    bounded: tuple[Grade | None, ...]
    """The same scores by the policy of the run: at most what the tests allow."""
    wanted: int
    """Replicates that there should be."""
    unaided: tuple[Verdict, ...] = ()
    """Given without the tests in sight, where that was asked for: to hold the judge against the tests."""

    @property
    def grades(self) -> tuple[Grade, ...]:
        """The judge's own scores."""
        return tuple(verdict.score for verdict in self.verdicts if verdict.score is not None)

    @property
    def score(self) -> float | None:
        """Mean by the policy of the run, 1-5; ``None`` until every replicate has a score."""
        known = [grade for grade in self.bounded if grade is not None]
        return fmean(known) if known and len(known) == self.wanted else None

    @property
    def grade(self) -> Grade | None:
        """The judge's own score as one grade, the lower middle one of its replicates; ``None`` without any."""
        return middle(self.grades)


class ScoredUnit(Value):
    """One unit with everything that judges and tests say of it."""

    unit: Unit
    judges: tuple[JudgeScore, ...]
    bound: Grade | None
    """Highest score that the tests allow; ``None`` when they say nothing."""
    failing_inputs: tuple[str, ...] = ()
    """Inputs of checks of this criterion that failed."""

    @property
    def panel(self) -> float | None:
        """Mean over the judges that count, 1-5; ``None`` until each of them has a score."""
        scores = [judge.score for judge in self.judges if judge.counts]
        known = [score for score in scores if score is not None]
        return fmean(known) if known and len(known) == len(scores) else None


class UnitScore(Value):
    """One unit with its score alone: of most units nothing else is asked, and there may be hundreds of thousands of verdicts."""

    unit: Unit
    panel: float | None
    """As of ``ScoredUnit``."""

    @property
    def judges(self) -> tuple[JudgeScore, ...]:
        """What the judges say is not held here."""
        return ()


AnyScored = ScoredUnit | UnitScore


def middle(grades: Sequence[Grade]) -> Grade | None:
    """Return the lower median, which is a grade; ``None`` of none."""
    return sorted(grades)[(len(grades) - 1) // 2] if grades else None


def answer_scores(
    units: Iterable[AnyScored], repaired: Mapping[tuple[str, str], float] | None = None
) -> dict[str, float]:
    """Return answer -> weighted score, 1-5, of the answers of which every criterion has one.

    ``repaired``: unit -> the score of a person that stands in for that of the judges.
    """
    parts: dict[str, list[tuple[int, float | None]]] = defaultdict(list)
    for scored in units:
        score = (repaired or {}).get(scored.unit.key, scored.panel)
        parts[scored.unit.answer_unit].append((scored.unit.weight, score))
    return {
        answer: sum(weight * score for weight, score in found if score is not None) / 100
        for answer, found in parts.items()
        if all(score is not None for _, score in found)
    }
