"""The audit queue: a simple random sample without replacement of the units of every stratum (D11). Pure, and blind to all scores.

Every unit has a permanent random number, a hash of the seed and the unit, and the sample of a stratum is the units with the
smallest numbers (Ohlsson 1995). So the draw depends on nothing that anybody could have looked at, is the same on every machine,
and a larger sample contains the smaller one: drawing again tops up and never replaces.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import ceil

from judge.errors import UserError
from judge.ratings import AuditItem, item_id
from judge.review.units import Unit
from runner.identity import digest

LEAST_PER_ARM = 15
"""Below this an audit tells too little to count as one (D11)."""
ADVISED_PER_ARM = 30
LEAST_PER_STRATUM = 3
"""Fewest labels from which a standard error is worth anything."""


def random_number(seed: int, answer_unit: str, criterion: str) -> float:
    """Return the permanent random number of a unit, uniform on [0, 1)."""
    return int(digest([seed, answer_unit, criterion]), 16) / 16**16


def by_stratum(units: Sequence[Unit], seed: int) -> dict[str, list[Unit]]:
    """Return the units of each stratum in the order in which they are drawn."""
    strata: dict[str, list[Unit]] = defaultdict(list)
    for unit in sorted(units, key=lambda unit: (random_number(seed, *unit.key), unit.key)):
        strata[unit.stratum].append(unit)
    return dict(strata)


def sample_sizes(units: Sequence[Unit], per_arm: int) -> dict[str, int]:
    """Return stratum -> n: ``per_arm`` units an arm on average, shared out in proportion to the arms' sizes and, within an arm, to its
    tiers', but never under 15 an arm (or all of it).
    """
    arms = Counter(unit.arm for unit in units)
    sizes = Counter((unit.arm, unit.stratum) for unit in units)
    total = per_arm * len(arms)
    return {
        stratum: min(size, max(LEAST_PER_STRATUM, ceil(_of_arm(arms, arm, total) * size / arms[arm])))
        for (arm, stratum), size in sizes.items()
    }


def _of_arm(arms: Mapping[str, int], arm: str, total: int) -> int:
    return min(arms[arm], max(LEAST_PER_ARM, round(total * arms[arm] / sum(arms.values()))))


def draw(
    run_id: str, units: Sequence[Unit], drawn: Sequence[AuditItem], *, per_arm: int, seed: int
) -> tuple[AuditItem, ...]:
    """Return the items to append to those that were ``drawn`` before, so that every stratum has its n.

    With answers that came since, the sample of a stratum grows until it is again the units with the smallest numbers. Raises
    UserError when earlier items were drawn with another seed: a second draw could be chosen by its outcome.
    """
    if others := {item.seed for item in drawn} - {seed}:
        raise UserError(
            f"the audit of these answers was drawn with seed {min(others)}, not {seed}; a second draw would let one pick its outcome: "
            f"top it up with --seed {min(others)}"
        )
    known = {item.key for item in drawn}
    sizes = sample_sizes(units, per_arm)
    return tuple(
        _item(run_id, unit, seed, share=count / len(population))
        for stratum, population in by_stratum(units, seed).items()
        for count in [max(sizes[stratum], _reach(population, known))]
        for unit in population[:count]
        if unit.key not in known
    )


def overlooked(units: Sequence[Unit], drawn: Sequence[AuditItem]) -> list[Unit]:
    """Return units that came after the draw and belong into it: until the queue is topped up, it is a sample of the older ones."""
    if not drawn:
        return []
    known = {item.key for item in drawn}
    strata = by_stratum(units, drawn[0].seed).values()
    return [unit for population in strata for unit in population[: _reach(population, known)] if unit.key not in known]


def in_order(items: Sequence[AuditItem]) -> list[AuditItem]:
    """Return the items as they are to be rated: by random number, all strata progressing alike.

    So a queue that is rated in part is a random sample too.
    """
    strata: dict[str, list[AuditItem]] = defaultdict(list)
    for item in sorted(items, key=_number):
        strata[item.stratum].append(item)
    places = {
        item.id: (rank + 0.5) / len(population)
        for population in strata.values()
        for rank, item in enumerate(population)
    }
    return sorted(items, key=lambda item: (places[item.id], _number(item)))


def _number(item: AuditItem) -> float:
    return random_number(item.seed, *item.key)


def _reach(population: Sequence[Unit], known: set[tuple[str, str]]) -> int:
    """Return how many of the first units include all that are drawn."""
    return max((rank for rank, unit in enumerate(population, 1) if unit.key in known), default=0)


def _item(run_id: str, unit: Unit, seed: int, *, share: float) -> AuditItem:
    return AuditItem(
        id=item_id("audit", *unit.key, unit.rubric),
        run_id=run_id,
        answer_unit=unit.answer_unit,
        question_id=unit.question_id,
        criterion=unit.criterion,
        rubric=unit.rubric,
        stratum=unit.stratum,
        seed=seed,
        inclusion_probability=share,
    )
