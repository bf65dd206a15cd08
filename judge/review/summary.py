"""What the labels say and change, as text. Pure."""

from collections.abc import Iterator

from judge.review.effect import Effect, Reading, TierEffect
from judge.review.estimate import ArmAudit, Audit
from judge.review.queue import LEAST_PER_ARM
from judge.stats.agreement import Agreement
from judge.stats.estimators import HIGHEST, LOWEST, AuditedMean
from judge.stats.figures import Interval, Refused

BIAS_COLUMNS = ("Arm", "Tier", "Labels", "Units", "Human - judge", "By people", "Method")
CHANGE_COLUMNS = ("Arm", "Tier", "Moved by", "Before", "After")
ROLE_COLUMNS = ("Arm", "Role", "Tier", "Needs", "Before", "After")
AGREEMENT_COLUMNS = ("Raters", "Units", "First - second", "Exact", "Within 1", "QWK", "Alpha", "AC2", "Share of 5")


def audit_lines(audit: Audit) -> Iterator[str]:
    """Yield one line an arm: is it audited, and what is to be known about its labels."""
    if not audit.arms:
        yield "not audited: no unit was drawn; judge review queue draws them"
    for arm in audit.arms:
        yield f"{arm.arm_id}: {'audited' if arm.audited else _not_audited(arm)}{''.join(_remarks(arm))}"


def _not_audited(arm: ArmAudit) -> str:
    return f"not audited: {arm.labels} of {min(LEAST_PER_ARM, arm.drawn)} labels"


def _remarks(arm: ArmAudit) -> Iterator[str]:
    if arm.audited:
        yield f", {arm.labels} labels of {arm.drawn} drawn"
    counts = {
        "that nobody could assess": arm.cannot_assess,
        "of answers without a score by the judges": arm.unpaired,
        "rated again after their scores were shown": arm.changed_after_seeing,
    }
    yield from (f"; {count} {what}" for what, count in counts.items() if count)
    if arm.overlooked:
        yield f"; {arm.overlooked} units came after the draw: judge review queue tops it up"


def bias_rows(audit: Audit) -> list[list[str]]:
    """Return the table of biases, one row an arm and tier, and one for all tiers of the arm."""
    return [
        [arm.arm_id, tier, str(labels), str(units), *_estimate(estimate)]
        for arm in audit.arms
        for tier, labels, units, estimate in [
            *((one.tier, one.labels, one.units, one.estimate) for one in arm.tiers),
            ("all", arm.labels, sum(one.units for one in arm.tiers), arm.estimate),
        ]
    ]


def _estimate(estimate: AuditedMean | Refused) -> list[str]:
    if isinstance(estimate, Refused):
        return ["-", "-", estimate.reason]
    method = "difference" if estimate.method == "difference" else "human only"
    shift = f"{estimate.correction:+.2f} [{_ends(estimate.correction_interval, '+.2f')}]"
    return [shift, f"{estimate.mean:.2f} [{_ends(_on_scale(estimate.interval))}]", method]


def _on_scale(interval: Interval) -> Interval:
    cut = {"low": max(LOWEST, interval.low), "high": min(HIGHEST, interval.high)}
    return interval.model_copy(update=cut)


def _ends(interval: Interval, form: str = ".2f") -> str:
    return f"{interval.low:{form}}, {interval.high:{form}}"


def agreement_rows(audit: Audit) -> list[list[str]]:
    """Return the table of agreement: each judge with people, and people among themselves."""
    found = [*audit.judges, *([audit.people] if audit.people else [])]
    return [_agreement(one) for one in found]


def _agreement(one: Agreement) -> list[str]:
    return [
        " - ".join(one.raters),
        str(one.units),
        _figure(one.bias, "+.2f"),
        f"{one.exact:.0%}",
        f"{one.within_one:.0%}",
        _figure(one.qwk.value if one.qwk else None),
        _figure(one.alpha),
        _figure(one.ac2.value if one.ac2 else None),
        f"{one.top_share:.0%}",
    ]


def _figure(value: float | None, form: str = ".2f") -> str:
    return "undefined" if value is None else f"{value:{form}}"


def change_rows(effect: Effect) -> list[list[str]]:
    """Return the table of tier scores before and after, of tiers that people's labels moved."""
    return [_change(tier) for tier in effect.tiers if tier.by != "nothing"]


def _change(tier: TierEffect) -> list[str]:
    by = f"{tier.repaired} repaired" if tier.by == "repairs" else tier.by
    return [tier.arm_id, tier.tier, by, _reading(tier.before), _reading(tier.after)]


def _reading(reading: Reading) -> str:
    return f"{reading.mean:.2f} [{_ends(reading.interval)}]"


def role_rows(effect: Effect) -> list[list[str]]:
    """Return the table of what each tier says of each role, before and after the labels, those that they left alone included."""
    return [
        [
            one.arm_id,
            one.role,
            one.tier,
            f"{one.threshold:g}",
            one.before.value,
            f"{one.after.value} (turned)" if one.changed else one.after.value,
        ]
        for one in effect.roles
    ]


def decision_lines(effect: Effect) -> Iterator[str]:
    """Yield one line a decision that the labels turned, and one about repairs."""
    for role in effect.roles:
        if role.changed:
            yield f"{role.arm_id} as {role.role} on {role.tier} (needs {role.threshold:g}): {role.before} -> {role.after}"
    if effect.repair_shift is not None:
        yield (
            f"{effect.repaired} units repaired, by {effect.repair_shift:+.2f} points on average; they were picked for looking wrong "
            "and say nothing about bias"
        )
