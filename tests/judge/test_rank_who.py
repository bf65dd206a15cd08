"""judge rank: which arms are compared, and which judges compare them."""

import pytest
from examples import arm_record
from fakes import error_response, serving
from pair_judges import preferring
from ranked_arms import QUALITIES, places, ranked, said, store, written
from rankings import add_score, add_texts, by_name, comparing_judge, comparisons_asked, knows_better, ranked_run

from judge.errors import UserError
from judge.panel import Relation
from judge.places import Places
from judge.ranking import by_scores, planned
from judge.report.rankings import order_lines
from judge.store import Store
from runner.errors import EndpointError

__all__ = ["places", "store"]


# --- who is compared --------------------------------------------------------------------------------------------------


def test_only_arms_whose_scores_overlap_are_compared(places: Places, store: Store) -> None:
    with serving(preferring(knows_better)) as server:
        run = written(store, server, "good", "fair", "poor", samples=3)
        for record, score in zip(run.arms, (5, 5, 1), strict=True):
            add_score(store, run, record, score)
        found = ranked(places)
        asked = comparisons_asked(server)
    assert found.order.groups == (("fair/baseline", "good/baseline"), ("poor/baseline",))
    assert len(asked) == 5 * 3 * 2 and not any("quality 1" in text for text in asked)
    (line,) = order_lines(found.order)
    assert line.startswith(
        "By the scores (~: the intervals overlap, so answers are compared; >: the scores decide): fair/"
    )
    assert " ~ good/baseline 5.00 [3.89, 5.00] > poor/baseline 1.00 [1.00, 2.11]" in line
    (group,) = found.judges[0].groups
    assert [arm.arm_id for arm in group.arms] == ["good/baseline", "fair/baseline"]


def test_arms_that_the_scores_have_ordered_are_said_to_be_and_nobody_is_asked(places: Places, store: Store) -> None:
    with serving(preferring(knows_better)) as server:
        run = written(store, server, "good", "poor", samples=3)
        add_score(store, run, run.arms[0], 5)
        add_score(store, run, run.arms[1], 1)
        plan = planned(places, "latest", ())
        assert (plan.contests, plan.run.rankings, server.requests) == ((), (), [])
    (line,) = order_lines(by_scores(plan).order)
    assert line.startswith(
        "No two arms have scores that overlap, so the scores order them and nothing is compared: good/baseline 5.00 ["
    )


def test_a_run_of_one_arm_has_nothing_to_rank(places: Places, store: Store) -> None:
    with serving(preferring(knows_better)) as server:
        run = written(store, server, "good")
    with pytest.raises(
        UserError, match=rf"^run {run.id} has one arm \(good/baseline\), and a ranking needs two; rank a run"
    ):
        planned(places, "latest", ())


def test_a_run_that_nobody_judged_needs_a_judge_that_is_named(places: Places, store: Store) -> None:
    add_texts(store, ranked_run("good", "poor"), by_name(QUALITIES))
    with pytest.raises(UserError, match="has no judge; name one with --judge, or --judge-url and --judge-model"):
        planned(places, "latest", ())


def test_a_judge_does_not_compare_its_own_arms_unless_that_is_allowed(places: Places, store: Store) -> None:
    with serving(preferring(knows_better)) as server:
        own = arm_record("m", family="family of m")
        arms = (own, arm_record("good", family="family of m"), arm_record("poor", family=None))
        judge = comparing_judge(server, family="family of m")
        run = ranked_run(judges=(judge,), arms=arms)
        add_texts(store, run, by_name({"m": 2, **QUALITIES}))
        found = ranked(places).judges[0]
        assert (found.left_out, found.wanted) == (("m/baseline",), 10)
        assert "Left out: m/baseline, the judge's own model." in said(found)
        assert [arm.relation for arm in found.groups[0].arms] == [Relation.FAMILY, Relation.FAMILY]
        allowed = ranked(places, own_arms_too=True).judges
    assert len(allowed) == 1, "the same judge again takes its earlier place"
    relations = {arm.arm_id: arm.relation for arm in allowed[0].groups[0].arms}
    assert (allowed[0].wanted, relations["m/baseline"]) == (30, Relation.SELF)
    assert "Relation: self is the judge's own model, family one of its own or an unknown family" in said(allowed[0])


def test_a_judge_that_has_only_its_own_arms_to_compare_is_refused(places: Places, store: Store) -> None:
    with serving(preferring(knows_better)) as server:
        run = ranked_run(judges=(comparing_judge(server),), arms=(arm_record("m"), arm_record("good")))
        add_texts(store, run, by_name({"m": 2, **QUALITIES}))
        with pytest.raises(
            UserError, match=r"m has nothing to compare: m/baseline is its own, .* or allow it with --allow-s"
        ):
            planned(places, "latest", ())


def test_a_judge_with_nothing_to_compare_is_passed_over_for_another_one(places: Places, store: Store) -> None:
    with serving(preferring(knows_better)) as server:
        idle, other = comparing_judge(server, name="good"), comparing_judge(server, name="m", fingerprint="other")
        add_texts(store, ranked_run("good", "poor", judges=(idle, other)), by_name(QUALITIES))
        assert [contest.ranking.judge.name for contest in planned(places, "latest", ()).contests] == ["m"]
        first, second = ranked(places).judges
    assert (first.left_out, first.wanted, second.compared) == (("good/baseline",), 0, 10)
    assert said(first).splitlines()[-1] == "Left out: good/baseline, the judge's own model."


# --- judges that are not there ----------------------------------------------------------------------------------------------


def test_a_judge_that_refuses_the_key_keeps_no_other_from_comparing(places: Places, store: Store) -> None:
    with serving(preferring(knows_better)) as server, serving(lambda _: error_response(401, "no")) as closed:
        judges = (comparing_judge(closed, "refusing"), comparing_judge(server, "there"))
        add_texts(store, ranked_run("good", "poor", judges=judges), by_name(QUALITIES))
        found = ranked(places)
        assert len(comparisons_asked(server)) == 10
    assert found.owed == 10, "those of the judge that refused"


def test_when_every_judge_refuses_that_is_an_error(places: Places, store: Store) -> None:
    with serving(lambda _: error_response(401, "no")) as closed:
        judges = tuple(comparing_judge(closed, name) for name in ("one", "other"))
        add_texts(store, ranked_run("good", "poor", judges=judges), by_name(QUALITIES))
        with pytest.raises(EndpointError, match=r"none of the 2 judges could be used; the first: .*refused the key"):
            ranked(places)
    assert len(closed.requests) == 2, "each was asked"
