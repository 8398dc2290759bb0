"""Records tied to each other: each bears a hash over its line and the hash of the record before it.

There is a chain for the records of each flow of a subject, and one for the subject's records that belong to no case.
The end of each is kept with the subject, so that a record cut off at the end is missed as well. What is
hashed is the line as it is kept, with private facts masked, so that erasing them breaks no chain.
"""

from __future__ import annotations

from hashlib import sha256

BEGINNING = bytes(32)
"""What stands before the first record of a chain."""

LOOSE = ""
"""In place of a flow: the chain of the records that belong to no case."""


def link(before: bytes, line: str) -> bytes:
    """The hash of a record with this line (without its line break) behind one of the hash ``before``."""
    return sha256(before + line.encode()).digest()
