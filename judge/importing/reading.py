"""Files of answers -> answers as they are given. Whatever is wrong with a file is said of that file, and of that line."""

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationError

from judge.errors import UserError
from judge.report import RULE
from judge.types import Suite
from runner.errors import UsageError
from runner.types import Config, Value

MAX_SAMPLE = 999
"""Highest number of a sample: every sample up to it is looked for, of every question and arm."""
MAX_NAME_CHARS = 100
"""Longest name of a model; it becomes part of file names."""

_FILE = re.compile(
    r"(?P<model>.+)_(?P<config>baseline|moe\d+|spec_k\d+)_(?P<test>t\d+_q\d+_[a-z0-9_]+?)(_g(?P<sample>\d+))?\.txt",
    re.IGNORECASE,
)
_HEADER_SPEED = re.compile(r"^# decode: ([\d.]+) t/s", re.MULTILINE)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""UTF-32 first: its mark begins with that of UTF-16."""


def _named(name: str) -> str:
    if not name.isprintable():
        raise ValueError(f"{name!a} holds what cannot be printed")
    return name


def _whole_characters(text: object) -> object:
    # Half of a character is what is left where a stream was cut in the middle of one; no file can hold it.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(text, str) else text


def _config(name: str) -> str:
    try:
        return Config.parse(name).name
    except UsageError as error:
        raise ValueError(str(error)) from error


class Imported(Value):
    """One answer as it is given."""

    model: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME_CHARS),
        AfterValidator(_named),
    ]
    config: Annotated[str, AfterValidator(_config)] = "baseline"
    question_id: str
    """Question id or test name."""
    answer: Annotated[str, BeforeValidator(_whole_characters)]
    """Word for word; half of a character becomes U+FFFD."""
    sample: int = Field(default=0, ge=0, le=MAX_SAMPLE)
    tokens_per_second: float | None = Field(default=None, gt=0, allow_inf_nan=False)


def read_source(source: Path, suite: Suite) -> tuple[list[Imported], list[str]]:
    """Return the answers of a folder or a file, and a note on everything that was left out or read in another way.

    Raises UserError for a line of JSON that is wrong, and when there is nothing at ``source``.
    """
    if source.is_dir():
        return _from_files([file for file in sorted(source.iterdir()) if _is_text(file)], suite)
    if not source.is_file():
        raise UserError(f"{source}: no such file or folder; name a folder of .txt files or a .jsonl file")
    if _is_text(source):
        return _from_files([source], suite)
    return list(_from_lines(source, suite)), []


def _is_text(file: Path) -> bool:
    return file.suffix.lower() == ".txt"


# --- one answer a file ----------------------------------------------------------------------------------------------


def _from_files(files: Sequence[Path], suite: Suite) -> tuple[list[Imported], list[str]]:
    found: list[Imported] = []
    notes: list[str] = []
    for file in files:
        try:
            found.append(_from_file(file, suite, notes))
        except (ValueError, OSError) as error:
            notes.append(f"left out: {file.name}: {_reason(error)}")
    return found, notes


def _from_file(file: Path, suite: Suite, notes: list[str]) -> Imported:
    match = _FILE.fullmatch(file.name)
    if match is None:
        raise ValueError("not named {model}_{config}_{test}.txt")
    test = match["test"].lower()
    if test not in {question.test for question in suite.questions}:
        raise ValueError(f"no question is called {test}")
    text, encoding = _decoded(file.read_bytes())
    if encoding == "cp1252":
        notes.append(f"{file.name}: not UTF-8, read as Windows-1252")
    header, rule, body = text.partition(f"{RULE}\n")
    ours = bool(rule) and header.startswith("# question: ")
    speed = _HEADER_SPEED.search(header) if ours else None
    return Imported(
        model=unquote(match["model"]) if ours else match["model"],
        config=match["config"].lower(),
        question_id=test,
        answer=body if ours else text,
        sample=int(match["sample"] or 0),
        tokens_per_second=float(speed[1]) if speed else None,
    )


def _decoded(data: bytes) -> tuple[str, str]:
    """Return the text and its encoding. PowerShell's ``>`` writes UTF-16; a harness on Windows may write its code page."""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), None)
    if encoding is None and len(data) > 1 and data[1::2].count(0) > len(data) // 3:
        encoding = "utf-16-le"
    if encoding is not None:
        return data.decode(encoding, "replace"), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    # One broken character is a file that was cut; hardly a good one is another encoding.
    broken, good = text.count("\ufffd"), sum(not char.isascii() for char in text)
    return (text, "utf-8") if 2 * broken <= good else (data.decode("cp1252", "replace"), "cp1252")


# --- one answer a line ----------------------------------------------------------------------------------------------


def _from_lines(source: Path, suite: Suite) -> Iterator[Imported]:
    known = {name for question in suite.questions for name in (question.id, question.test)}
    text, encoding = _decoded(source.read_bytes())
    if encoding == "cp1252":
        broken = 1 + next(i for i, line in enumerate(text.split("\n")) if not line.isascii())
        raise UserError(f"{source}:{broken}: not UTF-8, which JSON lines have to be; nothing was imported")
    # Not splitlines(): U+2028 and its like are ordinary characters inside a string of JSON.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            one = Imported.model_validate(json.loads(line))
            if one.question_id not in known:
                raise ValueError(f"question_id: unknown question {one.question_id!a}")
        except (ValueError, RecursionError) as error:
            raise UserError(f"{source}:{number}: {_reason(error)}; nothing was imported") from error
        yield one


def _reason(error: Exception) -> str:
    """Return what is wrong with a line or a file, in one line."""
    match error:
        case ValidationError():
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "line"
            return f"{field}: {first['msg'].removeprefix('Value error, ')}"
        case json.JSONDecodeError():
            return f"no JSON ({error.msg})"
        case RecursionError():
            return "no JSON that can be read (nested too deeply)"
        case OSError():
            return f"cannot be read ({error.strerror or error})"
        case _:
            return str(error).partition(";")[0]
