"""Telephone numbers and addresses of e-mail: however they are written, they are kept in one form, or are none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.policy.addresses import alike, email_in_words, email_of, number_in_words, number_of
from carepolicy.store.outbox.mail import address_of
from laws import examples
from nasty_texts import texts

CASES: dict[str, list[dict[str, Any]]] = yaml.safe_load((Path(__file__).parent / "addresses.yaml").read_text())
NUMBERS = [(written, each["region"], each["kept"]) for each in CASES["phone"] for written in each["written"]]
ADDRESSES = [(written, each["kept"]) for each in CASES["email"] for written in each["written"]]


@pytest.mark.parametrize(("written", "region", "kept"), NUMBERS)
def test_a_number_is_kept_in_one_form_however_it_is_written(written: str, region: str | None, kept: str | None) -> None:
    assert number_of(written, region) == kept
    if kept is not None:
        assert number_of(kept, None) == kept
        assert alike(written, region) == kept


@pytest.mark.parametrize(("written", "kept"), ADDRESSES)
def test_an_address_is_kept_in_one_form_however_it_is_written(written: str, kept: str | None) -> None:
    assert email_of(written) == kept


@settings(max_examples=examples(150))
@given(local=texts, domain=st.one_of(st.just("example.org"), texts))
def test_what_is_an_address_can_be_sent_to_and_is_kept_as_it_is_the_second_time(local: str, domain: str) -> None:
    for written in (f"{local}@{domain}", f"{local}@example.org"):
        kept = email_of(written)
        if kept is not None:
            assert address_of(kept) == kept
            assert email_of(kept) == kept
            assert email_of(email_in_words(kept)) == kept


@settings(max_examples=examples(150))
@given(
    written=st.one_of(texts, st.text("+0123456789 ()-./x;ext=", max_size=30)),
    region=st.sampled_from(["GB", "DE", None]),
)
def test_a_number_that_is_kept_is_its_own_form_and_reads_back(written: str, region: str | None) -> None:
    kept = number_of(written, region)
    if kept is not None:
        assert number_of(kept, region) == kept
        assert number_of(number_in_words(kept, region), region) == kept


def test_a_number_is_told_as_people_of_a_region_read_it() -> None:
    assert number_in_words("+442079460123", "GB") == "020 7946 0123"
    assert number_in_words("+442079460123", "FR") == "+44 20 7946 0123"
    assert number_in_words("+442079460123", None) == "+44 20 7946 0123"


def test_nothing_that_has_no_number_to_read_imports_the_library() -> None:
    code = (
        "import sys, carepolicy.engine.facts, carepolicy.store.privacy.contacts, carepolicy.machine.compiler; "
        "from carepolicy.policy.addresses import alike; assert alike('+44 20 7946 0123', None) == '+442079460123'; "
        "sys.exit('phonenumbers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
