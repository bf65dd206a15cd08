"""Finding what is meant: questions name no function."""

import ast
from textwrap import dedent

import pytest

from judge.checks.candidates import Entry, WantedFunction, candidates
from judge.checks.checking import shown
from judge.checks.entry import find_function
from judge.checks.subject import CannotExamine, Case, Place, Subject
from judge.extract import runnable
from judge.library import load_suite
from runner.isolation import isolation
from runner.outcomes import Inventory

WANTED = WantedFunction(
    names=("reverse_words", "reverse_each_word"), words=("reverse", "word"), example=Case(("ab cd",), "ba dc")
)
BODY = "return ' '.join(w[::-1] for w in text.split(' '))"


async def started(code: str) -> Subject:
    found = await isolation()
    found.required()
    subject = Subject(load_suite().question("C-T1-Q2"), code, code, runnable(code), Place(found))
    await subject.start()
    return subject


async def discover(code: str, wanted: WantedFunction = WANTED) -> tuple[Entry, Subject]:
    subject = await started(dedent(code))
    try:
        return await find_function(subject, wanted), subject
    finally:
        await subject.close()


SHAPES = {
    "a plain function": (f"def reverse_words(text): {BODY}", "reverse_words(text)"),
    "another name": (f"def flip_each(text): {BODY}", "flip_each(text)"),
    "a camel-case name": (f"def reverseWords(text): {BODY}", "reverseWords(text)"),
    "a lambda": ("reverse_words = lambda t: ' '.join(w[::-1] for w in t.split(' '))", "reverse_words(t)"),
    "an option": (f"def reverse_words(text, sep=' '): {BODY}", "reverse_words(text)"),
    "an option before the argument": (
        f"class R:\n    def reverse(self, text, *, strict=False): {BODY}",
        "R().reverse(text)",
    ),
    "a keyword-only argument": (f"def reverse_words(*, text): {BODY}", "reverse_words(text=text)"),
    "a variadic function": ("def reverse_words(*texts): return ' '.join(w[::-1] for w in texts[0].split(' '))", None),
    "an async function": (f"async def reverse_words(text): {BODY}", "reverse_words(text)"),
    "a method": (f"class Solution:\n    def reverseWords(self, text): {BODY}", "Solution().reverseWords(text)"),
    "a static method": (f"class Words:\n    @staticmethod\n    def reverse(text): {BODY}", "Words.reverse(text)"),
    "a class method": (f"class Words:\n    @classmethod\n    def reverse(cls, text): {BODY}", "Words.reverse(text)"),
    "a callable object": (
        f"class ReverseWords:\n    def __call__(self, text): {BODY}",
        "ReverseWords().__call__(text)",
    ),
    "the text in the constructor": (
        """
        class WordReverser:
            def __init__(self, text):
                self.text = text
            def reverse(self):
                return ' '.join(w[::-1] for w in self.text.split(' '))
        """,
        "WordReverser(text).reverse()",
    ),
    "a constructor with an option": (
        f"class Reverser:\n    def __init__(self, sep=' '): pass\n    def reverse(self, text): {BODY}",
        "Reverser().reverse(text)",
    ),
    "a helper before it": (
        """
        def reverse_word(word):
            return word[::-1]
        def reverse_words(text):
            return ' '.join(map(reverse_word, text.split(' ')))
        """,
        "reverse_words(text)",
    ),
    "a helper whose name fits better": (
        """
        def reverse_words(words):
            return [w[::-1] for w in words]
        def convert(sentence):
            return ' '.join(reverse_words(sentence.split(' ')))
        """,
        "convert(sentence)",
    ),
    "a decorator of its own": (
        f"def checked(function):\n    return function\n@checked\ndef reverse_words(text): {BODY}",
        "reverse_words(text)",
    ),
    "a demonstration beside it": (
        f"def reverse_words(text): {BODY}\ndef demo(text='ab cd'):\n    print(reverse_words(text))\ndef main():\n    demo()",
        "reverse_words(text)",
    ),
    "a user of it beside it": (
        f"def reverse_words(text): {BODY}\ndef reverse_words_of_lines(lines): return [reverse_words(l) for l in lines]",
        "reverse_words(text)",
    ),
    "two versions that agree": (
        f"def reverse_words_loop(text): {BODY}\ndef reverse_words_short(text): {BODY}",
        "reverse_words_loop(text)",
    ),
    "a wrong one and its user": (
        "def reverse_words(text): return text\ndef apply(text): return ' '.join(w[::-1] for w in reverse_words(text).split())",
        "apply(text)",
    ),
    "wrong, but named": ("def reverse_words(text): return text[::-1]", "reverse_words(text)"),
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_the_entry_point_is_found_in(shape: str) -> None:
    code, text = SHAPES[shape]
    entry, subject = await discover(code)
    assert text is None or entry.text == text
    assert subject.entry_point == entry.text


async def test_two_versions_that_agree_are_noted() -> None:
    _, subject = await discover(SHAPES["two versions that agree"][0])
    assert subject.notes == ["there is also reverse_words_short(text): passes the example too"]


async def test_two_versions_that_differ_are_ambiguous() -> None:
    code = f"def reverse_words_loop(text): {BODY}\ndef reverse_words_short(text): return text[::-1]"
    with pytest.raises(CannotExamine, match=r"reverse_words_loop\(text\), reverse_words_short\(text\)") as raised:
        await discover(code)
    assert raised.value.state == "ambiguous"


@pytest.mark.parametrize("code", ["x = 5", "def add(a, b): return a + b", "class Empty: pass", "def ask(): return 1"])
async def test_without_a_fitting_signature_there_is_no_entry_point(code: str) -> None:
    with pytest.raises(CannotExamine) as raised:
        await discover(code)
    assert raised.value.state == "no_entry_point"


async def test_an_entry_that_hangs_on_the_example_is_a_timeout() -> None:
    with pytest.raises(CannotExamine) as raised:
        await discover("def reverse_words(text):\n    while True: pass")
    assert raised.value.state == "timeout"


async def test_an_entry_that_kills_its_process_died() -> None:
    with pytest.raises(CannotExamine) as raised:
        await discover("import os\ndef reverse_words(text): os._exit(0)")
    assert raised.value.state == "died"


async def test_a_generator_is_listed() -> None:
    wanted = WantedFunction(names=("parts",), words=("part",), example=Case(("a b",), ["a", "b"]))
    entry, _ = await discover("def parts(text):\n    yield from text.split()", wanted)
    assert entry.text == "parts(text)"


async def test_an_iterator_is_listed() -> None:
    wanted = WantedFunction(names=("parts",), words=("part",), example=Case(("a b",), ["A", "B"]))
    entry, _ = await discover("def parts(text): return map(str.upper, text.split())", wanted)
    assert entry.text == "list(parts(text))"


async def test_a_list_may_be_taken_as_separate_arguments() -> None:
    wanted = WantedFunction(names=("count",), words=("count",), example=Case((["a", "b"],), 2), spreads=True)
    entry, _ = await discover("def count(*items): return len(items)", wanted)
    assert entry.text == "count(*items)"


async def test_a_further_required_argument_is_filled() -> None:
    wanted = WantedFunction(
        names=("count",), words=("count",), example=Case((["a", "b"],), 7), fill=(("timeout", "5"),)
    )
    entry, _ = await discover("def count(items, timeout): return len(items) + timeout", wanted)
    assert shown(entry.text) == "'count(items, 5)'"


async def test_an_async_context_manager_is_entered() -> None:
    code = """
        class Fetcher:
            async def __aenter__(self):
                self.ready = True
                return self
            async def __aexit__(self, *_):
                pass
            async def count_all(self, items):
                return len(items) if self.ready else 0
        """
    wanted = WantedFunction(names=("count_all",), words=("count",), example=Case((["a", "b"],), 2))
    entry, _ = await discover(code, wanted)
    assert entry.text == "Fetcher().count_all(items)"


def test_candidates_need_no_sandbox() -> None:
    tree = ast.parse("from lib import reverse_words")
    assert [c.entry.target for c in candidates(Inventory(), tree, WANTED)] == ["reverse_words"]
