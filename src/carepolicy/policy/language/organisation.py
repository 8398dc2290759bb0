"""The language of organisation.yaml: calendars, roles, channels, facts, watches and settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

from carepolicy.policy.addresses import EMAIL, PHONE
from carepolicy.policy.findings import quoted
from carepolicy.policy.language.absence import Absence, absences
from carepolicy.policy.language.calendar import CalendarSpec
from carepolicy.policy.language.common import Common
from carepolicy.policy.language.keys import (
    Fields,
    Mapped,
    called,
    derived,
    flag,
    key,
    limit,
    located,
    mapping,
    name_of,
    named,
    read_fields,
    text,
    texts,
    title,
)
from carepolicy.policy.language.shapes import (
    COLOUR,
    COUNT,
    FACT,
    LANGUAGE,
    LIMIT,
    TEXT,
    VALUES,
    WORDS,
    Array,
    Either,
    Scalar,
    choice,
)
from carepolicy.policy.limit import (
    Limit,
    LimitText,
    WarnMark,
    first_of,
    length_written,
    parse_limit,
    setting_in,
    warn_mark,
)
from carepolicy.policy.node import Node, in_words
from carepolicy.policy.places import At
from carepolicy.policy.vocabulary import amount_meant
from carepolicy.translations import msg

Value = str | int | float | bool | Decimal | None

FACT_TYPES = ("text", "number", "money", "flag", "choice", "date", "time", PHONE, EMAIL)

_NEVER = choice("never", expected="never, the one value that it may have")
_CARD = msg("card numbers looked for")


@mapping("a role, such as {title: Care agent, calendar: office}", piece="role")
class Role(Mapped):
    """Who acts. ``authority`` is the largest amount of money that the role may decide on."""

    name: str = called()
    title: str = title(example="Care agent")
    calendar: str | None = name_of(
        "calendar", "When people in this role work.", otherwise="the default calendar", example="office", rank=1,
        told=msg("calendar"),
    )  # fmt: skip
    people: tuple[str, ...] = texts(
        "Who has the role.", example="[Aoife, Ben]", codes=("CP502",), rank=1, told=msg("people")
    )
    deputy: str | None = name_of(
        "role", "The role that stands in.", example="care_lead", codes=("CP503",), rank=1, told=msg("deputy")
    )
    may_see: tuple[str, ...] = key(
        Array(FACT, "a list of facts"), "Private facts that the role may see.", missing=(), example="[customer.email]",
        rank=1, told=msg("may see"),
    )  # fmt: skip
    authority: Decimal | None = key(
        Scalar(
            "",
            {"type": ["number", "string"], "errorMessage": "an amount, such as 100.00"},
            lambda node: _amount(node),
        ),
        "The largest amount of money it may decide on.", otherwise="none", example="100.00",
        codes=("CP506", "CP507", "CP508"), rank=1, told=msg("may decide up to"),
    )  # fmt: skip
    language: str | None = key(
        LANGUAGE, "The language of the notices that it is told.", default=None, otherwise="the first of the set",
        example="en", codes=("CP209",), rank=1, told=msg("language"),
    )  # fmt: skip
    colour: str | None = key(COLOUR, "Its colour on charts.", example='"#0072b2"', rank=1, told=msg("colour"))
    at: At = located()


@mapping("a channel, such as {title: E-mail, address: care@example.org}", piece="channel")
class Channel(Mapped):
    """A way to reach customers; ``to`` is the fact that holds the customer's address on it."""

    name: str = called()
    title: str = title(example="E-mail")
    address: str = text(
        "Our own address on it: a mailbox, a number.", example="care@harbour.example", told=msg("address")
    )
    calendar: str | None = name_of("calendar", "When it is staffed.", example="office", told=msg("calendar"))
    to: str | None = name_of(
        "fact", "The fact that holds the customer's address on it; customer.<channel> by default.",
        missing=lambda node, name: _usual_address(node, name), otherwise="customer.<channel>, where that is a fact",
        example="customer.email", told=msg("leads to"),
    )  # fmt: skip
    at: At = located()


BOUND = Scalar("", {"type": ["number", "string"], "errorMessage": "a number or an amount, such as 10 or 100.00"})


@mapping("a fact, such as {type: text}", piece="fact_spec")
class Fact(Mapped):
    """A typed value of a case. ``type``: text, number, money, flag, choice, date, time, phone, email or list;
    ``item`` is the type of a list's members. ``card_never``: its digits are no card number. ``least`` and ``most``
    bound numbers and money, ``pattern`` is what a text must wholly be; of a list they are about its members."""

    name: str = called()
    type: str = key(
        Scalar(
            "",
            {
                "type": "string",
                "enum": [*FACT_TYPES, *(f"list of {each}" for each in FACT_TYPES)],
                "errorMessage": "the type of a fact",
            },
        ),
        "Of which type its value is.", bare=True, required=True, read=lambda node, name: _type(node)[0],
        example="text", codes=("CP111",), rank=0, told=msg("kind"),
    )  # fmt: skip
    item: str | None = derived(lambda node, name: _type(node)[1])
    of: tuple[str, ...] = key(
        Array(TEXT.inline, "a list of texts", at_least=1), "What a choice chooses from.", said=VALUES,
        read=lambda node, name: _choices(node), example="[standard, gold]", codes=("CP111",), rank=1,
    )  # fmt: skip
    currency: str | None = key(
        Scalar(
            "",
            {
                "type": "string",
                "pattern": "^[A-Z]{3}$",
                "errorMessage": "a currency",
                "patternErrorMessage": "a currency is an ISO 4217 code, such as GBP",
            },
        ),
        "The currency of an amount of money.", bare=True, example="GBP", rank=1,
    )  # fmt: skip
    private: bool = flag(
        "Never in a log, chart, report or error text; stored encrypted.", otherwise="false", example="true",
        codes=("CP238", "CP701", "CP702", "CP703"), rank=1, told=msg("privacy"),
    )  # fmt: skip
    card_never: bool = key(
        _NEVER, "Its digits are no card number, though they may look like one: they are not masked.", key="card",
        default=False, read=lambda node, name: "card" in node, otherwise="they are looked for", example="never", rank=1,
        told=_CARD,
    )  # fmt: skip
    least: Decimal | int | float | None = key(
        BOUND, "The smallest value that an event may bring.", key="min", read=lambda node, name: _bound(node, "min"),
        default=None, otherwise="no bound", example="0", codes=("CP251",), rank=1, told=msg("at least"),
    )  # fmt: skip
    most: Decimal | int | float | None = key(
        BOUND, "The largest value that an event may bring.", key="max", read=lambda node, name: _bound(node, "max"),
        default=None, otherwise="no bound", example="10", codes=("CP251",), rank=1, told=msg("at most"),
    )  # fmt: skip
    pattern: str | None = text(
        "What a text must be from its first to its last letter, as a regular expression of RE2.", default=None,
        otherwise="any text", example='"[A-Z]{2}[0-9]{6}"', codes=("CP251", "CP252"), rank=1,
        told=msg("pattern"),
    )  # fmt: skip
    default: Value = text(
        "Its value until an event says another.", read=lambda node, name: _default(node), otherwise="none",
        example="standard", codes=("CP224",), rank=1, told=msg("default"),
    )  # fmt: skip
    title: str = title(example="Customer's tier", rank=1)
    words: tuple[tuple[str, str], ...] = derived(lambda node, name: (), default=())
    at: At = located()

    def told(self, value: str) -> str:
        """What people read of a value that may be chosen."""
        return dict(self.words).get(value) or value.replace("_", " ")


@mapping(
    "a watch, such as {count: complaint_received, by: complaint.cause, reaches: 5, within: 30 days, raise: chronic}",
    piece="watch",
)
class Watch(Mapped):
    """Raises an event when ``count`` events with one value of the fact ``by`` come ``within`` a limit."""

    name: str = called()
    count: str = name_of("event", "The event that is counted.", required=True, example="customer_wrote")
    by: str = name_of(
        "fact", "Events with one value of this fact are counted together.", required=True, example="complaint.cause"
    )
    reaches: int = key(COUNT, "How many of them there must be.", bare=True, required=True, example="5")
    within: LimitText = limit("In how much time they must come.", bare=True, required=True, example="30 days")
    raises: str = name_of(
        "event", "The event that is raised.", key="raise", required=True, example="chronic_problem_found"
    )
    at: At = located()


@mapping("a command, such as {title: Charge the card}", piece="command")
class Command(Mapped):
    """What ``request:`` sends to a service, by the name that the service knows."""

    name: str = called()
    title: str = title(example="Charge the card", rank=0)
    at: At = located()


@mapping()
class Setting(Mapped):
    """A number or text that the owner is to decide; ``settings.NAME`` in guards, limits, messages."""

    name: str = called()
    value: Value = derived(lambda node, name: node.data)
    title: str = derived(lambda node, name: in_words(name), default="")
    words: str = derived(lambda node, name: "", default="")
    at: At = located()

    @property
    def told(self) -> Value:
        """What people read of its value: the words of their language, where those are others."""
        return self.words or self.value


@mapping()
class Retention(Mapped):
    """How long what is kept. Where ``keep:`` says but one limit, it speaks of facts."""

    facts: LimitText | None = limit("When a closed case's facts are erased.", example="3 years")
    events: LimitText | None = limit(
        "When the id of an event that was taken is forgotten.", example="90 days", codes=("CP239",)
    )
    outbox: LimitText | None = limit("When a request that was carried out is forgotten.", example="90 days")
    records: LimitText | None = limit("When the records of a closed case go.", example="7 years", codes=("CP240",))
    dead_letters: LimitText | None = limit("When an event that was not taken is forgotten.", example="90 days")


@mapping("where the handbook is read, such as {url: https://care.harbour.example/handbook}", piece="handbook")
class HandbookPlace(Mapped):
    """Where staff read the handbook: wall sheets lead there by a QR code."""

    url: str = key(
        Scalar(
            "",
            {
                "type": "string",
                "pattern": r"^https?://[^\s/?#]+(/[^\s?#]*)?$",
                "errorMessage": "an address",
                "patternErrorMessage": "an address begins with https:// and names no page, such as "
                "https://care.harbour.example/handbook",
            },
        ),
        "The address of the folder that `handbook` writes.", bare=True, required=True,
        example="https://care.harbour.example/handbook",
    )  # fmt: skip
    at: At = located()


_KEEP = Either(
    LIMIT,
    Fields(Retention),
    {
        **LIMIT.body(),
        "type": [*LIMIT.body()["type"], "object"],
        "properties": {name: each.schema() for name, each in Fields(Retention).keys.items()},
        "additionalProperties": False,
        "minProperties": 1,
        "description": "When a closed case's facts are erased; or what is kept how long.",
        "examples": ["3 years", {"facts": "3 years", "events": "90 days", "records": "7 years"}],
        "errorMessage": "a limit, such as 3 years, or what is kept how long, "
        "such as {facts: 3 years, records: 7 years}",
    },
)


@mapping(
    "an organisation: its name, time zone, calendars, roles, channels and facts",
    "Who we are: what every flow of the policy set shares.",
)
class Organisation(Mapped):
    """Who we are: what every flow of the set shares. ``keep`` is how long facts of closed cases are kept,
    ``retention`` how long other things are: events, outbox, records, dead_letters. ``card_never``: what names events
    and cases is no card number."""

    name: str = text(
        "The organisation's name, shown on every chart.", key="organisation", required=True, aspect="title",
        example="Harbour & Finch", rank=0, told=msg("title"),
    )  # fmt: skip
    timezone: str = text(
        "Its IANA time zone, such as Europe/London.", required=True, example="Europe/London", codes=("CP231",), rank=1,
        told=msg("time zone"),
    )  # fmt: skip
    region: str | None = key(
        Scalar(
            "",
            {
                "type": "string",
                "pattern": "^[A-Z]{2}$",
                "errorMessage": "a region",
                "patternErrorMessage": "a region is a country's ISO 3166 code, such as GB",
            },
        ),
        "The country of telephone numbers that do not name theirs, by its ISO 3166 code.", bare=True,
        otherwise="that of the default calendar's holidays, else that of the time zone", example="GB",
        codes=("CP250",), rank=1, told=msg("region"), default=None,
    )  # fmt: skip
    languages: tuple[str, ...] = key(
        Array(LANGUAGE, "a list of languages, such as [en, fr]", at_least=1),
        "Languages of its messages and texts; the set itself is written in the first.", missing=("en",),
        otherwise="[en]", example="[en, fr]", codes=("CP209", "CP601"), rank=1, told=msg("languages"),
    )  # fmt: skip
    calendar: str | None = name_of(
        "calendar", "The default calendar of every clock.", example="office", rank=1, told=msg("calendar")
    )
    calendars: Mapping[str, CalendarSpec] = named(
        CalendarSpec, "calendars by name", "Opening hours, by name.", defines="calendar",
        example="{phones: {title: Phone lines, hours: {mon-sat: 08:00-20:00}}}", rank=2,
    )  # fmt: skip
    roles: Mapping[str, Role] = named(
        Role, "roles by name", "Who acts.", defines="role", example="{care_agent: {title: Care agent}}", rank=3
    )
    away: Mapping[str, tuple[Absence, ...]] = absences(
        "When people are away: their work goes to the deputy of their role.",
        example="{Aoife: [2026-08-03/2026-08-14]}", codes=("CP114", "CP509", "CP510"), rank=3,
        told=msg("away"),
    )  # fmt: skip
    channels: Mapping[str, Channel] = named(
        Channel, "channels by name", "How customers are reached.", defines="channel",
        example="{email: {title: E-mail, address: care@harbour.example}}", rank=4,
    )  # fmt: skip
    facts: Mapping[str, Fact] = named(
        Fact, "facts by name", "What an event may carry and a guard may read.", names=FACT.of(""), defines="fact",
        example="{customer.tier: {type: choice, of: [standard, gold]}}", rank=5,
    )  # fmt: skip
    watches: Mapping[str, Watch] = named(
        Watch, "watches by name", "Chronic problems that raise an event of their own.", defines="watch",
        example="{often: {count: customer_wrote, by: complaint.cause, reaches: 5, within: 30 days, "
        "raise: chronic_problem_found}}",
        rank=6,
    )  # fmt: skip
    common: Common | None = key(
        Fields(Common), "What is said once for every flow.", default=None, rank=6,
        example="{events: {card_seen: {title: A card number is seen}}, anywhere: {card_seen: {tell: care_lead}}}",
    )  # fmt: skip
    settings: Mapping[str, Setting] = named(
        TEXT, "numbers and texts by name", "What the owner is to decide.", defines="setting",
        said=VALUES,
        read=lambda node, name: {each: read_fields(Setting, found, each) for each, found in node.items("settings")},
        example="{small_refund: 20}", codes=("CP219",), rank=6,
    )  # fmt: skip
    commands: Mapping[str, Command] = named(
        Command, "commands by name", "What staff call the commands that `request:` sends to services.",
        defines="command", example="{charge_card: {title: Charge the card}}", codes=("CP253",), rank=6,
    )  # fmt: skip
    keep: LimitText | None = key(
        _KEEP, "When a closed case's facts are erased; or what is kept how long.", bare=True,
        read=lambda node, name: None if (facts := _facts_kept(node)) is None else facts.limit(),
        otherwise="never", example="{facts: 3 years, records: 7 years}", codes=("CP220", "CP239", "CP240"),
        told=msg("kept for"),
    )  # fmt: skip
    retention: Mapping[str, LimitText] = derived(lambda node, name: dict(_retention(node)))
    card_never: bool = key(
        _NEVER, "Subjects, ids and sources of events are no card numbers, though they may look like ones.", key="card",
        default=False, read=lambda node, name: "card" in node, otherwise="they are looked for", example="never", rank=1,
        told=_CARD,
    )  # fmt: skip
    glossary: Mapping[str, str] = named(
        TEXT, "terms and what they mean", "Words of the house, explained.", names=None, said=WORDS,
        example="{RMA: The number of a return.}", rank=7,
    )  # fmt: skip
    palette: tuple[str, ...] = key(
        Array(COLOUR, 'a list of colours, such as ["#0072b2", "#e69f00"]'), "Colours of roles on charts.", missing=(),
        otherwise="twelve that people of any colour vision tell apart", example='["#0072b2", "#e69f00"]',
        told=msg("colours"),
    )  # fmt: skip
    paper: str = key(
        choice("A4", "A3", "Letter", expected="a size of paper"), "The paper that charts are printed on.", missing="A4",
        otherwise="A4", example="Letter", told=msg("paper"),
    )  # fmt: skip
    handbook: HandbookPlace | None = key(
        Fields(HandbookPlace), "Where staff read the handbook.", default=None, otherwise="sheets have no QR code",
        example="{url: https://care.harbour.example/handbook}", told=msg("handbook"),
    )  # fmt: skip
    at: At = located()

    def limit(self, written: str) -> Limit:
        """The limit that a text says, or the setting that it names.

        Raises ``LimitError`` where the text is no limit, or names no setting; its offsets are those in
        ``limit_text(written)``.
        """
        limit = written.limit if isinstance(written, LimitText) else None
        if limit is None and isinstance(written, LimitText) and written.parts:
            return first_of(map(self.limit, written.parts))
        return parse_limit(self.limit_text(written)) if limit is None else limit

    def warning(self, written: str) -> WarnMark:
        """The warning at a length of time that a text of ``warn_at`` writes. Raises ``LimitError``."""
        return warn_mark(written, self.limit(length_written(written)))

    def limit_text(self, written: str) -> str:
        """The text of a limit, where it names a setting that of what the owner decided; else as it is."""
        setting = self.settings.get(setting_in(written) or "")
        return written if setting is None else str(setting.value)


def _facts_kept(node: Node) -> Node | None:
    """How long facts of closed cases are kept, of which ``keep: 3 years`` speaks."""
    keep = node.find("keep")
    return keep.find("facts") if keep is not None and isinstance(keep.data, dict) else keep


def _retention(node: Node) -> Iterator[tuple[str, LimitText]]:
    if isinstance(node.data.get("keep"), dict):
        yield from ((name, each.limit()) for name, each in node.items("keep") if name != "facts")


def _usual_address(node: Node, name: str) -> str | None:
    usual = f"customer.{name}"
    return usual if usual in (node.top.data.get("facts", ())) else None


def _amount(node: Node) -> Decimal | None:
    amount = _decimal(node.text())
    if amount is None:
        meant = amount_meant(node.text())
        hint = "write a number such as 100.00" if meant is None else f"write {meant}"
        node.fault("CP112", f"{quoted(node.text())} is no amount", hint)
    return amount


def _decimal(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _type(node: Node) -> tuple[str, str | None]:
    """The type of a fact, and that of a list's members."""
    said = node.said("type")
    return ("list", said.removeprefix("list of ")) if said.startswith("list of ") else (said, None)


def _bound(node: Node, name: str) -> Decimal | int | float | None:
    """A bound as values of the type are held: exact for money, as JSON has it for numbers."""
    said = node.find(name)
    amount = None if said is None else _amount(said)
    if amount is None or "money" in _type(node):
        return amount
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _choices(node: Node) -> tuple[str, ...]:
    if "choice" in _type(node) and "of" not in node:
        node.fault("CP111", 'the key "of" is missing', "say what to choose from: of: [standard, gold]", on_key=True)
    return node.texts("of")


def _default(node: Node) -> Value:
    """The value in its runtime type where the type takes it; anything else as it is, for the check to judge."""
    default, kind = node.find("default"), _type(node)[0]
    if default is None:
        return None
    if kind == "money":
        amount = _decimal(default.text())
        return default.text() if amount is None else amount
    if kind in ("number", "flag"):
        value: Value = default.data
        return value
    return default.text()
