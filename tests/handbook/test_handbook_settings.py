"""The page of settings: each in words, its value with its unit, and links to where it counts."""

from __future__ import annotations

from dataclasses import replace

import handbook_sets as sets
import pytest

from carepolicy.handbook import build
from carepolicy.handbook.book import Book, calendars_of
from carepolicy.handbook.settings import settings_of


def rows(policies, language="en"):
    book = Book(policies, language, 2026, calendars_of(policies))
    return {row.anchor.removeprefix("setting-"): row for row in settings_of(book)}


@pytest.fixture
def folder(tmp_path):
    """A set whose settings are compared with money and with a number, wait in a step, and stand in a message."""
    sets.set_of(tmp_path, "Text")
    organisation = tmp_path / "organisation.yaml"
    text = organisation.read_text(encoding="utf-8")
    text = text.replace(
        'settings: {wait: 2 business days, word: "Text"}',
        "settings: {wait: 2 business days, word: Hello, cheap: 20, often: 3, open: false, alone: 7}",
    )
    text = text.replace(
        "facts:\n",
        "facts:\n  order.total: {type: money, currency: GBP, default: 0}\n  order.count: {type: number, default: 0}\n",
    )
    organisation.write_text(text, encoding="utf-8")
    flow = tmp_path / "flows/care.yaml"
    text = flow.read_text(encoding="utf-8")
    guard = "order.total < settings.cheap && order.count >= settings.often"
    text = text.replace('{when: customer.vip, answer: "Text"', f'{{when: "{guard}", answer: "Text"')
    flow.write_text(text.replace("is: 3 business hours", "is: settings.wait"), encoding="utf-8")
    message = tmp_path / "messages/en.yaml"
    message.write_text(message.read_text(encoding="utf-8").replace('text: "Text"', 'text: "{settings.word}!"'))
    return tmp_path


def test_values_have_their_unit(folder):
    found = rows(sets.load_policies(folder)[0])
    assert {name: row.value for name, row in found.items()} == {
        "wait": "2 business days",
        "word": "Hello",
        "cheap": "£20.00",
        "often": "3",
        "open": "no",
        "alone": "7",
    }
    french = rows(sets.load_policies(folder)[0], "fr")
    assert (french["wait"].value, french["open"].value) == ("2 jours ouvrés", "non")


def test_a_setting_leads_to_the_steps_clocks_and_messages_where_it_counts(folder):
    found = rows(sets.load_policies(folder)[0])
    uses = {name: [use.address for _, there in row.uses for use in there] for name, row in found.items()}
    assert uses == {
        "wait": ["flows/care.html#clock-first", "flows/care.html#state-waiting"],
        "word": ["flows/care.html#message-hello"],
        "cheap": ["flows/care.html#state-waiting"],
        "often": ["flows/care.html#state-waiting"],
        "open": [],
        "alone": [],
    }


def test_the_page_has_all_settings_and_says_where_one_counts_nowhere(folder):
    page = sets.Page(build(sets.load_policies(folder)[0], drawn=False).files["en/settings.html"].decode())
    assert "Alone 7 nowhere" in page.words
    assert "setting-alone" in page.ids


def test_a_set_without_settings_says_so(tmp_path):
    policies = sets.set_of(tmp_path, "Text")
    bare = replace(policies, organisation=replace(policies.organisation, settings={}))
    page = sets.Page(build(bare, drawn=False, only=["en"]).files["en/settings.html"].decode())
    assert "The house has no settings." in page.words
