"""The organisation and the messages of a set as the model holds them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from carepolicy.policy.build_calendar import build_calendar
from carepolicy.policy.called import amount_meant
from carepolicy.policy.findings import quoted
from carepolicy.policy.limit import LimitText
from carepolicy.policy.model import Channel, Fact, Message, Organisation, Role, Setting, Value, Watch
from carepolicy.policy.part import Part, in_words

FACTS = "facts"
"""Of what ``keep:`` speaks where it says but one limit."""


def build_organisation(part: Part, files: Mapping[str, bytes]) -> Organisation:
    """The organisation that the whole of organisation.yaml describes. ``files`` are those it may import."""
    timezone = part.said("timezone")
    declared = {name: _fact(name, each) for name, each in part.items("facts")}
    facts, retention = _kept(part.find("keep"))
    return Organisation(
        name=part.said("organisation"),
        timezone=timezone,
        languages=part.texts("languages") or ("en",),
        calendar=part.maybe("calendar"),
        calendars={name: build_calendar(name, each, timezone, files) for name, each in part.items("calendars")},
        roles={name: _role(name, each) for name, each in part.items("roles")},
        channels={name: _channel(name, each, declared) for name, each in part.items("channels")},
        facts=declared,
        watches={name: _watch(name, each) for name, each in part.items("watches")},
        settings={name: Setting(name, each.data, each.at) for name, each in part.items("settings")},
        keep=facts.limit() if facts is not None else None,
        keep_at=facts.at if facts is not None else part.at,
        retention=retention,
        glossary={term: each.text() for term, each in part.items("glossary")},
        palette=part.texts("palette"),
        paper=part.said("paper", "A4"),
        at=part.at,
        card_never="card" in part,
    )


def build_messages(part: Part) -> tuple[str, Mapping[str, Message]]:
    """The language of a file of messages, and its templates by name."""
    return part.said("language"), {
        name: Message(name, each.said("subject"), each.said("text"), each.at, each.marked("apologises"))
        for name, each in part.items("messages")
    }


def _kept(keep: Part | None) -> tuple[Part | None, Mapping[str, LimitText]]:
    """How long facts of closed cases are kept, of which ``keep: 3 years`` speaks, and how long other things are."""
    if keep is None or not isinstance(keep.data, dict):
        return keep, {}
    return keep.find(FACTS), {name: keep[name].limit() for name in keep.data if name != FACTS}


def _role(name: str, part: Part) -> Role:
    authority = part.find("authority")
    return Role(
        name=name,
        title=part.said("title", in_words(name)),
        calendar=part.maybe("calendar"),
        people=part.texts("people"),
        deputy=part.maybe("deputy"),
        may_see=part.texts("may_see"),
        authority=_amount(authority) if authority is not None else None,
        colour=part.maybe("colour"),
        at=part.at,
    )


def _amount(part: Part) -> Decimal | None:
    amount = _decimal(part.text())
    if amount is None:
        meant = amount_meant(part.text())
        hint = "write a number such as 100.00" if meant is None else f"write {meant}"
        part.fault("CP112", f"{quoted(part.text())} is no amount", hint)
    return amount


def _decimal(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _channel(name: str, part: Part, facts: Mapping[str, Fact]) -> Channel:
    usual = f"customer.{name}"
    return Channel(
        name=name,
        title=part.said("title", in_words(name)),
        address=part.said("address"),
        calendar=part.maybe("calendar"),
        to=part.said("to", usual) if "to" in part or usual in facts else None,
        at=part.at,
    )


def _fact(name: str, part: Part) -> Fact:
    said = part.said("type")
    kind, item = ("list", said.removeprefix("list of ")) if said.startswith("list of ") else (said, None)
    if "choice" in (kind, item) and "of" not in part:
        part.fault("CP111", 'the key "of" is missing', "say what to choose from: of: [standard, gold]", on_key=True)
    default = part.find("default")
    return Fact(
        name=name,
        type=kind,
        item=item,
        of=part.texts("of"),
        currency=part.maybe("currency"),
        private=part.marked("private"),
        default=_default(default, kind) if default is not None else None,
        title=part.said("title", in_words(name.replace(".", " "))),
        at=part.at,
        card_never="card" in part,
    )


def _default(part: Part, kind: str) -> Value:
    """The value in its runtime type where the type takes it; anything else as it is, for the check to judge."""
    if kind == "money":
        amount = _decimal(part.text())
        return part.text() if amount is None else amount
    if kind in ("number", "flag"):
        value: Value = part.data
        return value
    return part.text()


def _watch(name: str, part: Part) -> Watch:
    return Watch(
        name,
        part.said("count"),
        part.said("by"),
        part["reaches"].data,
        part["within"].limit(),
        part.said("raise"),
        part.at,
    )
