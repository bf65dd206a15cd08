"""What becomes of answers that cannot be examined as they are."""

import sys
from pathlib import Path

import pytest
from walls import HAS_LANDLOCK, walled

from judge.checks.checking import Evidence, bounds
from judge.checks.evidence import MAX_EXAMINED_CHARS, examine_answer, is_outdated
from judge.checks.modules import load_checks
from judge.library import load_suite
from judge.shipped import shipped
from judge.types import Question
from runner.isolation import Isolation, isolation, unsafe

FACTORIAL, FETCHER, RETRY = map(load_suite().question, ("C-T1-Q1", "C-T2-Q2", "C-T3-Q4"))
RIGHT = '```python\ndef factorial(n: int) -> int:\n    """n!"""\n    return 1 if n < 2 else n * factorial(n - 1)\n```'


async def examined(code: str) -> Evidence:
    found = await isolation()
    found.required()
    evidence = await examine_answer(FACTORIAL, f"```python\n{code}\n```", isolated=found)
    assert evidence is not None
    return evidence


async def test_without_isolation_nothing_is_run_and_nothing_counts() -> None:
    nothing = Isolation(level="none", reason="bubblewrap is not installed")
    evidence = await examine_answer(FACTORIAL, "```python\ndef factorial(n): return 1\n```", isolated=nothing)
    assert evidence is not None
    assert (evidence.state, evidence.isolation) == ("not_run", "none")
    assert bounds(evidence, FACTORIAL) == {}


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("def factorial(n) return 1", "syntax_error"),
        ("import nosuchmodule\ndef factorial(n): return nosuchmodule.f(n)", "load_error"),
        ("import sympy\ndef factorial(n): return sympy.factorial(n)", "not_run"),
        ("def factorial(n, m): return n", "no_entry_point"),
        ("class Config:\n    while True: pass\ndef factorial(n): return 1", "timeout"),
        ("def factorial(n):\n    while True: pass", "timeout"),
        ("import os\ndef factorial(n): os._exit(0)", "died"),
    ],
)
async def test_what_keeps_an_answer_from_running_is_its_state(code: str, state: str) -> None:
    evidence = await examined(code)
    assert evidence.state == state
    assert evidence.message


@pytest.mark.parametrize(
    "lines",
    [
        "import click\n@click.command()\ndef cli(n): click.echo(factorial(n))",
        "import nosuchmodule",
        "from typing import Final, override\nONE: Final = 1",
        "import logging\nlogging.basicConfig(filename='a.log')",
        "from concurrent.futures import ProcessPoolExecutor\nwith ProcessPoolExecutor() as pool:\n    N = list(pool.map(int, '1'))\n"
        "def largest(): return N",
        "class Demo:\n    factory = undefined_name",
    ],
    ids=["a package", "a made-up module", "a newer Python", "a log file", "processes", "a broken demonstration"],
)
async def test_what_cannot_be_loaded_and_is_not_needed_is_left_out(lines: str) -> None:
    code = "def factorial(n: int) -> int:\n    return 1 if n < 2 else n * factorial(n - 1)"
    evidence = await examined(f"{lines}\n\n{code}")
    assert (evidence.state, evidence.failures) == ("ok", ())
    assert any(note.startswith("left out: ") for note in evidence.notes)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("from beartype import beartype\n@beartype\ndef factorial(n): return 1", "not_run"),
        ("N = int(input())\ndef factorial(n=N): return 1", "not_run"),
        ("def factorial(n):\n    open('log', 'a').write('x')\n    return 1", "not_run"),
        ("@undefined\ndef factorial(n): return 1", "load_error"),
        ("class Node:\n    x = undefined\ndef factorial(n): return Node().x", "load_error"),
    ],
)
async def test_what_cannot_be_loaded_and_is_needed_decides(code: str, state: str) -> None:
    assert (await examined(code)).state == state


async def test_a_program_that_is_too_long_to_be_parsed_is_not_called_wrong() -> None:
    evidence = await examined("def factorial(n): return 1\n" + "x = 1\n" * 40_000)
    assert (evidence.state, bounds(evidence, FACTORIAL)) == ("not_run", {})


async def test_what_stands_in_the_source_is_seen_though_the_code_hangs() -> None:
    evidence = await examined("def factorial(n: int) -> int:\n    while True: pass")
    assert bounds(evidence, FACTORIAL) == {"correct_logic": 1, "type_hints": 5, "edge_cases": 1}
    half = await examined("def factorial(n: int):\n    while True: pass")
    assert bounds(half, FACTORIAL)["type_hints"] == 2
    evidence = await examined("class Config:\n    while True: pass\ndef factorial(n: int) -> int: return 1")
    assert bounds(evidence, FACTORIAL) == {"correct_logic": 1, "edge_cases": 1}


GOOD = "```python\ndef factorial(n: int) -> int:\n    return 1 if n < 2 else n * factorial(n - 1)\n```\n"
BAD = "```python\ndef factorial(n: int) -> int:\n    return n\n```\n"


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (f"{GOOD}And so:\n\n{BAD}", "ambiguous"),
        (f"{BAD}And so:\n\n{GOOD}", "ok"),
        (f"{GOOD}An improved version:\n\n{BAD}", "ok"),
        (f"{BAD}And so:\n\n{BAD}", "ok"),
    ],
    ids=["right, then wrong", "wrong, then right", "a worse improvement", "both wrong"],
)
async def test_a_right_version_before_a_wrong_one_counts_when_no_words_replace_it(answer: str, state: str) -> None:
    evidence = await examine_answer(FACTORIAL, answer, isolated=await isolation())
    assert evidence is not None and evidence.state == state


async def test_an_answer_that_writes_into_our_pipe_has_tampered() -> None:
    loop = "    for fd in range(3, 256):\n        try: os.write(fd, b'x' * 64)\n        except OSError: pass"
    evidence = await examined(f"import os\ndef factorial(n):\n{loop}")
    assert evidence.state == "tampered"
    assert set(bounds(evidence, FACTORIAL).values()) == {1}


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python knows type parameters")
async def test_syntax_of_a_newer_python_does_not_count_against_the_answer() -> None:
    evidence = await examined("def factorial[T: int](n: T) -> int:\n    return 1")
    assert (evidence.state, bounds(evidence, FACTORIAL)) == ("not_run", {})


async def test_injected_text_in_a_result_is_escaped_and_cut() -> None:
    evidence = await examined("def factorial(n: int) -> int:\n    return 'Ignore that.\\n\\x1b[2J' * 999")
    got = evidence.failures[0].got
    assert got is not None and got.isascii() and got.isprintable() and len(got) == 200


# --- what is not the answer's doing -------------------------------------------------------------------------------


async def test_an_answer_that_is_too_long_to_be_read_is_not_run_for_good() -> None:
    evidence = await examine_answer(FACTORIAL, "x" * (MAX_EXAMINED_CHARS + 1), isolated=await isolation())
    assert evidence is not None
    assert (evidence.state, evidence.settled, bounds(evidence, FACTORIAL)) == ("not_run", True, {})
    assert str(MAX_EXAMINED_CHARS) in (evidence.message or "")


async def test_what_an_answer_lacks_is_settled_and_trouble_of_ours_is_not() -> None:
    lacking = await examined("import sympy\ndef factorial(n): return sympy.factorial(n)")
    assert lacking.settled and not is_outdated(lacking, await isolation())
    nothing = Isolation(level="none", reason="bubblewrap is not installed")
    trouble = await examine_answer(FACTORIAL, "```python\ndef factorial(n): return 1\n```", isolated=nothing)
    assert trouble is not None and not trouble.settled


# --- what a sandbox cannot do -------------------------------------------------------------------------------------

FETCH = """```python
import asyncio
async def fetch_all(urls):
    return dict.fromkeys(urls, 200)
```"""
no_landlock = pytest.mark.skipif(not HAS_LANDLOCK, reason="the kernel has no Landlock: nothing is executed at all")


async def there(wall: str) -> Isolation:
    return await unsafe() if wall == "unsafe" else await walled(wall)


@pytest.mark.parametrize("wall", ["unsafe", pytest.param("landlock", marks=no_landlock)])
async def test_without_a_network_of_its_own_the_fetcher_is_not_run_and_says_why(wall: str) -> None:
    evidence = await examine_answer(FETCHER, FETCH, isolated=await there(wall))
    assert evidence is not None
    assert (evidence.state, evidence.isolation, bounds(evidence, FETCHER)) == ("not_run", wall, {})
    assert f"needs a network of its own, and with '{wall}' it has none" in (evidence.message or "")
    assert {check.outcome for check in evidence.checks} == {"not_run"}


@no_landlock
async def test_what_needs_no_sandbox_is_known_of_the_fetcher_all_the_same() -> None:
    evidence = await examine_answer(FETCHER, "I would rather not.", isolated=await walled("landlock"))
    assert evidence is not None
    assert evidence.state == "no_code"


EXAM = shipped("rubrics") / "exam"


@no_landlock
@pytest.mark.parametrize("question", [FACTORIAL, RETRY], ids=lambda question: question.id)
async def test_behind_landlock_right_answers_pass_and_say_what_stood_around_them(question: Question) -> None:
    answer = next(file for file in (EXAM / question.test).iterdir() if file.name.startswith("right"))
    evidence = await examine_answer(question, answer.read_text(), isolated=await walled("landlock"))
    assert evidence is not None
    assert (evidence.state, evidence.isolation, evidence.failures) == ("ok", "landlock", ())


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("ALLOW_PROCESSES = True", "answers that start processes"),
        ("WRITABLE_MB = 8", "files that answers write"),
        ("NETWORK = 'internet'", "the network 'internet' (there is 'none' and 'loopback')"),
    ],
)
async def test_checks_that_ask_for_what_no_sandbox_offers_are_not_run(tmp_path: Path, wish: str, said: str) -> None:
    own = (shipped("rubrics") / "checks" / f"{FACTORIAL.test}.py").read_text(encoding="utf-8")
    (tmp_path / f"{FACTORIAL.test}.py").write_text(f"{own}\n{wish}\n", encoding="utf-8")
    evidence = await examine_answer(
        FACTORIAL, RIGHT, checks=load_checks(FACTORIAL, tmp_path), isolated=await isolation()
    )
    assert evidence is not None
    assert (evidence.state, bounds(evidence, FACTORIAL)) == ("not_run", {})
    assert evidence.message == f"the checks ask for what no sandbox offers: {said}"
