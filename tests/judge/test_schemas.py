"""The JSON Schemas that editors use: up to date, named by the files, and of one mind with the program."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from judge.consistency import models_problems, suite_problems
from judge.files import FileFormat
from judge.schemas import FORMS, main, schema_texts
from judge.shapes import known_keys, shape
from judge.yaml_lines import parse

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "rubrics/schemas"
FILES = {"questions": "prompts/questions/coder.yaml", "rubrics": "rubrics/coder.yaml", "models": "models.yaml"}
TEXTS = {name: (ROOT / file).read_text(encoding="utf-8") for name, file in FILES.items()}
DATA = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
PUBLISHED = {name: json.loads(schema_texts()[f"{name}.json"]) for name in FILES}

junk = st.sampled_from([None, True, 0, -1, 7, 2.5, "", "x", "T1", "moe4", "4-5", "${", [], ["baseline"], {}, {"id": 1}])


def test_the_committed_schemas_are_up_to_date(tmp_path: Path) -> None:
    main(tmp_path)

    committed = {file.name: file.read_text(encoding="utf-8") for file in SCHEMAS.iterdir()}
    assert committed == {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()}, (
        "run python -m judge.schemas"
    )


@pytest.mark.parametrize("name", FILES)
def test_a_file_names_its_schema_and_fits_it(name: str) -> None:
    first = TEXTS[name].splitlines()[0]
    named = (ROOT / FILES[name]).parent / first.removeprefix("# yaml-language-server: $schema=")

    assert named.resolve() == (SCHEMAS / f"{name}.json").resolve()
    jsonschema.validate(DATA[name], json.loads(named.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", FILES)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_what_the_program_takes_the_schema_takes_too(name: str, data: st.DataObject) -> None:
    file = spoiled(DATA[name], data)

    taken, problems = shape(parse(json.dumps(file), name), FORMS[name])

    if taken is None:
        assert problems
    else:
        jsonschema.validate(file, PUBLISHED[name])


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_no_mistake_breaks_the_checks(data: st.DataObject) -> None:
    questions, rubrics, models = (parse(json.dumps(spoiled(file, data)), name) for name, file in DATA.items())

    for problem in [*suite_problems(questions, rubrics), *models_problems(models, ["coder_primary"])]:
        assert problem.line is not None and "\n" not in str(problem)


@pytest.mark.parametrize(
    ("form", "where", "keys"),
    [
        ("rubrics", (), ["version", "suite", "scale", "tiers", "roles", "questions"]),
        ("rubrics", ("questions", "C-T1-Q1", "criteria", 2), ["id", "name", "weight"]),
        ("rubrics", ("roles", 0, "targets"), []),
        (
            "models",
            ("models", "x", "sampling"),
            list(FORMS["models"].model_json_schema()["$defs"]["Sampling"]["properties"]),
        ),
    ],
)
def test_the_schema_knows_which_keys_may_stand_where(form: str, where: tuple[str | int, ...], keys: list[str]) -> None:
    forms: dict[str, type[FileFormat]] = FORMS

    assert known_keys(forms[form].model_json_schema(), where) == keys


def spoiled(value: Any, data: st.DataObject) -> Any:
    """Return ``value`` with something anywhere in it replaced, dropped or added."""
    if isinstance(value, list) and value and data.draw(st.integers(0, 5)):
        index = data.draw(st.integers(0, len(value) - 1))
        return [*value[:index], spoiled(value[index], data), *value[index + 1 :]]
    if isinstance(value, dict) and value and data.draw(st.integers(0, 5)):
        key = data.draw(st.sampled_from([*value, "new"]))
        rest = {name: inner for name, inner in value.items() if name != key}
        return (
            rest if key in value and not data.draw(st.integers(0, 3)) else {**rest, key: spoiled(value.get(key), data)}
        )
    return data.draw(junk)
