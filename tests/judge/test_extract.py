"""What is taken from real-looking answers, and what is left of it to execute.

``answers/`` has one file per answer, as bytes; ``answers/expected.yaml`` says what must come out of each:
``state`` (ok unless given), ``defines`` / ``absent`` (functions and classes of the executed program), ``contains`` /
``lacks`` / ``once`` (pieces of its code), ``flags`` (all of these; exactly none for ``[]``), ``roles`` (of all blocks,
in order), ``parses``, and ``looks_like`` (names defined by code that does not parse).
"""

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from judge.extract.answer import extract
from judge.extract.program import runnable
from judge.extract.values import Extraction, Program

ANSWERS = Path(__file__).parent / "answers"
PROMPTS: dict[str, str] = yaml.safe_load((ANSWERS / "prompts.yaml").read_text(encoding="utf-8"))
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((ANSWERS / "expected.yaml").read_text(encoding="utf-8"))
KNOWN_KEYS = {
    "question",
    "state",
    "defines",
    "absent",
    "contains",
    "lacks",
    "once",
    "flags",
    "roles",
    "parses",
    "looks_like",
}

every_answer = pytest.mark.parametrize("name", EXPECTED)


def taken(name: str) -> tuple[Extraction, Program]:
    answer = (ANSWERS / f"{name}.txt").read_bytes().decode("utf-8")
    extraction = extract(answer, prompt=PROMPTS[EXPECTED[name]["question"]])
    return extraction, runnable(extraction.code)


def top_level_names(code: str) -> set[str]:
    names = {
        node.name
        for node in ast.parse(code).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    targets = [node.targets[0] for node in ast.parse(code).body if isinstance(node, ast.Assign)]
    return names | {target.id for target in targets if isinstance(target, ast.Name)}


def test_every_answer_has_an_expectation_and_every_question_has_answers() -> None:
    assert {path.stem for path in ANSWERS.glob("*.txt")} == set(EXPECTED)
    assert {entry["question"] for entry in EXPECTED.values()} == set(PROMPTS)
    assert all(set(entry) <= KNOWN_KEYS and len(entry) > 1 for entry in EXPECTED.values())


@every_answer
def test_the_state_says_whether_there_is_code(name: str) -> None:
    extraction, _ = taken(name)
    assert extraction.state == EXPECTED[name].get("state", "ok"), extraction
    assert bool(extraction.code.strip()) == (extraction.state == "ok")


@every_answer
def test_the_program_defines_what_the_answer_defines(name: str) -> None:
    expected, (_, program) = EXPECTED[name], taken(name)
    if program.parses:
        assert set(expected.get("defines", [])) <= top_level_names(program.code)
        assert not set(expected.get("absent", [])) & top_level_names(program.code)
        assert set(expected.get("defines", [])) <= set(program.defines)
    assert set(expected.get("looks_like", [])) <= set(program.defines)


@every_answer
def test_the_program_has_and_lacks_these_pieces(name: str) -> None:
    expected, (_, program) = EXPECTED[name], taken(name)
    assert [piece for piece in expected.get("contains", []) if piece not in program.code] == []
    assert [piece for piece in expected.get("lacks", []) if piece in program.code] == []
    assert [piece for piece in expected.get("once", []) if program.code.count(piece) != 1] == []


@every_answer
def test_the_program_compiles_when_the_answer_does(name: str) -> None:
    expected, (extraction, program) = EXPECTED[name], taken(name)
    if extraction.state == "no_code":
        assert not extraction.parses
        assert extraction.syntax_error is None
        return
    assert program.parses == expected.get("parses", True), program.syntax_error
    assert (program.syntax_error is None) == program.parses
    if program.parses:
        compile(program.code, name, "exec")


@every_answer
def test_what_was_unusual_is_flagged(name: str) -> None:
    expected, (extraction, _) = EXPECTED[name], taken(name)
    if expected.get("flags") == []:
        assert extraction.flags == ()
    assert set(expected.get("flags", [])) <= set(extraction.flags)
    assert extraction.flags == tuple(sorted(set(extraction.flags)))


@every_answer
def test_every_block_has_a_role_and_a_reason(name: str) -> None:
    expected, (extraction, _) = EXPECTED[name], taken(name)
    if "roles" in expected:
        assert [block.role for block in extraction.blocks] == expected["roles"], extraction.blocks
    assert all(block.why and "\n" not in block.why for block in extraction.blocks)
    assert extraction.reason
    assert "\n" not in extraction.reason
