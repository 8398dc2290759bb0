"""Files of text as they come: how they are packed and encoded, and what they are where they are no text at all."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import re
import shutil
import zlib
from dataclasses import dataclass
from typing import IO, TextIO, cast

GZIP = b"\x1f\x8b"
"""What a file begins with that gzip has packed."""

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_OTHERS = (
    (b"PK\x03\x04", "a zip file, as spreadsheets are (.xlsx): save it as CSV, or unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet (.xls): save it as CSV"),
    (b"PAR1", "Parquet: logs that are read together are of one format (reads: {format: parquet})"),
    (b"SQLite format 3", "a database of SQLite: say reads: {format: ocel} where it is a log in OCEL 2.0"),
    (b"%PDF", "a PDF"),
    (b"<?xml", "XML: say reads: {format: xes} or {format: ocel}"),
    (b"<!DOCTYPE", "a page of the web, as one that asks to sign in"),
    (b"<html", "a page of the web, as one that asks to sign in"),
)
"""How files begin that are no table of texts, and what they are."""

BEGINNING = 1 << 16
"""Bytes that are looked at to see what a file is."""

UNREAD = "carepolicy.unread"
codecs.register_error(UNREAD, lambda fault: ("\udcff", getattr(fault, "end", 0)))  # a byte that is in no UTF-8


EMPTY = "is empty"


class NoText(ValueError):
    """A file that is no text that can be read; the message says what it is, or what is wrong."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of text: its path, whether it is packed by gzip, its encoding, and the text that it begins with."""

    path: str
    packed: bool
    encoding: str
    begins: str

    @classmethod
    def seen(cls, path: str, encoding: str | None, named: bool) -> TextFile:
        """A file, of which an encoding was said or is to be found out, and whose first line is to be read where columns
        are ``named`` in it. Raises ``NoText``."""
        try:
            with open(path, "rb") as file:
                packed = file.read(2) == GZIP
            with _opened(path, packed) as plain:
                head = plain.read(BEGINNING)
        except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
            raise NoText(f"is cut short: {fault}") from None
        except IsADirectoryError:
            raise NoText("is a folder: name the logs in it") from None
        except OSError as fault:
            raise NoText(f"cannot be read: {fault.strerror or fault}") from None
        if not head:
            raise NoText(EMPTY)
        for begin, what in _OTHERS:
            if head.lower().startswith(begin.lower()):
                raise NoText(f"is no text, but {what}" if begin[:1] != b"<" else f"is {what}")
        if encoding is not None:
            _demand_known(encoding)
        encoding = encoding or _encoding_of(head)
        return cls(path, packed, encoding, _begins(head, encoding, named))

    @property
    def holds_array(self) -> bool:
        """Whether it is an array of JSON, and not a line for each object."""
        return re.match(r"\s*\[\s*\{", self.begins) is not None

    def opened(self) -> TextIO:
        """The text, to be read from its beginning."""
        encoding = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
        return io.TextIOWrapper(_opened(self.path, self.packed), encoding, newline="")

    def in_utf_8(self, folder: str, number: int) -> str:
        """The path of the same text in UTF-8, packed or not: the file itself, or a copy in a folder. What is none of
        its encoding stands there as bytes that are no UTF-8. Raises ``NoText``."""
        if codecs.lookup(self.encoding).name in ("utf-8", "utf-8-sig", "ascii"):
            return self.path
        copy = os.path.join(folder, f"{number}.txt")
        try:
            with (
                _opened(self.path, self.packed) as file,
                codecs.getreader(self.encoding)(file, UNREAD) as reader,
                open(copy, "w", encoding="utf-8", errors="surrogateescape", newline="") as out,
            ):
                shutil.copyfileobj(reader, out, BEGINNING)
        except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
            raise NoText(f"is cut short: {fault}") from None
        except OSError as fault:
            raise NoText(f"cannot be copied to {os.path.dirname(folder)}: {fault.strerror or fault}") from None
        except UnicodeError as fault:
            raise NoText(f"is not written in {self.encoding}: {fault}") from None
        return copy


def _opened(path: str, packed: bool) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if packed else open(path, "rb")


def _demand_known(encoding: str) -> None:
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise NoText(
            f'cannot be read: there is no encoding "{encoding}"; utf-8, utf-16, latin-1, cp1252 and others are'
        ) from None


def _encoding_of(head: bytes) -> str:
    """The encoding by the mark that a text begins with, or by where its zeros stand."""
    some = head[:200]
    for mark, encoding in _MARKS:
        if head.startswith(mark) and (encoding == "utf-8-sig" or 0 in some):
            return encoding
    if len(some) > 3 and 0 in some:
        odd, even = some[1::2].count(0), some[::2].count(0)
        if odd > 0.8 * (len(some) // 2) and not even:
            return "utf-16-le"
        if even > 0.8 * (len(some) // 2) and not odd:
            return "utf-16-be"
    return "utf-8"


def _begins(head: bytes, encoding: str, named: bool) -> str:
    """What a text begins with. Raises ``NoText`` where its first line is none of that encoding, and columns are
    ``named`` in it."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head).removeprefix("\ufeff")
    first = text[: BEGINNING // 4].partition("\n")[0]
    if named and "\0" in first:
        raise NoText("is no text")
    if named and "\ufffd" in first:
        raise NoText(f"is not written in {encoding}")
    return text
