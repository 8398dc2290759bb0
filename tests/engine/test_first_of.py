"""The first to fall due of several limits: what customers read of it, and that sets without it are as they were."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from carepolicy.businesstime.words import limit_in_words
from carepolicy.machine.compiler import compile_policies
from carepolicy.policy.limit import FirstOfText, Limit, LimitText, first_of, parse_limit
from carepolicy.policy.load import load_policies
from carepolicy.policy.model import Policies
from shops import SHOP
from stories import MESSAGES, ORGANISATION, Runner, event, write_set

TITLED = ("order.ship_by: {type: time}", "order.ship_by: {type: time, title: Day of shipping}")
FLOW = """\
    flow: inquiry
    version: 1
    title: Answer
    purpose: Every question is answered.
    owner: care_lead
    events:
      asked: {title: The customer asks, by: customer, carries: {required: [customer.email], optional: [order.ship_by]}}
      answered: {title: We answer, by: staff}
    clocks:
      reply: {title: Reply, promise: "Within {limit}.", limit: LIMIT, runs_in: [open]}
    states:
      open: {title: Open, start_on: asked, channel: email, enter: {send: auto_reply}, on: {answered: done}}
      done: {title: Done, final: done}
"""
BOTH = "{first_of: [3 business days, until order.ship_by]}"


SAID = {
    "en": "3 business days, or until “Day of shipping” if that is earlier",
    "fr": "3 jours ouvrés, ou jusqu’à « Day of shipping » si c’est plus tôt",
    "de": "3 Geschäftstage oder bis „Day of shipping“, falls das früher ist",
    "es": "3 días laborables, o hasta «Day of shipping» si es antes",
}


def policies_in(folder: str | Path) -> Policies:
    policies, findings = load_policies(str(folder))
    assert policies is not None, findings
    return policies


def parts(*texts: str) -> Limit:
    return first_of(map(parse_limit, texts))


@pytest.mark.parametrize("language", SAID)
def test_a_customer_reads_of_both_limits_in_the_language(language: str) -> None:
    titles = {"order.ship_by": "Day of shipping"}
    assert limit_in_words(parts("3 business days", "until order.ship_by"), language, titles=titles) == SAID[language]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (("2 hours", "1 day", "until a.b"), "2 hours, 1 day, or until “A”, whichever is earliest"),
        (("2 hours", "less than 1 day before a.b"), "2 hours, or less than 1 day before “A” if that is earlier"),
        (("2 hours", "3 days after a.b"), "2 hours, or 3 days after “A” if that is earlier"),
    ],
)
def test_every_kind_of_limit_has_its_words(texts: tuple[str, ...], said: str) -> None:
    assert limit_in_words(parts(*texts), "en", titles={"a.b": "A"}) == said


@pytest.mark.parametrize("brings", [{}, {"order.ship_by": "2026-03-03T09:00:00+00:00"}])
def test_a_message_tells_all_of_the_limit_whichever_is_in_force(run_flows: Runner, brings: dict[str, str]) -> None:
    records = run_flows(
        FLOW.replace("LIMIT", BOTH),
        events=[event("asked", "2026-03-02T09:00:00", data={"customer.email": "a@example.org", **brings})],
        organisation=ORGANISATION.replace(*TITLED),
        messages=MESSAGES.replace("first_reply", "reply"),
    )
    [sent] = [each["data"]["text"] for each in records if each["type"] == "carepolicy.message.requested"]
    assert sent == f"We answer within {SAID['en']}."


def test_a_limit_that_is_written_short_or_as_an_entry_is_the_same(tmp_path: Path) -> None:
    made = [
        policies_in(str(write_set(tmp_path / name, FLOW.replace("LIMIT", text))))
        .flows["inquiry"]
        .clocks["reply"]
        .limits
        for name, text in (("short", BOTH), ("long", f"[{{is: {BOTH}}}]"))
    ]
    assert [[(each.when, each.limit, each.limit.parts) for each in limits] for limits in made] == [
        [(None, "the first of 3 business days and until order.ship_by", ("3 business days", "until order.ship_by"))]
    ] * 2


def test_such_a_limit_is_the_same_after_it_was_sent_to_another_process() -> None:
    written = FirstOfText(["3 business days", "settings.answer"])
    read = pickle.loads(pickle.dumps(written))
    assert (read, read.parts, read.limit, read.setting, read.fault) == (written, written.parts, None, None, None)
    assert pickle.loads(pickle.dumps(parts("2 hours", "until a.b"))) == parts("2 hours", "until a.b")


def test_sets_without_such_limits_are_as_they_were() -> None:
    policies = policies_in(SHOP)
    clocks = [clock for flow in policies.flows.values() for clock in flow.clocks.values()]
    assert {(type(each.limit), each.limit.parts) for clock in clocks for each in clock.limits} == {(LimitText, ())}
    programs = compile_policies(policies).programs
    tables = [limit for program in programs for clock in program.clocks for limit in clock.limits]
    assert len(tables) >= 5
    assert {limit.limit.parts for limit in tables} == {()}
