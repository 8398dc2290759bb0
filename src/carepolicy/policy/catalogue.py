"""A catalogue of translations, as gettext writes it (``.po``): read with the line of every entry, and written so that
the same entries give the same bytes.

Babel reads such files too, but takes what is broken for something else without a word, and knows no line of an entry
that stands twice; and what it writes differs between its versions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from carepolicy.policy.findings import Finding, quoted
from carepolicy.policy.likeness import did_you_mean
from carepolicy.policy.places import Place
from carepolicy.policy.text import text_of, wide_encoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CODE = "CP620"

FUZZY = "fuzzy"
"""The flag of a translation that somebody has to look at: it is not used until then, as gettext has it."""

WIDTH = 100
"""Columns after which a long text is cut into several lines of the file; it stays one text."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A text and its translation, "" where there is none yet.

    ``context`` is the path of the text; its msgid stands on ``line``, its msgstr at ``at``. ``comments`` are those of
    translators, ``notes`` those for them, ``previous`` the text that the translation was made for. ``obsolete``: no
    text of the set. ``plural`` and ``forms`` are those of a phrase with a number in it, which only carepolicy's own
    words have; its translation is "" until all forms are there.
    """

    context: str
    text: str
    translation: str = ""
    line: int = field(default=0, compare=False)
    at: int = field(default=0, compare=False)
    comments: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    previous: str | None = None
    obsolete: bool = False
    plural: str = ""
    forms: tuple[str, ...] = ()

    @property
    def fuzzy(self) -> bool:
        """Whether somebody has to look at it first."""
        return FUZZY in self.flags

    @property
    def counts(self) -> bool:
        """Whether its translation is used."""
        return bool(self.translation.strip()) and not self.fuzzy and not self.obsolete


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The entries of one file in their order. Its header stands apart: fields (``Language``) and comments."""

    file: str
    entries: tuple[Entry, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    comments: tuple[str, ...] = ()

    @property
    def alive(self) -> Iterator[Entry]:
        """The entries that are no obsolete ones."""
        return (each for each in self.entries if not each.obsolete)


def read_catalogue(content: bytes, file: str, plurals: bool = False) -> tuple[Catalogue, list[Finding]]:
    """The catalogue that the bytes of a file make, as far as they make one, and what is wrong with them; ``plurals``:
    phrases may have several forms."""
    text, findings = text_of(content, file)
    if text is None and all(each.code == "CP102" for each in findings):  # a tab is as good as a blank here
        text = content.decode("utf-8-sig")
    if text is None:
        wrong = _charset(content.decode("latin-1"), file) if wide_encoding(content) is None else []
        return Catalogue(file), wrong or [replace(each, code=CODE) for each in findings]
    reader = _Reader(file, plurals)
    for number, line in enumerate(text.split("\n"), 1):
        reader.line(number, line.rstrip("\r"))
    return reader.catalogue(), sorted([*reader.findings, *_charset(text, file)], key=lambda each: each.place)


_CHARSET = re.compile(r"^\s*\"Content-Type:[^\"]*?charset=([^\s\\\";]+)", re.MULTILINE | re.IGNORECASE)


def _charset(text: str, file: str) -> list[Finding]:
    """The fault of a header that says another encoding than UTF-8."""
    said = _CHARSET.search(text)
    if said is None or said[1].lower().replace("_", "-") in ("utf-8", "utf8", "ascii", "us-ascii", "charset"):
        return []
    hint = "save the file as UTF-8 and write charset=UTF-8"
    message = f"the header says that this file is in the encoding {quoted(said[1])}"
    return [Finding(CODE, message, _span(file, text, said.start(1), said.end(1)), hint)]


_LANGUAGE = re.compile(r"^\s*\"Language:\s*([\w-]+)", re.MULTILINE)


def language_line(content: bytes, file: str) -> Place:
    """Where the header of a catalogue says its language; the file's beginning where that is not found."""
    text = content.decode("utf-8-sig", "replace")
    said = _LANGUAGE.search(text)
    return Place(file, 1, 1, 1, 1) if said is None else _span(file, text, said.start(1), said.end(1))


def _span(file: str, text: str, start: int, end: int) -> Place:
    line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
    return Place(file, line, column, line, column + end - start)


_KEYWORDS = ("msgctxt", "msgid", "msgstr")
_FORM = re.compile(r"msgstr\[[0-9]\]")
_LINE = re.compile(r"\s*(?P<word>[A-Za-z_]\w*(?:\[\w*\])?)?\s*(?P<said>\".*)?")
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"\s*")
_ESCAPED = re.compile(r"\\(.)")
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r"}


class _Reader:
    """Reads a file line by line; an entry ends where something of the next one begins."""

    def __init__(self, file: str, plurals: bool) -> None:
        self.file = file
        self.plurals = plurals
        self.findings: list[Finding] = []
        self._found: list[Entry] = []
        self._header: Entry | None = None
        self._seen: dict[tuple[str, str], int] = {}
        self._begin()

    def _begin(self) -> None:
        self._strings: dict[str, list[str]] = {}
        self._within = ""
        self._broken = False
        self._obsolete = False
        self._line = self._at = 0
        self._remarks: dict[str, list[str]] = {"": [], ".": [], ":": [], ",": [], "|": []}

    def line(self, number: int, line: str) -> None:
        """Take the next line."""
        said = line.strip()
        if said.startswith("#~"):
            self._string(number, line, line.find("#~") + 2, True)
        elif said.startswith("#"):
            if self._strings:
                self._end(number)
            mark = said[1:2] if said[1:2] in (".", ":", ",", "|") else ""
            self._remarks[mark].append(said[1 + len(mark) :].strip())
        elif said:
            self._string(number, line, 0, False)

    def catalogue(self) -> Catalogue:
        """What was read."""
        self._end(None)
        header = self._header
        lines = header.translation.split("\n") if header is not None else []
        fields = (each.partition(":") for each in lines if ":" in each)
        return Catalogue(
            self.file,
            tuple(self._found),
            tuple((name.strip(), value.strip()) for name, _, value in fields),
            header.comments if header is not None else (),
        )

    def _string(self, number: int, line: str, start: int, obsolete: bool) -> None:
        if not line[start:].strip():
            return
        if obsolete and line[start:].lstrip().startswith("|"):
            self._remarks["|"].append(line[start:].lstrip()[1:].strip())
            return
        found = _LINE.match(line, start)
        word, said = (found["word"], found["said"]) if found is not None else (None, None)
        column = len(line) - len(line[start:].lstrip()) + 1
        if word is None and said is None:
            self._fault(
                number, line, column, "this is no line of a catalogue", 'a text stands between quotes: msgstr "…"'
            )
            return
        if word is not None and not self._keyword(number, line, column, word, obsolete):
            return
        if said is None:
            self._fault(number, line, column, f"a text is missing after {word}", f'write {word} "…"')
        elif not self._within:
            self._fault(number, line, column, "this text belongs to nothing", "msgid or msgstr stands before it")
        elif _STRING.fullmatch(said) is None:
            hint = 'end the text with ", and write \\" for a quote in it'
            self._fault(number, line, line.find(said) + 1, "the quotes around this text do not pair", hint)
        else:
            self._strings[self._within].append(_unescaped(said.strip()[1:-1]))

    def _keyword(self, number: int, line: str, column: int, word: str, obsolete: bool) -> bool:
        """Take a keyword; whether it is one."""
        plural = word == "msgid_plural" or _FORM.fullmatch(word) is not None
        if not self.plurals and (plural or word.startswith("msgstr[")):
            if not self._broken:
                hint = "a text of a policy has one form: write msgid and msgstr"
                self._fault(number, line, column, "plural forms mean nothing here", hint)
            self._within = "plural"
            self._strings.setdefault("plural", [])
            return True
        if word not in _KEYWORDS and not plural:
            message = f"{quoted(word)} is no keyword of a catalogue"
            self._fault(number, line, column, message, did_you_mean(word, _KEYWORDS))
            self._within = ""
            return False
        if word == "msgctxt" or (word == "msgid" and "msgid" in self._strings):
            self._end(number) if self._strings else None
        if word in self._strings:
            self._fault(number, line, column, f"{word} stands here a second time", "each entry has it once")
        if word == "msgid":
            self._line = number
        elif word in ("msgstr", "msgstr[0]"):
            self._at = number
        self._obsolete = obsolete
        self._within = word
        self._strings.setdefault(word, [])
        return True

    def _fault(self, number: int, line: str, column: int, message: str, hint: str = "") -> None:
        self._broken = True
        place = Place(self.file, number, column, number, max(len(line.rstrip()) + 1, column + 1))
        self.findings.append(Finding(CODE, message, place, hint))

    def _end(self, number: int | None) -> None:
        """The entry that was begun ends; ``number`` is the line on which the next one begins."""
        strings, remarks = self._strings, self._remarks
        if strings and not self._broken:
            needed = ("msgid", "msgstr[0]" if "msgid_plural" in strings else "msgstr")
            lacking = next((each for each in needed if each not in strings), None)
            if lacking is not None:
                line = self._line or (number or 2) - 1
                message = f"this entry has no {lacking}"
                self.findings.append(Finding(CODE, message, Place(self.file, line, 1, line, 2), f'write {lacking} ""'))
            else:
                forms = tuple("".join(said) for word, said in sorted(strings.items()) if _FORM.fullmatch(word))
                self._add(
                    Entry(
                        "".join(strings.get("msgctxt", ())),
                        "".join(strings["msgid"]),
                        "".join(strings.get("msgstr", forms[:1] if all(each.strip() for each in forms) else ())),
                        self._line,
                        self._at,
                        tuple(remarks[""]),
                        tuple(remarks["."]),
                        tuple(place for each in remarks[":"] for place in each.split()),
                        tuple(flag.strip() for each in remarks[","] for flag in each.split(",") if flag.strip()),
                        _previous(remarks["|"]),
                        self._obsolete,
                        "".join(strings.get("msgid_plural", ())),
                        forms,
                    )
                )
        self._begin()

    def _add(self, entry: Entry) -> None:
        key = entry.context, entry.text
        if not entry.text and not entry.context and self._header is None:
            self._header = entry
            return
        first = self._seen.get(key)
        if first is not None and not entry.obsolete:
            place = Place(self.file, entry.line, 1, entry.line, len("msgid") + 1)
            message = f"the text of {quoted(entry.context or entry.text)} stands here a second time"
            self.findings.append(
                Finding(CODE, message, place, f"it stands on line {first} already; delete one of them")
            )
            return
        if not entry.obsolete:
            self._seen[key] = entry.line
        self._found.append(entry)


def _previous(lines: list[str]) -> str | None:
    """The text that ``#| msgid`` tells; that of ``#| msgctxt`` is left out."""
    said: list[str] | None = None
    for each in lines:
        if not each.startswith('"'):
            said = [] if each.startswith("msgid ") else None if said is None else said
        found = _STRING.search(each)
        if said is not None and found is not None and not each.startswith("msgctxt"):
            said.append(_unescaped(found[0].strip()[1:-1]))
    return None if said is None else "".join(said)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: _CONTROLS.get(found[1], found[1]), text)


def catalogue_text(catalogue: Catalogue) -> str:
    """The text of the file: its header, its entries in their order, then those that are obsolete."""
    header = Entry(
        "", "", "".join(f"{name}: {value}\n" for name, value in catalogue.fields), comments=catalogue.comments
    )
    alive = [each for each in catalogue.entries if not each.obsolete]
    gone = [each for each in catalogue.entries if each.obsolete]
    return "\n".join("".join(f"{line}\n" for line in _lines(each)) for each in (header, *alive, *gone))


def _lines(entry: Entry) -> Iterator[str]:
    yield from (f"# {each}".rstrip() for each in entry.comments)
    if not entry.obsolete:
        yield from (f"#. {each}".rstrip() for each in entry.notes)
        yield from (f"#: {each}" for each in entry.places)
    if entry.flags:
        yield f"#, {', '.join(entry.flags)}"
    mark = "#~ " if entry.obsolete else ""
    if entry.previous is not None and not entry.obsolete:
        yield from (f"#| {line}" for line in _said("msgid", entry.previous))
    if entry.context:
        yield from (f"{mark}{line}" for line in _said("msgctxt", entry.context))
    yield from (f"{mark}{line}" for line in _said("msgid", entry.text))
    if entry.plural:
        yield from (f"{mark}{line}" for line in _said("msgid_plural", entry.plural))
        for number, form in enumerate(entry.forms):
            yield from (f"{mark}{line}" for line in _said(f"msgstr[{number}]", form))
    else:
        yield from (f"{mark}{line}" for line in _said("msgstr", entry.translation))


def _said(keyword: str, text: str) -> Iterator[str]:
    """A text between quotes; a long one, or one of several lines, on lines of its own."""
    pieces = [piece for line in text.splitlines(keepends=True) for piece in _cut(line)]
    if len(pieces) <= 1 and "\n" not in text:
        yield f'{keyword} "{_escaped(text)}"'
        return
    yield f'{keyword} ""'
    yield from (f'"{_escaped(each)}"' for each in pieces)


def _cut(text: str) -> Iterable[str]:
    if len(text) <= WIDTH:
        return [text]
    ends = [each.end() for each in re.finditer(r"\s+", text)] + [len(text)]
    cuts, last = [0], 0
    for end in ends:
        if end - cuts[-1] > WIDTH and last > cuts[-1]:
            cuts.append(last)
        last = end
    return [text[start:end] for start, end in pairwise([*cuts, len(text)])]


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return text.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
