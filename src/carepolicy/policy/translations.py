"""How far the texts of a set are translated into a language, and its catalogue brought up to date with the set."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.policy.catalogue import FUZZY, Catalogue, Entry, catalogue_text
from carepolicy.policy.files import layers_of
from carepolicy.policy.phrases import FOLDER, catalogue_files, catalogue_in, catalogues_of
from carepolicy.policy.placeholders import PlaceholderError, names_in
from carepolicy.translations import normalised

if TYPE_CHECKING:
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Policies
    from carepolicy.policy.phrases import Phrase

SCENARIOS = ".scenarios["
"""Stands in the path of a scenario's title, which is no part of the set itself."""

HEADER = (
    ("MIME-Version", "1.0"),
    ("Content-Type", "text/plain; charset=UTF-8"),
    ("Content-Transfer-Encoding", "8bit"),
)
"""What the header of every catalogue says besides the language. There is no date: nothing changes by itself."""


class Wrong(NamedTuple):
    """A translation whose placeholders are not those of its text: why, and in which file. ``breaks``: nothing could be
    told in its place, or something else than is meant."""

    entry: Entry
    file: str
    reason: str
    breaks: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a set is translated into one language.

    ``missing`` have no translation; ``stale`` have one that was made for another text, or that somebody marked as
    fuzzy: it is not used. ``extra`` are entries, with their files, that the set has no text for.
    """

    language: str
    files: tuple[str, ...]
    total: int
    missing: tuple[Phrase, ...]
    stale: tuple[Phrase, ...]
    extra: tuple[tuple[str, Entry], ...]
    wrong: tuple[Wrong, ...]

    @property
    def translated(self) -> int:
        """How many texts have a translation that is used."""
        return self.total - len(self.missing) - len(self.stale)

    @property
    def percent(self) -> int:
        """The share of texts that have one; 100 only where all have."""
        return 100 if not self.total else 100 * self.translated // self.total

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.missing or self.stale or self.extra or self.wrong)


def file_of(policies: Policies, language: str) -> str | None:
    """The catalogue of a language itself, such as texts/pt-BR.po (or pt_BR.po); None where there is none."""
    return catalogue_files(policies).get(normalised(language))


def standing_of(policies: Policies, phrases: Sequence[Phrase], language: str) -> Standing:
    """How far these texts of a set are translated into a language."""
    catalogues = catalogues_of(policies, language)
    used: dict[tuple[str, str], Entry] = {}
    paths: set[str] = set()
    extra: list[tuple[str, Entry]] = []
    wrong: list[Wrong] = []
    known = {(each.path, each.text) for each in phrases}
    places = {each.path for each in phrases}
    for catalogue in catalogues:
        for entry in catalogue.alive:
            key = entry.context, entry.text
            if entry.translation.strip():
                paths.add(entry.context)
            if key not in known and entry.context not in places:
                extra.append((catalogue.file, entry))
            if key in known and entry.counts:
                used.setdefault(key, entry)
                found = fault_of(entry)
                wrong += [] if found is None else [Wrong(entry, catalogue.file, *found)]
    lacking = [each for each in phrases if (each.path, each.text) not in used]
    stale = tuple(each for each in lacking if each.path in paths)
    missing = tuple(each for each in lacking if each.path not in paths)
    files = tuple(each.file for each in catalogues)
    return Standing(language, files, len(phrases), missing, stale, tuple(extra), tuple(wrong))


def fault_of(entry: Entry) -> tuple[str, bool] | None:
    """What is wrong with the placeholders of a translation, and whether it breaks; None where they are alike."""
    try:
        wanted = dict.fromkeys(each.name for each in names_in(entry.text))
    except PlaceholderError:
        return None
    try:
        found = dict.fromkeys(each.name for each in names_in(entry.translation))
    except PlaceholderError as fault:
        return fault.reason, True
    unknown = [name for name in found if name not in wanted]
    if unknown:
        return f"{_listed(unknown)} {_stand(unknown)} not in the text itself", True
    lost = [name for name in wanted if name not in found]
    return (f"{_listed(lost)} of the text {'is' if len(lost) == 1 else 'are'} missing", False) if lost else None


def _listed(names: Iterable[str]) -> str:
    return " and ".join(f"{{{each}}}" for each in names)


def _stand(names: Sequence[str]) -> str:
    return "stands" if len(names) == 1 else "stand"


class Updated(NamedTuple):
    """A catalogue brought up to date: its text, and how many entries are new, stale, moved and gone."""

    file: str
    text: str
    new: int
    stale: int
    moved: int
    gone: int
    translated: int
    total: int


class Broken(Exception):
    """A catalogue cannot be read as it is, and so is not written over; ``findings`` say where and why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(f"{findings[0].place.file} cannot be read")
        self.findings = tuple(findings)


def updated(policies: Policies, phrases: Sequence[Phrase], language: str) -> Updated:
    """The catalogue of a language with an entry for each of these texts, in their order.

    What is translated is kept, also where the path of a text is another now. A text that changed keeps the old
    translation as fuzzy, with the text that it was made for; a translation of what is gone is kept as obsolete. The
    same set and the same catalogue give the same bytes. Raises ``Broken``.
    """
    file = file_of(policies, language)
    before = Catalogue(f"{FOLDER}/{language}.po")
    if file is not None:
        before, findings = catalogue_in(policies, file)
        if findings:
            raise Broken(findings)
    merge = _Merge(before, phrases)
    entries = tuple(merge.entry(policies, each) for each in phrases)
    gone = merge.gone()
    made = replace(before, entries=(*entries, *gone), fields=_fields(before, language))
    return Updated(
        before.file,
        catalogue_text(made),
        **counts_of(entries),
        moved=merge.moved,
        gone=len(gone),
    )


def counts_of(entries: Sequence[Entry]) -> dict[str, int]:
    """How many entries are new, stale and translated, and how many there are."""
    return {
        "new": sum(not each.translation for each in entries),
        "stale": sum(each.fuzzy for each in entries),
        "translated": sum(each.counts for each in entries),
        "total": len(entries),
    }


def _fields(catalogue: Catalogue, language: str) -> tuple[tuple[str, str], ...]:
    given = dict(catalogue.fields)
    fixed = {"Language": language, **dict(HEADER)}
    return tuple({**{name: fixed.get(name, value) for name, value in given.items()}, **fixed}.items())


class _Merge:
    """Finds for each text of a set what a catalogue has of it."""

    def __init__(self, before: Catalogue, phrases: Sequence[Phrase]) -> None:
        known = {(each.path, each.text) for each in phrases}
        self._gone = [each for each in before.entries if each.obsolete]
        self._exact = {(each.context, each.text): each for each in self._gone}
        self._exact |= {(each.context, each.text): each for each in before.alive}
        self._orphans = {
            key: each for key, each in self._exact.items() if key not in known and each.translation.strip()
        }
        self._by_text: dict[str, list[Entry]] = {}
        for each in self._orphans.values():
            self._by_text.setdefault(each.text, []).append(each)
        self._by_path = {each.context: each for each in self._orphans.values() if not each.obsolete}
        self._twins = {each.text: each for each in reversed([*before.alive]) if each.counts}
        self._taken: set[tuple[str, str]] = set()
        self.moved = 0
        for phrase in phrases:
            if (phrase.path, phrase.text) not in self._exact and phrase.text in self._by_text:
                found = self._nearest(phrase)
                self._taken.add((found.context, found.text))

    def entry(self, policies: Policies, phrase: Phrase) -> Entry:
        """The entry of a text: translated as it was, where it was."""
        found = self._found(phrase)
        place = policies.place(phrase.at) if phrase.at.file in policies.sources else None
        # Of a set in layers, lines are those of the layer whose catalogue this is, the uppermost.
        top = layers_of(policies.root)[-1] if place is not None and policies.files else None
        here = top is None or (place is not None and place.file == os.path.join(top, phrase.at.file))
        line = f":{place.line}" if place is not None and here else ""
        return Entry(
            phrase.path,
            phrase.text,
            found.translation,
            comments=found.comments,
            notes=(phrase.about,) if phrase.about else (),
            places=() if place is None and len(layers_of(policies.root)) > 1 else (f"{phrase.at.file}{line}",),
            flags=found.flags if found.translation.strip() else tuple(each for each in found.flags if each != FUZZY),
            previous=found.previous if found.fuzzy else None,
        )

    def _found(self, phrase: Phrase) -> Entry:
        exact = self._exact.get((phrase.path, phrase.text))
        if exact is not None and (exact.translation.strip() or phrase.text not in self._by_text):
            return exact if exact.translation.strip() else self._twin(phrase, exact)
        if phrase.text in self._by_text:
            self.moved += 1
            return self._nearest(phrase)
        changed = self._by_path.get(phrase.path)
        if changed is not None and (changed.context, changed.text) not in self._taken:
            self._taken.add((changed.context, changed.text))
            previous = changed.previous if changed.fuzzy and changed.previous is not None else changed.text
            return replace(changed, flags=_fuzzy(changed.flags), previous=previous)
        return self._twin(phrase, Entry(phrase.path, phrase.text))

    def _nearest(self, phrase: Phrase) -> Entry:
        """Of the entries of the same text that lost their place, the one whose path is most like the text's."""
        return max(self._by_text[phrase.text], key=lambda each: (_shared(each.context, phrase.path), each.counts))

    def _twin(self, phrase: Phrase, entry: Entry) -> Entry:
        """An untranslated entry: what the same text is called elsewhere is proposed for it."""
        twin = self._twins.get(phrase.text)
        return entry if twin is None else replace(entry, translation=twin.translation, flags=_fuzzy(entry.flags))

    def gone(self) -> tuple[Entry, ...]:
        """What has no place any more, as obsolete entries in the order of their paths, each once."""
        left = {key: each for key, each in self._orphans.items() if key not in self._taken}
        return tuple(
            replace(each, obsolete=True, notes=(), places=(), previous=None) for _, each in sorted(left.items())
        )


def _fuzzy(flags: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((FUZZY, *flags)))


def _shared(one: str, other: str) -> int:
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    back = 0
    for first, second in zip(reversed(one), reversed(other), strict=False):
        if first != second:
            break
        back += 1
    return count + back
