"""The text of a policy file: its encoding, the YAML documents in it, and the ``Source`` that it makes."""

from __future__ import annotations

import codecs
import os
import re
from itertools import pairwise
from pathlib import Path as FilePath

from carepolicy.policy.composer import compose
from carepolicy.policy.files import read_bytes
from carepolicy.policy.findings import Finding, quoted
from carepolicy.policy.places import Place, Source

_BOM = "\ufeff"
_TAB_INDENT = re.compile(r"^ *\t+(?=[ \t]*[^\s#])", re.MULTILINE)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML 1.2 (section 5.1) does not allow in a file."""

_SAVE = "save it as UTF-8: in most editors under Save as, Encoding"
_WIDE = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ENOUGH = 64
"""Bytes at a file's start by which its encoding is told where no mark does."""


def read_source(path: str | os.PathLike[str], root: str | os.PathLike[str]) -> tuple[Source | None, list[Finding]]:
    """The YAML file at ``path``; its places name it relative to ``root``, with slashes.

    The source is None where the text is no YAML. Never raises for what a file holds, nor for one that
    cannot be read.
    """
    name = relative_name(path, root)
    content, findings = read_bytes(path, name)
    return (None, findings) if content is None else source_of(content, name)


def relative_name(path: str | os.PathLike[str], root: str | os.PathLike[str]) -> str:
    """How findings name a file: its path below the root, with slashes on every system."""
    return FilePath(os.path.relpath(path, root)).as_posix()


def source_of(content: bytes, name: str) -> tuple[Source | None, list[Finding]]:
    """The source that these bytes of a file make, or None and the reasons why they make none."""
    text, findings = text_of(content, name)
    if text is None:
        return None, findings
    return compose(text, name)


def text_of(content: bytes, name: str) -> tuple[str | None, list[Finding]]:
    """The text of a file that is UTF-8, has only printable characters and no tab before a line's text."""
    wide = wide_encoding(content)
    if wide is not None:
        message = f"this file is saved in the encoding {wide.upper()}, which some editors call Unicode"
        return None, [Finding("CP101", message, Place(name, 1, 1, 1, 1), _SAVE)]
    try:
        text = content.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError as problem:
        before = content[: problem.start].decode("utf-8").removeprefix(_BOM)
        meant = content[problem.start : problem.start + 1].decode("windows-1252", "replace")
        told = f", though {quoted(meant)} in the encoding Windows-1252" if meant.isalpha() else ""
        message = f"the byte 0x{content[problem.start]:02X} here is no UTF-8{told}"
        return None, [Finding("CP101", message, _place(name, before, 1), _SAVE)]
    wrong = _UNPRINTABLE.search(text)
    if wrong is not None:
        message = f"the control character U+{ord(wrong[0]):04X} stands here"
        return None, [Finding("CP101", message, _place(name, text[: wrong.start()], 1), "delete it")]
    tab = _TAB_INDENT.search(text)
    if tab is not None:
        message = "a tab stands before the text of this line"
        place = _place(name, text[: tab.start()], len(tab[0]))
        return None, [Finding("CP102", message, place, "use spaces to indent")]
    return text, []


def wide_encoding(content: bytes) -> str | None:
    """UTF-16 or UTF-32 where a file says by its first bytes that it is in one of them, or has every other one empty."""
    for mark, encoding in _WIDE:
        if content.startswith(mark):
            return encoding
    start = content[:_ENOUGH]
    if len(start) > 1 and not any(start[1::2]):
        return "utf-16-le"
    return "utf-16-be" if len(start) > 1 and not any(start[::2]) else None


def _place(name: str, before: str, length: int) -> Place:
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return Place(name, line, column, line, column + length)


_DIVIDER = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_LIVE = re.compile(r"^(?![ \t]*(#|$|---|%))", re.MULTILINE)


def documents(text: str) -> list[str]:
    """The YAML documents of a text, each with blank lines in place of what stands before it.

    So each keeps its lines' numbers. What holds only comments is no document, unless it is the whole text.
    """
    starts = [0, *(each.start() for each in _DIVIDER.finditer(text)), len(text)]
    parts = []
    lines = 0
    for start, end in pairwise(starts):
        part = text[start:end]
        if _LIVE.search(part.rstrip()):
            parts.append("\n" * lines + part)
        lines += part.count("\n")
    return parts or [text]
