"""What a ranking shows: where the scores of the arms lie, and what judges say of those that the scores leave open."""

from collections.abc import Mapping

from judge.panel import Relation, Standing
from judge.stats.figures import Interval
from judge.stats.preferences import PositionBias
from runner.types import Value


class ScoreRange(Value):
    """Where the score of one arm lies, over all of its questions."""

    arm_id: str
    mean: float | None
    """1.0-5.0; ``None`` without a score."""
    interval: Interval
    """As that of a tier score, 90 %; a question without a score may lie anywhere on the scale."""


class ScoreOrder(Value):
    """What the scores alone say about the order of the arms."""

    ranges: tuple[ScoreRange, ...]
    """Highest mean first."""
    groups: tuple[tuple[str, ...], ...]
    """Arm ids, the best group first: neighbours inside a group overlap, between groups there is a gap."""

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The arms that the scores do not order: every two whose intervals overlap."""
        return tuple(
            (a.arm_id, b.arm_id)
            for at, a in enumerate(self.ranges)
            for b in self.ranges[at + 1 :]
            if a.interval.overlaps(b.interval)
        )


class RankedArm(Value):
    """One arm among those that were compared with each other."""

    arm_id: str
    rank: int
    """1 is the best; arms of equal strength share the better rank."""
    strength: float
    """Natural log of its ability after Davidson; those of a group sum to 0."""
    relation: Relation
    """What the judge is to it."""


class RankedGroup(Value):
    """Arms that comparisons connect, in their order."""

    arms: tuple[RankedArm, ...]
    """Best first."""
    tie_parameter: float
    """Davidson's nu: 0 without ties."""
    p_better: Mapping[str, Mapping[str, float]] | None
    """A -> B -> P(A > B), 0-1, over a bootstrap of whole questions, for arms whose scores overlap; ``None`` under 5 questions."""
    questions: int
    matches: int
    """Pairs of answers that were compared in both orders."""


class JudgeRanking(Value):
    """What one judge says of the arms whose scores overlap."""

    judge: str
    standing: Standing
    standing_reason: str
    decides: bool
    """False for a judge that failed its exam, and for one that was not examined: nothing is known of what it can tell."""
    blind: bool
    """True: it was not told what executing the answers showed."""
    groups: tuple[RankedGroup, ...]
    left_out: tuple[str, ...]
    """Arms of the judge's own model, which it is not asked about."""
    wanted: int
    """Comparisons, each order by itself."""
    compared: int
    foregone: int
    """Of these, those that nobody had to be asked: two texts that are the same, or one that is no answer."""
    failed: int
    """Comparisons that were asked for and gave nothing; they are owed."""
    missing: int
    """Comparisons that were not asked for yet, or whose answers are not there."""
    owed: int
    """Comparisons, failed or not asked for, whose answers are there."""
    position: PositionBias
    """Of the pairs that the judge was asked about in both orders."""
    failures: tuple[str, ...]
    """One line a different failure, with how often it happened."""


class RunRanking(Value):
    """The order of the arms of a run: by their scores, and by comparisons where the scores overlap."""

    order: ScoreOrder
    samples: int
    """K: answers a question."""
    judges: tuple[JudgeRanking, ...]

    @property
    def owed(self) -> int:
        """Comparisons that can be asked for and are not stored."""
        return sum(judge.owed for judge in self.judges)
