"""The files that a run leaves: tables, reports, and one text file per answer."""

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

from judge.pipeline import file_name
from judge.plan import each_wanted_key
from judge.records import ArmRecord, RunRecord
from judge.report.markdown_report import csv_table, markdown
from judge.report.tables import NONE
from judge.results import Results
from judge.store import Store
from judge.store.database import LOOKUP_BATCH
from judge.types import Question
from runner.timing import speed_figures
from runner.types import Answer

RULE = "-" * 72
PAGE = "report.html"


def write_files(run: RunRecord, results: Results, store: Store, folder: Path) -> None:
    """Write every file of the run into ``folder`` but the page. Existing ones are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "results.md", markdown(results))
    _write(folder / "results.csv", csv_table(results))
    _write(folder / "summary.json", results.model_dump_json(indent=2) + "\n")
    _write(folder / "run.json", run_json(run, results))
    for name, text in answer_files(run, store):
        _write(f"{folder}/{name}", text)


def write_page(results: Results, folder: Path) -> None:
    """Write ``report.html`` into ``folder``. Drawing it takes longer than computing everything else."""
    # Imported here because few commands write the page.
    from judge.report.html_report import html_report

    _write(folder / PAGE, html_report(results))


def _write(path: Path | str, text: str) -> None:
    """Without the buffers of a Python file, which take longer to make than a short text takes to write: there is one an answer."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            left = text.encode()
            while left:
                left = left[os.write(file, left) :]
        finally:
            os.close(file)
    except OSError as error:  # of a full disk it would not say which file it is about
        raise OSError(error.errno, error.strerror, str(path)) from error


# --- single files----------------------------------------------------------------------------------------------------


def run_json(run: RunRecord, results: Results) -> str:
    """Return what identifies the run: record, versions, machine, command lines and proofs, without the suite's texts."""
    launches = {arm.id: [launch.model_dump(mode="json") for launch in arm.launches] for arm in results.arms}
    record = run.model_dump(mode="json", exclude={"suite"})
    hashes = {"suite": run.suite.hash, "arms": {r.arm.id: r.arm.fingerprint for r in run.arms}}
    return json.dumps({**record, "hashes": hashes, "launches": launches}, indent=2, ensure_ascii=False) + "\n"


def answer_files(run: RunRecord, store: Store) -> Iterator[tuple[str, str]]:
    """Yield (file name, text) of every stored answer of the run: ``{model}_{config}_{test}.txt``."""
    for record in run.arms:
        arm, wanted = file_name(record.arm), each_wanted_key(run, record)
        while batch := {one.key: one.question for one in itertools.islice(wanted, LOOKUP_BATCH)}:
            for key, answer in store.answers(batch):
                suffix = f"_g{answer.sample}" if answer.sample else ""
                yield f"{arm}_{batch[key].test}{suffix}.txt", answer_text(record, batch[key], answer)


def answer_text(record: ArmRecord, question: Question, answer: Answer) -> str:
    """Return a short header with speed, tokens, state and sampling, a rule, and the raw answer."""
    return f"{_header(record, question, answer)}\n{RULE}\n{answer.text}"


def _header(record: ArmRecord, question: Question, answer: Answer) -> str:
    speed = speed_figures(answer, speculative=record.arm.config.draft_tokens is not None)
    sampling = ", ".join([f"{name}={value}" for name, value in vars(answer.sampling).items() if value is not None])
    return (
        f"# question: {question.id} {question.title}\n"
        f"# model: {record.entry.model} ({record.arm.candidate}), config: {record.arm.config.name}, sample: {answer.sample}\n"
        f"# state: {answer.state}, finish reason: {answer.finish_reason or NONE}\n"
        f"# tokens: {_or_none(speed.completion_tokens, 'd')} (counted by {speed.token_source or 'nobody'})\n"
        f"# decode: {_or_none(speed.decode_tps, '.2f')} t/s, ttft: {_or_none(speed.ttft_s, '.3f')} s\n"
        f"# sampling: {sampling}"
    )


def _or_none(value: float | None, spec: str) -> str:
    return NONE if value is None else format(value, spec)
