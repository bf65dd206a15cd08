"""What ``judge rank`` does: have the arms whose scores overlap compared answer by answer, and lay the order out."""

import asyncio
import shlex
import sys
from collections.abc import Sequence
from typing import NamedTuple

from judge import terminal
from judge.app import prepare_judges
from judge.conduct import Conduct, machinery_of
from judge.ending import finish
from judge.errors import Interrupted, UserError
from judge.events import BudgetSpent
from judge.judge_prompts import load_judge_prompts
from judge.pipeline import Contest, Machinery, count_owed_pairings, rank_all
from judge.places import Places, run_folder
from judge.printed import print_table
from judge.records import JudgeRecord, RankingRecord, RunRecord
from judge.report.rankings import judge_blocks, order_lines
from judge.results import build_results
from judge.results.ranked import contest_of, own_arms, score_order
from judge.results.rankings import RunRanking, ScoreOrder
from judge.store import Store
from judge.wanted import JudgeChoice
from runner.types import Value


class OwedComparisons(Value):
    """What a ranking would ask one judge."""

    judge: str
    owed: int
    """Comparisons, each order by itself."""


class Planned(NamedTuple):
    """A ranking that is wanted, before anybody is asked."""

    run: RunRecord
    """With those who are to compare."""
    order: ScoreOrder
    contests: tuple[Contest, ...]
    """One a judge; none where the scores have ordered all arms."""


def planned(
    places: Places, run_id: str, choices: Sequence[JudgeChoice], *, blind: bool = False, own_arms_too: bool = False
) -> Planned:
    """Return what is to be compared by whom. Raises UserError where there is nothing to rank, or nobody to do it.

    Without ``choices`` the run's own judges compare; ``own_arms_too`` lets a judge compare arms of its own model.
    """
    judges, prompt_hash = prepare_judges(places, choices), load_judge_prompts().pair_hash
    store = places.open_store()
    try:
        run, state = store.run(run_id)
        arms = build_results(run.model_copy(update={"rankings": ()}), state, store).arms
    finally:
        store.close()
    if len(arms) < 2:
        known = f"one arm ({arms[0].id})" if arms else "no arm"
        raise UserError(f"run {run.id} has {known}, and a ranking needs two; rank a run of several arms")
    order = score_order(arms)
    if not order.pairs:
        return Planned(run=run, order=order, contests=())
    own = {"scores_itself": True} if own_arms_too else {}
    asked = [
        RankingRecord(judge=judge.model_copy(update=own), prompt_hash=prompt_hash, blind=blind)
        for judge in _judges(run, judges)
    ]
    wanted = run.model_copy(update={"rankings": _with(run.rankings, asked)})
    contests = [contest_of(wanted, one, order) for one in asked]
    if not any(contest.pairs for contest in contests):
        raise _nothing_but_own_arms(contests[0])
    return Planned(run=wanted, order=order, contests=tuple(contest for contest in contests if contest.pairs))


def _judges(run: RunRecord, named: Sequence[JudgeRecord]) -> Sequence[JudgeRecord]:
    """Return those who were named, else those of the run that score every answer."""
    judges = named or [judge for judge in run.judges if judge.only is None]
    if not judges:
        raise UserError(f"run {run.id} has no judge; name one with --judge, or --judge-url and --judge-model")
    return judges


def _nothing_but_own_arms(contest: Contest) -> UserError:
    judge = contest.ranking.judge
    return UserError(
        f"{judge.name} has nothing to compare: {', '.join(own_arms(contest.run, judge))} is its own, and models favour "
        "themselves; name another judge, or allow it with --allow-self-judge"
    )


def _with(known: Sequence[RankingRecord], asked: Sequence[RankingRecord]) -> tuple[RankingRecord, ...]:
    """Return everyone who compares: who is asked again in the same way, by whatever prompts, takes the earlier place."""
    places = {(one.judge.fingerprint, one.blind): one for one in (*known, *asked)}
    return tuple(places.values())


def owed_comparisons(places: Places, plan: Planned) -> list[OwedComparisons]:
    """Return what each judge owes; nobody is asked, and nothing is stored."""
    store = places.open_store()
    try:
        return [
            OwedComparisons(judge=contest.ranking.judge.name, owed=count_owed_pairings(contest, store))
            for contest in plan.contests
        ]
    finally:
        store.close()


def rank(places: Places, plan: Planned, conduct: Conduct, command: Sequence[str]) -> RunRanking:
    """Make the comparisons that are owed, write the files of the run anew, but for the page, and return the order."""
    store, folder = places.open_store(), run_folder(places, plan.run.id)
    try:
        store.extend_run(plan.run)
        asyncio.run(_rank(plan.contests, store, machinery_of(conduct, folder), conduct))
        found = finish(plan.run, store, folder).ranking
        assert found is not None, "the run is asked for comparisons"
        sys.stderr.write(f"files: {folder} (no new report.html; judge report {plan.run.id} writes it)\n")
        return found
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted; go on with: {shlex.join(command)}") from error
    finally:
        store.close()


async def _rank(contests: Sequence[Contest], store: Store, machinery: Machinery, conduct: Conduct) -> None:
    templates = load_judge_prompts().templates
    with terminal.screen(lambda: (), quiet=conduct.quiet) as screen:
        async for event in rank_all(contests, store, templates, machinery):
            screen.show(event)
        if machinery.budget.spent() and any(count_owed_pairings(contest, store) for contest in contests):
            screen.show(BudgetSpent(hours=conduct.budget_hours or 0.0))


def by_scores(plan: Planned) -> RunRanking:
    """Return the order of arms that the scores have ordered: nobody is asked."""
    return RunRanking(order=plan.order, samples=plan.run.samples, judges=())


def print_ranking(ranking: RunRanking) -> None:
    """Print the order to stdout: by the scores, then judge by judge."""
    sys.stdout.write("".join(f"{line}\n" for line in order_lines(ranking.order)))
    for block in judge_blocks(ranking):
        sys.stdout.write("\n" + "".join(f"{line}\n" for line in block.lines))
        for table in block.tables:
            sys.stdout.write(f"{table.caption}:\n")  # as a title it would be folded to the width of the table
            print_table("", list(table.columns), table.rows)
    if ranking.owed:
        sys.stderr.write(
            f"incomplete: {ranking.owed} comparisons are owed; the same command again asks for exactly these\n"
        )
