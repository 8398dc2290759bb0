"""Codes of what may be wrong with an event; ``carepolicy explain CP9xx`` says more."""

from __future__ import annotations

from msgspec import Struct


class Code(Struct, frozen=True):
    """A code's page: what it means, an event that gets it, and one that does not."""

    title: str
    meaning: str
    bad: str
    good: str


UNREADABLE = "CP901"
INCOMPLETE = "CP902"
NO_INSTANT = "CP903"
UNKNOWN_TYPE = "CP904"
UNDECLARED = "CP905"
WRONG_TYPE = "CP906"
REQUIRED = "CP907"
OUT_OF_ORDER = "CP908"
DUPLICATE = "CP909"
UNEXPECTED = "CP910"
NO_CASE = "CP911"
TOO_LONG = "CP912"
CARD = "CP913"
MERGE = "CP914"
FUTURE = "CP915"
NAMES_CARD = "CP920"
NUMBER_IS_CARD = "CP921"
FUTURE_START = "CP922"
LOOP = "CP923"
AUTHORITY = "CP925"
BOUNDS = "CP926"

_GOOD = (
    '{"specversion":"1.0","id":"m-1","source":"/mailbox","type":"email_received","subject":"order-1001",'
    '"time":"2026-03-02T09:05:00+00:00","data":{"customer.email":"x@example.org"}}'
)

CODES: dict[str, Code] = {
    UNREADABLE: Code(
        "line is no JSON object",
        "Every line of the input is one event: a JSON object in UTF-8. This line is not; often it was cut short.",
        '{"specversion":"1.0","id":"m-1","sour',
        _GOOD,
    ),
    INCOMPLETE: Code(
        "event lacks an attribute",
        "A CloudEvent has texts for id, source, type, subject and time, its specversion is 1.0, and its data, "
        "where it has any, is an object.",
        '{"specversion":"1.0","id":"m-1","source":"/mailbox","type":"email_received"}',
        _GOOD,
    ),
    NO_INSTANT: Code(
        "time is no instant",
        "An event's time is an RFC 3339 date and time that exists, with its offset from UTC, of the years 1970 to "
        "2150.",
        '"time":"2026-02-30T09:05:00"',
        '"time":"2026-02-28T09:05:00+00:00"',
    ),
    UNKNOWN_TYPE: Code(
        "event type is not declared",
        "No flow of the policy set declares an event of this type under events:.",
        '"type":"emial_received"',
        '"type":"email_received"',
    ),
    UNDECLARED: Code(
        "data is not declared",
        "The event brings a value that no flow lets this type of event carry (carries: required, optional).",
        '"data":{"customer.emial":"x@example.org"}',
        '"data":{"customer.email":"x@example.org"}',
    ),
    WRONG_TYPE: Code(
        "value is not of its fact's type",
        "A value in the event's data is not of the type that organisation.yaml gives the fact.",
        '"data":{"order.total":"a lot"}',
        '"data":{"order.total":"19.90"}',
    ),
    REQUIRED: Code(
        "required data is missing",
        "The flow requires this type of event to carry a fact, and it does not.",
        '"type":"email_received","data":{}',
        '"type":"email_received","data":{"customer.email":"x@example.org"}',
    ),
    OUT_OF_ORDER: Code(
        "event is out of order",
        "The event is earlier than what its subject has already seen (an event, or a timer that fired). "
        "Sort the log by time, or allow for late arrivals with --lateness.",
        "an event of 09:00 after one of 10:00 for the same subject",
        "events of one subject in the order of their times",
    ),
    DUPLICATE: Code(
        "event was taken before",
        "An event with this source and id was taken already; the second time it has no effect.",
        'two lines with "source":"/mailbox","id":"m-1"',
        "an id of its own for every event of a source",
    ),
    UNEXPECTED: Code(
        "no transition for the event here",
        "The case is in a state that has no transition for this event, or none whose guard holds. Nothing changed.",
        "reply_sent for a case that waits for the customer",
        "a transition on: reply_sent in that state, or under anywhere:",
    ),
    NO_CASE: Code(
        "no open case takes the event",
        "The event's subject has no open case of a flow that declares the event, and no flow starts on it.",
        "reply_sent for a subject that nobody wrote about",
        "the event that opens the case first",
    ),
    TOO_LONG: Code(
        "line or name is too long",
        "One event may be 1 MiB of JSON at most. Its id and its source, and whatever names a case (its subject, the "
        "fact that keys a flow, the subject of an event that a flow raises) may be 1,000 bytes in UTF-8 each. Put long "
        "texts elsewhere and hand over a reference.",
        "a line of 10 MB, an id of 2 kB",
        "a line of some kilobytes, an id of some dozen letters",
    ),
    CARD: Code(
        "card number was masked",
        "A text in the event's data held a card number. It was masked before it went anywhere, all but its last "
        "four digits, and the event was taken. Whoever sends such texts should stop: card data may not be kept "
        "(PCI DSS 3.3).",
        '"data":{"customer.note":"my card is 4111 1111 1111 1111"}',
        '"data":{"customer.note":"my card ends in 1111"}',
    ),
    FUTURE_START: Code(
        "clock cannot count from the future",
        "A clock counts from the instant or date that a fact holds (counts_from), and that lies in the future. The "
        "event was taken; the clock counts from the instant at which it started, and its record of that says so. "
        "Correct the fact where it comes from.",
        '"time":"2026-03-02T09:00:00+00:00","data":{"breach.aware_at":"2062-03-01T09:00:00+00:00"}',
        '"time":"2026-03-02T09:00:00+00:00","data":{"breach.aware_at":"2026-03-01T09:00:00+00:00"}',
    ),
    AUTHORITY: Code(
        "more would be given away than the role may",
        "The transition says how much it gives away (spends:), and that is more than the role that acts there may "
        "decide on (authority:), or it is not known. It is not taken, nothing changed, and no other way is tried "
        "in its place. Beforehand the check proves that guards hold the amount within the authority, or warns that it "
        "cannot (CP507).",
        "remedy_approved with complaint.remedy_amount 900 where the care manager may give 500",
        "the same with 400; or a way whose guard gives larger amounts to a role that may",
    ),
    BOUNDS: Code(
        "value is outside of what its fact allows",
        "A value in the event's data is of its fact's type, but smaller than its min:, larger than its max:, or a text "
        "that its pattern: does not match from the first letter to the last. The event is not taken; the reason says "
        "what is allowed and never the value.",
        '"data":{"order.items":-1} where order.items has min: 1',
        '"data":{"order.items":1}',
    ),
    LOOP: Code(
        "loop was cut",
        "What a case causes by itself would not have ended: more than 1,000 of its timers fired at one instant, or "
        "100,000 in its life; or clocks that are met, or cases that flows open, cause one another without time "
        "passing. The case stays where it is. Timers of its state and the clocks that are due stay silent until an "
        "event moves it on. Look for an `after` that leads back to its own state, and for flows that open each other.",
        "after: {1 second: {to: waiting, tell: care_lead}} in the state waiting",
        "after: {1 business day: {to: overdue, tell: care_lead}} in the state waiting",
    ),
    MERGE: Code(
        "merge cannot be done",
        'carepolicy.merge needs data {"into": SUBJECT} with another subject that was not merged into this one.',
        '"type":"carepolicy.merge","subject":"a","data":{"into":"a"}',
        '"type":"carepolicy.merge","subject":"a","data":{"into":"b"}',
    ),
    FUTURE: Code(
        "event lies in the future",
        "An event that comes alone (`carepolicy event`) says that it happens more than a day from now. Its subject "
        "would take nothing earlier from then on. Where that is meant, say --yes.",
        '"time":"2149-12-31T09:05:00+00:00"',
        '"time":"2026-03-02T09:05:00+00:00"',
    ),
    NAMES_CARD: Code(
        "card number names a case or an event",
        "The event's subject, id or source holds a card number, or a fact that names cases (subject: of a flow, by: of "
        "a watch, the subject of what a flow raises, into of a merge). It may not be kept (PCI DSS 3.3), and cannot be "
        "masked: different customers would become one case. So the event is not taken, and nothing of the number is "
        "shown; the line's number leads to it. Name cases by a number of your own. Where such a number only looks like "
        "one of a card, say so: card: never at the fact, or in organisation.yaml for subjects, ids and sources.",
        '"subject":"4111 1111 1111 1111"',
        '"subject":"order-1001"',
    ),
    NUMBER_IS_CARD: Code(
        "number is a card number",
        "A value of a number or of money is a card number: its issuer's first digits, the right length, the check "
        "digit. A number cannot be masked, so the event is not taken, and nothing of the number is shown. Where the "
        "fact's numbers only look like those of cards (a customer's number), say so: card: never at the fact.",
        '"data":{"customer.number":4111111111111111}',
        '"data":{"customer.number":1001}',
    ),
}
