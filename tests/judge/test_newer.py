"""Syntax of a newer Python is told from syntax that is wrong in all of them."""

import sys

import pytest

from judge.extract.newer import is_newer

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python knows most of it")

NEWER = [
    'def f(t):\n    return f"{" ".join(w[::-1] for w in t.split(" "))}"\n',
    "def f(a):\n    return f'{a['b']}'\n",
    'x = f"""{"""a"""}"""\n',
    'x = f"{f"{f"{1}"}"}"\n',
    'y = f"{chr(10).join(["\\n", "#"])}"  # "a comment"\n',
    'x = f"{\n    1\n}"\n',
    "type Natural = int\n",
    "type Pair[T] = tuple[T, T]\n",
    "class Stack[T]:\n    pass\n",
    "class Cache[K: str, V: list[int]](dict[K, V]):\n    pass\n",
    "def first[T](items: list[T]) -> T:\n    return items[0]\n",
    "class A:\n    async def m[**P](self, *a: P.args):\n        pass\n",
    "try:\n    pass\nexcept ValueError, KeyError:\n    pass\n",
    'x = t"{1}"\n',
]
NEITHER = [
    "",
    "x = 1\n",
    "def f(:\n",
    "def f(x)\n    return x\n",
    'print "a"\n',
    "type = 1\n",
    'x = f"{1"\n',
    "class Stack[T:\n    pass\n",
    "type X\n",
    "def f[T](x)\n    return x\n",
    'x = "a\n',
    "x = f'{'\n",
    "'''",
    "\\",
    "except:\n",
]


@pytest.mark.parametrize("code", NEWER)
def test_code_that_only_a_newer_python_takes_is_newer(code: str) -> None:
    assert is_newer(code)


@pytest.mark.parametrize("code", NEITHER)
def test_code_that_is_wrong_everywhere_or_right_here_is_not(code: str) -> None:
    assert not is_newer(code)
