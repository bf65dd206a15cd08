"""What labels of people say about the scores of a run. Reads the store."""

from collections.abc import Mapping

from judge.records import RunRecord
from judge.results.standing import standings_of
from judge.results.values import LabelAudit
from judge.store import Store
from runner.types import Value


class Audited(Value):
    """The audit of one arm as its decisions use it."""

    summary: LabelAudit
    corrections: dict[str, tuple[float, float]]
    """Tier -> how far the low and the high end of its interval move; empty until the arm is audited."""


def audits_of(run: RunRecord, store: Store) -> Mapping[str, Audited]:
    """Return arm id -> its audit, for arms of which something was drawn."""
    if not store.has_audit_items():
        return {}
    # Imported here because agreement and bias take statistics that need a second to load, and most runs have no labels.
    from judge.review.reading import audit_of

    arms = audit_of(run, store, standings_of(run, store)).arms
    return {
        arm.arm_id: Audited(
            summary=LabelAudit(drawn=arm.drawn, labels=arm.labels, audited=arm.audited),
            corrections={
                tier.tier: (found.low, found.high) for tier in arm.tiers if (found := arm.correction(tier.tier))
            },
        )
        for arm in arms
    }
