"""Abilities out of pairwise verdicts (A9): published fits, both orders, and only among models that overlap."""

import math
from collections.abc import Callable
from itertools import permutations

import pytest

from judge.stats.figures import Interval
from judge.stats.preferences import PositionBias, Preference, Result, matches_of, position_bias
from judge.stats.ranking import Abilities, abilities, rankings

STIGLER = {
    ("Biometrika", "CommStat"): (730, 33),
    ("Biometrika", "JASA"): (498, 320),
    ("Biometrika", "JRSS-B"): (221, 284),
    ("CommStat", "JASA"): (68, 813),
    ("CommStat", "JRSS-B"): (17, 276),
    ("JASA", "JRSS-B"): (142, 325),
}
DAVIDSON_WINS = {("1", "2"): 8, ("1", "3"): 9, ("2", "1"): 3, ("2", "3"): 6, ("3", "1"): 1, ("3", "2"): 4}
DAVIDSON_TIES = {("1", "2"): 4, ("1", "3"): 2, ("2", "3"): 5}
OVERLAPPING = Interval(low=3.0, high=4.0, confidence=0.9)
DRAWS = 150


def against(first: str, fit: Abilities) -> dict[str, float]:
    return {model: value - fit.log_abilities[first] for model, value in fit.log_abilities.items() if model != first}


def asked(says: Callable[[str, str], Result], models: str = "abc", questions: int = 8) -> list[Preference]:
    """Return what a judge says of every pair of models in both orders."""
    return [
        Preference(question=f"q{q}", first=first, second=second, preferred=says(first, second))
        for q in range(questions)
        for first, second in permutations(models, 2)
    ]


def alphabetical(first: str, second: str) -> Result:
    return "first" if first < second else "second"


def test_the_citations_of_four_journals() -> None:
    wins = {pair: n for (a, b), (won, lost) in STIGLER.items() for pair, n in (((a, b), won), ((b, a), lost))}
    expected = {"CommStat": -2.9491, "JASA": -0.4796, "JRSS-B": 0.2690}  # BradleyTerry2 vignette
    assert against("Biometrika", abilities(wins, {})) == pytest.approx(expected, abs=1e-3)


def test_ties_after_davidson() -> None:
    fit = abilities(DAVIDSON_WINS, DAVIDSON_TIES)
    assert against("1", fit) == pytest.approx({"2": -1.2605, "3": -1.8759}, abs=1e-3)  # A9
    assert fit.tie_parameter == pytest.approx(0.8578, abs=1e-3)


def test_ties_counted_as_half_a_win_for_either_side_are_another_model() -> None:
    halves = dict(DAVIDSON_WINS)
    fit = abilities({pair: n + DAVIDSON_TIES[min(pair, pair[::-1])] / 2 for pair, n in halves.items()}, {})
    assert against("1", fit) == pytest.approx({"2": -0.8712, "3": -1.2975}, abs=1e-3)  # A9


@pytest.mark.parametrize("ties", [0, 1])
def test_two_models_settle_with_few_ties_or_none(ties: int) -> None:
    fit = abilities({("a", "b"): 550, ("b", "a"): 450}, {("a", "b"): ties})
    assert fit.log_abilities["a"] == pytest.approx(math.log(550 / 450) / 2, abs=1e-3)


def test_a_judge_that_always_says_the_first_finds_all_models_equal() -> None:
    found = matches_of(asked(lambda first, second: "first"))
    assert (found.one_sided, found.order_flips, len(found.matches)) == (0, 24, 24)
    (ranking,) = rankings(found.matches, dict.fromkeys("abc", OVERLAPPING), seed=1, draws=DRAWS)
    assert ranking.abilities.log_abilities == pytest.approx(dict.fromkeys("abc", 0.0))
    assert ranking.p_better == {"a": {"b": 0.5, "c": 0.5}, "b": {"a": 0.5, "c": 0.5}, "c": {"a": 0.5, "b": 0.5}}


def test_a_model_that_wins_every_match_is_first_with_a_finite_ability() -> None:
    found = matches_of(asked(alphabetical))
    (ranking,) = rankings(found.matches, dict.fromkeys("abc", OVERLAPPING), seed=1, draws=DRAWS)
    assert ranking.ranking == ("a", "b", "c")
    assert 0 < ranking.abilities.log_abilities["a"] < 10
    assert ranking.p_better is not None and ranking.p_better["a"]["c"] == 1.0


def test_a_divided_judge_leaves_a_probability_between() -> None:
    preferences = asked(alphabetical, "ab", 5) + [
        p.model_copy(update={"question": f"other{p.question}"})
        for p in asked(lambda first, second: "second" if first < second else "first", "ab", 4)
    ]
    (ranking,) = rankings(matches_of(preferences).matches, dict.fromkeys("ab", OVERLAPPING), seed=1, draws=DRAWS)
    assert ranking.p_better is not None
    assert 0.5 < ranking.p_better["a"]["b"] < 0.9
    assert ranking.p_better["b"]["a"] == pytest.approx(1 - ranking.p_better["a"]["b"])


def test_a_pair_asked_in_one_order_only_is_not_used() -> None:
    found = matches_of(asked(alphabetical)[:1])
    assert (found.matches, found.one_sided) == ((), 1)


def test_a_tie_in_one_order_is_a_tie() -> None:
    found = matches_of(asked(lambda first, second: "tie" if first < second else "second", "ab", 1))
    assert [match.result for match in found.matches] == ["tie"] and found.order_flips == 0


def test_places_are_counted_over_pairs_that_were_asked_in_both_orders() -> None:
    says: dict[str, tuple[Result, Result]] = {
        "both a": ("first", "second"),
        "both first": ("first", "first"),
        "both second": ("second", "second"),
        "a and a tie": ("first", "tie"),
        "both tie": ("tie", "tie"),
    }
    preferences = [
        Preference(question=question, first=first, second=second, preferred=preferred)
        for question, given in says.items()
        for (first, second), preferred in zip(permutations("ab"), given, strict=True)
    ]
    alone = Preference(question="one order only", first="a", second="b", preferred="first")
    found = position_bias([*preferences, alone])
    assert found == PositionBias(pairs=5, consistent=2, decisive=7, first_wins=4)
    assert (found.consistent_share, found.first_share) == (0.4, 4 / 7)
    nothing = position_bias([alone])
    assert (nothing.consistent_share, nothing.first_share) == (None, None)


def test_only_models_whose_intervals_overlap_are_ranked_against_each_other() -> None:
    intervals = {
        "a": Interval(low=4.5, high=4.9, confidence=0.9),
        "b": Interval(low=3.0, high=3.6, confidence=0.9),
        "c": Interval(low=3.5, high=4.1, confidence=0.9),
        "d": Interval(low=4.0, high=4.2, confidence=0.9),
    }
    found = matches_of(asked(alphabetical, "abcd"))
    (ranking,) = rankings(found.matches, intervals, seed=1, draws=DRAWS)
    assert ranking.ranking == ("b", "c", "d")
    assert ranking.p_better is not None and ranking.p_better["b"] == {"c": 1.0}


def test_models_that_no_chain_of_matches_connects_are_ranked_apart() -> None:
    preferences = asked(alphabetical, "ab") + asked(alphabetical, "cd")
    found = rankings(matches_of(preferences).matches, dict.fromkeys("abcd", OVERLAPPING), seed=1, draws=DRAWS)
    assert [ranking.ranking for ranking in found] == [("a", "b"), ("c", "d")]


def test_few_questions_rank_without_a_probability() -> None:
    found = matches_of(asked(alphabetical, questions=3))
    (ranking,) = rankings(found.matches, dict.fromkeys("abc", OVERLAPPING), seed=1)
    assert ranking.p_better is None and ranking.ranking == ("a", "b", "c")


def test_models_that_never_met_have_no_ranking() -> None:
    assert rankings([], dict.fromkeys("ab", OVERLAPPING), seed=1) == ()
