"""What effects say: messages, notices and actions, with their texts put together as far as they are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.engine import rounds
from carepolicy.engine.instants import NEVER
from carepolicy.engine.record import Told
from carepolicy.engine.values import MASK, plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from carepolicy.engine.case import Case
    from carepolicy.engine.telling import Telling
    from carepolicy.machine.messages import Piece, Slot, Template
    from carepolicy.machine.program import ArgumentTable, Bundle

    Private = Mapping[str, tuple[str, ...]]

    class Said(Protocol):
        """What a record says that an effect writes."""

        @property
        def kind(self) -> str:
            """The kind of the record."""

        def data(self, stepper: Telling, case: Case, event: Mapping[str, Any], reveal: bool) -> Told:
            """The record's data; private facts are masked unless ``reveal``."""

        def private(self, case: Case) -> Private:
            """The private facts that go into each field."""


class CaseValues:
    """What a message may tell of a case: its facts, its subject, its clocks' limits and due times."""

    __slots__ = ("_case", "_stepper", "subject")

    def __init__(self, stepper: Telling, case: Case) -> None:
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
            return held.limit.limit
        clock = next((each for each in self._case.program.clocks if each.name == name), None)
        chosen = rounds.choose(self._case, clock.choices[self._case.state.index]) if clock is not None else None
        return chosen.limit if chosen is not None else None

    def clock_due(self, name: str) -> int | None:
        """When a clock falls due, in microseconds since 1970; None where it does not run."""
        held = self._case.round_of(name)
        return held.due if held is not None and held.running and held.due != NEVER else None


class LiveText:
    """A text of a template."""

    __slots__ = ("_known", "_pieces", "_template")

    def __init__(self, template: Template, parts: tuple[Piece, ...]) -> None:
        self._template = template
        self._pieces: tuple[str | Slot, ...] = parts
        known = all(isinstance(part, str) for part in parts)
        self._known = "".join(map(str, parts)) if known else None

    def told(self, stepper: Telling, case: Case, reveal: bool) -> str:
        """The text for a case."""
        if self._known is not None:
            return self._known
        values = CaseValues(stepper, case)
        found: list[str] = []
        for each in self._pieces:
            if isinstance(each, str):
                found.append(each)
            elif each.kind == "subject" and not each.isolated:
                found.append(case.subject)
            else:
                found.append(self._template.told(each, values, reveal))
        return "".join(found)


class Letter:
    """A message on one channel in one language."""

    __slots__ = ("address", "channel", "hides_address", "language", "subject", "text")

    def __init__(self, channel: str | None, template: Template, bundle: Bundle) -> None:
        self.channel = channel
        self.language = template.language
        self.address = bundle.addresses.get(channel) if channel is not None else None
        self.hides_address = self.address is not None and bundle.facts[self.address].private
        self.subject = LiveText(template, template.subject)
        self.text = LiveText(template, template.text)


class LiveMessage:
    """A message template of a flow, by language."""

    __slots__ = ("_bundle", "_letters", "_name", "_private", "_templates")

    kind = "message.requested"

    def __init__(self, name: str, templates: Mapping[str, Template], bundle: Bundle) -> None:
        self._name = name
        self._bundle = bundle
        self._templates = templates
        self._letters: dict[tuple[str | None, str], Letter] = {}
        said = private_of(self._templates)
        self._private = {
            channel: {"to": (fact,) if bundle.facts[fact].private else (), **said}
            for channel, fact in bundle.addresses.items()
        }
        self._private[""] = said

    def private(self, case: Case) -> Private:
        """The private facts that go into each field."""
        return self._private.get(case.channel or "", self._private[""])

    def data(self, stepper: Telling, case: Case, event: Mapping[str, Any], reveal: bool) -> Told:
        """The message in the customer's language, on the channel of the case."""
        key = case.channel, stepper.language(case, self._templates)
        letter = self._letters.get(key)
        if letter is None:
            channel, language = key
            letter = self._letters[key] = Letter(channel, self._templates[language], self._bundle)
        to = None if letter.address is None else stepper.value(case, letter.address)
        if to is not None and letter.hides_address and not reveal:
            to = MASK
        subject, text = letter.subject.told(stepper, case, reveal), letter.text.told(stepper, case, reveal)
        return Told(
            template=self._name, channel=letter.channel, language=letter.language, to=to, subject=subject, text=text
        )


class LiveNotice:
    """A notice for a role, in the organisation's first language that it has."""

    __slots__ = ("_private", "_role", "_text")

    kind = "notice.requested"

    def __init__(self, role: str, texts: Mapping[str, Template], bundle: Bundle) -> None:
        self._role = role
        language = next((each for each in bundle.languages if each in texts), next(iter(texts)))
        self._text = LiveText(texts[language], texts[language].text)
        self._private = private_of(texts)

    def private(self, case: Case) -> Private:
        """The private facts that go into each field."""
        return self._private

    def data(self, stepper: Telling, case: Case, event: Mapping[str, Any], reveal: bool) -> Told:
        """The role, and the text for the case."""
        return Told(role=self._role, text=self._text.told(stepper, case, reveal))


class LiveRequest:
    """An action that is asked for, with its arguments; those that a private fact went into are masked."""

    __slots__ = ("_action", "_arguments", "_private")

    kind = "action.requested"

    def __init__(self, action: str, arguments: tuple[ArgumentTable, ...]) -> None:
        self._action = action
        self._arguments = arguments
        self._private = {"with": tuple(fact for each in arguments for fact in each.private)}

    def private(self, case: Case) -> Private:
        """The private facts that go into each field."""
        return self._private

    def data(self, stepper: Telling, case: Case, event: Mapping[str, Any], reveal: bool) -> Told:
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
