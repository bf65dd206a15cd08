"""Replies of judges, good and bad, one file each in replies/: what becomes of them.

A file starts with the expected outcome: ``scores:`` with one entry a criterion, or ``error:`` with part of the message; then a
line of dashes, then the reply, byte for byte.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge.errors import VerdictError
from judge.prompting import verdict_schema
from judge.types import Criterion
from judge.verdicts import WINNERS, parse_preference, parse_verdicts

REPLIES = sorted((Path(__file__).parent / "replies").glob("*.txt"))
CRITERIA = (
    Criterion(id="correct_logic", name="Correct logic", weight=70),
    Criterion(id="clean_code", name="Clean code", weight=30),
)


def split(path: Path) -> tuple[str, str, str]:
    head, _, reply = path.read_text(encoding="utf-8").partition("\n---\n")
    kind, _, expected = head.partition(": ")
    return kind, expected.strip(), reply.removesuffix("\n")


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
def test_a_reply_becomes_what_its_file_says(path: Path) -> None:
    kind, expected, reply = split(path)
    if kind == "scores":
        verdicts = parse_verdicts(reply, CRITERIA)
        assert [v.criterion for v in verdicts] == ["correct_logic", "clean_code"]
        assert ", ".join(str(v.score) for v in verdicts) == expected
    else:
        with pytest.raises(VerdictError) as caught:
            parse_verdicts(reply, CRITERIA)
        assert expected in str(caught.value)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 200


def test_there_are_good_and_bad_replies() -> None:
    kinds = [split(path)[0] for path in REPLIES]
    assert set(kinds) == {"scores", "error"}
    assert min(kinds.count("scores"), kinds.count("error")) > 8


def test_evidence_and_reasoning_are_kept_word_for_word() -> None:
    entry = {"evidence": "return 1 if n < 2 else …", "reasoning": "base case\nis right", "score": 4}
    (verdict,) = parse_verdicts(json.dumps({"clean_code": entry}), CRITERIA[1:])
    assert verdict.model_dump() == {"criterion": "clean_code", **entry}


def test_half_a_character_in_a_reply_can_be_stored() -> None:
    reply = r'{"clean_code": {"evidence": "a\ud83e", "reasoning": "", "score": 4}}'
    (verdict,) = parse_verdicts(reply, CRITERIA[1:])
    assert json.loads(verdict.model_dump_json())["evidence"] == "a\ufffd"


def test_a_long_verdict_is_no_bad_one() -> None:
    entry = {"evidence": "x" * 5_000, "reasoning": "y" * 5_000, "score": 4}
    (verdict,) = parse_verdicts(json.dumps({"clean_code": entry}), CRITERIA[1:])
    assert len(verdict.reasoning) == 5_000


SCORES = st.sampled_from([1, 2, 3, 4, 5, "cannot_assess"])
ENTRIES = st.fixed_dictionaries({"evidence": st.text(), "reasoning": st.text(), "score": SCORES})


@given(
    st.fixed_dictionaries({"correct_logic": ENTRIES, "clean_code": ENTRIES}), st.text(alphabet="ab `\n."), st.booleans()
)
def test_every_complete_verdict_is_read_whatever_stands_around_it(
    verdict: dict[str, Any], around: str, ascii_only: bool
) -> None:
    reply = around + json.dumps(verdict, ensure_ascii=ascii_only) + around
    expected = [
        None if entry["score"] == "cannot_assess" else entry["score"] for entry in (verdict[c.id] for c in CRITERIA)
    ]
    assert [v.score for v in parse_verdicts(reply, CRITERIA)] == expected


ODD = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.integers(), max_size=2)
)


@given(ODD.filter(lambda score: score not in ("1", "2", "3", "4", "5", "cannot_assess") and not _on_the_menu(score)))
def test_no_score_off_the_menu_is_ever_read(score: object) -> None:
    reply = json.dumps({"clean_code": {"evidence": "", "reasoning": "", "score": score}})
    with pytest.raises(VerdictError, match="expected 1, 2, 3, 4, 5"):
        parse_verdicts(reply, CRITERIA[1:])


def _on_the_menu(score: object) -> bool:
    return type(score) is int and 1 <= score <= 5


@given(st.text() | st.text(alphabet='{}[]":,\\ 12345', max_size=60))
def test_any_text_is_a_verdict_or_a_verdict_error(reply: str) -> None:
    with pytest.raises(VerdictError):
        parse_verdicts(reply, CRITERIA)


def test_the_schema_asks_for_scores_of_the_menu_after_their_reasons() -> None:
    schema = verdict_schema(CRITERIA)
    assert list(schema["properties"]) == schema["required"] == ["correct_logic", "clean_code"]
    entry = schema["properties"]["clean_code"]
    assert list(entry["properties"]) == entry["required"] == ["evidence", "reasoning", "score"]
    menus = [choice["enum"] for choice in entry["properties"]["score"]["anyOf"]]
    assert menus == [[1, 2, 3, 4, 5], ["cannot_assess"]]
    assert not schema["additionalProperties"] and not entry["additionalProperties"]


# --- preferences ------------------------------------------------------------------------------------------------------


@given(st.sampled_from(WINNERS), st.text(), st.text(alphabet="ab `\n."))
def test_every_complete_preference_is_read_whatever_stands_around_it(winner: str, why: str, around: str) -> None:
    found = parse_preference(around + json.dumps({"reasoning": why, "winner": winner}, ensure_ascii=False) + around)
    assert found == (winner, why)


def test_two_preferences_that_differ_are_none() -> None:
    one, other = (json.dumps({"reasoning": "r", "winner": winner}) for winner in ("first", "tie"))
    assert parse_preference(f"{one} As I said: {one}") == ("first", "r")
    with pytest.raises(VerdictError, match="found 2 complete objects that do not say the same"):
        parse_preference(f"{one} No: {other}")


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ("", "no JSON object found in an empty reply"),
        ("The first.", "no JSON object found in 'The first.'"),
        ('{"winner": "first"}', "reasoning: expected text, found None"),
        ('{"reasoning": "r"}', 'winner: expected "first", "second" or "tie", found None'),
        ('{"reasoning": "r", "winner": "First"}', 'winner: expected "first", "second" or "tie", found \'First\''),
        ('{"reasoning": "r", "winner": 1}', 'winner: expected "first", "second" or "tie", found 1'),
        ('{"reasoning": "r", "winner": ["tie"]}', 'winner: expected "first", "second" or "tie", found [\'tie\']'),
    ],
)
def test_what_names_no_winner_is_no_tie(reply: str, problem: str) -> None:
    with pytest.raises(VerdictError) as caught:
        parse_preference(reply)
    assert str(caught.value) == problem
