"""The frozen model of a policy set: what the YAML says, with every name still a name.

The classes are those that declare the language (``policy.language``). Nothing is compiled: guards and expressions are
the texts that the manager wrote, with their addresses; limits are read as well. Every object knows its address
(``at``), so that any of them can report a fault at the very token that is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from carepolicy.policy.language.calendar import CalendarSpec, Holidays, ImportedFile, Interval
from carepolicy.policy.language.common import Common
from carepolicy.policy.language.effects import Effects, Extend, Open, Raise, Request, Tell
from carepolicy.policy.language.flow import After, Clock, Event, Flow, LimitChoice, Phase, State, Transition
from carepolicy.policy.language.messages import Message
from carepolicy.policy.language.organisation import Channel, Fact, Organisation, Role, Setting, Value, Watch
from carepolicy.policy.limit import LimitText
from carepolicy.policy.node import CelText
from carepolicy.policy.places import At, Path, Place, Source

__all__ = [
    "After", "CalendarSpec", "CelText", "Channel", "Clock", "Common", "Effects", "Event", "Extend", "Fact", "Flow",
    "Holidays", "ImportedFile", "Interval", "LimitChoice", "LimitText", "Message", "Open", "Organisation", "Phase",
    "Policies", "Raise", "Request", "Role", "Setting", "State", "Tell", "Transition", "Value", "Watch",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Policies:
    """A whole set, read and shaped but not yet checked for meaning.

    ``messages`` is by language, then by template. ``digest`` is a hash of every file's bytes. ``texts`` are the
    contents of its catalogues of texts in other languages by the names of their files (texts/fr.po), of which none is
    read before somebody asks for the language; ``spoken`` keeps the set in each. Of such a one ``language`` is that of
    its texts ("" of a set as it is written), ``written`` the set as it is written, ``translations`` are by the path and
    the text, and ``unsaid`` are the texts that have none.
    """

    root: str
    organisation: Organisation
    flows: Mapping[str, Flow]
    messages: Mapping[str, Mapping[str, Message]]
    digest: str
    sources: Mapping[str, Source] = field(repr=False, compare=False)
    texts: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    language: str = ""
    written: Policies | None = field(default=None, repr=False, compare=False)
    translations: Mapping[tuple[str, str], str] = field(default_factory=dict, repr=False, compare=False)
    unsaid: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    spoken: dict[str, Policies] = field(init=False, default_factory=dict, repr=False, compare=False)

    def in_language(self, language: str | None) -> Policies:
        """The same set with its texts in a language: as it is written where it has no catalogue of that."""
        if not language or language == self.language:
            return self
        written = self if self.written is None else self.written
        if not written.texts:
            return written
        from carepolicy.policy.phrases import said_in  # it reads the catalogues, which most sets have none of

        return said_in(written, language)

    def said_at(self, keys: Path, text: str) -> str:
        """A text of the set as it is written, in the language of this one; ``keys`` lead to it."""
        if not self.translations:
            return text
        from carepolicy.policy.phrases import path_of

        return self.translations.get((path_of(keys), text), text)

    def place(self, at: At) -> Place:
        """Where the value at an address stands in its file."""
        return self.sources[at.file].value(at.path)

    def key_place(self, at: At) -> Place:
        """Where the key at an address stands in its file."""
        return self.sources[at.file].key(at.path)
