"""Answers from elsewhere: files of the plan's naming and JSON lines, executed like any other."""

import contextlib
import json
from pathlib import Path

import pytest
from commands import Run

from judge.ending import load_results
from judge.errors import UserError
from judge.importing import import_source
from judge.importing.reading import Imported, read_source
from judge.library import load_suite
from judge.pipeline import file_name
from judge.places import Places
from judge.store import Store

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
    assert (
        "no answer: Qwen3-Coder-30B/moe4 C-T1-Q3 sample 0: the harness failed: 'bash: llama-cli: command not found'"
        in done.stderr
    )
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


def test_a_wrong_line_ends_the_command_as_wrong_usage_and_nothing_is_imported(judge: Run, tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").write_text(given() + "\n{")
    done = judge("import", "answers.jsonl", cwd=tmp_path)
    assert done.returncode == 2 and "answers.jsonl:2: no JSON" in done.stderr
    assert "Traceback" not in done.stderr


# --- reading: no process is needed ----------------------------------------------------------------------------------


def given(**fields: object) -> str:
    return json.dumps({"model": "m", "question_id": "C-T1-Q1", "answer": RIGHT, **fields})


def read(tmp_path: Path, content: str | bytes, name: str = "answers.jsonl") -> tuple[list[Imported], list[str]]:
    source = tmp_path / name
    source.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_source(source, load_suite())


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("{", ":1: no JSON"),
        ('{"model": "m", "answer": "x"}', ":1: question_id: Field required"),
        (given(question_id="C-T9-Q9"), ":1: question_id: unknown question 'C-T9-Q9'"),
        (given(config="fast"), ":1: config: config 'fast' is not known"),
        (given() + "\n" + given(config="moe0"), ":2: config: config 'moe0' is not known"),
        (given(model="  "), ":1: model: String should have at least 1 character"),
        (given(model="a\nb"), ":1: model: 'a\\nb' holds what cannot be printed"),
        (given(model="\ud800"), ":1: model: "),
        (given(model="x" * 101), ":1: model: String should have at most 100 characters"),
        (given(sample=3_000_000), ":1: sample: Input should be less than or equal to 999"),
        (given().replace("}", ', "sample": ' + "9" * 5000 + "}"), ":1: Exceeds the limit (4300 digits)"),
        (given(tokens_per_second=float("inf")), ":1: tokens_per_second: Input should be a finite number"),
        ("[" * 100_000, ":1: no JSON that can be read (nested too deeply)"),
        ("\n" + given(answer="é", model="m").replace("\\u00e9", "é"), None),
        (("\n" + given(answer="é").replace("\\u00e9", "é")).encode("latin-1"), ":2: not UTF-8"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_one_error_that_names_it(tmp_path: Path, lines: str, message: str | None) -> None:
    if message is None:
        assert read(tmp_path, lines)[0][0].answer == "é"
        return
    with pytest.raises(UserError) as said:
        read(tmp_path, lines)
    assert f"answers.jsonl{message}" in str(said.value) and "\n" not in str(said.value)
    assert str(said.value).endswith("nothing was imported")


@pytest.mark.parametrize("inside", ["\u2028", "\x85", "\x0c", "\x1c"])
def test_a_line_of_json_ends_where_json_says_and_nowhere_else(tmp_path: Path, inside: str) -> None:
    raw = given(answer=f"one{inside}two")
    if inside in "\u2028\x85":  # JSON allows these as they are
        raw = raw.replace(json.dumps(inside)[1:-1], inside)
    assert [one.answer for one in read(tmp_path, raw + "\r\n" + raw)[0]] == [f"one{inside}two"] * 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
@pytest.mark.parametrize("name", ["m_moe4_t1_q1_factorial.txt", "answers.jsonl"])
def test_a_file_is_read_in_the_encoding_that_it_is_in(tmp_path: Path, encoding: str, name: str) -> None:
    if encoding == "cp1252" and name.endswith("jsonl"):
        return
    text = RIGHT + "# é\n"
    found, notes = read(tmp_path, (text if name.endswith("txt") else given(answer=text)).encode(encoding), name)
    assert [one.answer for one in found] == [text]
    assert notes == ([f"{name}: not UTF-8, read as Windows-1252"] if encoding == "cp1252" else [])


def test_a_text_that_was_cut_within_a_character_keeps_the_rest(tmp_path: Path) -> None:
    found, notes = read(tmp_path, "ééé 😀".encode()[:-1], "m_moe4_t1_q1_factorial.txt")
    assert (found[0].answer, notes) == ("ééé \ufffd", [])
    assert read(tmp_path, given(answer="x \ud83d"))[0][0].answer == "x \ufffd"


def test_one_file_that_is_no_answer_leaves_the_others_in_and_is_named(tmp_path: Path) -> None:
    for name in ("m_moe0_t1_q1_factorial.txt", "m_moe4_t9_q9_unknown.txt", "notes.txt", "m_moe4_t1_q1_factorial.TXT"):
        (tmp_path / name).write_text(RIGHT)
    found, notes = read_source(tmp_path, load_suite())
    assert [(one.model, one.config) for one in found] == [("m", "moe4")]
    assert sorted(notes) == [
        "left out: m_moe0_t1_q1_factorial.txt: config: config 'moe0' is not known: "
        "use baseline, moeN (N experts) or spec_kN (N draft tokens)",
        "left out: m_moe4_t9_q9_unknown.txt: no question is called t9_q9_unknown",
        "left out: notes.txt: not named {model}_{config}_{test}.txt",
    ]


# --- storing --------------------------------------------------------------------------------------------------------


def imported(tmp_path: Path, *lines: str) -> list[str]:
    source = tmp_path / "answers.jsonl"
    source.write_text("\n".join(lines))
    return import_source(Places(results=tmp_path), source, ("judge", "import"))[1]


def test_a_second_import_of_something_else_keeps_the_first_and_says_so(tmp_path: Path) -> None:
    assert imported(tmp_path, given(tokens_per_second=10)) == []
    assert imported(tmp_path, given(tokens_per_second=10)) == []
    kept = "kept as it was: m/baseline C-T1-Q1 sample 0 is stored with "
    assert imported(tmp_path, given(tokens_per_second=20)) == [kept + "another speed: 10 t/s, now 20 t/s"]
    assert imported(tmp_path, given(answer=WRONG)) == [
        kept + "another text",
        kept + "another speed: 10 t/s, now no speed",
    ]


def test_an_attempt_that_failed_is_owed_and_a_later_answer_takes_its_place(tmp_path: Path) -> None:
    assert "the harness failed" in imported(tmp_path, given(answer="bash: llama-cli: command not found"))[0]
    assert imported(tmp_path, given()) == []


def test_nothing_is_stored_of_a_source_with_one_wrong_line(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        imported(tmp_path, given(), given(model=""))
    with contextlib.closing(Store.open(tmp_path / "judge.db")) as store:
        assert store.run_ids() == []


def test_no_two_arms_share_a_file_and_names_become_names_of_files(tmp_path: Path) -> None:
    models = ["a_b", "a/b", "a%2Fb", "../../evil", "org/m:latest", "é" * 99, "é" * 100]
    imported(tmp_path, *(given(model=model) for model in models))
    with contextlib.closing(Store.open(tmp_path / "judge.db")) as store:
        run, _ = store.run("latest")
    names = [file_name(record.arm) for record in run.arms]
    assert len(set(names)) == len(models) and names[0] == "a_b_baseline"
    assert all("/" not in name and len(name.encode()) < 200 for name in names)


def test_json_lines_keep_their_speed_and_samples_and_our_own_files_come_back_as_they_were(tmp_path: Path) -> None:
    lines = given(model="org/m", tokens_per_second=45.3), given(model="org/m", question_id="t1_q1_factorial", sample=1)
    imported(tmp_path, *lines)
    run, results = load_results(Places(results=tmp_path), "latest")
    speed = results.arms[0].speed
    assert (speed.decode_tps.median, speed.token_sources, results.samples) == (45.3, ("reported",), 2)
    found, _ = read_source(tmp_path / run.id, load_suite())
    assert [(one.model, one.answer, one.sample, one.tokens_per_second) for one in found] == [
        ("org/m", RIGHT, 0, 45.3),
        ("org/m", RIGHT, 1, None),
    ]
