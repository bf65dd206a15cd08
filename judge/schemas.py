"""JSON Schemas of the files that people edit: ``python -m judge.schemas`` writes rubrics/schemas/."""

import json
import sys
from pathlib import Path

from judge.files import FileFormat, ModelsFile, QuestionsFile, RubricsFile

FORMS: dict[str, type[FileFormat]] = {"questions": QuestionsFile, "rubrics": RubricsFile, "models": ModelsFile}


def schema_texts() -> dict[str, str]:
    """Return file name -> text of every schema."""
    return {f"{name}.json": _schema(form) for name, form in FORMS.items()}


def _schema(form: type[FileFormat]) -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **form.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(folder: Path) -> None:
    """Write all schemas into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schema_texts().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "rubrics/schemas"))
