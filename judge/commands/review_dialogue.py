"""Rating one item after the other at a terminal."""

from rich.console import Console
from rich.prompt import Prompt

from judge.ratings import Item
from judge.records import RunRecord
from judge.results.standing import standings_of
from judge.review.desk import next_item, progress, queues_of, revealed, say, undo
from judge.review.sheet import revealed_lines, sheet_lines, sheet_of
from judge.store import Store, utc_now
from judge.types import Grade

GRADES: dict[str, Grade] = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
KEYS = "1-5 rate, c cannot assess, s skip, u undo, q quit"


def dialogue(store: Store, run: RunRecord, rater: str, *, evidence: bool, console: Console | None = None) -> None:
    """Ask until nothing is left or the rater quits (or ends the input); every answer is stored at once."""
    console = console or Console(highlight=False)
    while (item := next_item(queues := queues_of(run, store), rater)) is not None:
        for line in sheet_lines(sheet_of(store, run, item, evidence=evidence)):
            console.print(line, markup=False)
        left = progress(queues, rater).left
        try:
            choice = Prompt.ask(f"\n{left} left; {KEYS}", choices=[*GRADES, "c", "s", "u", "q"], console=console)
            comment = _comment(console) if choice in (*GRADES, "c") else ""
        except EOFError:
            return
        if choice == "q":
            return
        _act(store, run, item, rater, choice, comment, console)
        console.rule()
    console.print("nothing is left to rate", markup=False)


def _act(store: Store, run: RunRecord, item: Item, rater: str, choice: str, comment: str, console: Console) -> None:
    if choice == "s":
        say(store, item, rater, utc_now(), state="skipped")
    elif choice == "u":
        _take_back(store, run, rater, console)
    else:
        say(store, item, rater, utc_now(), score=GRADES.get(choice), comment=comment)
        for line in revealed_lines(revealed(store, run, item, rater, standings_of(run, store))):
            console.print(line, markup=False)


def _comment(console: Console) -> str:
    return Prompt.ask("Comment", default="", show_default=False, console=console)


def _take_back(store: Store, run: RunRecord, rater: str, console: Console) -> None:
    queues = queues_of(run, store)
    if progress(queues, rater).left == len(queues.items):
        console.print("there is nothing to take back", markup=False)
        return
    console.print(f"taken back: {undo(store, queues, rater, utc_now()).id}", markup=False)
