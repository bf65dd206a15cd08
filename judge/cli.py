"""The command line: parse, call, print. Heavy modules are imported inside the commands, so that ``--help`` is quick.

Data goes to stdout, talk to stderr. Exit codes: 0 done; 1 something broke; 2 wrong use or bad input; 3 incomplete, the next run
owes the rest; 4 a gate failed; 130 interrupted.
"""

import json
import os
import sys
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from judge.errors import Interrupted, JudgeError, UserError
from runner.errors import ModelFileError, RunnerError, UsageError

if TYPE_CHECKING:
    from judge.app import Conduct, Places
    from judge.request import JudgeChoice, OnSelf, RunChoice
    from judge.types import ModelEntry


class Exit(IntEnum):
    """What the exit code of a command means."""

    OK = 0
    ERROR = 1
    USAGE = 2
    INCOMPLETE = 3
    GATE_FAILED = 4
    INTERRUPTED = 130


app = typer.Typer(
    name="judge",
    help="Serve local coder models, prove how they run, time and judge their answers, and decide their roles.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

StoreOption = Annotated[
    str | None, typer.Option(envvar="JUDGE_STORE", help="Database: a path or URL [default: RESULTS/judge.db]")
]
ResultsOption = Annotated[Path, typer.Option(envvar="JUDGE_RESULTS", help="Folder for what runs leave")]
ModelsOption = Annotated[
    Path | None, typer.Option(envvar="JUDGE_MODELS", help="Models file [default: the shipped models.yaml]")
]
Candidates = Annotated[
    list[str] | None, typer.Option("--candidate", "-c", help="Model of models.yaml; repeat or separate by commas")
]
ModelPath = Annotated[Path | None, typer.Option("--model", help="A GGUF file that is not in models.yaml; needs --name")]
Name = Annotated[str | None, typer.Option(help="Name of the model given by --model")]
Arch = Annotated[str, typer.Option(help="Architecture type of the model given by --model: dense, qwen3moe ...")]
Configs = Annotated[str | None, typer.Option(help="baseline,moe4,spec_k8 ... [default: those of the model]")]
Questions = Annotated[str | None, typer.Option(help="Question ids or test names, by commas [default: all]")]
Tiers = Annotated[str | None, typer.Option("--tier", help="T1,T2 ... [default: all]")]
Samples = Annotated[int, typer.Option(min=1, max=1000, help="Answers per question and arm")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of sample 0; sample g gets seed + g")]
MaxTokens = Annotated[int | None, typer.Option(min=1, help="Token limit of an answer")]
NCtx = Annotated[int | None, typer.Option("--n-ctx", min=64, help="Context in tokens")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="CPU threads of the server [default: all cores]")]
GpuLayers = Annotated[int | None, typer.Option("--gpu-layers", min=-1, help="Layers on the GPU; -1: all")]
Judge = Annotated[
    str | None, typer.Option("--judge", help="Judge of models.yaml, served here [default: who fills the highest role]")
]
JudgeUrl = Annotated[
    str | None, typer.Option(envvar="JUDGE_BASE_URL", help="OpenAI-compatible endpoint of the judge, with /v1")
]
JudgeModel = Annotated[str | None, typer.Option(envvar="JUDGE_MODEL", help="Model to ask for at --judge-url")]
JudgeFamily = Annotated[str | None, typer.Option(help="Lineage of the model at --judge-url [default: unknown]")]
SelfJudge = Annotated[bool, typer.Option("--allow-self-judge", help="Let a model judge its own answers")]
PerCriterion = Annotated[bool, typer.Option("--per-criterion", help="Ask the judge for one criterion at a time")]
Replicates = Annotated[int, typer.Option(min=1, max=100, help="Scorings per answer")]
JudgeTokens = Annotated[
    int, typer.Option(min=64, help="Token limit of a judge's reply; raise it for judges that think first")
]
Concurrency = Annotated[int, typer.Option("--max-concurrency", "-j", min=1, help="Requests in flight at --judge-url")]
LoadTimeout = Annotated[float, typer.Option(min=1, help="Seconds to wait for a server to load")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Port for the model servers [default: a free one]")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to stdout")]
DryRunFlag = Annotated[bool, typer.Option("--dry-run", help="Print what would be done and how long it may take")]
RunId = Annotated[str, typer.Argument(help="Run id, or latest")]

JUDGE_TOKENS = 4096


@app.callback()
def common(
    context: typer.Context,
    store: StoreOption = None,
    results: ResultsOption = Path("results"),
    models: ModelsOption = None,
) -> None:
    """Options of every command."""
    context.obj = (store, results, models)


def _places(context: typer.Context) -> "Places":
    from judge.app import Places

    store, results, models = context.obj
    return Places(store=store, results=results, models=models)


@app.command()
def run(
    context: typer.Context,
    candidate: Candidates = None,
    model: ModelPath = None,
    name: Name = None,
    arch: Arch = "dense",
    configs: Configs = None,
    questions: Questions = None,
    tier: Tiers = None,
    samples: Samples = 1,
    seed: Seed = None,
    max_tokens: MaxTokens = None,
    n_ctx: NCtx = None,
    threads: Threads = None,
    gpu_layers: GpuLayers = None,
    judge: Judge = None,
    judge_url: JudgeUrl = None,
    judge_model: JudgeModel = None,
    judge_family: JudgeFamily = None,
    allow_self_judge: SelfJudge = False,
    per_criterion: PerCriterion = False,
    replicates: Replicates = 1,
    judge_max_tokens: JudgeTokens = JUDGE_TOKENS,
    max_concurrency: Concurrency = 4,
    load_timeout: LoadTimeout = 3600,
    port: Port = None,
    dry_run: DryRunFlag = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Serve candidates, prove and time them, collect answers, have them judged, and write the results.

    The same command again asks for nothing that is stored: it goes on where the last one stopped.
    """
    places = _places(context)
    wanted_judge = _judge(
        judge, judge_url, judge_model, judge_family, allow_self_judge, per_criterion, replicates, judge_max_tokens
    )
    choice = _choice(places, candidate, model, name, arch, configs, questions, tier, samples).model_copy(
        update=_serving(seed, max_tokens, n_ctx, threads, gpu_layers) | {"judge": wanted_judge}
    )
    _carry_out(places, choice, _conduct(quiet, max_concurrency, load_timeout, port), dry_run=dry_run, as_json=as_json)


@app.command("run-all")
def run_all(
    context: typer.Context,
    questions: Questions = None,
    tier: Tiers = None,
    samples: Samples = 1,
    judge: Judge = None,
    judge_url: JudgeUrl = None,
    judge_model: JudgeModel = None,
    judge_family: JudgeFamily = None,
    per_criterion: PerCriterion = False,
    replicates: Replicates = 1,
    judge_max_tokens: JudgeTokens = JUDGE_TOKENS,
    max_concurrency: Concurrency = 4,
    load_timeout: LoadTimeout = 3600,
    port: Port = None,
    dry_run: DryRunFlag = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run every ready model whose file is there, in the configs of its architecture. A judge does not score its own arms."""
    places = _places(context)
    choice = _choice(places, _ready(places), None, None, "dense", None, questions, tier, samples)
    wanted_judge = _judge(
        judge, judge_url, judge_model, judge_family, False, per_criterion, replicates, judge_max_tokens
    )
    choice = choice.model_copy(update={"judge": wanted_judge.model_copy(update={"on_self": "skip"})})
    _carry_out(places, choice, _conduct(quiet, max_concurrency, load_timeout, port), dry_run=dry_run, as_json=as_json)


@app.command()
def collect(
    context: typer.Context,
    candidate: Candidates = None,
    model: ModelPath = None,
    name: Name = None,
    arch: Arch = "dense",
    configs: Configs = None,
    questions: Questions = None,
    tier: Tiers = None,
    samples: Samples = 1,
    seed: Seed = None,
    max_tokens: MaxTokens = None,
    n_ctx: NCtx = None,
    threads: Threads = None,
    gpu_layers: GpuLayers = None,
    load_timeout: LoadTimeout = 3600,
    port: Port = None,
    dry_run: DryRunFlag = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Collect and time answers only; ``judge score latest`` scores them later."""
    places = _places(context)
    choice = _choice(places, candidate, model, name, arch, configs, questions, tier, samples).model_copy(
        update=_serving(seed, max_tokens, n_ctx, threads, gpu_layers)
    )
    _carry_out(places, choice, _conduct(quiet, 1, load_timeout, port), dry_run=dry_run, as_json=as_json)


@app.command()
def score(
    context: typer.Context,
    run_id: RunId = "latest",
    judge: Judge = None,
    judge_url: JudgeUrl = None,
    judge_model: JudgeModel = None,
    judge_family: JudgeFamily = None,
    allow_self_judge: SelfJudge = False,
    per_criterion: PerCriterion = False,
    replicates: Replicates = 1,
    judge_max_tokens: JudgeTokens = JUDGE_TOKENS,
    max_concurrency: Concurrency = 4,
    load_timeout: LoadTimeout = 3600,
    port: Port = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Score the stored answers of a run, with its own judge or another one."""
    from judge.app import execute, rescore

    places = _places(context)
    named = judge or judge_url
    args = (judge, judge_url, judge_model, judge_family, allow_self_judge, per_criterion, replicates, judge_max_tokens)
    record = rescore(places, run_id, _judge(*args) if named else None, _command())
    results = execute(places, record, _conduct(quiet, max_concurrency, load_timeout, port), collect=False)
    _print_results(places, results, as_json=as_json)
    _end(complete=results.owed_scorings == 0)


@app.command()
def report(context: typer.Context, run_id: RunId = "latest", as_json: AsJson = False) -> None:
    """Print the tables of a stored run and write its files anew."""
    from judge.app import load_results

    places = _places(context)
    _, results = load_results(places, run_id)
    _print_results(places, results, as_json=as_json)
    _end(complete=results.complete)


@app.command()
def show(
    context: typer.Context, what: Annotated[str, typer.Argument(help="Run id, latest, or an answer id (or its start)")]
) -> None:
    """Show a run's answers with their ids, or one answer with everything that was said of it."""
    from judge.show import show_answer_or_run

    sys.stdout.write(show_answer_or_run(_places(context), what))


@app.command("list")
def list_runs(context: typer.Context, as_json: AsJson = False) -> None:
    """List the stored runs, newest first."""
    from judge.show import run_rows
    from judge.terminal import print_table

    columns, rows = run_rows(_places(context))
    if as_json:
        _print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table("", columns, rows)


@app.command()
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models: role, quantisation, architecture, experts, what acceleration fits, and whether the file is there."""
    from judge.inventory import COLUMNS, inventory, row
    from judge.terminal import print_table

    lines = inventory(_places(context).load_models(), os.environ)
    if as_json:
        _print_json([line.model_dump(mode="json") for line in lines])
    else:
        print_table("", list(COLUMNS), [row(line) for line in lines])


@app.command()
def validate(
    context: typer.Context,
    prompts: Annotated[Path | None, typer.Option(help="Folder with questions/ [default: the shipped one]")] = None,
    rubrics: Annotated[Path | None, typer.Option(help="Folder with coder.yaml [default: the shipped one]")] = None,
) -> None:
    """Check models.yaml, the questions and the rubric; every problem is named with file, line and field."""
    from judge.library import check_all

    problems, summary = check_all(_places(context).models, prompts, rubrics)
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    if problems:
        sys.stderr.write(f"{len(problems)} problem(s)\n")
        raise typer.Exit(Exit.USAGE)
    counts = ", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in summary.model_dump().items())
    sys.stdout.write(f"ok: {counts}\n")


@app.command()
def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Check what a run needs on this machine, and say how to get what is missing."""
    from judge.doctor import COLUMNS, examine, row
    from judge.terminal import print_table

    findings = examine(_places(context), os.environ)
    if as_json:
        _print_json([finding.model_dump(mode="json") for finding in findings])
    else:
        print_table("", list(COLUMNS), [row(finding) for finding in findings])
    raise typer.Exit(Exit.OK if all(finding.ok or not finding.needed for finding in findings) else Exit.ERROR)


# --- from options to choices ----------------------------------------------------------------------------------------


def _choice(
    places: "Places",
    candidate: list[str] | None,
    model: Path | None,
    name: str | None,
    arch: str,
    configs: str | None,
    questions: str | None,
    tier: str | None,
    samples: int,
) -> "RunChoice":
    from judge.request import RunChoice

    return RunChoice(
        candidates=tuple(part for value in candidate or () for part in _parts(value)),
        extra=_extra(places, model, name, arch),
        configs=_parts(configs),
        questions=_parts(questions),
        tiers=_parts(tier),
        samples=samples,
    )


def _extra(places: "Places", model: Path | None, name: str | None, arch: str) -> "tuple[ModelEntry, ...]":
    from judge.request import entry_from_path

    if model is None:
        if name is not None:
            raise UserError(f"--name {name} needs --model: the path of the GGUF file")
        return ()
    return (entry_from_path(model, name or model.stem, arch, places.load_models()),)


def _ready(places: "Places") -> list[str]:
    """Return the ready models whose file is there; the others are named on stderr."""
    from judge.library import MissingFile, find_file

    found = []
    for entry in places.load_models().entries:
        if entry.status != "ready":
            continue
        file = find_file(entry, os.environ)
        if isinstance(file, MissingFile):
            sys.stderr.write(f"skipped: {entry.id}: {file.reason}\n")
        else:
            found.append(entry.id)
    if not found:
        raise UserError(
            "no ready model was found; set JUDGE_MODELS_DIR to the folder of your GGUF files (see judge models)"
        )
    return found


def _serving(
    seed: int | None, max_tokens: int | None, n_ctx: int | None, threads: int | None, gpu_layers: int | None
) -> dict[str, int | None]:
    return {"seed": seed, "max_tokens": max_tokens, "n_ctx": n_ctx, "n_threads": threads, "n_gpu_layers": gpu_layers}


def _judge(
    judge: str | None,
    url: str | None,
    model: str | None,
    family: str | None,
    allow_self: bool,
    per_criterion: bool,
    replicates: int,
    max_tokens: int,
) -> "JudgeChoice":
    from judge.request import JUDGE_SAMPLING, JudgeChoice

    on_self: OnSelf = "allow" if allow_self else "refuse"
    return JudgeChoice(
        name=judge,
        url=None if judge else url,
        model=model,
        family=family,
        on_self=on_self,
        mode="per_criterion" if per_criterion else "joint",
        replicates=replicates,
        sampling=JUDGE_SAMPLING.model_copy(update={"max_tokens": max_tokens}),
    )


def _conduct(quiet: bool, concurrency: int, load_timeout_s: float, port: int | None) -> "Conduct":
    from judge.app import Conduct

    return Conduct(quiet=quiet, concurrency=concurrency, load_timeout_s=load_timeout_s, port=port)


def _carry_out(places: "Places", choice: "RunChoice", conduct: "Conduct", *, dry_run: bool, as_json: bool) -> None:
    from judge import app as work

    record = work.prepare(places, choice, _command())
    if dry_run:
        plan = work.dry_run(places, record)
        if as_json:
            _print_json(plan.model_dump(mode="json"))
        else:
            work.print_plan(plan)
        return
    results = work.execute(places, record, conduct)
    _print_results(places, results, as_json=as_json)
    _end(complete=results.complete)


def _print_results(places: "Places", results: object, *, as_json: bool) -> None:
    from judge.app import print_results, run_folder
    from judge.results import Results

    assert isinstance(results, Results)
    if as_json:
        sys.stdout.write(results.model_dump_json(indent=2) + "\n")
    else:
        print_results(results, run_folder(places, results.run_id))


def _end(*, complete: bool) -> None:
    if not complete:
        raise typer.Exit(Exit.INCOMPLETE)


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _parts(value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def _command() -> tuple[str, ...]:
    return ("judge", *sys.argv[1:])


# --- the way in -----------------------------------------------------------------------------------------------------


def main() -> NoReturn:
    """Run the command line; every expected error becomes one line on stderr and an exit code."""
    try:
        app(standalone_mode=True)
    except (UserError, UsageError, ModelFileError) as error:
        _fail(error, Exit.USAGE)
    except Interrupted as error:
        _fail(error, Exit.INTERRUPTED)
    except (JudgeError, RunnerError) as error:
        _fail(error, Exit.ERROR)
    except OSError as error:
        _fail(f"{error.filename or ''}: {error.strerror or error}; nothing that was stored is lost", Exit.ERROR)
    sys.exit(Exit.OK)


def _fail(message: object, code: Exit) -> NoReturn:
    sys.stderr.write(f"error: {message}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
