"""Answers from elsewhere: files of the plan's naming and JSON lines, executed like any other."""

import json
from pathlib import Path

import pytest
from commands import Run

from judge.importing import harness_trouble

RIGHT = """```python
def factorial(n: int) -> int:
    if n < 0:
        raise ValueError(n)
    return 1 if n < 2 else n * factorial(n - 1)
```
"""
WRONG = """```python
def factorial(n: int) -> int:
    return n * factorial(n - 1) if n > 1 else 0
```
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "Qwen3-Coder-30B_baseline_t1_q1_factorial.txt").write_text(RIGHT)
    (folder / "Qwen3-Coder-30B_moe4_t1_q1_factorial.txt").write_text(WRONG)
    (folder / "Qwen3-Coder-30B_moe4_t1_q3_stack.txt").write_text("bash: llama-cli: command not found\n")
    (folder / "Qwen3-Coder-30B_baseline_t1_q3_stack.txt").write_text("")
    (folder / "notes.txt").write_text("not an answer")
    return folder


def lines_of(judge: Run, cwd: Path) -> dict[tuple[str, str], dict]:
    done = judge("check", "latest", "--json", "--quiet", cwd=cwd)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {(line["config"], line["question_id"]): line for line in lines}


def test_a_folder_of_result_files_is_imported_and_executed(judge: Run, tmp_path: Path, folder: Path) -> None:
    done = judge("import", folder, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "left out: notes.txt" in done.stderr
    assert "no answer: Qwen3-Coder-30B/moe4 C-T1-Q3 sample 0: the harness failed: 'command not found'" in done.stderr
    assert "no answer: Qwen3-Coder-30B/baseline C-T1-Q3 sample 0: the text is empty" in done.stderr

    lines = lines_of(judge, tmp_path)
    assert set(lines) == {("baseline", "C-T1-Q1"), ("moe4", "C-T1-Q1")}, "a broken harness is no answer"
    right, wrong = lines["baseline", "C-T1-Q1"], lines["moe4", "C-T1-Q1"]
    assert right["state"] == wrong["state"] == "ok"
    assert right["entry_point"] == "factorial(n)"
    assert set(right["bounds"].values()) == {5}
    assert wrong["bounds"]["correct_logic"] <= 2
    failed = next(check for check in wrong["checks"] if check["outcome"] == "fail")
    assert {"id", "criteria", "outcome", "input", "expected", "got", "reason"} <= set(failed)
    assert failed["expected"] != failed["got"]


def test_json_lines_keep_their_speed_and_samples(judge: Run, tmp_path: Path) -> None:
    source = tmp_path / "answers.jsonl"
    given = [
        {"model": "m", "config": "baseline", "question_id": "C-T1-Q1", "answer": RIGHT, "tokens_per_second": 45.3},
        {"model": "m", "config": "baseline", "question_id": "t1_q1_factorial", "answer": WRONG, "sample": 1},
    ]
    source.write_text("\n".join(map(json.dumps, given)))
    assert judge("import", source, cwd=tmp_path).returncode == 0
    report = json.loads(judge("report", "latest", "--json", cwd=tmp_path).stdout)
    speed = report["arms"][0]["speed"]
    assert speed["decode_tps"] == {"n": 1, "median": 45.3, "mean": 45.3, "sd": None}
    assert speed["token_sources"] == ["reported"]
    assert report["samples"] == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "answers.jsonl:1: no JSON"),
        ('{"model": "m", "answer": "x"}', "answers.jsonl:1: question_id: Field required"),
        ('{"model": "m", "question_id": "C-T9-Q9", "answer": "x"}', "unknown question 'C-T9-Q9'"),
        ('{"model": "m", "question_id": "C-T1-Q1", "answer": "x", "config": "fast"}', "config 'fast' is not known"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_imported(judge: Run, tmp_path: Path, line: str, message: str) -> None:
    source = tmp_path / "answers.jsonl"
    source.write_text(line)
    done = judge("import", source, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr
    assert judge("list", "--json", cwd=tmp_path).stdout.strip() == "[]"


def test_a_second_import_of_another_text_keeps_the_first_and_says_so(judge: Run, tmp_path: Path) -> None:
    file = tmp_path / "m_baseline_t1_q1_factorial.txt"
    file.write_text(RIGHT)
    judge("import", file, cwd=tmp_path)
    file.write_text(WRONG)
    done = judge("import", file, cwd=tmp_path)
    assert "kept as it was: m/baseline C-T1-Q1 sample 0 is stored with another text" in done.stderr


def test_an_answer_that_talks_about_an_error_is_an_answer() -> None:
    assert harness_trouble("```python\nprint('command not found')\n```") is None
    assert harness_trouble("x" * 3000 + "command not found") is None
    assert harness_trouble("error while loading shared libraries: libllama.so") is not None
