"""What a run goes on to want, once it knows more: samples where a role is still open, a higher judge where judges differ. Pure.

Looks are fixed beforehand (D9: 5, 10, 20 answers a question), so that going on does not depend on how close a decision seems.
"""

from collections.abc import Collection, Sequence

from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.roles import RoleDecision

LOOKS = (5, 10, 20)
"""Answers per question at which decisions are looked at."""
MAX_SAMPLES = LOOKS[-1]


def next_look(samples: int, max_samples: int) -> int | None:
    """Return the next number of answers to look at after ``samples``; ``None`` when that was the last one allowed."""
    looks = [look for look in (*LOOKS, max_samples) if samples < look <= max_samples]
    return min(looks, default=None)


def sampled_further(run: RunRecord, decisions: Sequence[Sequence[RoleDecision]], max_samples: int) -> RunRecord | None:
    """Return ``run`` with more samples of the tiers that keep a role open, or ``None`` when nothing is left to sample.

    ``decisions``: those of each arm, in the order of the run's arms.
    """
    arms = tuple(_further(run, record, of_arm, max_samples) for record, of_arm in zip(run.arms, decisions, strict=True))
    return None if arms == run.arms else run.model_copy(update={"arms": arms})


def _further(run: RunRecord, record: ArmRecord, decisions: Sequence[RoleDecision], max_samples: int) -> ArmRecord:
    if record.model is None:  # imported: there is nobody to ask
        return record
    tiers = {tier for decision in decisions for tier in decision.open_tiers}
    looks = {tier: next_look(record.samples.get(tier, run.samples), max_samples) for tier in sorted(tiers)}
    more = {tier: look for tier, look in looks.items() if look is not None}
    return record.model_copy(update={"samples": {**record.samples, **more}}) if more else record


def escalated(run: RunRecord, judge: JudgeRecord, disputed: Collection[str]) -> RunRecord | None:
    """Return ``run`` with ``judge`` asked about the disputed answers, too; ``None`` when it is already, or nothing is disputed."""
    before = next((one for one in run.judges if one.fingerprint == judge.fingerprint), None)
    wanted = frozenset(disputed) | (before.only or frozenset() if before else frozenset())
    if not wanted or (before and before.only == wanted):
        return None
    others = tuple(one for one in run.judges if one.fingerprint != judge.fingerprint)
    return run.model_copy(update={"judges": (*others, judge.model_copy(update={"only": wanted}))})
