"""The templates of what judges are sent: read from prompts/judge and checked, without the rest of the library."""

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from judge.problem import Problem
from judge.shipped import good, prompts_folder, shown_name, unreadable
from runner.identity import digest

PAIR_VARIABLES: Mapping[str, frozenset[str]] = {
    "pair_system": frozenset(),
    "pair": frozenset(
        ("criteria", "first", "first_nonce", "first_evidence", "second", "second_nonce", "second_evidence")
    ),
    "pair_repair": frozenset({"problem"}),
}
"""Templates of comparisons -> what is filled into each: all of it, and nothing else."""
SHARED_TEMPLATES = ("question", "evidence")
"""Templates that scorings and comparisons share."""


@dataclass(frozen=True)
class JudgePrompts:
    """The templates of what judges are sent."""

    templates: Mapping[str, string.Template]
    """File name without ``.md`` -> template."""
    hash: str
    """Identity of all names and texts that a scoring depends on."""
    pair_hash: str
    """Identity of those that a comparison of two answers depends on."""


def load_judge_prompts(prompts: Path | None = None) -> JudgePrompts:
    """Return the templates in ``judge/`` of the prompts folder. Raises LibraryError with every problem found."""
    judge_prompts, problems = read_judge_prompts(prompts)
    return good(judge_prompts, problems)


def read_judge_prompts(explicit: Path | None) -> tuple[JudgePrompts | None, list[Problem]]:
    """Return the templates, or ``None`` and every problem found."""
    folder = prompts_folder(explicit, "judge")
    texts, problems = _texts(folder)
    if problems:
        return None, problems
    templates = {name: string.Template(text) for name, text in texts.items()}
    # A changed text about comparisons is no reason to have anything scored again, nor the other way round.
    scoring = {name: text for name, text in texts.items() if name not in PAIR_VARIABLES}
    comparing = {name: text for name, text in texts.items() if name in (*PAIR_VARIABLES, *SHARED_TEMPLATES)}
    return JudgePrompts(templates, digest(scoring), digest(comparing)), []


def _texts(folder: Traversable) -> tuple[dict[str, str], list[Problem]]:
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    files = sorted(folder.iterdir(), key=lambda file: file.name) if folder.is_dir() else []
    for file in files:
        if not file.name.endswith(".md"):
            continue
        try:
            texts[file.name.removesuffix(".md")] = text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(unreadable(file, error))
        else:
            problems += _loose_dollars(shown_name(file), text)
            problems += _wrong_variables(shown_name(file), file.name.removesuffix(".md"), text)
    if not texts and not problems:
        problems.append(
            Problem(file=shown_name(folder), line=None, field="", message="holds no *.md with judge prompts")
        )
    return texts, problems


def _loose_dollars(file: str, text: str) -> Iterator[Problem]:
    for match in string.Template.pattern.finditer(text):
        if match["invalid"] is not None:
            line = text.count("\n", 0, match.start()) + 1
            yield Problem(file=file, line=line, field="", message="a $ that starts no variable: write $$ for the sign")


def _wrong_variables(file: str, name: str, text: str) -> Iterator[Problem]:
    wanted = PAIR_VARIABLES.get(name)
    if wanted is None:
        return
    shown = ", ".join(f"${variable}" for variable in sorted(wanted)) or "none"
    found = {match["named"] or match["braced"]: match.start() for match in string.Template.pattern.finditer(text)}
    for variable, at in found.items():
        if variable is not None and variable not in wanted:
            line = text.count("\n", 0, at) + 1
            yield Problem(file=file, line=line, field="", message=f"${variable} is not filled in here; known: {shown}")
    for variable in sorted(wanted - found.keys()):
        message = f"lacks ${variable}: what it stands for would not reach the judge; known: {shown}"
        yield Problem(file=file, line=None, field="", message=message)
