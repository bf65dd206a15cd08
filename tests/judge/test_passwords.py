"""Addresses of stores and endpoints as people type them: no part of a password is shown, and what is shown still says where."""

import sqlite3

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from judge.commands.shared import secrets
from judge.errors import StoreError, UserError
from judge.judge_prompts import load_judge_prompts
from judge.judges import build_judge
from judge.library import load_models
from judge.passwords import passwords, without_password
from judge.store import Store
from judge.store.database import SAID_CHARS, Database
from judge.wanted import JudgeChoice, RunChoice

DRIVER = "postgresql+psycopg"


@pytest.mark.parametrize(
    ("address", "shown", "found"),
    [
        (f"{DRIVER}://judge:sesame-open@db/judge", f"{DRIVER}://judge:...@db/judge", ["sesame-open"]),
        (f"{DRIVER}://db/judge?user=j&password=sesame-open", f"{DRIVER}://db/judge?...", ["sesame-open"]),
        (f"{DRIVER}://db/judge?sslpassword=ses%40me", f"{DRIVER}://db/judge?...", ["ses%40me", "ses@me"]),
        (f"{DRIVER}://judge:ses/ame@db/judge", f"{DRIVER}://judge:...@db/judge", ["ses/ame"]),
        (f"{DRIVER}://judge:ses/ame@open@db/judge", f"{DRIVER}://judge:...@db/judge", ["ses/ame", "ses/ame@open"]),
        (f"{DRIVER}://judge:ses?ame@db/judge", f"{DRIVER}://...", ["ses?ame"]),
        (f"{DRIVER}://judge:ses#ame@db/judge", f"{DRIVER}://...", ["ses#ame"]),
        (f"{DRIVER}://judge:p%40ss-word@db/judge", f"{DRIVER}://judge:...@db/judge", ["p%40ss-word", "p@ss-word"]),
        (f"{DRIVER}://db/judge?password=a@b-c", f"{DRIVER}://...", ["a@b-c"]),
        (f"{DRIVER}://judge:sesame", f"{DRIVER}://...", []),
        (f"{DRIVER}://judge@db:5432,db2/judge", f"{DRIVER}://...@db:5432,db2/judge", []),
        ("host=db user=j password='ses ame'", "host=db user=j password=...", ["ses ame"]),
        ("sqlite:////tmp/some where/judge.db", "sqlite:////tmp/some where/judge.db", []),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1", []),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1", []),
        ("results/judge.db", "results/judge.db", []),
    ],
)  # fmt: skip
def test_what_is_shown_of_an_address_and_what_of_it_is_a_secret(address: str, shown: str, found: list[str]) -> None:
    assert without_password(address) == shown
    assert without_password(f"--store={address}").endswith(shown)
    assert passwords(address) == found
    assert secrets({"JUDGE_API_KEY": "k"}, address) == ["k", *found]


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8))
def test_whatever_characters_a_password_has_none_of_its_pieces_is_shown_and_all_of_it_is_a_secret(
    password: str,
) -> None:
    address = f"{DRIVER}://judge:{password}@db/judge"
    assert without_password(address) in (f"{DRIVER}://judge:...@db/judge", f"{DRIVER}://...")
    assert password in passwords(address)


@pytest.mark.parametrize(
    "address",
    [
        f"{DRIVER}://judge:ses/ame@open@127.0.0.1:1/judge",
        f"{DRIVER}://127.0.0.1:1/judge?user=j&password=sesame-open",
        f"{DRIVER}://judge:sesame-open@127.0.0.1:1/judge?connect_timeout=sesame-open",
        f"{DRIVER}://judge:sesame-open",
        "host=127.0.0.1 password=sesame-open",
    ],
)
def test_a_store_that_cannot_be_opened_is_told_without_its_password(address: str) -> None:
    with pytest.raises(StoreError) as told:
        Store.open(address)
    assert not any(part in str(told.value) for part in ("ses", "ame-", "ame@", "open@"))


@pytest.mark.parametrize("before", range(SAID_CHARS - 16, SAID_CHARS + 1))
def test_a_driver_that_quotes_the_address_does_not_make_us_show_the_password(before: int) -> None:
    address = "postgresql+pg8000://db/judge?user=j&password=sesame-open"

    def refuse() -> None:
        raise sqlite3.OperationalError(f"{'x' * before}sesame-open is wrong for {address}")

    # A driver that is always there stands in for one that has to be installed.
    database = Database(sa.create_engine(address, module=sqlite3, creator=refuse))
    with pytest.raises(StoreError, match=r"^postgresql\+pg8000://db/judge\?\.\.\.: xxx") as told:
        database.changes(["scope"])
    assert "sesame" not in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://me:sesame-open@127.0.0.1:9/v1",
        "http://127.0.0.1:9/v1?api-key=sesame-open",
        "http://127.0.0.1:9/v1#sesame-open",
        "http://me:ses/ame-open@127.0.0.1:9/v1",
        "http://me:ses?ame-open@127.0.0.1:9/v1",
        "http://sesame-open@127.0.0.1:9/v1",
        "me:sesame-open@127.0.0.1:9/v1",
        "htp://me:sesame-open@127.0.0.1:9/v1",
    ],
)
def test_a_key_in_the_url_of_a_judge_is_refused_before_anything_is_stored_and_not_shown(url: str) -> None:
    wanted = JudgeChoice(urls=("http://127.0.0.1:8/v1", url), model="m")
    with pytest.raises(UserError, match=r"put the key into JUDGE_API_KEY|is no URL") as refusal:
        build_judge(wanted, RunChoice(candidates=()), load_models(), load_judge_prompts(), {})
    assert not any(part in str(refusal.value) for part in ("ses", "ame-open"))
