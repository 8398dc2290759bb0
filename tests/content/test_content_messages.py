"""Messages to customers: every language has them all, and no promise is typed by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import carepolicy
from carepolicy.policy.model import Message
from carepolicy.policy.placeholders import names_in
from carepolicy.policy.strata import effects_of

POLICIES = carepolicy.load(Path(__file__).parents[2] / "policies").policies
LANGUAGES = POLICIES.organisation.languages
SENT = {name for flow in POLICIES.flows.values() for effects in effects_of(flow) for name in effects.send}
MESSAGES = [(language, message) for language, texts in POLICIES.messages.items() for message in texts.values()]
IDS = [f"{language}-{message.name}" for language, message in MESSAGES]

TO_DECIDE = {
    f"clock.{clock.name}.limit"
    for flow in POLICIES.flows.values()
    for clock in flow.clocks.values()
    if any(choice.limit.startswith("settings.") for choice in clock.limits)
}
"""Limits that the owner is still to decide: [P] in the catalogue."""

APOLOGIES = {"en": r"\bsorry\b|apolog", "fr": r"excus|désolé|pardon"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_each_message_that_is_sent_and_no_other(language: str) -> None:
    assert set(POLICIES.messages[language]) == SENT


@pytest.mark.parametrize(("language", "message"), MESSAGES, ids=IDS)
def test_a_message_has_no_number_of_its_own(language: str, message: Message) -> None:
    typed = re.sub(r"\{[^}]*\}", "", message.subject + message.text)
    assert re.findall(r"\d", typed) == []


@pytest.mark.parametrize(("language", "message"), MESSAGES, ids=IDS)
def test_a_message_prints_no_limit_that_the_owner_has_not_decided(language: str, message: Message) -> None:
    assert {each.name for each in names_in(message.text)} & TO_DECIDE == set()


@pytest.mark.parametrize(("language", "message"), MESSAGES, ids=IDS)
def test_a_message_says_how_else_we_are_reached(language: str, message: Message) -> None:
    assert {f"channel.{name}.address" for name in ("email", "phone", "letter")} <= {
        each.name for each in names_in(message.text)
    }


@pytest.mark.parametrize("name", sorted(SENT))
def test_the_languages_of_a_message_say_the_same_things(name: str) -> None:
    said = [sorted({each.name for each in names_in(POLICIES.messages[language][name].text)}) for language in LANGUAGES]
    assert all(each == said[0] for each in said), dict(zip(LANGUAGES, said, strict=True))


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_waited_too_long_is_told_that_we_are_sorry(language: str) -> None:
    marked = [name for name, message in POLICIES.messages[language].items() if message.apologises]
    assert len(marked) > 9
    for name in (*marked, "decision_our_fault"):
        assert re.search(APOLOGIES[language], POLICIES.messages[language][name].text, re.IGNORECASE), name
