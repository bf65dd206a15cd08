"""What a person filled in -> the options of a job. Pure: names and values of fields in, options out."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from judge.jobs.options import SAMPLES, RunOptions, ScoreWish
from judge.wanted import JUDGE_SAMPLING

NUMBERS = ("samples", "max_samples", "seed", "max_tokens", "n_ctx", "n_threads", "n_gpu_layers")
TERMS = ("budget_hours", "concurrency")
NOBODY, NAMED, AT_URL = "none", "name:", "url:"
"""Judges to choose from: nobody, a model by its name, and an endpoint; without a word, whoever judges by default."""
BLANK_SCORING = (
    ("exam", "small"),
    ("replicates", "1"),
    ("judge_max_tokens", str(JUDGE_SAMPLING.max_tokens)),
)
BLANK_RUN = (("samples", str(SAMPLES)), ("execute", "on"), ("policy", "grounded"), *BLANK_SCORING)
"""Forms in which nothing was changed yet."""


class Filled:
    """The fields of a form as they were sent."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._fields = fields

    def one(self, name: str) -> str:
        """Return the value of a field without blanks around it; empty when it was not sent."""
        return next((value.strip() for field, value in self._fields if field == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Return the values of every box that was ticked."""
        return tuple(value for field, value in self._fields if field == name and value)

    def has(self, name: str, value: str) -> bool:
        """True when a field was sent with this value."""
        return (name, value) in self._fields


def run_options(filled: Filled) -> RunOptions:
    """Return what is wanted. Raises ValueError, with one line for people, for what is not allowed."""
    wanted = {
        "candidates": filled.all("candidates"),
        "configs": _parts(filled.one("configs")),
        "tiers": filled.all("tiers"),
        "questions": filled.all("questions"),
        "execute": filled.has("execute", "on"),
        "policy": filled.one("policy") or "grounded",
        "judges": _judges(filled),
        **_numbers(filled, NUMBERS),
        **_terms(filled),
    }
    try:
        return RunOptions.model_validate(wanted)
    except ValidationError as error:
        raise ValueError(_in_words(error)) from error


def score_wish(filled: Filled) -> ScoreWish:
    """Return what is wanted. Raises ValueError, with one line for people, for what is not allowed."""
    judges = _judges(filled) if filled.one("judge") else []
    wanted = {"judges": judges, "policy": filled.one("policy") or None, **_terms(filled)}
    try:
        return ScoreWish.model_validate(wanted)
    except ValidationError as error:
        raise ValueError(_in_words(error)) from error


def _judges(filled: Filled) -> list[dict[str, Any]]:
    who = filled.one("judge")
    if who == NOBODY:
        return []
    judge: dict[str, Any] = {
        "also_blind": filled.has("also_blind", "on"),
        "mode": "per_criterion" if filled.has("per_criterion", "on") else "joint",
        "on_self": "allow" if filled.has("allow_self", "on") else "refuse",
        "replicates": filled.one("replicates") or 1,
        "sampling": {**JUDGE_SAMPLING.model_dump(), **_whole(filled, "judge_max_tokens", "max_tokens")},
    }
    if who.startswith(NAMED):
        judge["name"] = who.removeprefix(NAMED)
    if who.startswith(AT_URL):
        judge["urls"] = [who.removeprefix(AT_URL)]
        judge["model"] = filled.one("judge_model") or None
        judge["family"] = filled.one("judge_family") or None
    return [judge]


def _terms(filled: Filled) -> dict[str, object]:
    exam = filled.one("exam")
    return {"exam": None if exam == NOBODY else exam or "small", **_numbers(filled, TERMS)}


def _numbers(filled: Filled, names: Sequence[str]) -> dict[str, str]:
    """Return the numbers that were filled in, as they were written."""
    return {name: filled.one(name) for name in names if filled.one(name)}


def _whole(filled: Filled, name: str, field: str) -> dict[str, object]:
    """Return a number for a field that takes no text for one."""
    text = filled.one(name)
    return {field: int(text) if text.isascii() and text.isdigit() else text} if text else {}


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _in_words(error: ValidationError) -> str:
    """Say what is wrong with which field, without repeating what was filled in."""
    wrong = error.errors(include_url=False, include_input=False)
    return "; ".join(f"{' '.join(str(part) for part in one['loc'])}: {one['msg']}" for one in wrong)
