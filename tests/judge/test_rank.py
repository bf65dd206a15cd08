"""judge rank: what the order says and rests on, and what reports show of it."""

import pytest
from examples import exam_result
from fakes import serving
from pair_judges import AskedPair, always_first, preferring
from ranked_arms import QUALITIES, places, ranked, ranking_by, said, store, written
from rankings import add_texts, by_name, comparing_judge, comparisons_asked, knows_better, quality, ranked_run

from judge.ending import load_results
from judge.panel import Standing
from judge.places import Places
from judge.plan import wanted_answers
from judge.ranking import owed_comparisons, planned
from judge.report import markdown
from judge.report.html_report import html_report
from judge.report.rankings import judge_blocks
from judge.results import Results
from judge.show import show_answer_or_run
from judge.store import Store

__all__ = ["places", "store"]


# --- the order --------------------------------------------------------------------------------------------------------


def test_a_judge_that_prefers_the_better_answer_makes_the_better_arm_almost_certainly_better(
    places: Places, store: Store
) -> None:
    found = ranking_by(knows_better, places, store, "poor", "good", "fair", samples=2)
    (group,) = found.groups
    assert [(arm.arm_id, arm.rank) for arm in group.arms] == [
        ("good/baseline", 1),
        ("fair/baseline", 2),
        ("poor/baseline", 3),
    ]
    assert group.p_better is not None and group.p_better["good/baseline"]["poor/baseline"] > 0.99
    assert group.p_better["good/baseline"]["fair/baseline"] > 0.95
    assert sum(arm.strength for arm in group.arms) == pytest.approx(0, abs=1e-5)
    assert (group.questions, group.matches) == (5, 3 * 5 * 2)
    assert (found.position.consistent_share, found.position.first_share) == (1.0, 0.5)
    assert (found.wanted, found.compared, found.failed, found.missing, found.owed) == (60, 60, 0, 0, 0)


def test_a_judge_that_always_says_the_first_finds_all_arms_equal_and_is_seen_through(
    places: Places, store: Store
) -> None:
    found = ranking_by(always_first, places, store, "good", "poor")
    (group,) = found.groups
    assert [arm.rank for arm in group.arms] == [1, 1] and [arm.strength for arm in group.arms] == [0.0, 0.0]
    assert group.p_better == {"good/baseline": {"poor/baseline": 0.5}, "poor/baseline": {"good/baseline": 0.5}}
    assert (found.position.first_share, found.position.consistent_share) == (1.0, 0.0)
    assert "10 verdicts for a side, 10 (100%) are for the one shown first" in said(found)


def test_a_judge_that_finds_everything_equal_has_no_position_bias_to_report(places: Places, store: Store) -> None:
    found = ranking_by(lambda asked: "tie", places, store, "good", "poor")
    assert (found.position.first_share, found.position.consistent_share) == (None, 1.0)
    assert "no verdict names a side" in said(found)


def test_a_judge_that_is_torn_between_questions_leaves_it_open(places: Places, store: Store) -> None:
    def torn(asked: AskedPair) -> str:
        better, worse = ("first", "second") if quality(asked.first) > quality(asked.second) else ("second", "first")
        return worse if "'Q1 " in asked.first or "'Q3 " in asked.first else better

    (group,) = ranking_by(torn, places, store, "good", "poor").groups
    assert group.p_better is not None and 0.5 < group.p_better["good/baseline"]["poor/baseline"] < 0.9


def test_three_questions_are_ranked_without_a_probability(places: Places, store: Store) -> None:
    with serving(preferring(knows_better)) as server:
        written(store, server, "good", "poor", question_ids=("Q0", "Q1", "Q2"))
        found = ranked(places)
    (group,) = found.judges[0].groups
    assert (group.p_better, [arm.arm_id for arm in group.arms]) == (None, ["good/baseline", "poor/baseline"])
    (table,) = judge_blocks(found)[0].tables
    assert table.caption == (
        "On these 3 questions, K = 1, 3 pairs of answers, by m, not audited; P(A > B) needs 5 questions"
    )
    assert [row[:2] for row in table.rows] == [["1", "good/baseline"], ["2", "poor/baseline"]]


# --- what it rests on -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logic", "standing", "words"),
    [
        (None, Standing.NOT_EXAMINED, "Judge m (not examined): this order decides nothing"),
        (False, Standing.NOT_QUALIFIED, "Judge m (not qualified): this order decides nothing"),
        (True, Standing.QUALIFIED, "Judge m (qualified)"),
    ],
)
def test_a_judge_decides_only_after_it_passed_its_exam(
    places: Places, store: Store, logic: bool | None, standing: Standing, words: str
) -> None:
    with serving(preferring(always_first)) as server:
        run = written(store, server, "good", "poor")
        if logic is not None:
            store.add_exam(run.id, exam_result(run, run.judges[0], logic=logic, style=logic))
        (found,) = ranked(places).judges
    assert (found.standing, found.decides) == (standing, logic is True)
    assert said(found).splitlines()[0] == words


def test_what_failed_is_counted_said_and_owed_and_the_same_command_asks_for_it_alone(
    places: Places, store: Store
) -> None:
    broken = {"Q4"}

    def opinion(asked: AskedPair) -> str:
        return "?" if any(f"'{question} " in asked.first for question in broken) else knows_better(asked)

    with serving(preferring(opinion)) as server:
        written(store, server, "good", "poor")
        first = ranked(places)
        found = first.judges[0]
        assert (found.wanted, found.compared, found.failed, found.missing, found.owed) == (10, 8, 2, 0, 2)
        assert first.owed == 2 and found.groups[0].questions == 4, "a failure is no tie"
        assert found.failures == ("Q4: bad_verdict: no JSON object found in '?' (2 times)",)
        assert "Compared: 8 of 10; failed: 2, missing: 0. Every two answers in both orders" in said(found)
        plan = planned(places, "latest", ())
        assert [(one.judge, one.owed) for one in owed_comparisons(places, plan)] == [("m", 2)]
        broken.clear()
        before = len(comparisons_asked(server))
        again = ranked(places).judges[0]
        assert len(comparisons_asked(server)) == before + 2
    assert (again.compared, again.failed, again.owed) == (10, 0, 0)


def test_answers_that_are_not_there_are_missing_and_not_owed(places: Places, store: Store) -> None:
    with serving(preferring(knows_better)) as server:
        run = ranked_run("good", "fair", "poor", judges=(comparing_judge(server),))
        add_texts(store, run.model_copy(update={"arms": run.arms[:2]}), by_name(QUALITIES))
        store.extend_run(run)
        found = ranked(places)
    assert (found.judges[0].wanted, found.judges[0].missing, found.owed) == (30, 20, 0)
    assert [arm.arm_id for arm in found.judges[0].groups[0].arms] == ["good/baseline", "fair/baseline"]


def test_what_was_clear_without_asking_counts_for_the_order_and_not_for_the_bias(places: Places, store: Store) -> None:
    with serving(preferring(always_first)) as server:
        run = ranked_run("good", "poor", judges=(comparing_judge(server),))
        add_texts(
            store, run, lambda name, q, sample: ":" if (name, q) == ("poor", "Q0") else f"def {name}(): ...  # {q}"
        )
        found = ranked(places).judges[0]
    assert (found.compared, found.foregone, found.position.pairs) == (10, 2, 4)
    assert found.groups[0].arms[0].arm_id == "good/baseline" and found.groups[0].arms[0].strength > 0
    assert "Compared: 10 of 10, 2 without asking (the same text, or no answer)" in said(found)


# --- reports ----------------------------------------------------------------------------------------------------------


def test_a_report_has_the_ranking_of_every_judge_that_was_asked(places: Places, store: Store) -> None:
    with serving(preferring(knows_better)) as server:
        run = written(store, server, "good", "poor", judge=comparing_judge(server, replicates=1))
        assert "## Ranking" not in markdown(load_results(places, run.id)[1])
        ranked(places)
        ranked(places, blind=True)
        assert len(comparisons_asked(server)) == 10, "no answer was executed, so blind is the same"
    results = load_results(places, run.id)[1]
    assert Results.model_validate_json(results.model_dump_json()) == results, "what a program reads is the whole of it"
    text, page = markdown(results), html_report(results)
    for block in ("By judge m", "By judge m, blind"):
        assert f"### {block}\n" in text and f"<h3>{block}</h3>" in page
    assert "Judge m (not examined): this order decides nothing" in text
    assert "| Rank | Arm | Strength | Relation | P(> good/baseline) | P(> poor/baseline) |" in text
    assert "| 1 | good/baseline | +" in text and "| other | - | 1.00 |" in text
    assert '<a href="#ranking">Ranking</a>' in page and "P(&gt; good/baseline)" in page


def test_an_answer_is_shown_with_every_comparison_that_it_was_in(places: Places, store: Store) -> None:
    with serving(preferring(knows_better)) as server:
        run = written(store, server, "good", "poor")
        ranked(places)
    good, poor = (wanted_answers(run, record)[0].key for record in run.arms)
    shown = show_answer_or_run(places, good).splitlines()
    assert sorted(shown[-2:]) == [
        f"- compared with {poor} by m, shown {at}: preferred: seen" for at in ("first", "second")
    ]
    assert ": not preferred: seen" in show_answer_or_run(places, poor)


def test_another_version_of_the_prompts_is_asked_anew_and_takes_the_place_of_the_old_one(
    places: Places, store: Store
) -> None:
    with serving(preferring(knows_better)) as server:
        run = written(store, server, "good", "poor")
        ranked(places)
        stored = store.run(run.id)[0]
        (old,) = stored.rankings
        store.extend_run(stored.model_copy(update={"rankings": (old.model_copy(update={"prompt_hash": "older"}),)}))
        assert load_results(places, run.id)[1].ranking.judges[0].owed == 10  # type: ignore[union-attr]
        (found,) = ranked(places).judges
        assert len(comparisons_asked(server)) == 10
    assert found.owed == 0
