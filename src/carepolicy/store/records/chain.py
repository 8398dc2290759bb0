"""Records tied to each other: each bears a hash over its line and the hash of the record before it.

There is a chain for the records of each flow of a subject, and one for the subject's records that belong to no case.
The end of each is kept with the subject, so that a record cut off at the end is missed as well. What is
hashed is the line as it is kept, with private facts masked, so that erasing them breaks no chain.
"""

from __future__ import annotations

from hashlib import blake2b, sha256

BEGINNING = bytes(32)
"""What stands before the first record of a chain."""

LOOSE = ""
"""In place of a flow: the chain of the records that belong to no case."""

SIZE = 28
"""Bytes of a hash. Those that were written before tables of version 5 have 32, by which they are known."""


_begun = blake2b(digest_size=SIZE).copy
"""A hash of nothing yet: to copy one takes less time than to make one."""


def link(before: bytes, line: str) -> bytes:
    """The hash of a record with this line (without its line break) behind one of the hash ``before``."""
    made = _begun()
    made.update(before + line.encode())
    return made.digest()


def links(before: bytes, line: str, said: bytes) -> bool:
    """Whether ``said`` is the hash of a record, be it by ``link`` or by SHA-256 as in tables before version 5."""
    if len(said) == SIZE:
        return link(before, line) == said
    return bool(sha256(before + line.encode()).digest() == said)
