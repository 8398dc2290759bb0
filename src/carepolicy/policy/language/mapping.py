"""The language of mappings/*.yaml: how a log that others wrote becomes events."""

from __future__ import annotations

from collections.abc import Mapping

from carepolicy.policy.language.keys import (
    Fields,
    Mapped,
    expression,
    flag,
    key,
    located,
    mapping,
    name_of,
    named,
    text,
)
from carepolicy.policy.language.shapes import FACT, TEXT, TRIGGER, choice
from carepolicy.policy.places import At

LOG_FORMATS = ("csv", "tsv", "jsonl", "parquet", "xes", "ocel")

OTHERS = ("ignore", "reject")
"""What becomes of a row whose event is not among ``values``."""

SLUG = "slug"
"""How subjects may be written otherwise than they are."""


@mapping("how the log is read, such as {format: csv, timezone: America/Sao_Paulo}", piece="reads")
class Reads(Mapped):
    """How the log is written."""

    format: str | None = key(
        choice(*LOG_FORMATS, expected="a format"), "The format of the log.", otherwise="by the ending of its name",
        example="csv", rank=0,
    )  # fmt: skip
    timezone: str | None = text(
        "The time zone of times that have no offset.", missing=None, otherwise="the organisation's",
        example="America/Sao_Paulo", rank=1,
    )  # fmt: skip
    time_format: str | None = text(
        "How times are written, by the letters of strptime; or unix, unix_ms, or excel for a table's day numbers.",
        missing=None, otherwise="ISO 8601", example="'%m/%d/%Y %H:%M'", rank=2,
    )  # fmt: skip
    separator: str | None = text(
        "What stands between columns.", missing=None, otherwise="found out", example="';'", rank=3
    )
    encoding: str | None = text(
        "The encoding of the text.", missing=None, otherwise="utf-8, or utf-16 where the file shows that",
        example="latin-1", rank=3,
    )  # fmt: skip
    duplicates: str | None = key(
        choice("drop", "keep", expected="drop or keep"),
        "Whether a row that stands there twice, the same in every column, is one row.", otherwise="drop",
        example="keep", rank=4,
    )  # fmt: skip


@mapping(
    "a column and what its values stand for, such as {column: activity, values: {Closed: closed}}", piece="event_of"
)
class EventOf(Mapped):
    """Which column says what happened."""

    column: str = text("The column that says what happened.", required=True, example="'concept:name'", rank=0)
    values: Mapping[str, str] = named(
        TRIGGER.of("event"), "values and the events that they stand for", "The event that each value stands for.",
        names=TEXT, otherwise="the values are the events", example="{Closed: ticket_closed}", rank=1,
    )  # fmt: skip
    others: str | None = key(
        choice(*OTHERS, expected="ignore or reject"), "What becomes of rows with another value.", otherwise="reject",
        example="ignore", rank=2,
    )  # fmt: skip


@mapping(
    "a column and the type of its values, such as {column: service_level, values: {Value 1: gold}}", piece="fact_of"
)
class FactOf(Mapped):
    """Where a fact comes from."""

    column: str = text("The column that holds it.", required=True, example="service_level", rank=0)
    values: Mapping[str, str] = named(
        TEXT, "values and what the fact is then", "What the fact is for each value.", names=TEXT,
        otherwise="the values as they are", example="{Value 1: gold}", rank=1,
    )  # fmt: skip
    others: str | None = text(
        "What the fact is for every other value.", missing=None, otherwise="the value as it is", example="standard",
        rank=2,
    )  # fmt: skip
    time_format: str | None = text(
        "How its times or dates are written.", missing=None, otherwise="as those of the log", example="'%d.%m.%Y'",
        rank=3,
    )  # fmt: skip
    end_of_day: bool = flag("A day stands for its last second, and not for its first.", example="true", rank=4)
    decimal: str | None = text(
        "What stands before the decimals of numbers.", missing=None, otherwise="a point", example="','", rank=4
    )
    at: At = located()


@mapping(
    "a mapping of a log: what it reads, its subject, and where events and facts come from",
    "How a log that others wrote becomes events, for `carepolicy audit`.",
)
class LogMapping(Mapped):
    """How the rows of a log become events."""

    mapping: str = name_of("", "The name of the mapping, and of its file.", required=True, example="helpdesk", rank=0)
    flow: str | None = name_of(
        "flow", "The flow whose events the log holds.", otherwise="any", example="complaint", rank=0
    )
    reads: Reads | None = key(Fields(Reads, piece="reads"), "How the log is written.", example="{format: csv}", rank=1)
    subject: str = text(
        "The column that names the case; of an OCEL log the type of object that does.", required=True,
        example="order_id", rank=2,
    )  # fmt: skip
    subject_as: str | None = key(
        choice(SLUG, expected="slug"),
        "How cases are called; slug is in small letters, with hyphens for other signs, such as case-7 for Case 7.",
        otherwise="as they are", example="slug", rank=2,
    )  # fmt: skip
    source: str | None = text(
        "The source of the events, a URI reference.", missing=None, otherwise="/log", example="/helpdesk", rank=2
    )
    where: str | None = expression(
        "Rows for which this is not true are left out; it names columns, with _ in place of other signs.",
        otherwise="all rows", example="order_status != 'unavailable'", rank=3,
    )  # fmt: skip
    time: str | None = text(
        "The column that says when.", missing=None, otherwise="none: each column of events_from_columns says when",
        example="'time:timestamp'", rank=4,
    )  # fmt: skip
    id: str | None = text(
        "The column that names the event.",
        missing=None,
        otherwise="the case, and the event's place in it",
        example="event_id",
        rank=4,
    )
    event: EventOf | None = key(
        Fields(EventOf, piece="event_of"), "Which column says what happened.", example="{column: activity}", rank=5
    )
    events_from_columns: Mapping[str, str] = named(
        TRIGGER.of("event"), "columns and events", "Columns that hold instants, and what happened then.", names=TEXT,
        example="{order_purchase_timestamp: order_placed}", rank=6,
    )  # fmt: skip
    facts: Mapping[str, FactOf] = named(
        FactOf, "facts and the columns that hold them", "Where facts come from.", names=FACT,
        example="{customer.tier: {column: service_level}}", rank=7,
    )  # fmt: skip
    at: At = located()
