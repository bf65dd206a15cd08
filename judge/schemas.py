"""JSON Schemas of the files that people edit and of the summary.json that a run leaves.

``python -m judge.schemas`` writes them to rubrics/schemas/.
"""

import json
import sys
from pathlib import Path

from pydantic import BaseModel

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
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(folder: Path) -> None:
    """Write all schemas into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schema_texts().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "rubrics/schemas"))
