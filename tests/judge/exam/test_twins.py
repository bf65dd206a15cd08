"""Twins of answers: other text, the same program."""

import ast

import pytest
from exam_judges import SUITE, paper_on

from judge.checks.checking import bounds
from judge.checks.evidence import examine_all
from judge.exam.twins import code_in, injected, padded, renamed, with_comment, with_dead_code
from judge.exam_answers import load_twin_texts
from judge.shipped import shipped
from runner.isolation import isolation

TEXTS = load_twin_texts(shipped("rubrics") / "exam")
ANSWER = """Here it is:

```python
import os

LIMIT = 3


class Box:
    size = 1

    def fill(self, items, *, extra=0):
        total = 0  # total of all items
        for item in items:
            total += item.size
        label = f"{total}"
        note = [part for part in (label,)]
        try:
            os.remove(note[0])
        except OSError as error:
            raise ValueError(error)
        return total
```

It keeps a total.
"""


def code(text: str | None) -> str:
    assert text is not None
    found = code_in(text)
    assert found is not None
    return found.code


def test_renaming_touches_local_variables_and_nothing_that_others_can_see() -> None:
    twin = code(renamed(ANSWER))
    names = {node.id for node in ast.walk(ast.parse(twin)) if isinstance(node, ast.Name)}
    assert names >= {"value_1", "value_2", "value_3", "LIMIT", "os", "items", "error", "size"}
    assert not names & {"item", "note", "part"}
    assert 'f"{total}"' in twin, "names in an f-string have no places of their own in older Pythons"
    assert "# total of all items" in twin


def test_a_program_without_local_variables_has_no_renamed_twin() -> None:
    assert renamed("```python\ndef f(n):\n    return n\n```") is None


def test_a_name_that_is_a_builtin_elsewhere_is_left_alone() -> None:
    text = "```python\ndef f():\n    list = 1\n    return list\n\n\ndef g(x):\n    return list(x)\n```"
    assert renamed(text) is None


def test_letters_of_more_than_a_byte_do_not_shift_names() -> None:
    text = "```python\ndef f(n):\n    a = 'é'; größe = n\n    return a, größe\n```"
    assert code(renamed(text)) == "def f(n):\n    value_1 = 'é'; value_2 = n\n    return value_1, value_2\n"


def test_the_other_twins_keep_the_program_and_add_their_text() -> None:
    program = code(ANSWER)
    assert code(with_dead_code(ANSWER, TEXTS.dead_code)).startswith(program.rstrip())
    assert code(with_comment(ANSWER, TEXTS.verified)) == f"{TEXTS.verified}\n{program}"
    assert code(padded(ANSWER, TEXTS.padding)) == program
    ordered = injected(ANSWER, TEXTS.injection)
    assert code(ordered) == f"{TEXTS.injection.comment}\n{program}"
    assert ordered is not None and ordered.endswith(TEXTS.injection.prose)


@pytest.mark.parametrize("text", ["no code", "```python\nx = (\n```", "```python\na = 1\n```\n```python\nb = 2\n```"])
def test_an_answer_without_one_program_has_no_twins(text: str) -> None:
    assert renamed(text) is with_dead_code(text, "x = 1") is padded(text, TEXTS.padding) is None


async def test_a_program_with_other_names_still_passes_every_check() -> None:
    found = await isolation()
    found.required()
    for twin in (item for item in paper_on(*SUITE.ids).items if item.kind == "renamed"):
        question = SUITE.question(twin.question_id)
        [seen] = await examine_all(question, [twin.text], isolated=found)
        assert seen is not None and seen.state == "ok", (twin.file, seen)
        assert all(bound == 5 for bound in bounds(seen, question).values()), (twin.file, seen)
