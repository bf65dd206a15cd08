"""What each command does, between the words of the command line and the pipeline. Imports the heavy parts; cli.py does not."""

import asyncio
import os
import shlex
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Literal

from judge import report, terminal
from judge.errors import Interrupted, UserError
from judge.events import BudgetSpent, Event
from judge.further import escalated, sampled_further
from judge.grounding import Policy
from judge.library import Models, load_judge_prompts, load_models, load_suite
from judge.pipeline import Budget, Machinery, check_run, collect_run, score_run
from judge.plan import Estimate, total_seconds
from judge.planning import plan_run
from judge.records import JudgeRecord, RunRecord
from judge.request import JudgeChoice, RunChoice, Terms, build_judge, build_run, check_hashes, cores, new_run_id
from judge.results import Results, build_results, read_scored
from judge.results.against import disputed
from judge.store import Store
from runner.errors import EndpointError, ServerError
from runner.isolation import Isolation, unsafe
from runner.serve import ServeOptions
from runner.types import Value


class Places(Value):
    """Where things are kept; the same for every command."""

    store: str | None = None
    """Path or URL; ``None``: ``judge.db`` in the results folder."""
    results: Path = Path("results")
    models: Path | None = None
    """``None``: the models.yaml that ships with the product."""

    def open_store(self) -> Store:
        """Open the store, creating it when there is none."""
        return Store.open(self.store or self.results / "judge.db")

    def load_models(self) -> Models:
        """Read models.yaml."""
        return load_models(self.models)


class Further(Value):
    """When a run goes on by itself."""

    max_samples: int | None = None
    """Sample on until every role is decided, up to this many answers a question; ``None``: only what was asked for."""
    escalate_to: JudgeRecord | None = None
    """Who is asked about answers on which the judges differ."""
    spread: int = 2
    """By how many points on one criterion."""


class Conduct(Terms):
    """How a command is carried out and what it prints."""

    quiet: bool = False
    port: int | None = None
    unsafe: bool = False
    """True executes answers without a sandbox."""
    further: Further = Further()
    page: bool = True
    """False leaves out report.html, whose figures take longer to draw than everything else to compute."""


def api_key() -> str | None:
    """Return the key for the judge's endpoint: JUDGE_API_KEY, else OPENAI_API_KEY."""
    return os.environ.get("JUDGE_API_KEY") or os.environ.get("OPENAI_API_KEY")


def prepare(places: Places, choice: RunChoice, command: Sequence[str]) -> RunRecord:
    """Return the record of a new run; nothing is started or stored yet."""
    return build_run(choice, load_suite(), places.load_models(), load_judge_prompts(), os.environ, command)


def prepare_judge(places: Places, wanted: JudgeChoice, choice: RunChoice) -> JudgeRecord:
    """Return the record of one more judge, served as the run's models are."""
    return build_judge(wanted, choice, places.load_models(), load_judge_prompts(), os.environ)


def prepare_judges(places: Places, choices: Sequence[JudgeChoice]) -> tuple[JudgeRecord, ...]:
    """Return the records of judges that are served as models are by default."""
    served, models, prompts = RunChoice(candidates=()), places.load_models(), load_judge_prompts()
    return tuple(build_judge(choice, served, models, prompts, os.environ) for choice in choices)


def machinery_of(conduct: Conduct, folder: Path, *, isolation: Isolation | None = None) -> Machinery:
    """Return how a command is carried out that leaves its files in ``folder``; its budget begins now."""
    return Machinery(
        folder=folder,
        api_key=api_key(),
        serve=ServeOptions(load_timeout_s=conduct.load_timeout_s, port=conduct.port),
        concurrency=conduct.concurrency,
        isolation=isolation,
        executions=cores(),
        budget=Budget.of_hours(conduct.budget_hours, now_s=time.monotonic()),
        exam=conduct.exam,
    )


Phase = Literal["collect", "check", "score"]
ALL_PHASES: tuple[Phase, ...] = ("collect", "check", "score")


See = Callable[[Event], object]
"""Is told what happens, beside the terminal."""


def execute(
    places: Places,
    run: RunRecord,
    conduct: Conduct,
    phases: Sequence[Phase] = ALL_PHASES,
    *,
    see: See = lambda _event: None,
    again: bool = False,
) -> Results:
    """Carry out ``run``, or some phases of it over what is stored, and write its files; ``again``: it is stored and goes on."""
    store = places.open_store()
    try:
        run_folder(places, run.id).mkdir(parents=True, exist_ok=True)  # or it is said now, and not after a night's work
        if not again:
            store.add_run(run)
        with store.at_work(run.id):
            return asyncio.run(_execute(places, run, store, conduct, phases, see))
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted; go on with: {shlex.join(run.command)}") from error
    finally:
        store.close()


async def _execute(
    places: Places, run: RunRecord, store: Store, conduct: Conduct, phases: Sequence[Phase], see: See
) -> Results:
    folder = run_folder(places, run.id)
    machinery = machinery_of(conduct, folder, isolation=await unsafe() if conduct.unsafe else None)
    store.set_run_state(run.id, "running")
    try:
        with terminal.screen(lambda: _plan(places, run, store, conduct), quiet=conduct.quiet) as screen:
            wanted: RunRecord | None = run
            while wanted is not None:
                run = wanted
                async for event in _events(run, store, machinery, phases):
                    screen.show(event)
                    see(event)
                wanted = None if machinery.budget.spent() else _further(run, store, conduct.further)
            if machinery.budget.spent():
                spent = BudgetSpent(hours=conduct.budget_hours or 0.0)
                screen.show(spent)
                see(spent)
    except (ServerError, EndpointError):
        store.set_run_state(run.id, "failed")
        raise
    finally:
        results = finish(run, store, folder)
        if conduct.page:
            report.write_page(results, folder)
        else:
            sys.stderr.write(f"no report.html yet; judge report {run.id} writes it\n")
    return results


def _further(run: RunRecord, store: Store, further: Further) -> RunRecord | None:
    """Return the run with what it goes on to want, and write that down; ``None`` when it has all it wants."""
    wanted = None
    if further.escalate_to is not None:
        wanted = escalated(run, further.escalate_to, disputed(read_scored(run, store), further.spread))
    if wanted is None and further.max_samples is not None:
        decisions = [arm.decisions for arm in build_results(run, "running", store).arms]
        wanted = sampled_further(run, decisions, further.max_samples)
    if wanted is not None:
        store.extend_run(wanted)
    return wanted


async def _events(run: RunRecord, store: Store, machinery: Machinery, phases: Sequence[Phase]) -> AsyncIterator[Event]:
    if "collect" in phases:
        async for event in collect_run(run, store, machinery):
            yield event
    if "check" in phases and run.checks:
        async for event in check_run(run, store, machinery):
            yield event
    for judge in run.judges if "score" in phases else ():
        async for event in score_run(run, judge, store, load_judge_prompts().templates, machinery):
            yield event


def finish(run: RunRecord, store: Store, folder: Path) -> Results:
    """Compute the results, say in the store how the run ended, and write its files."""
    results = build_results(run, store.run(run.id)[1], store)
    if results.state == "running":
        results = results.model_copy(update={"state": "complete" if results.complete else "incomplete"})
        store.set_run_state(run.id, results.state)
    report.write_files(run, results, store, folder)
    return results


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
    judges = prepare_judges(places, choices) if choices else run.judges
    if not judges:
        raise UserError(f"run {run.id} has no judge; name one with --judge, or --judge-url and --judge-model")
    new_id, created_at = new_run_id()
    changes = {"judges": judges, "policy": policy or run.policy, "command": tuple(command)}
    return run.model_copy(update={"id": new_id, "created_at": created_at, **changes})


def load_results(places: Places, run_id: str) -> tuple[RunRecord, Results]:
    """Compute the results of a stored run anew and write its files again."""
    store = places.open_store()
    try:
        run, state = store.run(run_id)
        results = build_results(run, state, store)
        folder = run_folder(places, run.id)
        report.write_files(run, results, store, folder)
        report.write_page(results, folder)
    finally:
        store.close()
    return run, results


def run_folder(places: Places, run_id: str) -> Path:
    """Return where the run leaves its files."""
    return places.results / run_id


# --- plans ----------------------------------------------------------------------------------------------------------


class DryRun(Value):
    """What a run would do."""

    estimates: tuple[Estimate, ...]
    """One a model, in the order in which they work."""
    loads: int
    """Servers that would be loaded."""
    seconds: float | None
    """Of all of it, without loading; ``None`` when nothing is known about some part."""


def dry_run(places: Places, run: RunRecord, conduct: Conduct) -> DryRun:
    """Return the plan of ``run`` without starting or storing anything."""
    store = places.open_store()
    try:
        plan = _plan(places, run, store, conduct)
    finally:
        store.close()
    return DryRun(estimates=plan, loads=sum(part.loads for part in plan), seconds=total_seconds(plan))


def _plan(places: Places, run: RunRecord, store: Store, conduct: Conduct) -> tuple[Estimate, ...]:
    expected = {entry.id: entry.expected_tps for entry in places.load_models().entries}
    return plan_run(run, store, expected, in_flight=conduct.concurrency)


# --- printing -------------------------------------------------------------------------------------------------------


def print_results(results: Results, folder: Path) -> None:
    """Print the tables of a run to stdout and where its files are to stderr."""
    sys.stdout.write(report.trust_line(results) + "\n")
    terminal.print_table("Results", list(report.PLAN_COLUMNS), report.plan_rows(results))
    sys.stdout.write(report.HOW_TO_READ + "\n")
    terminal.print_table("Speed", list(report.SPEED_COLUMNS), report.speed_rows(results))
    for arm in results.arms:
        for line in arm.failures:
            sys.stderr.write(f"missing: {arm.id}: {line}\n")
    if not results.complete:
        sys.stderr.write(
            f"incomplete: {results.owed_answers} answers, {results.owed_checks} executions and {results.owed_scorings} scorings "
            "are owed; "
            "the same command again asks for exactly these\n"
        )
    sys.stderr.write(f"files: {folder}\n")


def print_plan(plan: DryRun) -> None:
    """Print a dry run to stdout."""
    columns = ["Model", "Phase", "Load", "Owed", "Tokens", "t/s", "Speed from", "Hours"]
    rows = [
        [
            part.arm,
            part.phase,
            "yes" if part.loads else "no",
            str(part.owed),
            str(part.tokens),
            f"{part.decode_tps:.1f}" if part.decode_tps else "-",
            part.source,
            hours(part.seconds) if part.owed else "0.00",
        ]
        for part in plan.estimates
    ]
    terminal.print_table("Plan", columns, rows)
    sys.stdout.write(f"{plan.loads} loads, {hours(plan.seconds)} hours in all, without loading and executing\n")


def hours(seconds: float | None) -> str:
    """Return seconds as hours for a table."""
    return "unknown" if seconds is None else f"{seconds / 3600:.2f}"


def free_gib(path: Path) -> float:
    """Return the free space in GiB of the disk that holds ``path`` (or its nearest existing parent)."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free / 2**30
