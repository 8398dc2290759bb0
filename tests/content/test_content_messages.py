"""Messages to customers: every language has them all, and no promise is typed by hand."""

from __future__ import annotations

import re

import pytest

from carepolicy.policy.language.flow import transitions_of
from carepolicy.policy.model import Message
from carepolicy.policy.placeholders import included_in, names_in, with_included
from carepolicy.policy.strata import effects_of
from shops import LIBRARY, read_set

POLICIES = read_set(LIBRARY)
LANGUAGES = POLICIES.organisation.languages
SENT = {name for flow in POLICIES.flows.values() for effects in effects_of(flow) for name in effects.send}
MESSAGES = [(language, message) for language, texts in POLICIES.messages.items() for message in texts.values()]
IDS = [f"{language}-{message.name}" for language, message in MESSAGES]

SURVEYS = ("survey", "survey_reminder")
CHANNELS: dict[str, set[str | None]] = {}
"""The channels that each message may take: those of the states in which it is sent, and to which they lead."""
for flow in POLICIES.flows.values():
    for state in flow.states.values():
        around = [each for each in (state.enter, state.leave) if each is not None]
        ways = [way for ways in transitions_of(flow, state.name).values() for way in ways] if not state.final else []
        ways += [way for after in state.after for way in after.transitions]
        for name in (name for effects in (*around, *(way.effects for way in ways)) for name in effects.send):
            CHANNELS.setdefault(name, set()).add(state.channel)

APOLOGIES = {
    "en": r"\bsorry\b|apolog", "fr": r"excus|désolé|pardon|regret", "de": r"leid|entschuldig|verzeih",
    "es": r"sentimos|lamentamos|disculp|perd[oó]n",
}  # fmt: skip
PARTS = {name for texts in POLICIES.messages.values() for each in texts.values() for name in included_in(each.text)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_each_message_that_is_sent_and_no_other(language: str) -> None:
    assert set(POLICIES.messages[language]) == SENT | PARTS


@pytest.mark.parametrize(("language", "message"), MESSAGES, ids=IDS)
def test_a_message_has_no_number_of_its_own(language: str, message: Message) -> None:
    """But those of a survey's questions, and of its scale from one to five."""
    typed = re.sub(r"\{[^}]*\}|^\d\. ", "", message.subject + "\n" + message.text, flags=re.MULTILINE)
    scale = ["1", "5"] if message.name in SURVEYS else []
    assert [each for each in re.findall(r"\d", typed) if each not in scale] == []


@pytest.mark.parametrize(("language", "message"), MESSAGES, ids=IDS)
def test_a_message_says_how_else_we_are_reached(language: str, message: Message) -> None:
    """But what is spoken on the phone, said in a chat or posted for all to read: the channel is at hand."""
    whole = with_included(message.text, lambda name: POLICIES.messages[language][name].text)
    told = {f"channel.{name}.address" for name in ("email", "phone", "fax", "letter")}
    if message.name in PARTS or told <= {each.name for each in names_in(whole)}:
        return
    assert CHANNELS[message.name]
    assert CHANNELS[message.name] <= {"phone", "chat", "social", "private_message"}


@pytest.mark.parametrize(("language", "message"), MESSAGES, ids=IDS)
def test_a_message_is_no_longer_than_a_phone_shows(language: str, message: Message) -> None:
    assert len(message.text.split()) <= 120


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
