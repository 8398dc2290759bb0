"""The frozen model of organisation.yaml: calendars, roles, channels, facts, watches and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from carepolicy.policy.limit import Limit, LimitText, parse_limit, setting_in
from carepolicy.policy.places import At

Value = str | int | float | bool | Decimal | None

Interval = tuple[int, int]
"""Opening and closing in seconds after local midnight; a closing after 86,400 is on the next day."""


@dataclass(frozen=True, slots=True)
class Holidays:
    """Public holidays by ISO 3166 country and subdivision, less ``except_``, plus ``also``."""

    country: str
    subdivision: str | None
    except_: tuple[date, ...]
    also: tuple[date, ...]
    at: At


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """A file that a calendar imports (iCalendar): its path below the policy folder and its text."""

    path: str
    text: str
    at: At


@dataclass(frozen=True, slots=True)
class CalendarSpec:
    """Opening hours: ``hours[0]`` is Monday; ``closed`` are inclusive ranges of dates."""

    name: str
    title: str
    timezone: str
    hours: tuple[tuple[Interval, ...], ...]
    holidays: Holidays | None
    closed: tuple[tuple[date, date], ...]
    open: Mapping[date, tuple[Interval, ...]]
    imports: tuple[ImportedFile, ...]
    at: At


@dataclass(frozen=True, slots=True)
class Role:
    """Who acts. ``authority`` is the largest amount of money that the role may decide on."""

    name: str
    title: str
    calendar: str | None
    people: tuple[str, ...]
    deputy: str | None
    may_see: tuple[str, ...]
    authority: Decimal | None
    colour: str | None
    at: At


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to reach customers; ``to`` is the fact that holds the customer's address on it."""

    name: str
    title: str
    address: str
    calendar: str | None
    to: str | None
    at: At


@dataclass(frozen=True, slots=True)
class Fact:
    """A typed value of a case. ``type``: text, number, money, flag, choice, date, time or list;
    ``item`` is the type of a list's members. ``card_never``: its digits are no card number."""

    name: str
    type: str
    item: str | None
    of: tuple[str, ...]
    currency: str | None
    private: bool
    default: Value
    title: str
    at: At
    card_never: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """Raises an event when ``count`` events with one value of the fact ``by`` come ``within`` a limit."""

    name: str
    count: str
    by: str
    reaches: int
    within: LimitText
    raises: str
    at: At


@dataclass(frozen=True, slots=True)
class Setting:
    """A number or text that the owner is to decide; ``settings.NAME`` in guards, limits, messages."""

    name: str
    value: Value
    at: At


@dataclass(frozen=True, slots=True)
class Organisation:
    """Who we are: what every flow of the set shares. ``keep`` is how long facts of closed cases are kept, which
    stands at ``keep_at``, ``retention`` how long other things are: events, outbox, records, dead_letters.
    ``card_never``: what names events and cases is no card number."""

    name: str
    timezone: str
    languages: tuple[str, ...]
    calendar: str | None
    calendars: Mapping[str, CalendarSpec]
    roles: Mapping[str, Role]
    channels: Mapping[str, Channel]
    facts: Mapping[str, Fact]
    watches: Mapping[str, Watch]
    settings: Mapping[str, Setting]
    keep: LimitText | None
    keep_at: At
    retention: Mapping[str, LimitText]
    glossary: Mapping[str, str]
    palette: tuple[str, ...]
    paper: str
    at: At
    card_never: bool = False

    def limit(self, written: str) -> Limit:
        """The limit that a text says, or the setting that it names.

        Raises ``LimitError`` where that is none, or where there is no such setting: its offsets are those in
        ``limit_text(written)``.
        """
        limit = written.limit if isinstance(written, LimitText) else None
        return parse_limit(self.limit_text(written)) if limit is None else limit

    def limit_text(self, written: str) -> str:
        """The text of a limit, where it names a setting that of what the owner decided; else as it is."""
        setting = self.settings.get(setting_in(written) or "")
        return written if setting is None else str(setting.value)
