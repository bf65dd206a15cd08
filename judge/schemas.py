"""JSON Schemas of the files that people edit and of the summary.json that a run leaves.

``python -m judge.schemas`` writes them to rubrics/schemas/.
"""

import ast
import functools
import inspect
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from judge import files
from judge.files import ModelsFile, QuestionsFile, RubricsFile
from judge.results import Results

FORMS: dict[str, type[BaseModel]] = {
    "questions": QuestionsFile,
    "rubrics": RubricsFile,
    "models": ModelsFile,
    "summary": Results,
}


def schema_texts() -> dict[str, str]:
    """Return file name -> text of every schema."""
    return {f"{name}.json": _schema(form) for name, form in FORMS.items()}


def _schema(form: type[BaseModel]) -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **form.model_json_schema()}
    for name, part in [(form.__name__, schema), *schema.get("$defs", {}).items()]:
        _describe(part, _docstrings().get(name, {}))
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _describe(part: dict[str, Any], docstrings: dict[str, str]) -> None:
    for field, docstring in docstrings.items():
        known = part["properties"][field]
        part["properties"][field] = dict(sorted({"description": docstring, **known}.items()))


@functools.cache
def _docstrings() -> dict[str, dict[str, str]]:
    """Return class -> field -> its docstring, for the files that people edit.

    Pydantic can find them, too, and would at every start of every command: that takes a quarter of a second.
    """
    classes = [node for node in ast.parse(inspect.getsource(files)).body if isinstance(node, ast.ClassDef)]
    return {
        node.name: dict(_documented(node))
        for node in classes
        if issubclass(getattr(files, node.name), files.FileFormat)
    }


def _documented(form: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, after in itertools.pairwise(form.body):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(docstring))):
                yield name, inspect.cleandoc(docstring)


def main(folder: Path) -> None:
    """Write all schemas into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schema_texts().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "rubrics/schemas"))
