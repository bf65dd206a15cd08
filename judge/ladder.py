"""The escalation ladder: who fills each rung, which rung is empty, and what the next rung up gains and costs. Pure.

Of the arms that pass a role the fastest fills it: a role's rule says what is good enough, and speed is what is left. Where nobody
passes, UNDECIDED keeps the incumbent, and only a FAIL of the incumbent empties the rung.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from judge.roles import RoleDecision
from judge.scoring import Coverage
from judge.stats.intervals import Outcome
from judge.types import Role
from runner.types import Value


class Filling(StrEnum):
    """Why an arm fills a rung."""

    PASSED = "passed"
    KEPT = "incumbent kept"
    """Nobody passed, and the incumbent is undecided."""
    EMPTY = "empty"


class Contender(Value):
    """One arm as the ladder sees it."""

    arm_id: str
    role: str | None
    """The role that its candidate fills today."""
    decode_tps: float | None
    """``None``: not measured."""
    score: float | None
    """Mean over the tiers, 1.0-5.0; ``None`` when a tier has no score."""
    coverage: Coverage
    """Of this mean."""
    decisions: tuple[RoleDecision, ...]
    audited: bool = False
    """True when labels of people back its scores."""

    def outcome(self, role: str) -> Outcome | None:
        """Return what was decided about ``role``; ``None``: nothing."""
        return next((d.outcome for d in self.decisions if d.role == role), None)


class Rung(Value):
    """One role of the ladder and who fills it."""

    role: str
    filling: Filling
    arm_id: str | None
    """``None``: empty."""
    provisional: bool
    """True until an audit backs the scores, and always for an incumbent that was only kept."""
    decode_tps: float | None
    score: float | None
    coverage: Coverage | None
    """Of the score; ``None`` for an empty rung."""
    below: Coverage | None
    """Of the score on the rung below, which the gain is measured from; ``None`` where there is none."""
    gain: float | None
    """Score minus that of the rung below, in points; ``None`` on the lowest rung, or where one of the two is unknown."""
    speed_ratio: float | None
    """Decode speed over that of the rung below; ``None`` as for ``gain``."""
    reason: str

    @property
    def sentence(self) -> str:
        """The rung in one line."""
        filled = (
            f"{self.arm_id} ({self.filling}{', provisional' if self.provisional else ''})" if self.arm_id else "empty"
        )
        return f"{self.role}: {filled}: {self.reason}{self._step}"

    @property
    def _step(self) -> str:
        if self.gain is None or self.speed_ratio is None or self.coverage is None or self.below is None:
            return ""
        basis = f"{self.coverage.text}; below: {self.below.text}"
        return f"; against the rung below: score {self.gain:+.2f} ({basis}), {self.speed_ratio:.2f}x its tokens/s"


def ladder(roles: Sequence[Role], contenders: Sequence[Contender]) -> tuple[Rung, ...]:
    """Return the rungs, lowest first; ``roles`` in the order of the ladder."""
    rungs: list[Rung] = []
    by_id = {contender.arm_id: contender for contender in contenders}
    for role in roles:
        below = by_id.get(rungs[-1].arm_id or "") if rungs else None
        rungs.append(_rung(role.id, contenders, below))
    return tuple(rungs)


def _rung(role: str, contenders: Sequence[Contender], below: Contender | None) -> Rung:
    passed = [one for one in contenders if one.outcome(role) is Outcome.PASS]
    kept = [one for one in contenders if one.role == role and one.outcome(role) is Outcome.UNDECIDED]
    filling = Filling.PASSED if passed else Filling.KEPT if kept else Filling.EMPTY
    chosen = _fastest(passed or kept)
    return Rung(
        role=role,
        filling=filling,
        arm_id=chosen.arm_id if chosen else None,
        provisional=chosen is not None and (filling is Filling.KEPT or not chosen.audited),
        decode_tps=chosen.decode_tps if chosen else None,
        score=chosen.score if chosen else None,
        coverage=chosen.coverage if chosen else None,
        below=below.coverage if below else None,
        gain=_difference(chosen, below),
        speed_ratio=_ratio(chosen, below),
        reason=_reason(role, filling, passed, contenders),
    )


def _fastest(contenders: Sequence[Contender]) -> Contender | None:
    return max(contenders, key=lambda one: (one.decode_tps or 0.0, one.score or 0.0), default=None)


def _reason(role: str, filling: Filling, passed: Sequence[Contender], contenders: Sequence[Contender]) -> str:
    if filling is Filling.PASSED:
        return (
            "the fastest of " + ", ".join(one.arm_id for one in passed)
            if len(passed) > 1
            else "the only one that passes"
        )
    if filling is Filling.KEPT:
        return "nobody passes, and the incumbent is undecided"
    return "nobody passes" if any(one.outcome(role) for one in contenders) else "nothing was decided about this role"


def _difference(chosen: Contender | None, below: Contender | None) -> float | None:
    if chosen is None or below is None or chosen.score is None or below.score is None:
        return None
    return chosen.score - below.score


def _ratio(chosen: Contender | None, below: Contender | None) -> float | None:
    if chosen is None or below is None or not chosen.decode_tps or not below.decode_tps:
        return None
    return chosen.decode_tps / below.decode_tps


def role_map(rungs: Sequence[Rung]) -> Mapping[str, Mapping[str, object]]:
    """Return role -> who fills it, for a router's configuration: arm, candidate, config, provisional, speed, score and its coverage."""
    return {
        rung.role: {
            "arm": rung.arm_id,
            "candidate": rung.arm_id.partition("/")[0] if rung.arm_id else None,
            "config": rung.arm_id.partition("/")[2] if rung.arm_id else None,
            "filling": rung.filling.value,
            "provisional": rung.provisional,
            "decode_tps": rung.decode_tps,
            "score": rung.score,
            "coverage": {**rung.coverage.model_dump(mode="json"), "missing": rung.coverage.missing}
            if rung.coverage
            else None,
        }
        for rung in rungs
    }
