"""A mapping at work: rows of a log become events of the policies."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from itertools import compress, count, islice, repeat
from operator import add, attrgetter, itemgetter, le, ne
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from carepolicy.audit import timeforms
from carepolicy.businesstime.instants import EPOCH
from carepolicy.checks.mappings import MappingNames, column_scope, names_in, plain_name
from carepolicy.engine.facts import NO_DATA, plain_taker_of
from carepolicy.engine.instants import FIRST_YEAR, LAST_YEAR, SECOND, NoInstant, among_years, text_of
from carepolicy.engine.record import slug
from carepolicy.guards.compiler import compile_expression
from carepolicy.policy.language.mapping import SLUG
from carepolicy.policy.likeness import nearest

if TYPE_CHECKING:
    from carepolicy.audit.blocks import Block, Row
    from carepolicy.machine.program import Bundle, FactTable
    from carepolicy.policy.language.mapping import FactOf, LogMapping

Value = TypeVar("Value")

IGNORED = "ignore"
SOURCE = "/log"
"""The source of events of a mapping that names none."""

TIMES = {"xes": "time:timestamp", "ocel": "ocel:timestamp"}
"""Where a format itself says when its events were."""

_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_FLAGS = {
    **dict.fromkeys(("true", "yes", "y", "1", "t", "on"), True),
    **dict.fromkeys(("false", "no", "n", "0", "f", "off"), False),
}


def known_to(bundle: Bundle) -> MappingNames:
    """What mappings for a compiled set may name."""
    flows = {each.flow: each.events for each in bundle.programs}
    return MappingNames(flows, {name: fact.of for name, fact in bundle.facts.items()})


class Unmapped(ValueError):
    """A row that makes no event: why."""


class CalledAlike(ValueError):
    """Two cases would be called the same: the text says which, and what to do."""


class Made(msgspec.Struct, frozen=True, gc=False):
    """An event that a row made, before it is read as the live engine reads one."""

    row: int
    time: int
    rank: int
    type: str
    data: dict[str, Any]
    id: str


class Told(NamedTuple):
    """Events of some subjects, each in the order of time: their types, instants (microseconds since 1970) and the texts
    of these, ids, and data as the engine holds it. Who ``only_counts`` is told neither texts nor ids ("").
    What is here of the ``odd`` subjects, by their places, is nothing: their rows do not tell their events plainly."""

    kinds: Sequence[str]
    times: Sequence[int]
    whens: Iterable[str]
    ids: Iterable[str]
    data: Sequence[dict[str, Any]]
    odd: Set[int]


class Mapper:
    """Makes events of rows by a mapping. ``columns`` are those that it reads, ``times`` which of them hold instants.

    ``ranks`` orders the events of one instant: by the first state of a flow, in its file's order, that allows them.
    """

    def __init__(self, mapping: LogMapping, bundle: Bundle, form: str = "") -> None:
        self.mapping = mapping
        self.form = (mapping.reads.format if mapping.reads is not None else None) or form
        self.time = mapping.time or TIMES.get(self.form)
        self.bundle = bundle
        reads = mapping.reads
        self.zone = ZoneInfo((reads.timezone if reads else None) or bundle.timezone)
        self.time_form = (reads.time_format if reads is not None else None) or timeforms.ISO
        self.keeps_duplicates = reads is not None and reads.duplicates == "keep"
        event = mapping.event
        wanted = [self.time, mapping.id, event.column if event else None, *mapping.events_from_columns]
        wanted += [each.column for each in mapping.facts.values()]
        self.columns: tuple[str, ...] = tuple(dict.fromkeys(each for each in wanted if each is not None))
        self.names_in_where = tuple(names_in(mapping.where)) if mapping.where is not None else ()
        self.times = frozenset((*([self.time] if self.time else []), *mapping.events_from_columns))
        self.ranks = _ranks(bundle)
        self._carries = {kind: frozenset(facts) for kind, facts in bundle.carries.items()}
        self._kinds = _kinds(event.values if event is not None else {}, self.ranks)
        self._odd = _Remembered(self._read_instant)
        self._no_event = _Remembered(self._tell_no_event)
        self._ignored = event is not None and event.others == IGNORED
        self.skipped = 0
        self.source = mapping.source or SOURCE
        self._called: dict[str, str] = {}

    def called(self, subject: str) -> str:
        """What a case is called. Raises ``CalledAlike``."""
        if self.mapping.subject_as != SLUG:
            return subject
        name = slug(subject) if any(map(str.isalnum, subject)) else subject
        other = self._called.setdefault(name, subject)
        if other != subject:
            raise CalledAlike(f'"{other}" and "{subject}" would both be called {name}: leave subject_as: out')
        return name

    def ids(self, subject: str, made: Sequence[Made]) -> Iterator[str]:
        """The ids of all events of a case, which a longer log of the case gives them again: those that the log has,
        else the case and the event that its column stands for, or the place in the order of time."""
        named, counts = {*self.mapping.events_from_columns.values()}, Counter[str]()
        for number, each in enumerate(made, 1):
            counts[each.type] += 1
            if self._id is not None:
                yield each.id
            elif each.type in named:
                yield f"{subject}/{each.type}" + (f"/{counts[each.type]}" if counts[each.type] > 1 else "")
            else:
                yield f"{subject}/{number}"

    def bind(self, columns: Sequence[str], all_columns: Sequence[str]) -> None:
        """Take rows of these columns: those of ``columns`` in their order, then those that ``where`` names."""
        at = {name: place + 2 for place, name in enumerate(columns)}
        mapping = self.mapping
        self._time = at.get(self.time or "")
        self._id = at.get(mapping.id or "")
        self._event = at.get(mapping.event.column) if mapping.event else None
        self._from_columns = [(at[column], kind) for column, kind in mapping.events_from_columns.items()]
        self._facts = [
            (fact, at[of.column], _Remembered(_converter(self, of, self.bundle.facts[fact])))
            for fact, of in mapping.facts.items()
        ]
        self._taken = [
            (
                fact,
                place - 2,
                self._taking(fact, made),
                {kind for kind, facts in self._carries.items() if fact in facts},
            )
            for fact, place, made in self._facts
        ]
        self.tells_plainly = (
            mapping.where is None
            and not self._from_columns
            and self._event is not None
            and self._time is not None
            and self._carries.keys() >= {*self._kinds.values()}
        )
        self._where = None
        if mapping.where is not None:
            expression = compile_expression(mapping.where, column_scope(all_columns), "flag")
            known = {plain_name(name): place for name, place in at.items()}
            self._where = (expression.function, [(name, known[name]) for name in self.names_in_where if name in known])

    def _taking(self, fact: str, made: _Remembered[Any]) -> _Remembered[tuple[Any, Any]]:
        """What is made of a column's texts, as JSON has it and as the engine holds it."""
        taker = plain_taker_of(self.bundle.facts[fact])

        def take(text: str) -> tuple[Any, Any]:
            value = made[text]
            return value, taker(value)

        return _Remembered(take)

    def told(self, subjects: Sequence[str | None], block: Block, only_counts: bool = False) -> Told:
        """What happened to the subjects of a block, as ``events`` has it, where each row of one tells it plainly and
        later than the one before. To be asked only of a mapping that ``tells_plainly``; the ids that a log itself has
        are not left out."""
        assert self._event is not None
        assert self._time is not None
        values: Sequence[Sequence[Any]] = block.values
        places = [*block.by_row(range(len(block.counts)))]
        kinds: list[Any] = [*map(self._kinds.get, values[self._event - 2])]
        odd = set[int]()
        if not all(kinds):
            odd.update(place for place, kind in zip(places, kinds, strict=True) if kind is None)
        texts = values[self._time - 2]
        if not all(texts):
            texts = [each or "" for each in texts]
        times = _instants(texts)
        if min(times) < _ODD:
            odd.update(place for place, time in zip(places, times, strict=True) if time < _ODD)
        for number in compress(count(1), map(le, islice(times, 1, None), times)):
            if places[number] == places[number - 1]:
                odd.add(places[number])
        data = self._told_facts(block, kinds, places, odd)
        if only_counts:
            assert self._id is None
            return Told(kinds, times, repeat(""), repeat(""), data, odd)
        named = zip(block.by_row(subjects), block.numbers, kinds, strict=True)
        ids = [f"{subject}/{number}/{kind}" for subject, number, kind in named]
        if self._id is not None:
            ids = [own or made for own, made in zip(values[self._id - 2], ids, strict=True)]
        return Told(kinds, times, _written(texts, times), ids, data, odd)

    def _told_facts(
        self, block: Block, kinds: Sequence[str], places: Sequence[int], odd: set[int]
    ) -> Sequence[dict[str, Any]]:
        """The data of some events: a fact travels with the first that may carry it, and again when it changes. Subjects
        of which a fact cannot be taken are added to the ``odd``."""
        told = [NO_DATA] * len(kinds)
        begins = block.begins()
        later = set[int]()
        for fact, at, taken, carriers in self._taken:
            column = block.values[at]
            here = known = said = None
            for number, text in _said(column, begins):
                place = places[number]
                if place != here:
                    here, known = place, None
                elif text == said:
                    continue
                said = text
                try:
                    value, held = taken[text]
                except (ValueError, LookupError, TypeError):
                    odd.add(place)
                    continue
                if value != known:
                    known = value
                    if kinds[number] not in carriers:
                        later.add(place)
                    if told[number] is NO_DATA:
                        told[number] = {fact: held}
                    else:
                        told[number][fact] = held
        for place in later - odd:
            own = slice(begins[place], begins[place + 1])
            told[own] = self._told_later(kinds[own], [column[own] for column in block.values])
        return told

    def _told_later(self, kinds: Sequence[str], values: Sequence[Sequence[str | None]]) -> Sequence[dict[str, Any]]:
        """As ``_told_facts``, where facts wait for events that may carry them: the longest first."""
        told = [NO_DATA] * len(kinds)
        known: dict[str, Any] = {}
        waiting: dict[str, tuple[Any, Any]] = {}
        for number, kind in enumerate(kinds):
            for fact, place, taken, _ in self._taken:
                text = values[place][number]
                if text and known.get(fact) != taken[text][0]:
                    waiting[fact] = taken[text]
            now = [fact for fact in waiting if fact in self._carries[kind]]
            if now:
                known |= {fact: waiting[fact][0] for fact in now}
                told[number] = {fact: waiting.pop(fact)[1] for fact in now}
        return told

    def is_wanted(self, row: Row) -> bool:
        """Whether ``where`` holds for a row; not where it cannot be told."""
        if self._where is None:
            return True
        function, names = self._where
        facts = {name: row[place] for name, place in names if row[place] is not None}
        try:
            return function(facts, {}, None) is True
        except Exception:
            return False

    def events(self, subject: str, rows: Sequence[Row], refuse: Callable[[int, str], None]) -> list[Made]:
        """The events that the rows of a subject make, in the order of time. ``refuse`` hears of rows that make none."""
        found: list[Made] = []
        for row in rows:
            if self._where is not None and not self.is_wanted(row):
                self.skipped += 1
                continue
            try:
                self._events_of(subject, row, found)
            except Unmapped as fault:
                refuse(row[0], str(fault))
        if len(found) > 1 and not _in_order(found):
            found.sort(key=attrgetter("time", "rank", "row"))
        return self._with_changes(found) if self._facts else found

    def _events_of(self, subject: str, row: Row, found: list[Made]) -> None:
        facts = {}
        for fact, place, converted in self._facts:
            value = row[place]
            if value:
                facts[fact] = converted[value]
        if not self._from_columns and self._event is not None and self._time is not None:
            kind = self._kinds.get(row[self._event])
            when = row[self._time]
            if kind is not None and when:
                self._add(found, subject, row, kind, when, facts)
            else:
                self._add_named(found, subject, row, facts)
            return
        begin = len(found)
        fault: Unmapped | None = None
        for place, event in self._from_columns:
            if row[place] not in (None, ""):
                try:
                    self._add(found, subject, row, event, row[place], facts)
                except Unmapped as this:  # what the other columns say stands
                    fault = this
        if self._event is not None and self._time is not None:
            self._add_named(found, subject, row, facts)
        if fault is not None:
            raise fault
        if len(found) == begin and self._from_columns:
            raise Unmapped("none of its columns says when something happened")

    def _add_named(self, found: list[Made], subject: str, row: Row, facts: dict[str, Any]) -> None:
        event = self.mapping.event
        said = row[self._event] if self._event is not None else None
        if event is None:
            return
        kind = self._kinds.get(said or "")
        if kind is None:
            if self._ignored:
                self.skipped += 1
                return
            raise Unmapped(self._no_event[said] if said else f"the column {event.column} is empty")
        when = row[self._time] if self._time is not None else None
        if when in (None, ""):
            raise Unmapped(f"the column {self.time}, which says when, is empty")
        self._add(found, subject, row, kind, when, facts)

    def _add(self, found: list[Made], subject: str, row: Row, kind: str, when: str, facts: dict[str, Any]) -> None:
        key = row[self._id] if self._id is not None and row[self._id] else f"{subject}/{row[0]}/{kind}"
        instant = _hours[when[:13]] + _minutes[when[13:19]] + _tails[when[19:]]
        if instant < _ODD:
            instant = self.instant(when)
        found.append(Made(row[0], instant, self.ranks.get(kind, 0), kind, facts, key))

    def _with_changes(self, found: list[Made]) -> list[Made]:
        """Let facts travel with the first event that may carry them, and again when they change."""
        known: dict[str, Any] = {}
        waiting: dict[str, Any] = {}
        told: list[Made] = []
        for each in found:
            if each.data:
                waiting |= {fact: value for fact, value in each.data.items() if known.get(fact) != value}
            now = {}
            if waiting:
                carried = self._carries.get(each.type, frozenset())
                now = {fact: value for fact, value in waiting.items() if fact in carried}
                known |= now
                for fact in now:
                    del waiting[fact]
            told.append(each if now == each.data else Made(each.row, each.time, each.rank, each.type, now, each.id))
        return told

    def instant(self, text: str) -> int:
        """Microseconds since 1970 of a time in ISO 8601; one without an offset is of the log's time zone. A time that
        clocks show twice is the first of the two; one that they leave out is moved on."""
        return self._odd[text]

    def _read_instant(self, text: str) -> int:
        try:
            moment = timeforms.read_either(text, self.time_form)
        except ValueError:
            raise Unmapped(self._no_time(text)) from None
        try:
            return among_years((_in_zone(moment, self.zone) - EPOCH) // _MICROSECOND)
        except (NoInstant, OverflowError):
            raise Unmapped(
                f"its time lies outside of the years {FIRST_YEAR} to {LAST_YEAR}, in which events may happen"
            ) from None

    def _tell_no_event(self, said: str) -> str:
        """Why nothing happened by a row; of a column that holds a private fact as well without what it says."""
        event = self.mapping.event
        column, values = (event.column, event.values) if event is not None else ("", {})
        private = any(
            of.column == column and self.bundle.facts[fact].private for fact, of in self.mapping.facts.items()
        )
        near = None if private else nearest(said, values or self.ranks)
        hint = f'; did you mean "{near}"?' if near is not None else ""
        return f'no event stands for "{timeforms.shape(said) if private else said}" in the column {column}{hint}'

    def _no_time(self, text: str) -> str:
        """Why a text is no time, and which format would read it; without the text, where it does not begin as dates
        do, since it may be anything."""
        given = self.time_form
        form = timeforms.form_of([text])
        if form and form != given:
            than = f'"{given}"' if given else "ISO 8601"
            if form in timeforms.COUNTED:
                return f"a time is a number, and not written as {than}: time_format: {form} reads that"
            return f'a time is written like "{timeforms.shape(text)}", not as {than}: time_format: "{form}" reads that'
        return f'"{text[:40] if _DATE_LIKE.match(text) else timeforms.shape(text)}" is no date and time'


_DATE_LIKE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}([./-])\d{1,2}\1\d{2,4}", re.ASCII)


def _in_zone(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment


MOST_PARTS = 20_000
"""So many texts are remembered with what was made of them."""


class _Remembered(dict[str, Value]):
    """What is made of texts, each worked out once, and not more than ``MOST_PARTS`` of them at a time."""

    def __init__(self, made: Callable[[str], Value]) -> None:
        super().__init__()
        self._made = made

    def __missing__(self, text: str) -> Value:
        found = self._made(text)
        if len(self) > MOST_PARTS:
            self.clear()
        self[text] = found
        return found


_ODD = -(1 << 80)
"""A time before is none: a part of it is not written as most are, and the whole is to be read."""


def _parts(form: str, whole: str) -> _Remembered[int]:
    """Microseconds of one part of a time with an offset, as most logs write it; ``4 * _ODD`` for other writings."""
    written = re.compile(form, re.ASCII)

    def read(text: str) -> int:
        if not written.fullmatch(text):
            return 4 * _ODD
        try:
            return (datetime.fromisoformat(whole.format(text)) - EPOCH) // _MICROSECOND
        except ValueError:
            return 4 * _ODD

    return _Remembered(read)


_YEARS = r"(?:197[1-9]|19[89]\d|20\d\d|21[0-4]\d)"
_hours = _parts(rf"{_YEARS}-\d\d-\d\d[T ]\d\d", "{}:00:00+00:00")
_hours_as_told = _parts(rf"{_YEARS}-\d\d-\d\dT\d\d", "{}:00:00+00:00")
_minutes = _parts(r":\d\d:\d\d", "1970-01-01T00{}+00:00")
_tails = _parts(r"(\.\d+)?(Z|[+-]\d\d:\d\d)", "1970-01-01T00:00:00{}")


class _Rests(dict[str, int]):
    """Microseconds of what follows the hour in times with an offset, as most logs write it. Only whole seconds are
    remembered: there are few. ``written`` has those of UTC as they are written there."""

    def __init__(self) -> None:
        super().__init__()
        self.written: dict[str, str] = {}

    def __missing__(self, text: str) -> int:
        tail = _tails[text[6:]]
        rest = _minutes[text[:6]] + tail
        if rest % SECOND == 0 and rest > _ODD:
            if len(self) > MOST_PARTS:
                self.clear()
                self.written.clear()
            self[text] = rest
            if not tail:
                self.written[text] = f"{text[:6]}{UTC_OFFSET}"
        return rest


UTC_OFFSET = "+00:00"

_rests = _Rests()


def _said(column: Sequence[Any], begins: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Where texts stand in a column, and which; where they stand nearly everywhere, perhaps only where another stands
    than before of the same subject, which one ``begins``."""
    there = [*compress(count(), column)]
    if 2 * len(there) > len(column):
        before: list[str | None] = [None, *column]
        for begin in begins:
            before[begin] = None
        there = [number for number in compress(count(), map(ne, column, before)) if column[number]]
    return zip(there, map(column.__getitem__, there), strict=True)


_hour, _rest = itemgetter(slice(13)), itemgetter(slice(13, None))


def _instants(texts: Sequence[str]) -> list[int]:
    """Microseconds since 1970 of times with an offset, as most logs write them. One that is written in another way
    comes to less than ``_ODD``."""
    hours, rests = map(_hours_as_told.__getitem__, map(_hour, texts)), map(_rests.__getitem__, map(_rest, texts))
    return [*map(add, hours, rests)]


def _written(texts: Sequence[str], times: Sequence[int]) -> list[str]:
    """The texts in UTC of times that ``_instants`` has just read."""
    hours, rests = map(_hour, texts), [*map(_rest, texts)]
    try:
        return [*map(add, hours, map(_rests.written.__getitem__, rests))]
    except KeyError:
        told = zip(times, map(_hour, texts), map(_rests.written.get, rests), strict=True)
        return [hour + rest if rest else text_of(max(time, 0)) for time, hour, rest in told]


def _in_order(found: Sequence[Made]) -> bool:
    """Whether each event is later than the one before."""
    before = found[0].time - 1
    for each in found:
        if each.time <= before:
            return False
        before = each.time
    return True


def _kinds(values: Mapping[str, str], ranks: Mapping[str, int]) -> Mapping[str, str]:
    """What happened by how a log says it: as the mapping has it, or else by the very names of events."""
    return values or {name: name for name in ranks}


def _ranks(bundle: Bundle) -> dict[str, int]:
    """For each event the place of the first state that it opens, or in which it is expected."""
    ranks: dict[str, int] = {}
    for program in bundle.programs:
        for event, place in program.starts.items():
            ranks[event] = min(place, ranks.get(event, place))
        for place, state in enumerate(program.states):
            for event in state.ways:
                if event in program.events and event not in program.starts:
                    ranks[event] = min(place + 1, ranks.get(event, place + 1))
        for event in program.events:
            ranks.setdefault(event, len(program.states) + 1)
    return ranks


def _converter(mapper: Mapper, of: FactOf, fact: FactTable) -> Callable[[str], Any]:
    """What makes JSON values of a fact's type of a column's texts. Raises ``Unmapped``."""
    plain = _plain_converter(mapper, of, fact.item or "text" if fact.type == "list" else fact.type)
    if fact.type == "list":
        single = plain
        plain = lambda text: [single(each.strip()) for each in text.split(",")]  # noqa: E731
    if not of.values and of.others is None:
        return plain
    values, others = dict(of.values), of.others

    def convert(text: str) -> Any:
        said = values.get(text, others)
        return plain(text if said is None else said)

    return convert


def _plain_converter(mapper: Mapper, of: FactOf, kind: str) -> Callable[[str], Any]:
    if kind == "number":
        return lambda text: _number(text, of.decimal)
    if kind == "money":
        return lambda text: _amount(text, of.decimal)
    if kind == "flag":
        return lambda text: _FLAGS.get(text.strip().lower(), text)
    if kind in ("time", "date"):
        return lambda text: _moment(mapper, of, kind, text)
    return lambda text: text


def _amount(text: str, decimal: str | None) -> str:
    return text.strip() if decimal is None else "".join(text.split()).replace(".", "").replace(decimal, ".")


def _number(text: str, decimal: str | None) -> int | float | str:
    said = _amount(text, decimal)
    try:
        return int(said)
    except ValueError:
        try:
            return float(said)
        except ValueError:
            return text


def _moment(mapper: Mapper, of: FactOf, kind: str, text: str) -> str:
    """A time or date of a row as events tell it."""
    try:
        moment = timeforms.read_either(text, of.time_format or mapper.time_form)
        if kind == "date":
            return moment.date().isoformat()
        if of.end_of_day:
            after = datetime.combine(moment.date() + _DAY, datetime.min.time(), mapper.zone)
            moment = after.astimezone(UTC) - timedelta(seconds=1)
        return text_of((_in_zone(moment, mapper.zone) - EPOCH) // _MICROSECOND)
    except (ValueError, OverflowError):
        return text
