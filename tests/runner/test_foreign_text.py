"""Secrets are found however they are written and wherever a text was cut, and nothing else is touched."""

import base64
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.foreign_text import MAX_DEPTH, PIECE_CHARS, Blackout, well_formed

KEY = 'sk-0123/456"789+never <written>'
BLACKOUT = Blackout([KEY])


def pieces_in(text: str, secret: str = KEY) -> list[str]:
    pieces = [secret[at : at + PIECE_CHARS] for at in range(len(secret) - PIECE_CHARS + 1)]
    return [piece for piece in pieces if piece in text]


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        json.dumps(KEY),
        json.dumps(KEY).replace("/", r"\/"),
        json.dumps(json.dumps({"authorization": KEY})),
        repr({"authorization": KEY}),
        quote(KEY),
        quote(KEY, safe=""),
        re.sub("%..", lambda escape: escape[0].lower(), quote(KEY)),
        html.escape(KEY),
        f"http://judge:{quote(KEY, safe='')}@host/v1",
    ],
)
def test_a_secret_is_found_in_every_way_of_writing_it(written: str) -> None:
    shown = BLACKOUT.whole(f"you sent {written}, and that is refused")
    assert "[key]" in shown and pieces_in(shown) == []
    assert shown.startswith("you sent ") and shown.endswith(", and that is refused")
    assert not any(piece in shown for piece in ("0123", "never"))


@pytest.mark.parametrize("blanks", [(" ", ""), ("", " "), ("", "\n"), ("  ", "\t")])
def test_a_secret_is_found_without_the_blanks_around_it_that_a_header_loses(blanks: tuple[str, str]) -> None:
    before, after = blanks
    hidden = Blackout([f"{before}{KEY}{after}"])
    assert hidden.whole(f"you sent {KEY}, and") == "you sent [key], and"
    assert not hidden.is_plain(json.dumps(KEY).encode())


@pytest.mark.parametrize("user", ["", "a:", "ab:", "abc:", "judge:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_in_the_base64_of_an_account_is_found_whatever_stands_before_it(user: str, encode) -> None:
    written = encode(f"{user}{KEY}".encode()).decode()
    before, found, after = BLACKOUT.whole(written).partition("[key]")
    assert found and after.rstrip("=")[1:] == "", "what two bytes share may be left at the edges"
    assert len(before) <= len(encode(user.encode()))


def test_the_form_with_stars_of_an_endpoint_is_left_as_it_is() -> None:
    said = "Incorrect API key provided: sk-0123***ten>. You can find your API key in your account."
    assert BLACKOUT.pieces(said) == said


@given(st.integers(0, len(KEY)), st.integers(0, len(KEY)))
def test_of_a_secret_that_somebody_else_has_cut_no_piece_is_left(begin: int, end: int) -> None:
    shown = BLACKOUT.pieces(f"you sent «{KEY[begin:end]}»")
    assert pieces_in(shown) == []
    assert shown.startswith("you sent «") and shown.endswith("»")


@given(st.integers(PIECE_CHARS, len(KEY) - 1))
def test_the_head_of_a_secret_at_the_end_of_a_text_is_a_secret_and_elsewhere_part_of_the_text(length: int) -> None:
    assert BLACKOUT.whole(f"Bearer {KEY[:length]}") == "Bearer [key]"
    assert BLACKOUT.whole(f"{KEY[:length]} and on") == f"{KEY[:length]} and on"


@given(st.text())
def test_a_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert BLACKOUT.pieces(text) == text


def test_what_is_too_short_to_be_a_secret_hides_nothing() -> None:
    assert Blackout(["none", ""]).pieces("none of it") == "none of it"


def test_json_is_cleaned_in_all_its_texts_and_names_and_keeps_its_form() -> None:
    said = json.loads(
        f'{{"a": ["{KEY[:3]}\\u0030{json.dumps(KEY)[5:-1]}", 1, null, true], "b\\ud83e": {{{json.dumps(KEY)}: 2.5}}}}'
    )
    assert BLACKOUT.everywhere(said) == {"a": ["[key]", 1, None, True], "b\ufffd": {"[key]": 2.5}}


def test_json_that_is_nested_too_deeply_is_refused_and_what_is_not_is_read() -> None:
    def nested(depth: int):
        return json.loads("[" * depth + "]" * depth)

    assert BLACKOUT.everywhere(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    with pytest.raises(RecursionError, match="nested more than"):
        BLACKOUT.everywhere(nested(MAX_DEPTH + 1))


@given(st.text(st.characters(codec=None)))
def test_every_text_can_be_stored_once_it_is_well_formed(text: str) -> None:
    assert well_formed(text).encode().decode() == well_formed(text)


TEXTS = st.text() | st.builds("{}{}".format, st.text(), st.sampled_from([KEY, KEY[:9], KEY[:8], KEY[3:]]))


@given(
    st.recursive(
        st.none() | st.integers() | TEXTS,
        lambda one: st.lists(one, max_size=3) | st.dictionaries(TEXTS, one, max_size=3),
        max_leaves=9,
    ),
    st.booleans(),
)
def test_what_looks_plain_needs_nothing_replaced(value: object, ascii_only: bool) -> None:
    content = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    parsed = json.loads(content)
    if BLACKOUT.is_plain(content):
        assert BLACKOUT.everywhere(parsed) == parsed


@pytest.mark.parametrize(
    "spell",
    [str, lambda key: key[:-4], lambda key: f'"{key}"', lambda key: base64.b64encode(key.encode()).decode()],
    ids=["whole", "cut", "quoted", "base64"],
)
def test_json_with_a_secret_is_never_plain(spell: Callable[[str], str]) -> None:
    assert not BLACKOUT.is_plain(json.dumps({"error": f"you sent {spell(KEY)}"}).encode())
    assert BLACKOUT.is_plain(b'{"error": "nothing of yours"}')


def test_what_is_nested_deeply_is_not_plain() -> None:
    deep = MAX_DEPTH + 1
    assert not Blackout().is_plain(b"[" * deep + b"]" * deep)
