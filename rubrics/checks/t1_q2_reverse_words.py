"""C-T1-Q2: the letters of each word are reversed, the words stay where they are.

Spaces are handled correctly when none appears, disappears or moves. Open, so not looked at: what separates words beside
the space (tabs, line ends), and what becomes of punctuation.
"""

import functools
import random

from judge.checks.candidates import WantedFunction
from judge.checks.cases import Case
from judge.checks.checking import Check
from judge.checks.entry import find_function
from judge.checks.subject import Subject

QUESTION = "C-T1-Q2"
CALL_WALL_S = 1.0

EXAMPLE = Check(id="example", criteria=("correct_output",), about="'hello world' gives 'olleh dlrow'")
ONE_WORD = Check(id="one_word", criteria=("correct_output",), about="one word, one letter")
SENTENCES = Check(
    id="sentences", criteria=("correct_output",), about="several words, words within words, repeated words"
)
ANY_LETTERS = Check(id="any_letters", criteria=("correct_output",), about="upper case, digits and accented letters")
RANDOM = Check(id="random", criteria=("correct_output",), about="random words, one space between them")
INNER = Check(id="inner_spaces", criteria=("handles_spaces",), about="several spaces between words are kept")
OUTER = Check(id="outer_spaces", criteria=("handles_spaces",), about="leading and trailing spaces are kept")
NO_WORDS = Check(
    id="no_words", criteria=("handles_spaces",), about="only spaces, and nothing at all, come back as they are"
)
SPACED = Check(id="random_spaces", criteria=("handles_spaces",), about="random words with random spaces around them")

CHECKS = (EXAMPLE, ONE_WORD, SENTENCES, ANY_LETTERS, RANDOM, INNER, OUTER, NO_WORDS, SPACED)

_SEED = 22
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEXYZ0123456789"
_WANTED = WantedFunction(
    names=(
        "reverse_words",
        "reverse_each_word",
        "reverse_words_in_string",
        "reverse_words_in_place",
        "reverse_words_keep_order",
        "reverse_individual_words",
        "reverse_word_letters",
        "reverse_letters_in_words",
    ),
    words=("reverse", "word"),
    example=Case(("hello world",), "olleh dlrow"),
)


async def examine(subject: Subject) -> None:
    """Record every check."""
    entry = await find_function(subject, _WANTED)
    await subject.check_cases(entry.target, _cases(), entry.shown_name)


@functools.cache
def _cases() -> dict[Check, list[Case]]:
    """Made once: they are the same for every answer."""
    choose = random.Random(_SEED)
    texts = {
        ONE_WORD: ["hello", "a", "ab", "level"],
        SENTENCES: ["the quick brown fox", "a b c", "ab cab ab", "the cat sat on the mat", "no on", "word word"],
        ANY_LETTERS: [
            "Hello World",
            "ABC Def gHI",
            "abc123 x 42",
            "caf\u00e9 na\u00efve",
            "\u03b1\u03b2\u03b3 \u0434\u0430",
        ],
        RANDOM: [" ".join(_words(choose)) for _ in range(20)],
        INNER: ["a  bc", "one   two    three", "ab  cd  ef"],
        OUTER: [" ab", "ab ", " ab ", "  ab cd   "],
        NO_WORDS: ["", " ", "   "],
        SPACED: ["".join(" " * choose.randrange(4) + word for word in _words(choose)) + " " for _ in range(20)],
    }
    cases = {check: [Case((text,), _reversed_words(text)) for text in some] for check, some in texts.items()}
    return {EXAMPLE: [_WANTED.example], **cases}


def _reversed_words(text: str) -> str:
    return " ".join(word[::-1] for word in text.split(" "))


def _words(choose: random.Random) -> list[str]:
    return ["".join(choose.choices(_LETTERS, k=choose.randint(1, 7))) for _ in range(choose.randint(1, 6))]
