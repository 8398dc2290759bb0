"""Bytes become numbered lines, and lines events: readable, complete, of a known type, with declared data of its types.

``Intake.read`` says of one line all that there is to say, in the order in which a person would want to hear it.
``Intake.read_lines`` takes the straight way with each line, and asks ``read`` where that does not lead to its end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, Any, NamedTuple, overload

from msgspec import MsgspecError, Raw, Struct
from msgspec.json import Decoder
from orjson import JSONDecodeError, loads

from carepolicy.engine import codes
from carepolicy.engine.cards import SHORTEST, mask_cards, names_card, one_names_card
from carepolicy.engine.facts import NO_DATA, NamesCard, Taker, WrongValue, plain_taker_of, taker_of
from carepolicy.engine.instants import NoInstant, hour_start, read_instant, rest_of_hour, text_of
from carepolicy.policy.addresses import SPELLED
from carepolicy.policy.characters import MASK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from carepolicy.machine.program import Bundle

BLOCK = 1 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_LINE = 1 << 20
AT_THE_END = 1 << 61
"""The number of the line that causes what falls due at the end, after all that a log can have. In a store it is the
position of what fell due when an input was first read to its end; when that has grown, one more each time."""
MERGE = "carepolicy.merge"
DEEPEST_NAME = 8
LONGEST_NAME = 80
"""Characters of an unknown name that a reason tells, and of an identity that is too long."""
LONGEST_IDENTITY = 1_000
"""Bytes in UTF-8 of an event's source and id, and of what names a case: indexes of databases take no more."""
IDENTITIES = ("id", "source", "subject")
"""The attributes that name an event and its case."""
SURELY_SHORT = LONGEST_IDENTITY // 4
"""A text of so many characters has no more bytes than that."""

make_tuple = tuple.__new__
"""Makes a named tuple of a tuple that has its fields, several times quicker than its class does."""

Row = tuple[int, str, str, int, str, str, str, "dict[str, Any]", bool, bool]
"""The fields of an ``Incoming``, from which it is made where somebody asks for it."""

Line = tuple[int, "bytes | str"]
"""A line of input with its number, counted from 1."""

Tree = dict[str, Any]
"""Facts by the parts of their dotted names: the whole name and its taker, or the tree of what follows."""


class Incoming(NamedTuple):
    """An event that can be taken. ``data`` holds converted values by the facts' dotted names, None where
    the event takes a value away; ``masked`` says that a card number was masked in it. A ``raised``
    event names the key that it is for as its subject.
    """

    line: int
    subject: str
    type: str
    time: int
    when: str
    source: str
    id: str
    data: dict[str, Any]
    masked: bool = False
    raised: bool = False

    def whole(self, ids: Callable[[Incoming], str]) -> Incoming:
        """The same with the text of its time, and with its id."""
        return self._replace(when=text_of(self.time), id=ids(self))


class Refused(Exception):
    """An event that cannot be taken: a code and a reason, and what is known of the event."""

    def __init__(self, code: str, reason: str, event: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = mask_cards(reason)
        self.event = event or {}

    def text(self, name: str, card_never: bool) -> str | None:
        """An attribute of the event, where it is a text; of one that is too long the beginning, and nothing of one that
        holds a card number. ``card_never`` says that what names events and cases holds none."""
        value = self.event.get(name)
        if not isinstance(value, str):
            return None
        if name in IDENTITIES:
            return MASK if not card_never and names_card(value) else shortened(value)
        return shortened(mask_cards(value))


VERSION = "1.0"
"""The version of CloudEvents."""


class _Attributes(Struct, gc=False, forbid_unknown_fields=True):
    """The attributes of an event of which nothing but its data is to be looked at closely. Those of other names are not
    skipped, as what is skipped is not looked at: it need not be UTF-8."""

    subject: str
    type: str
    time: str
    source: str
    id: str
    specversion: str = VERSION
    datacontenttype: Any = None
    dataschema: Any = None


class _Plain(_Attributes, gc=False, forbid_unknown_fields=True):
    """Such an event."""

    data: dict[str, Any] | None = None


NOTHING = Raw(b"")
"""The data of an event that brings none, as it was written."""


class _Raw(_Attributes, gc=False, forbid_unknown_fields=True):
    """The same with its data as it was written, which was perhaps read before."""

    data: Raw = NOTHING


_decode = Decoder(_Plain).decode
_decode_raw = Decoder(_Raw).decode
_decode_data = Decoder(dict[str, Any] | None).decode

REMEMBERED = 1000
"""So many texts of data are remembered with what they mean; then they are forgotten."""


class NotTaken(Struct, frozen=True):
    """A line that is no event that can be taken, and why."""

    number: int
    refused: Refused
    line: bytes | str


Odd = tuple[int, "NotTaken | None"]
"""What stands before the row of that number: a line that is not taken; or nothing (None), but the row itself goes no
short way, since a card number was masked in it or it takes a value away."""


class Reading(Struct, frozen=True):
    """Events that were read, in their order, and what is odd among them. Where ``ids`` make them, rows may have neither
    an id nor the text of their time (""): both are made of the few events of which somebody asks for them."""

    rows: Sequence[Row]
    odd: Sequence[Odd]
    ids: Callable[[Incoming], str] | None = None

    @classmethod
    def of(cls, faults: Iterable[NotTaken], events: Iterable[Incoming]) -> Reading:
        """Some faults, and some events behind them."""
        rows: list[Row] = [event[:] for event in events]
        special: list[Odd] = [(place, None) for place, row in enumerate(rows) if row[8] or None in row[7].values()]
        return cls(rows, [*((0, fault) for fault in faults), *special])

    @property
    def events(self) -> list[Incoming]:
        """The events."""
        return [make_tuple(Incoming, row) for row in self.rows]

    @property
    def faults(self) -> list[NotTaken]:
        """The lines that are not taken."""
        return [fault for _, fault in self.odd if fault is not None]

    def in_order(self) -> Iterator[Incoming | NotTaken]:
        """Events, and lines that are not taken, in their order."""
        odd = deque(self.odd)
        for place, event in enumerate(self.events):
            while odd and odd[0][0] == place:
                fault = odd.popleft()[1]
                if fault is not None:
                    yield fault
            yield event
        yield from (fault for _, fault in odd if fault is not None)

    def without(self, lines: Sequence[Line], refused: Callable[[int, Row, bytes | str], Refused | None]) -> Reading:
        """The same of the same ``lines``, but for the events that are ``refused``, by their places, rows and lines."""
        left: list[Row] = []
        odd: list[Odd] = []
        before = deque(self.odd)
        at = 0  # of the lines, each of which is an event, or was not taken
        for place, row in enumerate(self.rows):
            special = False
            while before and before[0][0] == place:
                fault = before.popleft()[1]
                if fault is None:
                    special = True
                else:
                    odd.append((len(left), fault))
                    at += 1
            line = lines[at][1]
            why = refused(place, row, line)
            if why is not None:
                odd.append((len(left), NotTaken(row[0], why, line)))
            else:
                if special:
                    odd.append((len(left), None))
                left.append(row)
            at += 1
        return Reading(left, [*odd, *((len(left), fault) for _, fault in before)])


class _StraightWays(dict[str, "tuple[dict[str, Taker], Tree, str, dict[bytes, dict[str, Any]]]"]):
    """By type of event what takes its facts, by their names and as a tree, the type, and what texts of data mean. Made
    when the first event of the type comes: a set knows hundreds, of which one event needs one. Raises ``KeyError`` for
    a type that it does not know."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__()
        self._carries = bundle.carries
        self._takers = {name: plain_taker_of(fact) for name, fact in bundle.facts.items()}

    def __missing__(self, event: str) -> tuple[dict[str, Taker], Tree, str, dict[bytes, dict[str, Any]]]:
        takers = {fact: self._takers[fact] for fact in self._carries[event]}
        nesting = {fact: (fact, taker) for fact, taker in takers.items() if fact.count(".") <= DEEPEST_NAME}
        found = self[event] = takers, _tree(nesting), event, {}
        return found


class Intake:
    """Reads events for one policy set. Which of them were taken before is for a memory to say."""

    def __init__(self, bundle: Bundle) -> None:
        self._takers = {name: taker_of(fact) for name, fact in bundle.facts.items()}
        self.card_never = bundle.card_never
        self._spelled = frozenset(
            name for name, fact in bundle.facts.items() if fact.type in SPELLED or fact.item in SPELLED
        )
        self._remembers = True
        self._asked = self._worked_out = 0
        self._fields: dict[str, dict[str, Taker]] = {MERGE: {"into": _subject if self.card_never else _cardless}}
        self.straight = _StraightWays(bundle)
        for event, facts in bundle.carries.items():
            self._fields[event] = {fact: self._takers[fact] for fact in facts}

    def read_lines(self, lines: Iterable[Line]) -> tuple[list[Row], list[Odd]]:
        """The events on some lines, in their order, and what is odd among them.

        It is decided line by line whether an event is plain, which most are, however its data is written.
        """
        rows: list[Row] = []
        odd: list[Odd] = []
        add, straight = rows.append, self.straight
        decode: Callable[[bytes | str], _Plain | _Raw] = _decode_raw if self._remembers else _decode
        asked = 0
        for number, line in lines:
            try:
                event = decode(line)
                takers, tree, kind, known = straight[event.type]
                when = event.time
                hour, _, rest = when.partition(":")
                try:
                    time = hour_start[hour] + rest_of_hour[rest]
                except NoInstant:
                    time, when = read_instant(when)
                given = event.data
                if given is None or given is NOTHING:
                    data = NO_DATA
                elif isinstance(given, Raw):
                    asked += 1
                    text = bytes(given)
                    data = known.get(text) or self._worked_out_of(text, takers, tree, known)
                else:
                    data = _taken(given, takers, tree)
                if len(line) > SURELY_SHORT and (len(line) > LONGEST_IDENTITY or type(line) is str):
                    _demand_short(line, event)
                if not (event.subject and event.id) or event.specversion != VERSION:
                    raise TypeError
            except _NOT_PLAIN:
                self._read_closely(number, line, rows, odd)
                continue
            add((number, event.subject, kind, time, when, event.source, event.id, data, False, False))
        self._asked += asked
        if rows and not self.card_never and _one_is_named_as_a_card(rows):
            rows, odd = [], []
            for number, line in lines:
                self._read_closely(number, line, rows, odd)
        return rows, odd

    def _worked_out_of(
        self, text: bytes, takers: dict[str, Taker], tree: Tree, known: dict[bytes, dict[str, Any]]
    ) -> dict[str, Any]:
        """What a text of data means that is not ``known``; it is known from now on. Where most of what was remembered
        never came again, nothing is remembered any more. Raises one of ``_NOT_PLAIN``."""
        data = _taken(_decode_data(text) or {}, takers, tree)
        self._worked_out += 1
        if self._worked_out >= REMEMBERED:
            self._remembers = self._asked > 2 * self._worked_out
            self._asked = self._worked_out = 0
            for _, _, _, each in self.straight.values():
                each.clear()
        if data:
            known[text] = data
        return data

    def _read_closely(self, number: int, line: bytes | str, rows: list[Row], odd: list[Odd]) -> None:
        try:
            event = self.read(number, line)
        except Refused as refused:
            odd.append((len(rows), NotTaken(number, refused, line)))
            return
        if event.masked or None in event.data.values():
            odd.append((len(rows), None))
        rows.append(event[:])

    def read(self, number: int, line: bytes | str) -> Incoming:
        """The event on the line of that number. Raises ``Refused``."""
        if len(line) > LONGEST_LINE:
            raise Refused(
                codes.TOO_LONG, f"the line has more than {LONGEST_LINE:,} bytes, the most that an event may have"
            )
        try:
            event = loads(line)
        except JSONDecodeError as fault:
            raise Refused(codes.UNREADABLE, f"this is no JSON: {_what(fault)}") from None
        try:
            subject, kind, said = event["subject"], event["type"], event["time"]
            source, key = event["source"], event["id"]
        except (KeyError, TypeError):
            raise self._incomplete(event) from None
        if not (type(subject) is type(kind) is type(said) is type(source) is type(key) is str and subject and key):
            raise self._incomplete(event)
        if len(line) > SURELY_SHORT:
            for name, text in (("id", key), ("source", source), ("subject", subject)):
                if is_too_long(text):
                    raise Refused(codes.TOO_LONG, f"its {name} {HAS_TOO_MANY_BYTES}", event)
        if not self.card_never:
            for name, text in (("id", key), ("source", source), ("subject", subject)):
                if len(text) >= SHORTEST and names_card(text):
                    raise Refused(codes.NAMES_CARD, str(NamesCard(f"its {name}")), event)
        fields = self._fields.get(kind)
        if fields is None:
            raise Refused(codes.UNKNOWN_TYPE, f"no flow declares {_told(kind, self._fields)}", event)
        try:
            time, when = read_instant(said)
        except NoInstant as fault:
            raise Refused(codes.NO_INSTANT, f"time: {fault}", event) from None
        if event.get("specversion", "1.0") != "1.0":
            raise Refused(codes.INCOMPLETE, "specversion is not 1.0", event)
        given = event.get("data")
        masked = False
        data: dict[str, Any] = {}
        if given:
            masked = self._take_data(event, kind, fields, given, data)
        elif given is not None and type(given) is not dict:
            raise Refused(codes.INCOMPLETE, "data is not an object", event)
        return make_tuple(Incoming, (number, subject, kind, time, when, source, key, data, masked, False))

    def _take_data(
        self, event: dict[str, Any], kind: str, fields: dict[str, Taker], given: Any, data: dict[str, Any]
    ) -> bool:
        """Fill ``data``; True where a card number was masked."""
        if type(given) is not dict:
            raise Refused(codes.INCOMPLETE, "data is not an object", event)
        masked = False
        for name, value in given.items():
            taker = fields.get(name)
            if taker is None:
                flat = _flatten(name, value)
                if flat is None or name in flat:
                    raise Refused(codes.UNDECLARED, f'"{kind}" does not carry {_told(name, fields)}', event)
                masked |= self._take_data(event, kind, fields, flat, data)
                continue
            if value is None:
                data[name] = None
                continue
            try:
                taken = taker(value)
            except WrongValue as fault:
                raise Refused(fault.code, f"{name}: {fault}", event) from None
            if taken is not value and name not in self._spelled:
                masked |= _was_masked(taken, value)
            data[name] = taken
        return masked

    def _incomplete(self, event: Any) -> Refused:
        if not isinstance(event, dict):
            return Refused(codes.UNREADABLE, "this is JSON, but no object")
        lacking = [name for name in ("id", "source", "type", "subject", "time") if not _is_text(event.get(name))]
        return Refused(codes.INCOMPLETE, "no text for " + ", ".join(lacking), event)


_NOT_PLAIN = (MsgspecError, ValueError, LookupError, TypeError, RecursionError)
"""What goes wrong on the straight way of a line that is not plain."""


def duplicate(line: bytes | str) -> Refused:
    """Why an event that was taken before is refused."""
    return Refused(codes.DUPLICATE, "an event with this source and id was taken before", loads(line))


def _tree(leaves: dict[str, tuple[str, Taker]]) -> Tree:
    """Facts by what is left of their names, as a tree. One that has a value of its own cannot nest others."""
    heads: dict[str, dict[str, tuple[str, Taker]]] = {}
    for name, leaf in leaves.items():
        for at, sign in enumerate(name):
            if sign == ".":
                heads.setdefault(name[:at], {})[name[at + 1 :]] = leaf
    nested = {head: _tree(rests) for head, rests in heads.items() if head not in leaves}
    return {**leaves, **nested}


def _taken(given: Any, takers: dict[str, Taker], tree: Tree) -> dict[str, Any]:
    """The values of an event's data by the facts' dotted names. Raises one of ``_NOT_PLAIN``."""
    data: dict[str, Any] = {}
    for name, value in given.items():
        if type(value) is dict:
            branch = tree[name]
            for inner, each in value.items():
                if type(each) is dict:
                    _take_nested(branch[inner], each, data)
                else:
                    fact, taker = branch[inner]
                    data[fact] = taker(each)
        else:
            data[name] = takers[name](value)
    return data or NO_DATA


def _take_nested(tree: Tree, given: dict[str, Any], data: dict[str, Any]) -> None:
    """Fill ``data`` from values that nest. Raises one of ``_NOT_PLAIN``."""
    for name, value in given.items():
        if type(value) is dict:
            _take_nested(tree[name], value, data)
        else:
            fact, taker = tree[name]
            data[fact] = taker(value)


def _demand_short(line: bytes | str, event: _Attributes) -> None:
    """Raises ``ValueError`` where a line, or what names its event, may be too long."""
    if len(line) > LONGEST_LINE or any(map(is_too_long, (event.id, event.source, event.subject))):
        raise ValueError


def _one_is_named_as_a_card(rows: list[Row]) -> bool:
    sources = {row[5] for row in rows}
    return one_names_card([row[1] for row in rows]) or one_names_card([*sources, *(row[6] for row in rows)])


HAS_TOO_MANY_BYTES = f"has more than {LONGEST_IDENTITY:,} bytes, the most that may be"


def is_too_long(identity: str) -> bool:
    """Whether a text is too long to tell one case or event from another."""
    return len(identity) > SURELY_SHORT and len(identity.encode("utf-8", "surrogatepass")) > LONGEST_IDENTITY


def shortened(identity: str) -> str:
    """The text itself, or the beginning of one that is too long."""
    return f"{identity[:LONGEST_NAME]}..." if is_too_long(identity) else identity


def _was_masked(taken: Any, value: Any) -> bool:
    """Whether a text, or one in a list, is not what it was."""
    if type(taken) is tuple:
        return any(map(_was_masked, taken, value))
    return type(taken) is str and taken != value


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _subject(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise WrongValue("a subject is expected")
    if is_too_long(value):
        raise WrongValue(f"the subject {HAS_TOO_MANY_BYTES}")
    return value


def _cardless(value: Any) -> str:
    subject = _subject(value)
    if names_card(subject):
        raise NamesCard("the subject")
    return subject


def _flatten(name: str, value: Any) -> dict[str, Any] | None:
    """``{"customer": {"tier": "gold"}}`` as dotted names, None where the value does not nest."""
    if not isinstance(value, dict) or name.count(".") >= DEEPEST_NAME:
        return None
    return {f"{name}.{key}": inner for key, inner in value.items()}


def _told(name: str, known: Mapping[str, Any]) -> str:
    """A name that is not known, in quotes, and the nearest that is; a long one is cut, since it may be a megabyte."""
    name = mask_cards(name)
    if len(name) > LONGEST_NAME:
        return f'"{_plain(name[:LONGEST_NAME])}..."'
    from difflib import get_close_matches

    found = get_close_matches(name, list(known), n=1)
    return f'"{_plain(name)}"' + (f'; did you mean "{found[0]}"?' if found else "")


def _plain(name: str) -> str:
    """A name without what would move the cursor of a terminal."""
    return name if name.isprintable() else "".join(each if each.isprintable() else "?" for each in name)


def _what(fault: JSONDecodeError) -> str:
    """The reason of a JSON error without any of the text that it stands in."""
    return f"{fault.msg.split(':')[0]} at column {fault.colno}"


class _Numbered(Sequence[tuple[int, bytes]]):
    """Lines with their numbers, which follow each other: each pair is made when somebody looks at it."""

    __slots__ = ("_first", "_lines")

    def __init__(self, first: int, lines: list[bytes]) -> None:
        self._first = first
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        return iter(enumerate(self._lines, self._first))

    @overload
    def __getitem__(self, place: int) -> tuple[int, bytes]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[tuple[int, bytes]]: ...
    def __getitem__(self, place: int | slice) -> tuple[int, bytes] | Sequence[tuple[int, bytes]]:
        if isinstance(place, slice):
            return list(self)[place]
        return range(self._first, self._first + len(self._lines))[place], self._lines[place]


def numbered_lines(blocks: Iterable[bytes]) -> Iterator[Sequence[tuple[int, bytes]]]:
    """For each block of input the lines that it completes, numbered from 1; blank lines are left out.

    A line that is longer than an event may be is cut a little above that length, so that whoever reads
    it can tell that it is too long.
    """
    number = 1
    rest = b""
    first = True
    for read in blocks:
        block = read
        if first:
            first = False
            block = block.removeprefix(BYTE_ORDER_MARK)
        lines = block.split(b"\n")
        lines[0] = rest + lines[0] if len(rest) <= LONGEST_LINE else rest
        rest = lines.pop()[: LONGEST_LINE + 1]
        complete = _Numbered(number, lines)
        number += len(lines)
        # The least of all lines tells whether one may be blank: white space comes before all that an event begins with.
        plain = lines and min(lines)[:1] > b" "
        yield complete if plain else [each for each in complete if each[1].strip()]
    if rest.strip():
        yield [(number, rest)]


def tells_of_merges(file: IO[bytes]) -> bool:
    """Whether an event in what is left of a file may join two subjects. The file stands where it stood again."""
    sought, before, start = MERGE.encode(), b"", file.tell()
    while block := file.read(BLOCK):
        if sought in before + block:
            break
        before = block[1 - len(sought) :]
    file.seek(start)
    return bool(block)
