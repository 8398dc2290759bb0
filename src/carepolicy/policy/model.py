"""The frozen model of a policy set: what the YAML says, with every name still a name.

The classes are those that declare the language (``policy.language``). Nothing is compiled: guards and expressions are
the texts that the manager wrote, with their addresses; limits are read as well. Every object knows its address
(``at``), so that any of them can report a fault at the very token that is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from carepolicy.policy.language.calendar import CalendarSpec, Holidays, ImportedFile, Interval
from carepolicy.policy.language.common import Common
from carepolicy.policy.language.effects import Effects, Extend, Open, Raise, Request, Tell
from carepolicy.policy.language.flow import After, Clock, Event, Flow, LimitChoice, Phase, State, Transition
from carepolicy.policy.language.messages import Message
from carepolicy.policy.language.organisation import Channel, Fact, Organisation, Role, Setting, Value, Watch
from carepolicy.policy.layers import Addition
from carepolicy.policy.limit import LimitText
from carepolicy.policy.node import CelText
from carepolicy.policy.places import At, Place, Source
from carepolicy.translations import Own

if TYPE_CHECKING:
    from carepolicy.policy.catalogue import Catalogue
    from carepolicy.policy.findings import Finding

__all__ = [
    "After", "CalendarSpec", "CelText", "Channel", "Clock", "Common", "Effects", "Event", "Extend", "Fact", "Flow",
    "Holidays", "ImportedFile", "Interval", "LimitChoice", "LimitText", "Message", "Open", "Organisation", "Phase",
    "Policies", "Raise", "Request", "Role", "Setting", "State", "Tell", "Transition", "Value", "Watch",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Policies:
    """A whole set, read and shaped but not yet checked for meaning.

    - ``messages``: by language, then by template. ``digest``: a hash of every file's bytes.
    - ``texts``: its catalogues of texts in other languages, unread, by the names of their files (texts/fr.po).
      ``in_language`` reads one when it is asked for; ``spoken`` keeps the sets that it made, ``catalogues`` what
      ``catalogue_in`` has read.
    - ``language``: the language of the texts of a set that ``in_language`` made, "" of one as it is written. Such a set
      has that one in ``written``, its translations (by the path and the text) in ``translations``, and the texts
      without one in ``unsaid``.
    - ``own_words``: carepolicy's own words as the set has them (texts/carepolicy/LANGUAGE.po); ``own_files`` are these
      files, by how findings name them.
    - ``sources``: the files as all layers make them. Of a set of several layers, ``files`` are those that were read, by
      how places name them; ``parts`` are the same by their name in the set, with the number of the layer; ``additions``
      are what only upper layers have.
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
    own_words: Own = ()
    own_files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    spoken: dict[str, Policies] = field(init=False, default_factory=dict, repr=False, compare=False)
    catalogues: dict[str, tuple[Catalogue, list[Finding]]] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )
    additions: tuple[Addition, ...] = field(default=(), repr=False, compare=False)
    files: Mapping[str, Source] = field(default_factory=dict, repr=False, compare=False)
    parts: Mapping[str, tuple[tuple[int, Source], ...]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def files_read(self) -> Mapping[str, Source]:
        """The files that were read, by how places name them: each layer's own where there are several."""
        return self.files or self.sources

    def sources_of(self, file: str) -> tuple[Source, ...]:
        """What was read of a file: that of each layer that has it."""
        return tuple(source for _, source in self.parts.get(file, ())) or (self.sources[file],)

    def place(self, at: At) -> Place:
        """Where the value at an address stands in its file."""
        return self.sources[at.file].value(at.path)

    def key_place(self, at: At) -> Place:
        """Where the key at an address stands in its file."""
        return self.sources[at.file].key(at.path)
