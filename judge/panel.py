"""Which judges' scores make the score of an arm. Pure.

A judge that failed its exam decides nothing, and judges favour their own family: so of the judges that scored an arm those
count that qualified, else those that were not examined, else all (marked). Of these, judges of another family than the candidate's
count where there are any. A panel that had to take what there is says so.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from judge.lineage import is_self, same_family
from judge.records import ArmRecord, JudgeRecord
from runner.types import Value


class Relation(StrEnum):
    """What a judge is to a candidate."""

    SELF = "self"
    FAMILY = "family"
    """The same lineage, or an unknown one."""
    OTHER = "other"


class Standing(StrEnum):
    """What the exam said of a judge."""

    QUALIFIED = "qualified"
    """For logic and style."""
    LOGIC_ONLY = "qualified for logic only"
    """It decides: style is a fifth of the weight at most, and a few questions hold too little of it to examine."""
    NOT_EXAMINED = "not examined"
    STYLE_ONLY = "qualified for style only"
    NOT_QUALIFIED = "not qualified"


_PREFERENCE = (
    Standing.QUALIFIED,
    Standing.LOGIC_ONLY,
    Standing.NOT_EXAMINED,
    Standing.STYLE_ONLY,
    Standing.NOT_QUALIFIED,
)


class Panel(Value):
    """The judges that count for one arm."""

    judges: tuple[str, ...]
    """Names; empty when nobody scores the arm."""
    standing: Standing | None
    """Of all of them; ``None`` when nobody scores the arm."""
    own_family: bool
    """True when they are of the candidate's family, or of an unknown one, since there was no other."""

    @property
    def decides(self) -> bool:
        """False when no role may be decided by these scores."""
        return self.standing in (Standing.QUALIFIED, Standing.LOGIC_ONLY, Standing.NOT_EXAMINED)


def relation(judge: JudgeRecord, record: ArmRecord) -> Relation:
    """Return what ``judge`` is to the candidate of ``record``."""
    if is_self(judge, record):
        return Relation.SELF
    return Relation.FAMILY if same_family(judge, record) else Relation.OTHER


def panel(judges: Sequence[JudgeRecord], record: ArmRecord, standings: Mapping[str, Standing]) -> Panel:
    """Return who counts for ``record`` of the judges that score it; ``standings``: judge fingerprint -> standing."""
    scoring = [judge for judge in judges if judge.scores_itself or not is_self(judge, record)]
    for standing in _PREFERENCE:
        alike = [judge for judge in scoring if standings.get(judge.fingerprint, Standing.NOT_EXAMINED) is standing]
        if alike:
            others = [judge for judge in alike if relation(judge, record) is Relation.OTHER]
            names = tuple(judge.name for judge in others or alike)
            return Panel(judges=names, standing=standing, own_family=not others)
    return Panel(judges=(), standing=None, own_family=False)
