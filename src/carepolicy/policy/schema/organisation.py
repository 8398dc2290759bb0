"""The schema of organisation.yaml."""

from __future__ import annotations

from carepolicy.policy.schema.parts import LIMIT, TEXT, Schema, keyed, listed, named, ref, root

FACT_TYPES = ("text", "number", "money", "flag", "choice", "date", "time")

CLOSED = "a date, two dates with a slash between them, or {import: closures.ics}"
"""What an entry of closed: is expected to be."""

_CLOSED: Schema = {
    "type": ["string", "object"],
    "format": "carepolicy-closed",
    "pattern": r"^\d{4}-\d{2}-\d{2}(/\d{4}-\d{2}-\d{2})?$",
    "properties": {"import": ref("text", "An iCalendar file of closures, by its path below this folder.")},
    "required": ["import"],
    "additionalProperties": False,
    "errorMessage": CLOSED,
    "patternErrorMessage": "closed days are written like 2026-12-24, or 2026-08-03/2026-08-07",
}

_HOLIDAYS = keyed(
    {
        "country": ref("text", "The country's ISO 3166 code, such as GB."),
        "subdivision": ref("text", "The region's ISO 3166-2 code, such as ENG."),
        "except": {"type": "array", "items": ref("date"), "description": "Public holidays on which we work."},
        "also": {"type": "array", "items": ref("date"), "description": "More days that are kept like holidays."},
    },
    ["country"],
    "public holidays, such as {country: GB, subdivision: ENG}",
)

_CALENDAR = keyed(
    {
        "title": ref("text", "What people call it."),
        "hours": named(ref("hours"), "hours by weekday, such as {mon-fri: 09:00-17:00}", "Opening hours.", "days"),
        "timezone": ref("text", "An IANA time zone; the organisation's where it is not said."),
        "holidays": ref("holidays", "Public holidays on which it is closed."),
        "closed": listed(_CLOSED, "string", "object", expected="a date, a range of dates, or a list of these"),
        "open": named(ref("hours"), "hours by date", "One day's hours in place of its weekday's.", "date"),
        "import": ref("texts", "iCalendar files of closures, by their path below this folder."),
    },
    ["hours"],
    "a calendar, such as {hours: {mon-fri: 09:00-17:00}}",
)

_ROLE = keyed(
    {
        "title": ref("text", "What people call it."),
        "calendar": ref("name", "When people in this role work."),
        "people": ref("texts", "Who has the role."),
        "deputy": ref("name", "The role that stands in."),
        "may_see": {
            "type": "array",
            "items": ref("fact"),
            "description": "Private facts that the role may see.",
            "errorMessage": "a list of facts",
        },
        "authority": {
            "type": ["number", "string"],
            "description": "The largest amount of money it may decide on.",
            "errorMessage": "an amount, such as 100.00",
        },
        "colour": ref("colour", "Its colour on charts."),
    },
    (),
    "a role, such as {title: Care agent, calendar: office}",
)

_CHANNEL = keyed(
    {
        "title": ref("text", "What people call it."),
        "address": ref("text", "Our own address on it: a mailbox, a number."),
        "calendar": ref("name", "When it is staffed."),
        "to": ref("fact", "The fact that holds the customer's address on it; customer.<channel> by default."),
    },
    (),
    "a channel, such as {title: E-mail, address: care@example.org}",
)


def _card(description: str) -> Schema:
    return {"enum": ["never"], "description": description, "errorMessage": "never, the one value that it may have"}


_FACT = keyed(
    {
        "type": {
            "type": "string",
            "enum": [*FACT_TYPES, *(f"list of {each}" for each in FACT_TYPES)],
            "errorMessage": "the type of a fact",
        },
        "of": {
            "type": "array",
            "items": TEXT,
            "minItems": 1,
            "description": "What a choice chooses from.",
            "errorMessage": "a list of texts",
        },
        "currency": {
            "type": "string",
            "pattern": "^[A-Z]{3}$",
            "errorMessage": "a currency",
            "patternErrorMessage": "a currency is an ISO 4217 code, such as GBP",
        },
        "private": {
            "type": "boolean",
            "description": "Never in a log, chart, report or error text; stored encrypted.",
            "errorMessage": "true or false",
        },
        "card": _card("Its digits are no card number, though they may look like one: they are not masked."),
        "default": ref("text", "Its value until an event says another."),
        "title": ref("text", "What people call it."),
    },
    ["type"],
    "a fact, such as {type: text}",
)

_WATCH = keyed(
    {
        "count": ref("name", "The event that is counted."),
        "by": ref("fact", "Events with one value of this fact are counted together."),
        "reaches": {"type": "integer", "minimum": 1, "errorMessage": "a whole number"},
        "within": ref("limit"),
        "raise": ref("name", "The event that is raised."),
    },
    ["count", "by", "reaches", "within", "raise"],
    "a watch, such as {count: complaint_received, by: complaint.cause, reaches: 5, within: 30 days, raise: chronic}",
)

_KEEP: Schema = {
    **LIMIT,
    "type": [*LIMIT["type"], "object"],
    "properties": {
        "facts": ref("limit", "When a closed case's facts are erased."),
        "events": ref("limit", "When the id of an event that was taken is forgotten."),
        "outbox": ref("limit", "When a request that was carried out is forgotten."),
        "records": ref("limit", "When the records of a closed case go."),
        "dead_letters": ref("limit", "When an event that was not taken is forgotten."),
    },
    "additionalProperties": False,
    "minProperties": 1,
    "description": "When a closed case's facts are erased; or what is kept how long.",
    "examples": ["3 years", {"facts": "3 years", "events": "90 days", "records": "7 years"}],
    "errorMessage": "a limit, such as 3 years, or what is kept how long, such as {facts: 3 years, records: 7 years}",
}

_BODY = keyed(
    {
        "organisation": ref("text", "The organisation's name, shown on every chart."),
        "timezone": ref("text", "Its IANA time zone, such as Europe/London."),
        "languages": {
            "type": "array",
            "items": ref("language"),
            "minItems": 1,
            "description": "Languages of its messages; the first is the default.",
            "errorMessage": "a list of languages, such as [en, fr]",
        },
        "calendar": ref("name", "The default calendar of every clock."),
        "calendars": named(ref("calendar"), "calendars by name", "Opening hours, by name."),
        "roles": named(ref("role"), "roles by name", "Who acts."),
        "channels": named(ref("channel"), "channels by name", "How customers are reached."),
        "facts": named(ref("fact_spec"), "facts by name", "What an event may carry and a guard may read.", "fact"),
        "watches": named(ref("watch"), "watches by name", "Chronic problems that raise an event of their own."),
        "settings": named(ref("text"), "numbers and texts by name", "What the owner is to decide."),
        "keep": _KEEP,
        "card": _card("Subjects, ids and sources of events are no card numbers, though they may look like ones."),
        "glossary": {
            "type": "object",
            "additionalProperties": ref("text"),
            "errorMessage": "terms and what they mean",
            "description": "Words of the house, explained.",
        },
        "palette": {
            "type": "array",
            "items": ref("colour"),
            "description": "Colours of roles on charts.",
            "errorMessage": 'a list of colours, such as ["#0072b2", "#e69f00"]',
        },
        "paper": {
            "enum": ["A4", "A3", "Letter"],
            "description": "The paper that charts are printed on.",
            "errorMessage": "a size of paper",
        },
    },
    ["organisation", "timezone"],
    "an organisation: its name, time zone, calendars, roles, channels and facts",
    "Who we are: what every flow of the policy set shares.",
)


def organisation_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of organisation.yaml."""
    pieces = {
        "calendar": _CALENDAR,
        "holidays": _HOLIDAYS,
        "role": _ROLE,
        "channel": _CHANNEL,
        "fact_spec": _FACT,
        "watch": _WATCH,
    }
    return root("carepolicy organisation", "organisation.schema.json", _BODY, pieces)
