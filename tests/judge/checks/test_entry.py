"""Finding what is meant: questions name no function."""

import ast
from dataclasses import replace
from textwrap import dedent

import pytest

from judge.checks.candidates import Entry, WantedFunction, candidates
from judge.checks.cases import Case
from judge.checks.entry import find_function
from judge.checks.showing import shown
from judge.checks.subject import CannotExamine, Place, Subject
from judge.extract.program import runnable
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
    "a helper of what promises something else": (
        f"def flip(text): {BODY}\ndef count_reverse_words(text): return len(flip(text))",
        "flip(text)",
    ),
    "an object of a decorator class": (
        "class Memo:\n    def __init__(self, f): self.f = f\n    def __call__(self, *a): return self.f(*a)\n"
        f"@Memo\ndef flip(text): {BODY}",
        "flip(text)",
    ),
    "a partial of its own": (
        "from functools import partial\ndef turn(sep, text): return sep.join(w[::-1] for w in text.split(sep))\n"
        "flip = partial(turn, ' ')",
        "flip(text)",
    ),
    "what a function of its own makes": (
        f"def maker():\n    def inner(text): {BODY}\n    return inner\nflip = maker()",
        "flip(text)",
    ),
    "a method without its class": (
        "def word(self, w): return w[::-1]\ndef reverseWords(self, text): return ' '.join(map(self.word, text.split(' ')))",
        "reverseWords(_bare_self, text)",
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


@pytest.mark.parametrize(
    "code",
    [
        f"def reverse_words(text): return text[::-1]\ndef flip(text): {BODY}",
        f"def flip(text): {BODY}\ndef reverse_sentence_words(text): return flip(text)[1:]",
    ],
    ids=["another one beside a named one", "a helper of a likely one"],
)
async def test_one_that_passes_beside_a_likelier_one_that_fails_is_ambiguous(code: str) -> None:
    with pytest.raises(CannotExamine, match=r"flip\(text\)") as raised:
        await discover(code)
    assert raised.value.state == "ambiguous"


@pytest.mark.parametrize("helper", ["flip", "_flip"])
async def test_who_uses_a_right_helper_and_spoils_its_result_is_wrong(helper: str) -> None:
    name = "reverse_words" if helper == "flip" else "reverse_sentence_words"
    entry, _ = await discover(f"def {helper}(text): {BODY}\ndef {name}(text): return {helper}(text)[1:]")
    assert entry.text == f"{name}(text)"


async def test_of_several_versions_the_one_that_passes_counts() -> None:
    code = f"def reverse_words(text): return text\ndef reverse_each_word(text): {BODY}"
    entry, _ = await discover(code, replace(WANTED, versions=True))
    assert entry.text == "reverse_each_word(text)"


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
