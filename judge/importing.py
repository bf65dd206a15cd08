"""Answers from elsewhere become answers like any other: result files of the plan's naming, or JSON lines.

Nothing is measured again: a speed is taken when it is given, and marked as reported. Texts of a broken harness ("command not
found") and empty files are failed attempts, not answers.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field, ValidationError

from judge.app import Places
from judge.errors import UserError
from judge.library import load_suite
from judge.records import ArmRecord, RunRecord
from judge.report import RULE
from judge.request import check_hashes, environment, new_run_id
from judge.store import Store
from judge.types import ModelEntry, Question, Suite
from judge.units import answer_unit
from runner.identity import digest
from runner.types import Answer, AnswerState, Arm, Config, Sampling, Serving, Usage, Value

_FILE = re.compile(
    r"(?P<model>.+)_(?P<config>baseline|moe\d+|spec_k\d+)_(?P<test>t\d+_q\d+_[a-z0-9_]+?)(_g(?P<sample>\d+))?\.txt"
)
_HEADER_SPEED = re.compile(r"^# decode: ([\d.]+) t/s", re.MULTILINE)
_HARNESS_ERRORS = re.compile(
    r"command not found|No such file or directory|error while loading shared libraries|Segmentation fault|Permission denied"
    r"|failed to load model|error loading model|CUDA error|out of memory|GGML_ASSERT|Killed",
    re.IGNORECASE,
)
MAX_ERROR_CHARS = 2000
"""A longer text that mentions such a message is an answer about it."""
IMPORTED_SAMPLING = Sampling()
"""Unknown; the same for all, so that the same import is the same unit."""


class Imported(Value):
    """One answer as it is given."""

    model: str = Field(min_length=1)
    config: str = "baseline"
    question_id: str
    """Question id or test name."""
    answer: str
    sample: int = Field(default=0, ge=0)
    tokens_per_second: float | None = Field(default=None, gt=0)


def import_source(places: Places, source: Path, command: Sequence[str]) -> tuple[RunRecord, list[str]]:
    """Store every answer in ``source`` as a run of its own. Returns the run and a note on everything that was left out.

    Raises UserError when there is nothing to import or a line is wrong; nothing is stored then.
    """
    suite = load_suite()
    found, notes = _read(source, suite)
    if not found:
        raise UserError(f"{source}: no answer found; expected {{model}}_{{config}}_{{test}}.txt files or JSON lines")
    run = _record(suite, found, command)
    store = places.open_store()
    try:
        store.add_run(run)
        notes += list(_keep(run, found, store))
        store.set_run_state(run.id, "complete")
    finally:
        store.close()
    return run, notes


# --- reading --------------------------------------------------------------------------------------------------------


def _read(source: Path, suite: Suite) -> tuple[list[Imported], list[str]]:
    if source.is_dir():
        files = sorted(source.glob("*.txt"))
        read = [(file.name, _from_file(file, suite)) for file in files]
        notes = [f"left out: {name}: not named {{model}}_{{config}}_{{test}}.txt" for name, one in read if one is None]
        return [one for _, one in read if one is not None], notes
    if not source.is_file():
        raise UserError(f"{source}: no such file or folder; name a folder of .txt files or a .jsonl file")
    if source.suffix == ".txt":
        one = _from_file(source, suite)
        return ([one] if one else []), []
    return list(_from_lines(source, suite)), []


def _from_file(file: Path, suite: Suite) -> Imported | None:
    match = _FILE.fullmatch(file.name)
    if match is None or match["test"] not in {question.test for question in suite.questions}:
        return None
    text = file.read_text(encoding="utf-8", errors="replace")
    header, rule, body = text.partition(f"{RULE}\n")
    ours = bool(rule) and header.startswith("# question: ")
    speed = _HEADER_SPEED.search(header) if ours else None
    return Imported(
        model=match["model"],
        config=match["config"],
        question_id=match["test"],
        answer=body if ours else text,
        sample=int(match["sample"] or 0),
        tokens_per_second=float(speed[1]) if speed else None,
    )


def _from_lines(source: Path, suite: Suite) -> Iterator[Imported]:
    known = {name for question in suite.questions for name in (question.id, question.test)}
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            one = Imported.model_validate(json.loads(line))
            Config.parse(one.config)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "line"
            raise UserError(f"{source}:{number}: {field}: {first['msg']}; nothing was imported") from error
        except json.JSONDecodeError as error:
            raise UserError(f"{source}:{number}: no JSON ({error.msg}); nothing was imported") from error
        if one.question_id not in known:
            raise UserError(
                f"{source}:{number}: question_id: unknown question {one.question_id!r}; nothing was imported"
            )
        yield one


# --- storing --------------------------------------------------------------------------------------------------------


def _record(suite: Suite, found: Sequence[Imported], command: Sequence[str]) -> RunRecord:
    asked = {one.question_id for one in found}
    question_ids = tuple(q.id for q in suite.questions if q.id in asked or q.test in asked)
    arms = dict.fromkeys((one.model, one.config) for one in found)
    run_id, created_at = new_run_id()
    return RunRecord(
        id=run_id,
        created_at=created_at,
        command=tuple(command),
        suite=suite,
        question_ids=question_ids,
        samples=1 + max(one.sample for one in found),
        arms=tuple(_arm(model, config) for model, config in arms),
        checks=check_hashes(suite, question_ids),
        judges=(),
        environment=environment(),
    )


def _arm(model: str, config: str) -> ArmRecord:
    arm = Arm(
        candidate=model,
        config=Config.parse(config),
        model_fingerprint=digest(["imported", model]),
        serving=Serving(n_threads=1),
    )
    entry = ModelEntry(id=model, model=model, status="candidate", arch="imported", family=None, configs=(config,))
    return ArmRecord(arm=arm, model=None, entry=entry, sampling=IMPORTED_SAMPLING)


def _keep(run: RunRecord, found: Sequence[Imported], store: Store) -> Iterator[str]:
    arms = {(record.arm.candidate, record.arm.config.name): record.arm for record in run.arms}
    for one in found:
        question = _question(run.suite, one.question_id)
        arm = arms[one.model, one.config]
        unit = answer_unit(arm, question, IMPORTED_SAMPLING, one.sample)
        answer = _answer(one, question, unit.sampling)
        if store.stored_answers([unit.key]):
            stored = next(stored for _, stored in store.answers([unit.key]))
            if stored.text != answer.text:
                yield f"kept as it was: {arm.id} {question.id} sample {one.sample} is stored with another text"
            continue
        store.add_answer(run.id, unit, answer)
        if not answer.settled:
            yield f"no answer: {arm.id} {question.id} sample {one.sample}: {answer.message}"


def _question(suite: Suite, name: str) -> Question:
    return next(question for question in suite.questions if name in (question.id, question.test))


def _answer(one: Imported, question: Question, sampling: Sampling) -> Answer:
    trouble = harness_trouble(one.answer)
    return Answer(
        prompt_id=question.id,
        sample=one.sample,
        sampling=sampling,
        state=AnswerState.ERROR if trouble else AnswerState.OK,
        text=one.answer,
        finish_reason=None,
        message=trouble,
        stamps=None,
        reported_tps=one.tokens_per_second,
        usage=Usage(),
    )


def harness_trouble(text: str) -> str | None:
    """Return what shows that no model wrote this text; ``None`` when it may be an answer."""
    if not text.strip():
        return "the text is empty"
    match = (
        _HARNESS_ERRORS.search(text)
        if len(text) <= MAX_ERROR_CHARS and "```" not in text and "def " not in text
        else None
    )
    return f"the harness failed: {match[0]!r}" if match else None
