"""Reads the phrases that are marked in src/ and brings the catalogues of carepolicy's own words up to date: ``python
docs/words.py``, or ``make words``.

New phrases come in untranslated, gone ones go, and each ``carepolicy.mo`` is made anew from its ``carepolicy.po``.
``--check`` writes nothing, and says with the status 1 that something would be written.
"""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).parents[1] / "src" / "carepolicy"
FOLDER = PACKAGE / "locale"
KEYWORDS = {"msg": None, "msgs": (1, 2), "pmsg": ((1, "c"), 2)}
HEAD = "# carepolicy's own words. docs/words.py keeps this file; CONTRIBUTING.md says how a word is added."


def template() -> Catalog:
    """Every phrase that is marked in the package."""
    found = Catalog(project="carepolicy", charset="utf-8", fuzzy=False)
    found.header_comment = HEAD
    for name, _, text, _, context in extract_from_dir(PACKAGE, [("**.py", "python")], keywords=KEYWORDS):
        if name != "translations.py" and text:
            found.add(text, context=context, locations=[(f"src/carepolicy/{name}", 0)])
    return found


def updated(path: Path, phrases: Catalog) -> tuple[bytes, bytes]:
    """A catalogue with the phrases of today, as text and compiled."""
    language = path.parts[-3]
    text = path.read_bytes()
    catalogue = read_po(io.BytesIO(text), locale=language)
    contexts = [each for each in catalogue if each.context and each.id and catalogue_case(each.context, text)]
    catalogue.update(phrases, no_fuzzy_matching=True)
    for each in contexts:  # grammatical cases are the language's own: no code names them
        if phrases.get(each.id) is not None:
            catalogue.add(each.id, each.string, context=each.context)
    catalogue.obsolete.clear()
    return head_of(text) + body_of(catalogue), mo_of(head_of(text) + body_of(catalogue), language)


def catalogue_case(context: str, text: bytes) -> bool:
    """Whether a context is one of the cases that a catalogue's header names."""
    cases = next((line for line in text.decode().splitlines() if line.startswith('"X-Cases: ')), "")
    return context in cases.removeprefix('"X-Cases: ').removesuffix('\\n"').split()


def head_of(text: bytes) -> bytes:
    """The header of a file, which stays as it is."""
    return text.partition(b"\n\n")[0] + b"\n\n"


def body_of(catalogue: Catalog) -> bytes:
    """All phrases of a catalogue, without its header, by the files in which they stand."""
    out = io.BytesIO()
    write_po(out, catalogue, omit_header=True, include_lineno=False, width=120, sort_by_file=True)
    return out.getvalue().strip(b"\n") + b"\n"


def mo_of(text: bytes, language: str) -> bytes:
    """A catalogue compiled, with its header as it is (Babel's own writer would put today's date into it); what is not
    translated, or not in all forms, is left out."""
    header = "".join(f"{line[1:-3]}\n" for line in head_of(text).decode().splitlines() if line.startswith('"'))
    texts = {b"": header.encode()}
    for each in read_po(io.BytesIO(text), locale=language):
        forms = [each.string] if isinstance(each.string, str) else list(each.string)
        english = [each.id] if isinstance(each.id, str) else list(each.id)
        if each.id and all(forms):
            context = f"{each.context}\x04" if each.context else ""
            texts[(context + "\0".join(english)).encode()] = "\0".join(forms).encode()
    return packed(sorted(texts.items()))


def packed(texts: list[tuple[bytes, bytes]]) -> bytes:
    """Pairs of strings in gettext's binary form, little-endian, without a table of hashes."""
    count = len(texts)
    begin = 28 + 16 * count
    tables: list[bytes] = []
    strings = b""
    for column in (0, 1):
        for pair in texts:
            tables.append(struct.pack("<2I", len(pair[column]), begin + len(strings)))
            strings += pair[column] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, begin)
    return head + b"".join(tables) + strings


def files() -> dict[Path, bytes]:
    """What the folder of catalogues should hold."""
    phrases = template()
    found = {FOLDER / "carepolicy.pot": f'{HEAD}\nmsgid ""\nmsgstr ""\n\n'.encode() + body_of(phrases)}
    for path in sorted(FOLDER.glob("*/LC_MESSAGES/carepolicy.po")):
        found[path], found[path.with_suffix(".mo")] = updated(path, phrases)
    return found


def main() -> int:
    """Write what is not as it should be, or with ``--check`` name it."""
    stale = {path: content for path, content in files().items() if not path.exists() or path.read_bytes() != content}
    for path, content in stale.items():
        print(path.relative_to(PACKAGE.parents[1]))
        if "--check" not in sys.argv:
            path.write_bytes(content)
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
