"""Messages and notices say values as their readers do: dates and times of the region, yes and no, titles."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from carepolicy.api import Engine
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.run import Run
from carepolicy.machine.bundle import compile_folder
from carepolicy.machine.locales import YES_AND_NO, nearest_language
from stories import ORGANISATION, event, write_set

CASES = yaml.safe_load((Path(__file__).parent / "said_values.yaml").read_text(encoding="utf-8"))
FLOW = """\
flow: parcel
version: 1
title: Follow a parcel
purpose: Parcels come.
owner: care_agent
events:
  asked: {title: The customer asks, by: customer, carries: {optional: [told.value, customer.language]}}
  found: {title: We have found it, by: staff}
clocks:
  search:
    title: Search
    promise: We search for {limit}.
    limit: 2 hours
    runs_in: [open, late]
    warn_at: [50%]
states:
  open:
    title: We look for it
    start_on: asked
    owner: care_agent
    channel: email
    waits: customer
    enter: {send: receipt}
    on:
      found: {to: done, tell: care_lead}
      search.warned: {tell: care_lead}
      search.late: {to: late, tell: care_lead}
  late: {title: Late - say so, owner: care_lead, waits: customer, on: {found: {to: done}}}
  done: {title: It is there, final: found, enter: {tell: care_agent}}
"""


def records_of(tmp_path: Path, organisation: str, messages: dict[str, str], events: list[dict[str, Any]]) -> list[Any]:
    folder = write_set(tmp_path, FLOW, organisation=organisation)
    for old in (folder / "messages").glob("*.yaml"):
        old.unlink()
    for language, text in messages.items():
        (folder / "messages" / f"{language}.yaml").write_text(
            f"language: {language}\nmessages:\n  receipt: {{subject: x, text: {text}}}\n", encoding="utf-8"
        )
    run = OrderedRun(Run(compile_folder(str(folder))))
    records = run.feed(list(enumerate(map(orjson.dumps, events), 1)))
    return [orjson.loads(each) for each in (records + "".join(run.finish(None))).splitlines()]


def organisation_of(case: dict[str, Any]) -> str:
    said = yaml.safe_load(ORGANISATION)
    said |= {"timezone": case["zone"], "languages": [case["language"]]}
    office = said["calendars"]["office"]
    office["holidays"] = {"country": case["country"]} if "country" in case else None
    if office["holidays"] is None:
        del office["holidays"]
    if "elsewhere" in case:
        said["calendars"]["phones"]["timezone"] = case["elsewhere"]
    said["facts"]["told.value"] = {"type": case["type"]}
    return str(yaml.safe_dump(said, allow_unicode=True))


def plainly(text: str) -> str:
    return re.sub(r"[,\s]+", " ", text).strip()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['language']} {case['zone']} {case['says']}")
def test_a_message_says_a_value_as_its_reader_does(case: dict[str, Any], tmp_path: Path) -> None:
    value = case["value"]
    value = [str(each) for each in value] if isinstance(value, list) else value
    data = {"told.value": value if isinstance(value, (bool, list)) else str(value)}
    asked = event("asked", "2026-03-02T09:00:00", data=data)
    records = records_of(tmp_path, organisation_of(case), {case["language"]: "'{told.value}'"}, [asked])
    texts = [each["data"]["text"] for each in records if each["type"].endswith("message.requested")]
    assert [plainly(each) for each in texts] == [case["says"]]


SENTENCES = {
    "en": {
        "warned": "Follow a parcel: case s-1 is at “We look for it”. Search is due Monday 2 March 2026 11:00.",
        "late": "Follow a parcel: case s-1 is at “Late - say so”. "
        "Search is late: it was due Monday 2 March 2026 11:00.",
        "found": "Follow a parcel: case s-1 is at “It is there”. We have found it.",
        "enter": "Follow a parcel: case s-1 is at “It is there”.",
    },
    "fr": {
        "late": "Follow a parcel : le dossier s-1 en est à « Late - say so ». En retard : Search à échéance du "
        "lundi 2 mars 2026 11:00.",
    },
    "de-AT": {
        "late": "Follow a parcel: Fall s-1 steht bei „Late - say so“. "
        "Search ist überfällig seit Montag 2. März 2026 11:00.",
    },
    "cs": {"enter": "Follow a parcel: case s-1 is at “It is there”."},
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_notice_without_a_text_says_which_case_it_is_about_where_that_is_and_what_is_late(
    language: str, tmp_path: Path
) -> None:
    case = {"language": language, "zone": "Europe/London", "type": "text"}
    told = []
    for end in ("2026-03-02T10:30:00", "2026-03-02T11:30:00"):
        events = [event("asked", "2026-03-02T09:00:00"), event("found", end) | {"id": "e2"}]
        records = records_of(tmp_path, organisation_of(case), {language: "Thanks"}, events)
        told += [plainly(each["data"]["text"]) for each in records if each["type"].endswith("notice.requested")]
    for sentence in SENTENCES[language].values():
        assert sentence in told


@pytest.mark.parametrize(
    ("wanted", "known", "found"),
    [
        ("pt-BR", ["en", "pt"], "pt"),
        ("pt_BR", ["en", "pt"], "pt"),
        ("PT", ["en", "pt"], "pt"),
        ("fr-CA", ["fr", "fr-CA"], "fr-CA"),
        ("fr-ca", ["fr", "fr-CA"], "fr-CA"),
        ("fr", ["en", "fr-CA"], "fr-CA"),
        ("zh-Hant-TW", ["zh", "zh-Hant"], "zh-Hant"),
        (" de ", ["en", "de"], "de"),
        ("de", ["en", "fr"], None),
        ("e", ["en", "fr"], None),
        ("", ["en", "fr"], None),
    ],
)
def test_a_customer_is_written_to_in_the_nearest_language_that_there_is(
    wanted: str, known: list[str], found: str | None
) -> None:
    assert nearest_language(wanted, known) == found


def test_yes_and_no_are_two_words_in_each_language() -> None:
    assert len(YES_AND_NO) > 50
    assert all(yes and no and yes != no for yes, no in YES_AND_NO.values())


@pytest.mark.parametrize(
    ("text", "data", "said"),
    [
        ('Dear {said.name or "customer"}, hello', {}, "Dear customer, hello"),
        ('Dear {said.name or "customer"}, hello', {"said.name": "Ada"}, "Dear Ada, hello"),
        ('Dear {said.name or said.alias or "customer"}', {"said.alias": "Lovelace"}, "Dear Lovelace"),
        ('Dear {said.name or said.alias or "customer"}', {}, "Dear customer"),
        ("{said.name or said.alias}!", {}, "!"),
        ('Ask us{said.name or ""}.', {}, "Ask us."),
        ('By {clock.answer.due or "soon"}', {}, "By soon"),
        ('About {case or "it"} of {organisation or "us"}', {}, "About s-1 of Shop"),
        ('{settings.site or said.name or "here"}', {"said.name": "Ada"}, "https://shop.example"),
        ("Express: {said.express}", {}, "Express: no"),  # as guards take a flag that nobody said
        ('Express: {said.express or "not said"}', {}, "Express: not said"),
    ],
)
def test_a_message_says_what_stands_in_for_a_value(text: str, data: dict[str, str], said: str, tmp_path: Path) -> None:
    organisation = """\
        organisation: Shop
        timezone: Europe/London
        languages: [en]
        roles: {agent: {title: Agent, people: [A, B]}}
        facts: {said.name: {type: text, private: true}, said.alias: {type: text}, said.express: {type: flag}}
        settings: {site: "https://shop.example"}
        """
    flow = """\
        flow: asking
        version: 1
        owner: agent
        events: {asked: {carries: {optional: [said.name, said.alias, said.express]}}, found: {}}
        clocks: {answer: {limit: 2 hours, runs_in: [later]}}
        states:
          here: {start_on: asked, on: {found: {to: later, send: answer}}}
          later: {on: {found: done}}
          done: {final: done}
        """
    messages = f"language: en\nmessages: {{answer: {{text: {orjson.dumps(text).decode()}}}}}\n"
    root = write_set(tmp_path, flow, organisation=organisation, messages=messages)
    events = [event("asked", "2026-03-02T09:00:00", data=data), event("found", "2026-03-02T10:00:00")]
    records = Engine(compile_folder(str(root)), True, timedelta(0)).run(events)
    assert [each["data"]["text"] for each in records if each["type"] == "carepolicy.message.requested"] == [said]
