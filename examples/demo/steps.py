"""The steps that the demo's stories are told in: an order, a payment, an e-mail, a decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/London")

Data = Mapping[str, object]
Step = tuple[str, str, str, Data]
"""Day and time in March 2026, who says so, the event, its facts."""


def moment(text: str) -> str:
    """RFC 3339 of "DD HH:MM" in March 2026, in London."""
    return datetime.strptime(f"2026-03-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=ZONE).isoformat()


PEOPLE: dict[str, Data] = {
    "amy": {"customer.name": "Amy Ash", "customer.email": "amy@customer.example"},
    "ben": {"customer.name": "Ben Bow", "customer.email": "ben@customer.example", "customer.tier": "gold"},
    "claire": {"customer.name": "Claire Caron", "customer.email": "claire@client.example", "customer.language": "fr"},
    "didier": {"customer.name": "Didier Duc", "customer.email": "didier@client.example", "customer.language": "fr"},
    "eve": {"customer.name": "Eve Elm", "customer.email": "eve@customer.example"},
    "finn": {"customer.name": "Finn Fox", "customer.email": "finn@customer.example"},
    "gwen": {"customer.name": "Gwen Gill", "customer.email": "gwen@customer.example", "customer.tier": "gold"},
}


def placed(at: str, person: str, total: str, items: str, ship_by: str, arrives: str, **more: object) -> Step:
    """An order with all that a confirmation needs; ``ship_by`` and ``arrives`` are written like ``at``."""
    order: dict[str, object] = {
        "order.total": total,
        "order.items": items,
        "order.shipping_method": "normal",
        "order.shipping_cost": "4.00",
        "order.ship_by": moment(ship_by),
        "order.projected_delivery": moment(arrives),
    }
    return (
        at,
        "shop",
        "order_placed",
        {**PEOPLE[person], **order, **{f"customer.{key}": value for key, value in more.items()}},
    )


def paid(at: str) -> Step:
    """The bank's word on an order."""
    return at, "shop", "payment_authorised", {}


def handed(at: str, number: str) -> Step:
    """A parcel goes to the carrier."""
    link = f"https://carrier.example/{number}"
    facts = {"order.carrier": "Northway", "order.tracking_number": number, "order.tracking_link": link}
    return at, "carrier", "handed_to_carrier", facts


def assessed(at: str, cause: str, fault: str = "ours", severity: str = "low") -> Step:
    """A complaint is weighed."""
    facts = {"complaint.severity": severity, "complaint.cause": cause, "complaint.fault": fault}
    return at, "desk", "complaint_assessed", facts


def named(at: str, person: str) -> Step:
    """Somebody looks into a complaint."""
    return at, "desk", "investigator_named", {"complaint.investigator": person}


def decided(at: str, reasons: str, remedy: str, amount: str = "0") -> Step:
    """A complaint is decided."""
    facts = {"complaint.reasons": reasons, "complaint.remedy": remedy, "complaint.remedy_amount": amount}
    return at, "desk", "complaint_decided", facts


def desk(at: str, event: str, **facts: object) -> Step:
    """Something that staff did; a fact ``complaint__cause`` stands for complaint.cause."""
    return at, "desk", event, {name.replace("__", "."): value for name, value in facts.items()}


def customer(at: str, event: str, **facts: object) -> Step:
    """Something that a customer did."""
    return at, "customer", event, {name.replace("__", "."): value for name, value in facts.items()}


def wrote(at: str, person: str, topic: str = "other") -> Step:
    """A first e-mail."""
    return at, "customer", "email_received", {**PEOPLE[person], "inquiry.topic": topic}


def complained(at: str, person: str, about: str) -> Step:
    """A complaint arrives."""
    return at, "customer", "complaint_received", {
        **PEOPLE[person],
        "complaint.about": about,
        "complaint.received_at": moment(at),
    }  # fmt: skip
