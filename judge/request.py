"""From what a user asked for to a run record: every mistake is found here, before anything is started."""

import datetime
import os
import platform
import secrets
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import Field

from judge.errors import UserError
from judge.exam.result import ExamSize
from judge.grounding import Policy
from judge.judge_prompts import JudgePrompts
from judge.lineage import is_self
from judge.model_files import MissingFile, find_file
from judge.passwords import without_password
from judge.records import ArmRecord, JudgeRecord, RunRecord
from judge.types import JudgingMode, ModelEntry, Suite
from runner.arms import build_arm
from runner.identity import digest
from runner.types import Config, Endpoint, ModelFile, Sampling, Serving, Value

if TYPE_CHECKING:
    from judge.files import Models

JUDGE_SAMPLING = Sampling(temperature=0, max_tokens=4096)
DEFAULT_JUDGE_ROLE = "architect_coding"
LAST_PORT = 65535
VERSIONED = ("coder-judge", "llama-cpp-python", "openai")


OnSelf = Literal["refuse", "skip", "allow"]
"""What to do with a judge that is also a candidate: refuse the run, leave its own arms unscored, or let it."""


class JudgeChoice(Value):
    """Who is to score."""

    name: str | None = None
    """A name of models.yaml, served here."""
    urls: tuple[str, ...] = ()
    """OpenAI-compatible endpoints of one model, up to and including ``/v1``; the judge is known by the first."""
    model: str | None = None
    """The model to ask for at ``urls``."""
    family: str | None = None
    """Lineage of the model at ``urls``; ``None``: unknown."""
    on_self: OnSelf = "refuse"
    also_blind: bool = False
    """True scores every answer a second time without the evidence."""
    mode: JudgingMode = "joint"
    replicates: int = Field(default=1, ge=1, le=100)
    """Scorings per answer."""
    sampling: Sampling = JUDGE_SAMPLING


class NamedChoice(Value):
    """What may be asked for from anywhere, still in words: models have names, and nothing is a path."""

    candidates: tuple[str, ...]
    """Names of models.yaml."""
    configs: tuple[str, ...] = ()
    """``baseline``, ``moeN``, ``spec_kN``; empty: those of each model's entry."""
    questions: tuple[str, ...] = ()
    """Question ids or test names; empty: all."""
    tiers: tuple[str, ...] = ()
    """Empty: all."""
    samples: int = Field(default=1, ge=1, le=1000)
    """Answers per question and arm."""
    seed: int | None = Field(default=None, ge=0)
    """Of sample 0; sample g gets seed + g. ``None``: that of each model's entry, as are the next four."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Token limit of an answer."""
    n_ctx: int | None = Field(default=None, ge=64)
    """Context in tokens."""
    n_threads: int | None = Field(default=None, ge=1)
    """CPU threads; ``None``: all cores."""
    n_gpu_layers: int | None = Field(default=None, ge=-1)
    """Layers on the GPU; -1: all."""
    judges: tuple[JudgeChoice, ...] = ()
    """Empty: answers are only collected."""
    execute: bool = True
    """False leaves the answers unexecuted."""
    policy: Policy = "grounded"
    """``grounded``: checks bound the scores; ``judge``: they do not."""


class RunChoice(NamedChoice):
    """What a user asked for on the command line, still in words."""

    extra: tuple[ModelEntry, ...] = ()
    """Models that were given by path."""


class Terms(Value):
    """How a run is carried out, as far as that is for whoever asks for it to say."""

    concurrency: int | None = Field(default=None, ge=1)
    """Requests in flight at the endpoints of a judge; ``None``: as many as they take."""
    exam: ExamSize | None = None
    """Exam that a judge takes before its first scores; ``None``: none."""
    budget_hours: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """After this time nothing new is begun; ``None``: no limit."""
    load_timeout_s: float = Field(default=3600.0, ge=1, allow_inf_nan=False)
    """Seconds that a server may take to load."""


def build_run(
    choice: RunChoice,
    suite: Suite,
    models: "Models",
    prompts: JudgePrompts,
    environ: Mapping[str, str],
    command: Sequence[str],
) -> RunRecord:
    """Return the record of the run that was asked for. Raises UserError, UsageError or ModelFileError in one line."""
    if not choice.candidates and not choice.extra:
        raise UserError("no candidate was named; use --candidate NAME (see judge models) or --model PATH --name NAME")
    entries = [models.get(name) for name in choice.candidates] + list(choice.extra)
    arms = [arm for entry in entries for arm in _arms(choice, entry, environ)]
    judges = tuple(build_judge(wanted, choice, models, prompts, environ) for wanted in choice.judges)
    _refuse_one_name_twice(judges)
    for wanted, judge in zip(choice.judges, judges, strict=True):
        if wanted.on_self == "refuse":
            _refuse_self_judging(judge, arms)
    question_ids = chosen_questions(suite, choice.questions, choice.tiers)
    run_id, created_at = new_run_id()
    return RunRecord(
        id=run_id,
        created_at=created_at,
        command=tuple(command),
        suite=suite,
        question_ids=question_ids,
        samples=choice.samples,
        arms=tuple(arms),
        checks=check_hashes(suite, question_ids) if choice.execute else {},
        policy=choice.policy,
        judges=judges,
        environment=environment(),
    )


def new_run_id() -> tuple[str, str]:
    """Return an id that sorts by time, and the time: UTC, ISO 8601."""
    now = datetime.datetime.now(datetime.UTC)
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}", now.isoformat(timespec="microseconds")


def check_hashes(suite: Suite, question_ids: Sequence[str]) -> dict[str, str]:
    """Return question id -> identity of its checks, for the questions that have some."""
    # Imported here because scoring stored answers executes nothing.
    from judge.checks.modules import load_checks

    modules = {question_id: load_checks(suite.question(question_id)) for question_id in question_ids}
    return {question_id: module.hash for question_id, module in modules.items() if module is not None}


def chosen_questions(suite: Suite, names: Sequence[str], tiers: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of the questions named by id or test name and in the tiers named. Raises UserError for unknown names."""
    known = {name for q in suite.questions for name in (q.id, q.test)}
    _known("question", names, known, suite.ids)
    _known("tier", tiers, {tier.id for tier in suite.tiers}, [tier.id for tier in suite.tiers])
    chosen = tuple(
        q.id
        for q in suite.questions
        if (not names or q.id in names or q.test in names) and (not tiers or q.tier in tiers)
    )
    if not chosen:
        raise UserError(f"no question is both among {', '.join(names)} and in {', '.join(tiers)}")
    return chosen


def _known(kind: str, names: Sequence[str], known: set[str], shown: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise UserError(f"unknown {kind} {name!r}; use one of {', '.join(shown)}")


def resolve(entry: ModelEntry, environ: Mapping[str, str]) -> ModelFile:
    """Return what the file of ``entry`` says. Raises UserError when there is no file, or it is of another architecture."""
    found = find_file(entry, environ)
    if isinstance(found, MissingFile):
        raise UserError(f"{entry.id}: no model file: {found.reason}")
    # Imported here because a run over stored answers with a judge at an endpoint reads no model file.
    from runner.gguf import read_model

    model = read_model(found.path)
    _check_architecture(entry, model)
    return model


def _check_architecture(entry: ModelEntry, model: ModelFile) -> None:
    is_moe = model.expert_count is not None
    if entry.arch == "dense" and is_moe:
        raise UserError(
            f"{entry.id}: called dense, but {model.path} is a {model.architecture} model with {model.expert_count} experts; "
            f"use arch {model.architecture}"
        )
    if entry.arch != "dense" and not is_moe:
        raise UserError(
            f"{entry.id}: called {entry.arch}, but {model.path} is a dense {model.architecture} model; use arch dense"
        )


def _arms(choice: RunChoice, entry: ModelEntry, environ: Mapping[str, str]) -> list[ArmRecord]:
    model = resolve(entry, environ)
    sampling = _sampling(choice, entry)
    serving = _serving(choice, entry)
    configs = [Config.parse(name) for name in dict.fromkeys(choice.configs or entry.configs)]
    return [
        ArmRecord(arm=build_arm(entry.id, model, config, serving), model=model, entry=entry, sampling=sampling)
        for config in configs
    ]


def _sampling(choice: RunChoice, entry: ModelEntry) -> Sampling:
    changes = {"seed": choice.seed, "max_tokens": choice.max_tokens}
    return entry.sampling.model_copy(update={name: value for name, value in changes.items() if value is not None})


def _serving(choice: RunChoice, entry: ModelEntry) -> Serving:
    return Serving(
        n_ctx=choice.n_ctx or entry.n_ctx,
        n_threads=choice.n_threads or cores(),
        n_gpu_layers=entry.n_gpu_layers if choice.n_gpu_layers is None else choice.n_gpu_layers,
        chat_format=entry.chat_format,
    )


def cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# --- the judge ------------------------------------------------------------------------------------------------------


def build_judge(
    wanted: JudgeChoice, choice: RunChoice, models: "Models", prompts: JudgePrompts, environ: Mapping[str, str]
) -> JudgeRecord:
    """Return who scores and how; ``choice`` says how local models are served. Raises UserError when it is not clear who."""
    if wanted.urls:
        return endpoint_judge(wanted, prompts)
    entry = models.get(wanted.name) if wanted.name else _highest_rung(models, environ)
    model, serving = resolve(entry, environ), _serving(choice, entry)
    return JudgeRecord(
        name=entry.id,
        family=entry.family,
        fingerprint=digest([model.fingerprint, serving, wanted.sampling]),
        endpoint=None,
        model=model,
        serving=serving,
        sampling=wanted.sampling,
        mode=wanted.mode,
        replicates=wanted.replicates,
        prompt_hash=prompts.hash,
        scores_itself=wanted.on_self == "allow",
        also_blind=wanted.also_blind,
    )


def _highest_rung(models: "Models", environ: Mapping[str, str]) -> ModelEntry:
    """Return the model that fills the highest role: who judges when nobody is named. Raises UserError when it is not there."""
    advice = "name a judge with --judge NAME, or with --judge-url URL --judge-model MODEL, or only collect with judge collect"
    entry = next((entry for entry in models.entries if entry.role == DEFAULT_JUDGE_ROLE), None)
    if entry is None:
        raise UserError(f"no judge was named and no model fills {DEFAULT_JUDGE_ROLE}; {advice}")
    found = find_file(entry, environ)
    if isinstance(found, MissingFile):
        raise UserError(f"no judge was named, and {entry.id} has no model file ({found.reason}); {advice}")
    return entry


def endpoint_judge(wanted: JudgeChoice, prompts: JudgePrompts) -> JudgeRecord:
    """Return a judge at an endpoint that somebody else runs. Raises UserError for an address or a name that cannot be one."""
    if not wanted.model:
        raise UserError(f"--judge-url {wanted.urls[0]} needs --judge-model: the name of the model to ask for there")
    for url in wanted.urls:
        _check_url(url)
    endpoint, *more = (Endpoint(base_url=url.rstrip("/"), model=wanted.model) for url in dict.fromkeys(wanted.urls))
    return JudgeRecord(
        name=wanted.model,
        family=wanted.family,
        fingerprint=digest([endpoint, wanted.sampling]),
        endpoint=endpoint,
        more_endpoints=tuple(more),
        model=None,
        sampling=wanted.sampling,
        mode=wanted.mode,
        replicates=wanted.replicates,
        prompt_hash=prompts.hash,
        scores_itself=wanted.on_self == "allow",
        also_blind=wanted.also_blind,
    )


def _refuse_one_name_twice(judges: Sequence[JudgeRecord]) -> None:
    names = [judge.name for judge in judges]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"two judges are called {name}, and tables could not tell them apart; name each judge once")


def _refuse_self_judging(judge: JudgeRecord, arms: Sequence[ArmRecord]) -> None:
    for record in arms:
        if is_self(judge, record):
            raise UserError(
                f"{judge.name} would judge its own answers ({record.arm.id}), and models favour themselves; "
                "name another judge, or allow it with --allow-self-judge"
            )


def _check_url(url: str) -> None:
    """Raise UserError for what is no URL, and for one with a key in it, which would be stored and shown everywhere."""
    shown = without_password(url if "://" in url else url.rpartition("@")[2])
    if not url.lower().startswith(("http://", "https://")):
        raise UserError(
            f"--judge-url {shown!r} is no URL; it starts with http:// or https:// and usually ends with /v1"
        )
    if any(mark in url for mark in "@?#"):
        raise UserError(
            f"--judge-url {shown} was given with a user, password or query; "
            "put the key into JUDGE_API_KEY, from where it is never stored"
        )
    if not _is_address(url):
        raise UserError(f"--judge-url {shown!r} is no address; it has a host, and perhaps a port up to {LAST_PORT}")


def _is_address(url: str) -> bool:
    """True where a connection can be tried: a host that can be looked up, a port that there is, nothing that is never in a URL."""
    try:
        address = urlsplit(url)
        port = address.port
        (address.hostname or "").encode("idna")
    except ValueError:  # brackets that do not fit, a port that is no number, a name that no host can have
        return False
    return bool(address.hostname) and port != 0 and url.isprintable() and " " not in url


def entry_from_path(path: Path, name: str, arch: str, models: "Models") -> ModelEntry:
    """Return the entry of a model that was given by path: configs from its architecture type, the rest by default."""
    if arch not in models.architectures:
        raise UserError(f"--arch {arch!r} is not known; use one of {', '.join(models.architectures)}")
    return ModelEntry(
        id=name,
        model=name,
        status="candidate",
        path=str(path),
        arch=arch,
        family=None,
        configs=models.architectures[arch],
    )


def environment() -> dict[str, str]:
    """Return versions and machine, for the record."""
    return {
        **{name: version(name) for name in VERSIONED},
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": str(cores()),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(errors="replace").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
