"""The language of absences: on which days somebody is away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from carepolicy.policy.language.keys import Fields, Mapped, derived, key, located, mapping, named, text
from carepolicy.policy.language.shapes import TEXT, Either, Scalar, Several
from carepolicy.policy.node import Node
from carepolicy.policy.places import At

DAYS_AWAY = "a date, two dates with a slash between them, or {dates: 2026-08-03/2026-08-14, title: Holiday}"
"""What an entry of ``away:`` is expected to be."""

_RANGE = r"^\d{4}-\d{2}-\d{2}(/\d{4}-\d{2}-\d{2})?$"
_WRITTEN = "days are written like 2026-12-24, or 2026-08-03/2026-08-14"
_DATES = Scalar(
    "",
    {"type": "string", "pattern": _RANGE, "errorMessage": DAYS_AWAY, "patternErrorMessage": _WRITTEN},
    Node.text,
)


@mapping(DAYS_AWAY, piece="absence")
class Absence(Mapped):
    """Days on which somebody is away, from ``first`` to ``last``, both counted."""

    first: date = key(
        _DATES, "The day, or the first and the last with a slash between.", key="dates", required=True,
        read=lambda node, name: _days(node)[0], example="2026-08-03/2026-08-14", codes=("CP114",), rank=0,
    )  # fmt: skip
    last: date = derived(lambda node, name: _days(node)[1])
    title: str = text("Why, for the handbook.", example="Holiday", rank=1)
    at: At = located()


_ABSENCE = Fields(Absence)
_ENTRY = Either(
    TEXT,
    _ABSENCE,
    {
        "type": ["string", "object"],
        "pattern": _RANGE,
        **{keyword: _ABSENCE.body()[keyword] for keyword in ("properties", "required", "additionalProperties")},
        "errorMessage": DAYS_AWAY,
        "patternErrorMessage": _WRITTEN,
    },
)


def absences(about: str, **more: Any) -> Any:
    """Absences by the person's name."""
    shape = Several(_ENTRY, ("string", "object"), "a date, a range of dates, or a list of these")
    return named(
        shape, "people and the days on which they are away, such as {Aoife: 2026-08-03/2026-08-14}", about,
        names=None, read=lambda node, name: _absences(node), **more,
    )  # fmt: skip


def _absences(node: Node) -> Mapping[str, tuple[Absence, ...]]:
    return {person: tuple(_of_one(said)) for person, said in node.items("away")}


def _of_one(node: Node) -> Iterator[Absence]:
    for entry in node.entries():
        said = entry["dates"] if isinstance(entry.data, dict) else entry
        first, slash, last = said.text().partition("/")
        start = said.date(first.strip())
        end = said.date(last.strip()) if slash else start
        if start is not None and end is not None:
            if end < start:
                said.fault("CP114", f"{last.strip()} is before {first.strip()}", "the first day comes first")
            title = (entry.maybe("title") or "") if isinstance(entry.data, dict) else ""
            yield Absence(first=start, last=end, title=title, at=entry.at)


def _days(node: Node) -> tuple[date, date]:
    first, _, last = node["dates"].text().partition("/")
    return date.fromisoformat(first), date.fromisoformat(last or first)
