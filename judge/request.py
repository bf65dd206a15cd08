"""From what a user asked for to a run record: every mistake is found here, before anything is started."""

import datetime
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from judge.entries import resolve, serving_of
from judge.errors import UserError
from judge.judge_prompts import JudgePrompts
from judge.judges import build_judge, refuse_one_name_twice, refuse_self_judging
from judge.machine import environment
from judge.records import ArmRecord, RunRecord
from judge.types import ModelEntry, Suite
from judge.wanted import RunChoice
from runner.arms import build_arm
from runner.types import Config, Sampling

if TYPE_CHECKING:
    from judge.files import Models


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
    refuse_one_name_twice(judges)
    for wanted, judge in zip(choice.judges, judges, strict=True):
        if wanted.on_self == "refuse":
            refuse_self_judging(judge, arms)
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


def _arms(choice: RunChoice, entry: ModelEntry, environ: Mapping[str, str]) -> list[ArmRecord]:
    model = resolve(entry, environ)
    sampling = _sampling(choice, entry)
    serving = serving_of(choice, entry)
    configs = [Config.parse(name) for name in dict.fromkeys(choice.configs or entry.configs)]
    return [
        ArmRecord(arm=build_arm(entry.id, model, config, serving), model=model, entry=entry, sampling=sampling)
        for config in configs
    ]


def _sampling(choice: RunChoice, entry: ModelEntry) -> Sampling:
    changes = {"seed": choice.seed, "max_tokens": choice.max_tokens}
    return entry.sampling.model_copy(update={name: value for name, value in changes.items() if value is not None})


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


def check_hashes(suite: Suite, question_ids: Sequence[str]) -> dict[str, str]:
    """Return question id -> identity of its checks, for the questions that have some."""
    # Imported here because scoring stored answers executes nothing.
    from judge.checks.modules import load_checks

    modules = {question_id: load_checks(suite.question(question_id)) for question_id in question_ids}
    return {question_id: module.hash for question_id, module in modules.items() if module is not None}


def new_run_id() -> tuple[str, str]:
    """Return an id that sorts by time, and the time: UTC, ISO 8601."""
    now = datetime.datetime.now(datetime.UTC)
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}", now.isoformat(timespec="microseconds")
