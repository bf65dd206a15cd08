"""The audit queue: random, blind to scores, the same everywhere, and only ever longer."""

from collections import Counter
from statistics import fmean

import pytest

from judge.errors import UserError
from judge.ratings import AuditItem
from judge.review.queue import draw, in_order, overlooked, random_number, sample_sizes
from judge.review.units import Unit


def units(arm: str, count: int, *, tier: str = "T1", first: int = 0) -> list[Unit]:
    return [
        Unit(
            answer_unit=f"{arm}-{tier}-{n}",
            question_id="q",
            tier=tier,
            criterion="c0",
            rubric="rh",
            weight=100,
            arm=arm,
            arm_id=arm,
        )
        for n in range(first, first + count)
    ]


def taken(
    population: list[Unit], drawn: tuple[AuditItem, ...] = (), *, per_arm: int = 15, seed: int = 1
) -> tuple[AuditItem, ...]:
    return draw("run", population, drawn, per_arm=per_arm, seed=seed)


def test_every_arm_gets_fifteen_units_at_least_and_large_arms_their_share() -> None:
    sizes = sample_sizes([*units("small", 40), *units("large", 400)], per_arm=30)
    assert sizes == {"small/T1": 15, "large/T1": 55}


def test_an_arm_of_fewer_units_is_taken_whole_with_certainty() -> None:
    items = taken(units("tiny", 9))
    assert len(items) == 9
    assert {item.inclusion_probability for item in items} == {1.0}


def test_within_an_arm_each_tier_gets_its_share_and_enough_for_an_error() -> None:
    population = [*units("a", 300), *units("a", 90, tier="T2"), *units("a", 10, tier="T3")]
    sizes = sample_sizes(population, per_arm=30)
    assert sizes == {"a/T1": 23, "a/T2": 7, "a/T3": 3}


def test_the_inverse_inclusion_probabilities_add_up_to_the_population() -> None:
    population = [*units("a", 200), *units("a", 100, tier="T2"), *units("b", 77)]
    items = taken(population, per_arm=30)
    assert sum(1 / item.inclusion_probability for item in items) == pytest.approx(len(population))


def test_the_draw_depends_on_the_seed_alone_and_not_on_the_order_of_the_units() -> None:
    population = units("a", 200)
    assert set(taken(population)) == set(taken(population[::-1]))
    assert {i.id for i in taken(population)} != {i.id for i in taken(population, seed=2)}


def test_every_unit_is_equally_likely_to_be_drawn() -> None:
    population = units("a", 30)
    drawn = Counter(item.answer_unit for seed in range(300) for item in taken(population, seed=seed))
    # 300 draws of 15 out of 30: 150 each, standard deviation 8.7
    assert len(drawn) == 30 and all(150 - 38 < times < 150 + 38 for times in drawn.values())


def test_drawing_again_adds_nothing_and_a_larger_draw_contains_the_smaller() -> None:
    population = units("a", 200)
    first = taken(population)
    assert taken(population, first) == ()
    more = taken(population, first, per_arm=30)
    assert len(first) == len(more) == 15
    assert {i.id for i in (*first, *more)} == {i.id for i in taken(population, per_arm=30)}


def test_a_smaller_draw_afterwards_takes_nothing_back_and_adds_nothing() -> None:
    population = units("a", 200)
    assert taken(population, taken(population, per_arm=30), per_arm=15) == ()


def test_answers_that_came_later_join_so_that_the_sample_is_again_the_smallest_numbers() -> None:
    early, late = units("a", 100), units("a", 100, first=100)
    first = taken(early)
    missed = overlooked([*early, *late], first)
    added = taken([*early, *late], first)
    assert {item.answer_unit for item in added} == {unit.answer_unit for unit in missed} != set()
    numbers = {unit.answer_unit: random_number(1, *unit.key) for unit in (*early, *late)}
    sample = {item.answer_unit for item in (*first, *added)}
    assert sample == set(sorted(numbers, key=numbers.__getitem__)[: len(sample)])
    assert overlooked([*early, *late], [*first, *added]) == []


def test_another_seed_is_refused_once_something_is_drawn() -> None:
    population = units("a", 200)
    with pytest.raises(UserError, match=r"drawn with seed 1, not 2; .* top it up with --seed 1"):
        taken(population, taken(population), seed=2)


def test_a_queue_rated_in_part_is_spread_over_all_strata() -> None:
    population = [*units("a", 100), *units("a", 100, tier="T2"), *units("b", 200)]
    items = in_order(taken(population, per_arm=30))
    assert Counter(item.stratum for item in items[:20]) == {"a/T1": 5, "a/T2": 5, "b/T1": 10}


def test_random_numbers_are_uniform() -> None:
    numbers = [random_number(7, f"answer-{n}", "c0") for n in range(2000)]
    assert fmean(numbers) == pytest.approx(0.5, abs=0.02)
    assert all(0 <= number < 1 for number in numbers)
