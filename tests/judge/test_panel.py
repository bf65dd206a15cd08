"""Which judges count for an arm."""

import pytest
from examples import arm_record, judge_record

from judge.panel import Panel, Relation, Standing, panel, relation

QWEN = arm_record("coder", family="qwen")
OWN, OTHER, UNKNOWN = judge_record("own", family="qwen"), judge_record("other"), judge_record("unknown", family=None)
HIMSELF = judge_record("coder", family="qwen")


def counting(*judges, **standings: Standing) -> Panel:
    return panel(judges, QWEN, {f"print of {name}": standing for name, standing in standings.items()})


def test_a_judge_is_the_candidate_of_its_family_or_somebody_else() -> None:
    assert [relation(judge, QWEN) for judge in (HIMSELF, OWN, UNKNOWN, OTHER)] == [
        Relation.SELF,
        Relation.FAMILY,
        Relation.FAMILY,
        Relation.OTHER,
    ]


def test_the_own_family_does_not_count_where_there_is_another() -> None:
    assert counting(OWN, OTHER, UNKNOWN) == Panel(judges=("other",), standing=Standing.NOT_EXAMINED, own_family=False)


def test_the_own_family_counts_marked_where_there_is_no_other() -> None:
    assert counting(OWN) == Panel(judges=("own",), standing=Standing.NOT_EXAMINED, own_family=True)


def test_a_model_never_counts_for_itself_unless_that_was_allowed() -> None:
    assert counting(HIMSELF) == Panel(judges=(), standing=None, own_family=False)
    allowed = judge_record("coder", family="qwen", scores_itself=True)
    assert counting(allowed).judges == ("coder",)


def test_a_qualified_judge_of_the_own_family_counts_before_an_unqualified_stranger() -> None:
    chosen = counting(OWN, OTHER, own=Standing.QUALIFIED, other=Standing.NOT_QUALIFIED)
    assert (chosen.judges, chosen.own_family, chosen.decides) == (("own",), True, True)


@pytest.mark.parametrize("standing", [Standing.NOT_QUALIFIED, Standing.STYLE_ONLY])
def test_scores_of_judges_that_failed_are_reported_and_decide_nothing(standing: Standing) -> None:
    chosen = counting(OTHER, other=standing)
    assert chosen.judges == ("other",)
    assert not chosen.decides


def test_a_judge_that_was_not_examined_counts_before_one_that_failed() -> None:
    assert counting(OTHER, OWN, other=Standing.NOT_QUALIFIED).judges == ("own",)
