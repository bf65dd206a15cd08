"""What stays of a module when its examples go, and what the words around a block decide."""

import ast

import pytest

from judge.extract import cues
from judge.extract.answer import extract
from judge.extract.program import runnable
from judge.extract.values import Program

DEFS = "def f(n):\n    return n\n\n\nclass Stack:\n    def pop(self):\n        return 1\n\n\n"


def kept(code: str) -> list[str]:
    return [ast.unparse(node) for node in ast.parse(runnable(code).code).body]


def stays(statement: str, *, beside: str = DEFS) -> bool:
    return ast.unparse(ast.parse(statement)) in "\n".join(kept(beside + statement + "\n"))


@pytest.mark.parametrize(
    "statement",
    [
        "print(f(3))",
        "f(3)",
        "assert f(3) == 6",
        "n = int(input('n: '))",
        "result = f(3)",
        "stack = Stack()",
        "for i in range(3):\n    print(f(i))",
        "while True:\n    f(1)",
        "if __name__ == '__main__':\n    f(3)",
        "if '__main__' == __name__:\n    f(3)",
        "import asyncio\nasyncio.run(f(3))",
        "results = await f(3)",
        "try:\n    f(3)\nexcept ValueError as error:\n    print(error)",
        "with open('x') as file:\n    print(file.read())",
        "import sys\nn = int(sys.argv[1])",
        "import argparse\nargs = argparse.ArgumentParser().parse_args()",
        "import requests\nreply = requests.get('http://x')",
        "import doctest\ndoctest.testmod()",
        "outputs = list(map(f, [1, 2]))",
        "def test_f():\n    assert f(1) == 1",
        "class TestF(unittest.TestCase):\n    def test_f(self):\n        pass",
        "raise SystemExit(f(1))",
        "del f",
        "'a' if f(1) else 'b'",
    ],
)
def test_usage_goes(statement: str) -> None:
    assert kept(DEFS + statement + "\n") == kept(DEFS)


@pytest.mark.parametrize(
    "statement",
    [
        "import math",
        "LIMIT = 3",
        "PAIRS: dict[str, int] = {'a': 1}",
        "solution = f",
        "g = lambda s: s[::-1]",
        "import functools\nfast = functools.lru_cache(None)(f)",
        "import sys\nsys.setrecursionlimit(10000)",
        "try:\n    import numpy\nexcept ImportError:\n    numpy = None",
        "import sys\nif sys.version_info >= (3, 12):\n    def h(): return 1\nelse:\n    def h(): return 2",
        "Stack.peek = f",
    ],
)
def test_definitions_constants_and_settings_stay(statement: str) -> None:
    assert stays(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "import threading\nNEEDED = threading.Lock()",
        "NEEDED = f(3)",
        "NEEDED = []\nfor i in range(3):\n    NEEDED.append(i)",
        "NEEDED = {}\nNEEDED.update(a=1)",
        "NEEDED = {}\nNEEDED['a'] = f(1)",
        "part = f(2)\nNEEDED = part + 1",
        "with open('x') as file:\n    NEEDED = file.read()",
    ],
)
def test_what_a_definition_reads_stays(statement: str) -> None:
    assert stays(statement, beside=DEFS + "def user():\n    return NEEDED\n\n\n")


def test_a_local_name_is_not_a_need() -> None:
    assert "result = f(3)" not in kept("def f(n):\n    result = n\n    return result\n\nresult = f(3)\n")


def test_what_asks_a_person_goes_even_where_a_function_reads_it() -> None:
    program = runnable("def f():\n    return n\n\nn = int(input())\nm = n + 1\n")
    assert [ast.unparse(node) for node in ast.parse(program.code).body] == ["def f():\n    return n"]
    assert program.dropped == ("line 4: n = int(input())", "line 5: m = n + 1")


def test_a_loop_variable_of_a_dropped_loop_does_not_drop_the_next_loop() -> None:
    loops = "for i in range(2):\n    time.sleep(i)\nfor i in range(3):\n    T.append(i)\n"
    code = f"import time\nT = []\n{loops}\ndef f():\n    return T\n"
    assert "for i in range(3):\n    T.append(i)" in kept(code)
    assert "sleep" not in runnable(code).code


def test_an_import_that_only_tests_need_goes_with_them() -> None:
    imports, test = "import pytest\nimport math\nimport os\n", "def test_f():\n    assert pytest.approx(f()) == 3.14\n"
    code = f"{imports}\ndef f():\n    return math.pi\n\n{test}"
    assert "import pytest" not in kept(code)
    assert {"import math", "import os"} <= set(kept(code))


def test_an_import_of_a_made_up_module_goes_when_its_names_are_here() -> None:
    assert kept("from solution import f\n\ndef f():\n    return 1\n") == ["def f():\n    return 1"]
    assert kept("from math import f\n\ndef f():\n    return 1\n")[0] == "from math import f"
    assert kept("from solution import g\n\ndef f():\n    return g()\n")[0] == "from solution import g"


def test_lines_keep_their_numbers_and_comments() -> None:
    program = runnable("print(1)\n\n\ndef f():  # why\n    return 1\n\n\nprint(f())\n")
    assert program.code == "\n\n\ndef f():  # why\n    return 1\n"


def test_statements_on_one_line_are_told_apart() -> None:
    program = runnable("LIMIT = 3; print(LIMIT)\ndef f():\n    return LIMIT\n")
    assert [ast.unparse(node) for node in ast.parse(program.code).body] == ["LIMIT = 3", "def f():\n    return LIMIT"]
    assert program.dropped == ("line 1: LIMIT = 3; print(LIMIT)",)


def test_code_that_does_not_parse_comes_back_unchanged_with_its_error() -> None:
    code = "def f(:\r\n    return 1\n"
    assert runnable(code) == Program(
        code=code, dropped=(), defines=("f",), parses=False, syntax_error="line 1: SyntaxError: invalid syntax"
    )


def test_an_error_that_only_the_compiler_finds_is_an_error() -> None:
    program = runnable("def f():\n    return 1\n\nreturn f\n")
    assert not program.parses
    assert program.syntax_error == "line 4: SyntaxError: 'return' outside function"


def test_the_definitions_are_listed_in_order() -> None:
    assert runnable("class B: pass\ndef a(): pass\nc = lambda: 1\ndef test_a(): a()\n").defines == ("B", "a", "c")


@pytest.mark.parametrize(
    ("line", "worse"),
    [
        ("The original code:", True),
        ("**Before:**", True),
        ("A brute force solution:", True),
        ("错误的写法：", True),
        ("Unlike the naive approach, this is O(n):", False),
        ("This version avoids brute force:", False),
        ("It checks the bounds before indexing:", False),
        ("This keeps the original order:", False),
        ("The fixed version of the original code:", False),
    ],
)
def test_only_words_about_the_block_itself_make_it_the_worse_one(line: str, worse: bool) -> None:
    assert cues.worse(line) is worse


@pytest.mark.parametrize(
    ("intro", "taken"), [("Corrected version:", 2), ("Or, using recursion:", 1), ("The original code:", 1), ("", 2)]
)
def test_of_two_versions_the_words_choose_and_without_words_the_later_one(intro: str, taken: int) -> None:
    answer = f"```python\ndef f():\n    return 1\n```\n\n{intro}\n\n```python\ndef f():\n    return 2\n```\n"
    extraction = extract(answer)
    assert extraction.code == f"def f():\n    return {taken}\n"
    assert [block.role == "taken" for block in extraction.blocks] == [taken == 1, taken == 2]


def test_an_example_that_calls_the_questions_code_is_no_correction_of_it() -> None:
    prompt = "Fix:\n```python\ndef f(a):\n    b = a\n    return b\n```\n"
    extraction = extract("Try it:\n```python\nb = f(3)\n```\n", prompt=prompt)
    assert "patched_question" not in extraction.flags
    assert "def f" not in extraction.code


def test_future_imports_of_joined_blocks_come_first() -> None:
    answer = "```python\nclass A: pass\n```\n\n```python\nfrom __future__ import annotations\nclass B: pass\n```\n"
    assert extract(answer).code.startswith("from __future__ import annotations\n\nclass A")
    assert runnable(extract(answer).code).parses


def test_a_broken_block_does_not_break_a_whole_one_that_does_without_it() -> None:
    broken, whole = "```python\ndef sketch(: pass\n```\n", "```python\ndef f():\n    return 1\n```\n"
    assert extract(broken + whole).code == "def f():\n    return 1\n"
    assert extract(f"{whole}\nUsage:\n\n{broken}").parses
    needs = whole.replace("return 1", "return sketch()")
    assert not extract(broken + needs).parses


def test_without_the_question_its_code_is_just_a_draft() -> None:
    answer = "```python\ndef f():\n    return 1\n```\nFixed:\n```python\ndef f():\n    return 2\n```\n"
    assert [b.role for b in extract(answer).blocks] == ["draft", "taken"]
    assert [b.role for b in extract(answer, prompt="```python\ndef f():\n    return 1\n```").blocks] == [
        "echo",
        "taken",
    ]


def test_the_reason_names_the_lines_and_what_was_left() -> None:
    answer = "```python\ndef f():\n    return 1\n```\n\n```bash\npip install x\n```\n"
    assert extract(answer).reason == "took lines 1-4: defines f; left 1 shell"
    assert extract("no code here").reason == "nothing in the answer is a Python program"
    assert extract("<think>hm").reason == "the answer ends inside its reasoning"
