"""What a run needs on this machine: found or not, and how to get it."""

import asyncio
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from judge.errors import JudgeError
from judge.inventory import inventory
from judge.library import check_all
from judge.machine import cores
from judge.places import Places, free_gib
from runner.answer_env import find_answer_env
from runner.isolation import isolation
from runner.types import Value

COLUMNS = ("Check", "Result", "Found", "What to do")
MIN_FREE_GIB = 1.0


class Finding(Value):
    """The result of one check."""

    check: str
    ok: bool
    needed: bool
    """False: a run works without it."""
    found: str
    advice: str
    """Empty when nothing is to be done."""


def examine(places: Places, environ: Mapping[str, str]) -> list[Finding]:
    """Return all findings; nothing is changed but a store is created where there is none."""
    return [
        _server(),
        _library(places),
        _store(places),
        _disk(places),
        _models(places, environ),
        _cores(),
        _sandbox(),
        _answer_packages(),
    ]


def row(finding: Finding) -> list[str]:
    """Return the cells of a table line under COLUMNS."""
    result = "ok" if finding.ok else "missing" if finding.needed else "note"
    return [finding.check, result, finding.found, finding.advice or "-"]


def _server() -> Finding:
    try:
        found, ok = f"llama-cpp-python {version('llama-cpp-python')}", True
    except PackageNotFoundError:
        found, ok = "not installed", False
    advice = "" if ok else "pip install 'llama-cpp-python[server]'"
    return Finding(check="model server", ok=ok, needed=True, found=found, advice=advice)


def _library(places: Places) -> Finding:
    problems, summary = check_all(places.models, None, None)
    found = f"{len(problems)} problem(s)" if problems else f"{summary.questions} questions, {summary.models} models"
    advice = "run judge validate" if problems else ""
    return Finding(check="questions, rubric, models", ok=not problems, needed=True, found=found, advice=advice)


def _store(places: Places) -> Finding:
    try:
        store = places.open_store()
        runs = len(store.run_ids())
        store.close()
    except JudgeError as error:
        return Finding(check="store", ok=False, needed=True, found=str(error), advice="see --store and --results")
    return Finding(check="store", ok=True, needed=True, found=f"{runs} runs", advice="")


def _disk(places: Places) -> Finding:
    free = free_gib(places.results.absolute())
    ok = free >= MIN_FREE_GIB
    advice = "" if ok else f"free some space, or name another folder with --results; {MIN_FREE_GIB:g} GiB are wanted"
    return Finding(check="disk", ok=ok, needed=True, found=f"{free:.1f} GiB free", advice=advice)


def _models(places: Places, environ: Mapping[str, str]) -> Finding:
    lines = inventory(places.load_models(), environ)
    there = [line.entry.id for line in lines if line.file is not None]
    advice = "" if there else "set JUDGE_MODELS_DIR to the folder of your GGUF files, or run make demo for small ones"
    found = ", ".join(there) or "no model file"
    return Finding(check="model files", ok=bool(there), needed=False, found=found, advice=advice)


def _cores() -> Finding:
    return Finding(check="cores", ok=True, needed=False, found=str(cores()), advice="")


def _sandbox() -> Finding:
    found = asyncio.run(isolation())
    ok = found.level != "none"
    what = f"{found.level}: {found.reason}"
    return Finding(check="sandbox", ok=ok, needed=False, found=what, advice=found.fix or "")


def _answer_packages() -> Finding:
    found = asyncio.run(isolation())
    folder = find_answer_env(found.jail) if found.jail else None
    advice = "" if folder else "make setup; answers that import aiohttp, httpx or requests cannot be executed without"
    return Finding(
        check="packages for answers", ok=bool(folder), needed=False, found=str(folder or "none"), advice=advice
    )
