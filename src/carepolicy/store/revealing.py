"""What of a record's private data a reader may see.

A record is kept masked. Its data without the masks is sealed beside it, together with the names of the private facts
that went into each of its fields, so that a role is shown a field where it may see all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.store.datakeys import DataKeys


class Reader(NamedTuple):
    """Who reads. ``sees`` are the private facts that the reader may see, None for all of them."""

    sees: frozenset[str] | None

    def may(self, facts: object) -> bool:
        """Whether all of some facts may be seen; where it is not known which they were, whether all may be."""
        if self.sees is None:
            return True
        return isinstance(facts, (list, tuple)) and self.sees.issuperset(facts)


NOBODY = Reader(frozenset())
"""One for whom all that is private stays masked."""

CARRIER = Reader(None)
"""One who carries a request out, and must have all of it: the mailer, the service that acts."""


def whole(data: str, private: Mapping[str, tuple[str, ...]]) -> bytes:
    """What is sealed beside a record: its data (JSON) without masks, and the facts in each of its fields."""
    return b'{"facts":%b,"data":%b}' % (orjson.dumps(private), data.encode())


def shown(masked: dict[str, Any], sealed: bytes | None, sealer: DataKeys, reader: Reader) -> dict[str, Any]:
    """The data of a record as a reader may see it. Raises ``WrongKey``."""
    whole_data = None if reader is NOBODY else sealer.opened(sealed)
    if whole_data is None:
        return masked
    kept = orjson.loads(whole_data)
    if "facts" not in kept:  # written before the facts were named
        return kept if reader.sees is None else masked
    facts, data = kept["facts"], kept["data"]
    return {field: data[field] if reader.may(facts.get(field, ())) else value for field, value in masked.items()}
