"""One file of a set as several layers have it: what an upper one says is laid over what stands below, each value with
the place at which it was said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from carepolicy.policy.catalogue import Catalogue, Entry, catalogue_text, read_catalogue
from carepolicy.policy.findings import Finding
from carepolicy.policy.language.keys import Fields
from carepolicy.policy.language.shapes import DAYS, Named, Shape
from carepolicy.policy.likeness import did_you_mean
from carepolicy.policy.places import Path, Place, Source

MORE, WHOLE = "+", "="
"""End a key in an upper layer whose list is added to the one below, and one whose value stands in its place whole."""


class Addition(NamedTuple):
    """A name that an upper layer gives and none below has: what for, where, and which names are there below."""

    what: str
    name: str
    place: Place
    known: tuple[str, ...]


@dataclass(slots=True)
class Laid:
    """A file as its layers make it: the data with the places of all, what is new in upper ones, and what is wrong."""

    source: Source
    added: dict[Path, Addition] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def laid_over(below: Laid, above: Source, shape: Shape) -> Laid:
    """What a layer says of a file, laid over those below it.

    Mappings are laid over each other key by key; whatever else stands there takes the place of what stood there before:
    a list, a transition, the hours of a week. Nothing (``null``) takes a key away.
    """
    work = _Layer(below.source, above)
    data = work.over(shape, below.source.data, above.data, (), ())
    return Laid(work.joined(data), {**below.added, **work.added}, [*below.findings, *work.findings])


class _Layer:
    """Lays one source over another. ``taken`` are the addresses of the upper one that come to stand somewhere, each
    with where; ``gone`` those of the lower one at which nothing stands any more."""

    def __init__(self, below: Source, above: Source) -> None:
        self.below = below
        self.above = above
        self.taken: dict[Path, Path] = {}
        self.gone: set[Path] = set()
        self.added: dict[Path, Addition] = {}
        self.findings: list[Finding] = []

    def over(self, shape: Shape | None, low: Any, high: Any, path: Path, said: Path) -> Any:
        """The data that come of two; ``path`` is where the lower ones stand, ``said`` where the upper ones do."""
        if not (is_laid_over(shape) and isinstance(low, dict) and isinstance(high, dict)):
            self._take(path, said)
            return high
        found = dict(low)
        for written, value in high.items():
            there = (*said, written)
            name, mark = _plain(written)
            at = (*path, name)
            if mark and name not in low:
                found[name] = value
                self.taken[there] = at
            elif mark == MORE:
                found[name] = self._more(low[name], value, at, there)
            elif mark == WHOLE:
                self._take(at, there)
                found[name] = value
            elif name not in low:
                found[name] = value
                self.taken[there] = at
                self._note(shape, name, at, there, low)
            elif value is None:
                self.gone.add(at)
                del found[name]
            else:
                found[name] = self.over(inner(shape, name), low[name], value, at, there)
        return found

    def _take(self, path: Path, said: Path) -> None:
        self.gone.add(path)
        self.taken[said] = path

    def _more(self, low: Any, high: Any, path: Path, said: Path) -> Any:
        """A list with more at its end; a value alone counts as a list of one."""
        if isinstance(low, dict) or isinstance(high, dict) or low is None or high is None:
            text = f'"{said[-1]}" adds to a list, and here is none'
            hint = f'write "{path[-1]}" alone' if isinstance(low, dict) else "write a list, such as [Dana]"
            self.findings.append(Finding("CP120", text, self.above.key(said), hint))
            return low
        before = low if isinstance(low, list) else [low]
        if isinstance(high, list):
            self.taken |= {(*said, number): (*path, len(before) + number) for number in range(len(high))}
        else:
            self.taken[said] = (*path, len(before))
        return [*before, *(high if isinstance(high, list) else [high])]

    def _note(self, shape: Shape | None, name: str, at: Path, said: Path, low: Mapping[str, Any]) -> None:
        if isinstance(shape, Named) and shape.defines:
            self.added[at] = Addition(shape.defines, name, self.above.key(said), tuple(low))

    def joined(self, data: Any) -> Source:
        """The source of the data that came of both."""
        below, above = self.below, self.above
        keys = {path: place for path, place in below.keys.items() if not self._is_gone(path)}
        values = {path: place for path, place in below.values.items() if not self._is_gone(path)}
        written = {path: text for path, text in below.written.items() if not self._is_gone(path)}
        for path, place in above.keys.items():
            if (at := self._where(path)) is not None:
                keys[at] = place
        for path, place in above.values.items():
            if (at := self._where(path)) is not None:
                values[at] = place
        for path, text in above.written.items():
            if (at := self._where(path)) is not None:
                written[at] = text
        return Source(below.file, below.text, data, keys, values, written)

    def _is_gone(self, path: Path) -> bool:
        gone = self.gone
        return bool(gone) and any(path[:length] in gone for length in range(len(path) + 1))

    def _where(self, path: Path) -> Path | None:
        for length in range(len(path), -1, -1):
            at = self.taken.get(path[:length])
            if at is not None:
                return (*at, *path[length:])
        return None


def laid_texts(contents: Iterable[bytes], file: str) -> bytes:
    """A catalogue of texts as some layers have it, the lowest first: each text as the uppermost has it."""
    entries: dict[tuple[str, str], Entry] = {}
    below: Catalogue | None = None
    for content in contents:
        catalogue, _ = read_catalogue(content, file)
        below = below or catalogue
        entries |= {(each.context, each.text): each for each in catalogue.entries}
    return b"" if below is None else catalogue_text(replace(below, entries=tuple(entries.values()))).encode()


def is_laid_over(shape: Shape | None) -> bool:
    """Whether data of this shape are laid over others key by key: the hours of a week are said whole."""
    return isinstance(shape, Fields) or (isinstance(shape, Named) and shape.names is not DAYS)


def inner(shape: Shape | None, key: str) -> Shape | None:
    """The shape of what stands under a key of a mapping; None where the language knows none."""
    if isinstance(shape, Fields):
        known = shape.keys.get(key)
        return None if known is None else known.shape
    return shape.values if isinstance(shape, Named) else None


def _plain(written: str) -> tuple[str, str]:
    """The key that is meant by one as an upper layer writes it, and its mark."""
    return (written[:-1], written[-1]) if len(written) > 1 and written[-1] in (MORE, WHOLE) else (written, "")


def told_as_additions(laid: Laid, findings: Iterable[Finding]) -> list[Finding]:
    """The findings of a file's shape, where those about what only an upper layer has say that no layer below has it."""
    added: dict[Place, Addition] = {}
    for path, addition in laid.added.items():
        added |= {addition.place: addition, laid.source.value(path): addition}
    return [_told(each, added.get(each.place)) for each in findings]


def told_as_new(name: str, findings: Iterable[Finding], known: Iterable[str]) -> list[Finding]:
    """The findings of a flow that only upper layers have. Where it lacks something, they say that no layer below has
    it."""
    told: list[Finding] = []
    for each in findings:
        lacks = each.code == "CP111" and each.hint.startswith("expected is a flow")
        if lacks and not any(other.code == "CP121" for other in told):
            text = f'no layer below has a flow "{name}", and by itself it is not whole: {each.message}'
            told.append(Finding("CP121", text, each.place, did_you_mean(name, known) or each.hint))
        elif not lacks:
            told.append(each)
    return told


def _told(finding: Finding, addition: Addition | None) -> Finding:
    if addition is None or finding.code not in ("CP111", "CP112"):
        return finding
    text = f'no layer below has a {addition.what} "{addition.name}", and by itself it is not whole: {finding.message}'
    hint = did_you_mean(addition.name, addition.known) or finding.hint
    return Finding("CP121", text, finding.place, hint)


class LayerValue(NamedTuple):
    """What one layer says of a value: the number of the layer from below, the place, and the text. ``how`` is what it
    does: says, overrides, adds, replaces or takes away; where it takes the value away, ``text`` is None."""

    layer: int
    place: Place
    how: str
    text: str | None


def chain(sources: Iterable[tuple[int, Source]], shape: Shape, path: Path) -> list[LayerValue]:
    """What each layer says of the value at an address of a file, from below; what stands in the place of a whole that
    it was in counts too."""
    found: list[LayerValue] = []
    for layer, source in sources:
        said = _said_in(source, path, shape)
        if said is None:
            continue
        at, mark, value = said
        if value is _ELSE:
            found.append(LayerValue(layer, source.key(at), "takes away", None))
            continue
        how = {MORE: "adds", WHOLE: "replaces"}.get(
            mark, "overrides" if found and found[-1].text is not None else "says"
        )
        if value is None:
            how = "takes away"
        place = source.key(at) if value is None or isinstance(value, (dict, list)) else source.value(at)
        found.append(LayerValue(layer, place, how, None if value is None else text_at(source, at)))
    return found


def text_at(source: Source, path: Path) -> str:
    """What a source says at an address, in one line as YAML writes it. Raises ``KeyError`` or ``IndexError`` where that
    leads to nothing."""
    return _text(source, path, source.data_at(path))


_ELSE = object()
"""Stands for a value that a whole, which takes the place of the one that it was in, does not have."""


def _said_in(source: Source, path: Path, shape: Shape) -> tuple[Path, str, Any] | None:
    """Where a layer says something of an address, with the mark of the last key that has one, and what; None where it
    does not."""
    at: Path = ()
    mark = ""
    here: Any = source.data
    within: Shape | None = shape
    for key in path:
        if isinstance(here, list) and isinstance(key, int):
            if key >= len(here):
                return (at, mark, _ELSE)
            here, at, within = here[key], (*at, key), None
            continue
        if not isinstance(here, dict):
            return (at, mark, None if here is None else _ELSE)
        name = str(key)
        written = next((each for each in (name, f"{name}{WHOLE}", f"{name}{MORE}") if each in here), None)
        if written is None:
            replaced = mark == WHOLE or not is_laid_over(within)
            return (at, mark, _ELSE) if replaced and at else None
        mark = _plain(written)[1] or mark
        here, at, within = here[written], (*at, written), inner(within, name)
    return at, mark, here


def _text(source: Source, at: Path, value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_text(source, (*at, key), each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_text(source, (*at, number), each) for number, each in enumerate(value)) + "]"
    return value if isinstance(value, str) else source.written.get(at, "null" if value is None else str(value))
