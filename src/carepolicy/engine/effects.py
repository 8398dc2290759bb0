"""Effects of a case: facts set, work assigned, messages, notices and actions requested, events raised, cases opened."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orjson import dumps

from carepolicy.businesstime.errors import NeverOpen, OutOfRange
from carepolicy.businesstime.instants import TWO_YEARS
from carepolicy.engine import clocks
from carepolicy.engine.clocks import extend
from carepolicy.engine.facts import plain
from carepolicy.engine.instants import NEVER
from carepolicy.engine.record import TextData, Told, json_text
from carepolicy.policy.addresses import MAIL_ID
from carepolicy.policy.characters import MASK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.businesstime import Calendar
    from carepolicy.engine.absences import Absences
    from carepolicy.engine.case import Case, LiveProgram, LiveState, Private, Said, Steps
    from carepolicy.engine.record import Data
    from carepolicy.machine.program import ArgumentTable, Bundle, EffectsTable, NoticeTable, OpenTable, RaiseTable
    from carepolicy.machine.template import Piece, Slot, Template
    from carepolicy.policy.limit import Limit


REPLIES_TO = "in_reply_to"
"""What a message's record calls it: the mail that the message answers."""


class LiveEffects:
    """The effects of one transition, or of entering or leaving one state.

    ``sets_facts``, ``extends_clocks`` and ``leaves_more`` (cases to be opened, notices that wait) say what may be other
    afterwards than records and events.
    """

    __slots__ = (
        "_assign", "_extend", "_only_says", "_opens", "_raises", "_said", "_set", "_waits", "extends_clocks",
        "leaves_more", "sets_facts",
    )  # fmt: skip

    def __init__(self, program: LiveProgram, bundle: Bundle, table: EffectsTable, trigger: str) -> None:
        self._set = table.set
        self._assign = table.assign
        said: list[Said] = [LiveMessage(name, program.program.templates[name], bundle) for name in table.send]
        said += [LiveNotice(each, bundle) for each in table.tell]
        said += [LiveRequest(action, arguments) for action, arguments in table.request]
        self._said = tuple(said)
        self._waits = any(each.hours is not None for each in said)
        self._opens: tuple[OpenTable, ...] = table.open
        self._raises: tuple[RaiseTable, ...] = table.raises
        self._extend = tuple(
            (program.clocks[each.clock], each.by, each.at_most, f"{trigger}: {each.by} more") for each in table.extend
        )
        self.sets_facts, self.extends_clocks = bool(table.set), bool(table.extend)
        self.leaves_more = bool(table.open) or self._waits
        acts = table.set or table.open or table.raises or table.extend or table.assign is not None
        self._only_says = not (acts or self._waits)

    def run(self, stepper: Steps, case: Case, now: int, when: str, event: Mapping[str, Any]) -> None:
        """Let the effects happen, in the order of the fields of their table."""
        if self._only_says:
            for said in self._said:
                stepper.write(case, said, when, event)
            return
        for fact, function in self._set:
            value = function(case.facts, event, case)
            stepper.set_fact(case, fact, value)
        if self._assign is not None:
            role, named_by = self._assign
            person = stepper.value(case, named_by) if named_by is not None else None
            case.assigned = (role, person)
        for said in self._said:
            if self._waits and said.hours is not None and (due := opening_of(said.hours, now)) > now:
                stepper.hold(case, said, due, event)
            else:
                stepper.write(case, said, when, event)
        for each in self._opens:
            stepper.to_open.append((each, case))
        for raised in self._raises:
            stepper.raise_event(case, raised, now, event)
        for clock, by, at_most, reason in self._extend:
            held = case.rounds[clock.index]
            if held is not None and not held.late and (at_most is None or case.extensions(clock.index) < at_most):
                case.count_extension(clock.index)
                extend(stepper.out, case, held, by, now, when, reason)


def opening_of(hours: Calendar, now: int) -> int:
    """When a notice is told: now in open time, or where it does not open in the next two years, and else at the next
    opening."""
    with suppress(NeverOpen, OutOfRange):
        opening = hours.next_opening_us(now)
        return opening if opening - now <= TWO_YEARS else now
    return now


def assign_task(stepper: Steps, case: Case, state: LiveState, when: str) -> None:
    """Write who is to work on the case now: as an effect has assigned it."""
    if case.assigned is not None:
        case.holder, case.assigned = case.assigned, None
        tell_task(stepper, case, state, when)


def tell_task(stepper: Steps, case: Case, state: LiveState, when: str) -> None:
    """Write who works on the case: whom it was assigned to, else the owner of its state, if it has one."""
    if case.holder is None:
        stepper.tell_owner(case, state, when)
        return
    role, person = case.holder
    if stepper.absences is not None:
        role, person = _who_is_there(stepper.absences, state, role, person, case.now)
    data = Told(state=state.name, role=role or state.owner)
    if person is not None:
        data["person"] = stepper.shown_person(case, person)
    stepper.out.append(case.record("task.assigned", when, data))


def _who_is_there(
    absences: Absences, state: LiveState, role: str | None, person: Any, now: int
) -> tuple[str | None, Any]:
    """The role and person to whom work is given, or who stands in for them."""
    if person is not None:
        instead = absences.instead_of(str(person), state.owner, now)
        return (role, person) if instead is None else (instead, None)
    given = role or state.owner
    return (role if given is None else absences.role_at(given, now)), None


class CaseValues:
    """What a message may tell of a case: its facts, its subject, its clocks' limits and due times."""

    __slots__ = ("_case", "_stepper", "subject")

    def __init__(self, stepper: Steps, case: Case) -> None:
        self._stepper = stepper
        self._case = case
        self.subject = case.subject

    def fact(self, name: str) -> Any:
        """The value of a fact, or else its default; None where there is neither."""
        return self._stepper.value(self._case, name)

    def clock_limit(self, name: str) -> Any:
        """The limit of a clock that holds for the case now, None where none does."""
        held = self._case.round_of(name)
        if held is not None:
            return held.limit.whole
        clock = next((each for each in self._case.program.clocks if each.name == name), None)
        chosen = clocks.choose(self._case, clock.choices[self._case.state.index]) if clock is not None else None
        return chosen.whole if chosen is not None else None

    def clock_due(self, name: str) -> int | None:
        """When a clock falls due, in microseconds since 1970; None where it does not run."""
        held = self._case.round_of(name)
        return held.due if held is not None and held.running and held.due != NEVER else None


Limits = dict[int, tuple["Limit | None", str]]
"""What a text tells of limits, each worked out once; by their identity, since limits that mean the same (24 hours, 1
day) are told as they are written. The limit stands beside its text, so that nothing else can have its identity."""


class LiveText:
    """A text of a template as it stands in JSON: stretches of text, between which stand what differs from case to case,
    and the subject within a stretch, as most texts tell nothing else."""

    __slots__ = ("_first", "_others", "_template")

    def __init__(self, template: Template, parts: tuple[Piece, ...]) -> None:
        self._template = template
        self._first: tuple[str, ...] = ("",)
        """The stretch before all that differs, cut where the subject stands."""
        self._others: tuple[tuple[Slot, Limits | None, tuple[str, ...]], ...] = ()
        """What differs, each with what is known of it where only a limit is told, and with the stretch behind it, cut
        where the subject stands."""
        for each in parts:
            if isinstance(each, str):
                self._add(json_text(each))
            elif each.kind == "subject" and not each.isolated:
                self._add(None)
            else:
                self._others += ((each, {} if each.kind == "limit" and not each.others else None, ("",)),)

    def _add(self, text: str | None) -> None:
        """Add a text, or the subject (None), to the last stretch."""
        *before, last = self._first if not self._others else self._others[-1][2]
        stretch = (*before, last, "") if text is None else (*before, last + text)
        if self._others:
            self._others = (*self._others[:-1], (*self._others[-1][:2], stretch))
        else:
            self._first = stretch

    def told(self, stepper: Steps, case: Case, about: str, reveal: bool) -> str:
        """The text for a case ``about`` something, both as they stand in JSON."""
        said = about.join(self._first)
        if self._others:
            values, told = CaseValues(stepper, case), self._template.told
            for slot, limits, stretch in self._others:
                if limits is None:
                    word = json_text(told(slot, values, reveal))
                else:
                    limit = values.clock_limit(slot.name)
                    if (known := limits.get(id(limit))) is None:
                        known = limits[id(limit)] = limit, json_text(told(slot, values, reveal))
                    word = known[1]
                said += word + about.join(stretch)
        return said


class ChannelText:
    """A message on one channel in one language: what is ``known`` of it before the case, how its data ``begin``, to
    whom it goes, and its texts."""

    __slots__ = ("address", "answers_mail", "begin", "hides_address", "known", "subject", "text")

    def __init__(self, name: str, channel: str | None, template: Template, bundle: Bundle) -> None:
        self.known = {"template": name, "channel": channel, "language": template.language}
        self.begin = f'{dumps(self.known).decode()[:-1]},"to":'
        self.address = bundle.addresses.get(channel) if channel is not None else None
        self.hides_address = self.address is not None and bundle.facts[self.address].private
        self.answers_mail = MAIL_ID in bundle.facts and "@" in bundle.channels.get(channel or "", "")
        self.subject = LiveText(template, template.subject)
        self.text = LiveText(template, template.text)


class LiveMessage:
    """A message template of a flow, by language."""

    __slots__ = (
        "__dict__",
        "_bundle",
        "_hides_mail",
        "_name",
        "_templates",
        "_texts",
        "known",
    )  # __dict__: of what is asked for

    kind = "message.requested"
    hours: Calendar | None = None

    def __init__(self, name: str, templates: Mapping[str, Template], bundle: Bundle) -> None:
        self._name = name
        self.known = Told(template=name)
        self._bundle = bundle
        self._templates = templates
        self._texts: dict[tuple[str | None, str], ChannelText] = {}
        self._hides_mail = MAIL_ID in bundle.facts and bundle.facts[MAIL_ID].private

    @cached_property
    def _private(self) -> dict[str, Private]:
        """The private facts that go into each field, by channel: most messages of a flow are never sent."""
        facts, said = self._bundle.facts, private_of(self._templates)
        found: dict[str, Private] = {
            channel: {"to": (fact,) if facts[fact].private else (), **said}
            for channel, fact in self._bundle.addresses.items()
        }
        found[""] = said
        if self._hides_mail:
            found = {channel: {**told, REPLIES_TO: (MAIL_ID,)} for channel, told in found.items()}
        return found

    def private(self, case: Case) -> Private:
        """The private facts that go into each field."""
        return self._private.get(case.channel or "", self._private[""])

    def data(self, stepper: Steps, case: Case, event: Mapping[str, Any], reveal: bool) -> Data:
        """The message in the customer's language, on the channel of the case."""
        key = case.channel, stepper.language(case, self._templates)
        said = self._texts.get(key)
        if said is None:
            channel, language = key
            said = self._texts[key] = ChannelText(self._name, channel, self._templates[language], self._bundle)
        to = None if said.address is None else stepper.value(case, said.address)
        if to is not None and said.hides_address and not reveal:
            to = MASK
        address, about, replies = dumps(to).decode(), json_text(case.subject), ""
        subject, text = said.subject.told(stepper, case, about, reveal), said.text.told(stepper, case, about, reveal)
        if said.answers_mail and (answered := stepper.value(case, MAIL_ID)) is not None:
            shown = MASK if self._hides_mail and not reveal else answered
            replies = f',"{REPLIES_TO}":{dumps(shown).decode()}'
        return TextData(said.known, f'{said.begin}{address},"subject":"{subject}","text":"{text}"{replies}}}')


class LiveNotice:
    """A notice for a role, in the organisation's first language that it has."""

    __slots__ = ("__dict__", "_begin", "_text", "_texts", "hours", "known")  # __dict__: what is asked for

    kind = "notice.requested"

    def __init__(self, table: NoticeTable, bundle: Bundle) -> None:
        texts = table.texts
        self.known = Told(role=table.role)
        self._begin = f'{dumps(self.known).decode()[:-1]},"text":"'
        self.hours: Calendar | None = None if table.calendar is None else bundle.calendars[table.calendar]
        language = next((each for each in bundle.languages if each in texts), next(iter(texts)))
        self._text = LiveText(texts[language], texts[language].text)
        self._texts = texts

    @cached_property
    def _private(self) -> Private:
        return private_of(self._texts)

    def private(self, case: Case) -> Private:
        """The private facts that go into each field."""
        return self._private

    def data(self, stepper: Steps, case: Case, event: Mapping[str, Any], reveal: bool) -> Data:
        """The role, and the text for the case."""
        text = self._text.told(stepper, case, json_text(case.subject), reveal)
        return TextData(self.known, f'{self._begin}{text}"}}')


class LiveRequest:
    """An action that is asked for, with its arguments; those that a private fact went into are masked."""

    __slots__ = ("_action", "_arguments", "_private", "known")

    kind = "action.requested"
    hours: Calendar | None = None

    def __init__(self, action: str, arguments: tuple[ArgumentTable, ...]) -> None:
        self._action = action
        self.known = Told(action=action)
        self._arguments = arguments
        self._private = {"with": tuple(fact for each in arguments for fact in each.private)}

    def private(self, case: Case) -> Private:
        """The private facts that go into each field."""
        return self._private

    def data(self, stepper: Steps, case: Case, event: Mapping[str, Any], reveal: bool) -> Data:
        """The action and its arguments."""
        given = {
            each.name: MASK if each.private and not reveal else plain(each.function(case.facts, event, case), each.type)
            for each in self._arguments
        }
        return Told({"action": self._action, "with": given})


def private_of(texts: Mapping[str, Template]) -> dict[str, tuple[str, ...]]:
    """The private facts that go into a template, in any of its languages, by field."""
    found: dict[str, dict[str, None]] = {}
    for template in texts.values():
        for field, facts in template.private().items():
            found.setdefault(field, {}).update(dict.fromkeys(facts))
    return {field: tuple(facts) for field, facts in found.items()}
