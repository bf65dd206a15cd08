"""What is refused before it is queued: every mistake that can be found is told to whoever makes it.

A judge may be at an endpoint only if the operator named that endpoint (``judge serve --allow-judge-url``). Otherwise whoever can send
a request could have this machine send others, into a network that is closed to the sender, and with the operator's key in them
(server-side request forgery). A scoring that names no judge asks those of the run, where the operator had them asked before.
"""

import os
from collections.abc import Collection, Iterator, Sequence

from judge.app import prepare, rescore
from judge.errors import UserError
from judge.files import Models
from judge.jobs.options import RunOptions, ScoreOptions
from judge.judges import DEFAULT_JUDGE_ROLE
from judge.model_files import MissingFile, find_file
from judge.places import Places
from judge.types import ModelEntry
from judge.wanted import JudgeChoice
from runner.errors import ModelFileError, UsageError


def admit_run(options: RunOptions, places: Places, judge_urls: Collection[str]) -> None:
    """Raise UserError, in one line without a path of this machine, for what ``judge run`` would not begin."""
    models = places.load_models()
    _check_judges(options.judges, judge_urls)
    _check_files([*map(models.get, options.candidates), *_local_judges(options.judges, models)])
    try:
        prepare(places, options.choice(), ())
    except UsageError as error:
        raise UserError(str(error)) from error
    except ModelFileError as error:
        raise UserError("the file of a model cannot be read; judge doctor says which and why") from error


def admit_scoring(options: ScoreOptions, places: Places, judge_urls: Collection[str]) -> None:
    """Raise UserError, in one line without a path of this machine, for what ``judge score`` would not begin."""
    _check_judges(options.judges, judge_urls)
    _check_files([*_local_judges(options.judges, places.load_models())])
    try:
        rescore(places, options.run_id, options.judges, options.policy, ())
    except ModelFileError as error:
        raise UserError("the file of a model cannot be read; judge doctor says which and why") from error


def _check_judges(judges: Sequence[JudgeChoice], judge_urls: Collection[str]) -> None:
    allowed = {url.rstrip("/") for url in judge_urls}
    for judge in judges:
        if judge.name and judge.urls:
            raise UserError("a judge has a name of models.yaml or urls, not both; leave one out")
        if any(url.rstrip("/") not in allowed for url in judge.urls):
            raise UserError(
                "a judge is at an endpoint that this service may not reach; "
                "judge serve --allow-judge-url URL allows one, or name a judge of models.yaml"
            )


def _local_judges(judges: Sequence[JudgeChoice], models: Models) -> Iterator[ModelEntry]:
    """Yield the models that would judge here; who judges when nobody is named is among them."""
    for judge in judges:
        if judge.name:
            yield models.get(judge.name)
        elif not judge.urls:
            yield from (entry for entry in models.entries if entry.role == DEFAULT_JUDGE_ROLE)


def _check_files(entries: Sequence[ModelEntry]) -> None:
    """Say whose file is not here in words that name no place: those of ``build_run`` are for the operator."""
    for entry in entries:
        try:
            lacks = isinstance(find_file(entry, os.environ), MissingFile)
        except UserError:
            lacks = True
        if lacks:
            raise UserError(f"{entry.id} has no model file on this machine; judge models shows which have one")
