"""What each command does, between the words of the command line and the pipeline. Imports the heavy parts; cli.py does not."""

import asyncio
import importlib
import os
import shlex
import sys
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from judge import garbage, terminal
from judge.conduct import Conduct, Further, machinery_of
from judge.dry_run import plan_of
from judge.errors import Interrupted, JudgeError, UserError
from judge.events import BudgetSpent, Event, JudgeUnusable
from judge.grounding import Policy
from judge.judge_prompts import load_judge_prompts
from judge.judges import build_judge, endpoint_judge
from judge.pipeline import Machinery, check_run, collect_run, score_all
from judge.places import Places, run_folder
from judge.records import JudgeRecord, RunRecord
from judge.request import build_run, check_hashes, new_run_id
from judge.store import Store
from judge.wanted import JudgeChoice, RunChoice
from runner.errors import EndpointError, ServerError

if TYPE_CHECKING:
    from judge.results import Results
    from runner.isolation import Isolation


def prepare(places: Places, choice: RunChoice, command: Sequence[str]) -> RunRecord:
    """Return the record of a new run; nothing is started or stored yet."""
    from judge.library import load_suite  # here: see Places.load_models

    return build_run(choice, load_suite(), places.load_models(), load_judge_prompts(), os.environ, command)


def prepare_judge(places: Places, wanted: JudgeChoice, choice: RunChoice) -> JudgeRecord:
    """Return the record of one more judge, served as the run's models are."""
    return build_judge(wanted, choice, places.load_models(), load_judge_prompts(), os.environ)


def prepare_judges(places: Places, choices: Sequence[JudgeChoice]) -> tuple[JudgeRecord, ...]:
    """Return the records of judges that are served as models are by default."""
    prompts = load_judge_prompts()
    if all(choice.urls for choice in choices):  # none of models.yaml, which takes as long to read as one of them to ask
        return tuple(endpoint_judge(choice, prompts) for choice in choices)
    served, models = RunChoice(candidates=()), places.load_models()
    return tuple(build_judge(choice, served, models, prompts, os.environ) for choice in choices)


Phase = Literal["collect", "check", "score"]
ALL_PHASES: tuple[Phase, ...] = ("collect", "check", "score")


See = Callable[[Event], object]
"""Is told what happens, beside the terminal."""


def _get_ready() -> None:
    """Import what the end of a run needs, which is a tenth of a short command: there is time while the first requests are open."""
    importlib.import_module("judge.ending")
    garbage.settle()


def execute(
    places: Places,
    run: RunRecord,
    conduct: Conduct,
    phases: Sequence[Phase] = ALL_PHASES,
    *,
    see: See = lambda _event: None,
    again: bool = False,
) -> "Results":
    """Carry out ``run``, or some phases of it over what is stored, and write its files; ``again``: it is stored and goes on."""
    store = places.open_store()
    try:
        run_folder(places, run.id).mkdir(parents=True, exist_ok=True)  # or it is said now, and not after a night's work
        # First at work, then listed: one that is killed between the two would seem to run for ever.
        with store.at_work(run.id):
            if not again:
                store.add_run(run)
            return asyncio.run(_execute(places, run, store, conduct, phases, see))
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted; go on with: {shlex.join(run.command)}") from error
    finally:
        store.close()


async def _execute(
    places: Places, run: RunRecord, store: Store, conduct: Conduct, phases: Sequence[Phase], see: See
) -> "Results":
    folder = run_folder(places, run.id)
    machinery = machinery_of(conduct, folder, isolation=await _no_wall() if conduct.unsafe else None)
    store.set_run_state(run.id, "running")
    threading.Thread(target=_get_ready, name="imports").start()

    def is_cut_short() -> bool:
        return machinery.budget.spent() and _is_owing(run, store, phases, machinery)

    try:
        with terminal.screen(lambda: plan_of(places, run, store, conduct), quiet=conduct.quiet) as screen:
            wanted: RunRecord | None = run
            unusable: set[str] = set()
            while wanted is not None:
                run = wanted
                async for event in _events(run, store, machinery, phases, unusable):
                    screen.show(event)
                    see(event)
                    if isinstance(event, JudgeUnusable):
                        unusable.add(event.judge)
                wanted = None if is_cut_short() else _further(run, store, conduct.further, unusable)
            if is_cut_short():
                spent = BudgetSpent(hours=conduct.budget_hours or 0.0)
                screen.show(spent)
                see(spent)
    except BaseException as error:
        with _keeping_the_first_error():
            if isinstance(error, ServerError | EndpointError):
                store.set_run_state(run.id, "failed")
            _finish(run, store, folder, page=conduct.page)
        raise
    owed_exams = _count_owed_exams(run, store, machinery) if "score" in phases else 0
    return _finish(run, store, folder, page=conduct.page, owed_exams=owed_exams)


async def _no_wall() -> "Isolation":
    from runner.isolation import unsafe

    return await unsafe()


@contextmanager
def _keeping_the_first_error() -> Iterator[None]:
    """Keep what goes wrong in the block from taking the place of the error before it: a full disk has no room for results either."""
    try:
        yield
    except (JudgeError, OSError) as later:
        said = f"{later.filename}: {later.strerror}" if isinstance(later, OSError) and later.filename else str(later)
        sys.stderr.write(f"after an error, the results of the run could not be written: {said}\n")


def _is_owing(run: RunRecord, store: Store, phases: Sequence[Phase], machinery: Machinery) -> bool:
    from judge.ending import is_owing

    return is_owing(run, store, phases, machinery)


def _count_owed_exams(run: RunRecord, store: Store, machinery: Machinery) -> int:
    from judge.ending import count_owed_exams

    return count_owed_exams(run, store, machinery)


def _further(run: RunRecord, store: Store, further: Further, unusable: Collection[str]) -> RunRecord | None:
    """Return what the run goes on to want. No further samples when a judge is missing: half a panel would decide on them."""
    if unusable:
        further = further.model_copy(update={"max_samples": None})
    if further == Further():
        return None
    from judge.ending import wanted_further

    return wanted_further(run, store, further)


def _finish(run: RunRecord, store: Store, folder: Path, *, page: bool, owed_exams: int = 0) -> "Results":
    from judge.ending import finish

    results = finish(run, store, folder, page=page, owed_exams=owed_exams)
    if not page:
        sys.stderr.write(f"no report.html yet; judge report {run.id} writes it\n")
    return results


async def _events(
    run: RunRecord, store: Store, machinery: Machinery, phases: Sequence[Phase], unusable: Collection[str]
) -> AsyncIterator[Event]:
    """Do the phases; judges that were ``unusable`` in an earlier round are not asked, and what they owe stays owed."""
    if "collect" in phases:
        async for event in collect_run(run, store, machinery):
            yield event
    if "check" in phases and run.checks:
        async for event in check_run(run, store, machinery):
            yield event
    judges = tuple(judge for judge in run.judges if judge.name not in unusable)
    if "score" in phases and judges:
        asked = run.model_copy(update={"judges": judges})
        async for event in score_all(asked, store, load_judge_prompts().templates, machinery):
            yield event


def recheck(places: Places, run_id: str, command: Sequence[str]) -> RunRecord:
    """Return a new run over the answers of an earlier one, to be executed against the checks of today."""
    run = stored_run(places, run_id)
    new_id, created_at = new_run_id()
    checks = check_hashes(run.suite, run.question_ids)
    return run.model_copy(update={"id": new_id, "created_at": created_at, "command": tuple(command), "checks": checks})


def stored_run(places: Places, run_id: str) -> RunRecord:
    """Return a run by id or ``latest``."""
    store = places.open_store()
    try:
        return store.run(run_id)[0]
    finally:
        store.close()


def rescore(
    places: Places, run_id: str, choices: Sequence[JudgeChoice], policy: Policy | None, command: Sequence[str]
) -> RunRecord:
    """Return a new run over the answers of an earlier one, with its judges or others."""
    run = stored_run(places, run_id)
    judges = prepare_judges(places, choices) if choices else tuple(map(_as_of_today, run.judges))
    if not judges:
        raise UserError(f"run {run.id} has no judge; name one with --judge, or --judge-url and --judge-model")
    new_id, created_at = new_run_id()
    changes = {"judges": judges, "policy": policy or run.policy, "command": tuple(command)}
    return run.model_copy(update={"id": new_id, "created_at": created_at, **changes})


def _as_of_today(judge: JudgeRecord) -> JudgeRecord:
    """Return a judge of an earlier run as it is asked now: with today's texts, and not with another model under its name.

    Raises UserError for a model file that was replaced.
    """
    if judge.model is not None and Path(judge.model.path).exists():
        from runner.gguf import read_model  # here: a judge at an endpoint has no file

        if read_model(Path(judge.model.path)).fingerprint != judge.model.fingerprint:
            raise UserError(
                f"{judge.name}: {judge.model.path} is another file than when it judged that run; "
                "name the judge with --judge to have it score as what it is now"
            )
    return judge.model_copy(update={"prompt_hash": load_judge_prompts().hash})
