"""No password that stands somewhere in a URL is told by any command, however badly the URL is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands import run
from laws import examples
from shops import SHOP

PLACES = json.loads(Path(__file__).with_name("password_places.json").read_text())
LETTERS = st.text(st.sampled_from("abcxyzABC0189-_.~!$'()*,;+ :/?#[]%&=@äß"), min_size=0, max_size=6)
PASSWORDS = st.builds(lambda before, after: f"{before}hunter2{after}", LETTERS, LETTERS)
"""``hunter2`` is what is looked for: marks around it tear the rest apart in all ways that there are."""

RUN = ["run", "-"]
STORES = [
    ["verify"],
    ["tick"],
    ["event", "email_received", "m-1"],
    ["event", "email_received", "m-1", "--quiet"],
    ["key", "show"],
    ["key", "rotate"],
    ["customer", "show", "ada@example.org"],
    ["customer", "erase", "ada@example.org", "--by", "Mia", "--yes"],
    ["outbox", "list"],
    ["contact", "m-1"],
    ["plan"],
    ["apply"],
    ["apply", "--shadow"],
    ["case", "list"],
    RUN,
]
NO_PLACE = [["verify"], ["key", "rotate", "--drop"], ["tick", "--batch"], ["no-such-command"]]
OTHER_VALUE = [["tick", "--now"], ["case", "show", "--store", "sqlite:///care.db"], ["verify", "--format"]]


@given(st.sampled_from(PLACES["stores"]), PASSWORDS, st.sampled_from(STORES), st.booleans())
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_command_tells_a_password_in_the_url_of_a_store(
    tmp_path: Path, place: str, password: str, command: list[str], variable: bool
) -> None:
    url = place.replace("PW", password)
    variable = variable and command != RUN
    environment = {"CAREPOLICY_STORE": url} if variable else {}
    option = [] if variable else ["--store", url]
    said = run(*command, *option, cwd=tmp_path, CAREPOLICY_POLICIES=SHOP, **environment)
    assert said.returncode in (2, 3), said
    assert "hunter2" not in said.stdout + said.stderr, said
    assert "internal error" not in said.stderr, said


@given(
    st.tuples(st.sampled_from(PLACES["stores"]), st.sampled_from(NO_PLACE))
    | st.tuples(st.sampled_from([each for each in PLACES["stores"] if ":/" in each]), st.sampled_from(OTHER_VALUE)),
    PASSWORDS,
)
@settings(max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_command_repeats_a_url_that_stands_where_none_belongs(
    tmp_path: Path, typed: tuple[str, list[str]], password: str
) -> None:
    place, command = typed
    there = {"CAREPOLICY_POLICIES": SHOP, "CAREPOLICY_KEY_FILE": f"{tmp_path}/key"}
    said = run(*command, place.replace("PW", password), cwd=tmp_path, **there)
    assert said.returncode in (2, 3), said
    assert "hunter2" not in said.stdout + said.stderr, said


@given(st.sampled_from(PLACES["servers"]), PASSWORDS)
@settings(max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_outbox_send_tells_no_password_in_the_address_of_a_server(
    tmp_path: Path, place: dict[str, str], password: str
) -> None:
    given = [place["option"], place["value"].replace("PW", password)]
    there = {"CAREPOLICY_POLICIES": SHOP, "CAREPOLICY_STORE": "sqlite:///care.db"}
    if not (tmp_path / "care.db").exists():
        key = "6Gk5c1Q0mJ0b1xU2mJx1nQwq3l0m1bqv0Xv6nJm3h4A="
        run("event", "email_received", "m-1", "--at", "2026-03-02", cwd=tmp_path, CAREPOLICY_KEY=key, **there)
    key = "6Gk5c1Q0mJ0b1xU2mJx1nQwq3l0m1bqv0Xv6nJm3h4A="
    said = run("outbox", "send", *given, cwd=tmp_path, CAREPOLICY_WEBHOOK_SECRET="s", CAREPOLICY_KEY=key, **there)
    assert said.returncode in (0, 2, 3), said
    assert "hunter2" not in said.stdout + said.stderr, said


@pytest.mark.parametrize("url", PLACES["well formed"])
def test_a_database_that_refuses_is_told_without_what_logs_in(url: str, tmp_path: Path) -> None:
    said = run("verify", "--store", url.replace("PW", "hunter2"), cwd=tmp_path)
    assert said.returncode in (2, 3), said
    assert "hunter2" not in said.stderr, said


def test_a_server_that_knows_no_such_user_is_told_without_the_password(server: str, tmp_path: Path) -> None:
    url = server.replace("postgres:@", "nobody:hunter2@")
    said = run("verify", "--store", url, cwd=tmp_path)
    assert (said.returncode, "nobody" in said.stderr, "hunter2" in said.stderr) == (3, True, False), said


def test_what_is_harmless_is_repeated(tmp_path: Path) -> None:
    said = run("verify", "--store", "care.db", cwd=tmp_path)
    assert said.stderr == (
        'carepolicy: "care.db" names no store; write sqlite:///care.db or postgresql://user@host/name\n'
    )
