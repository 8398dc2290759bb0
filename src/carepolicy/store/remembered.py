"""What is known in memory about one address beside its engine's subjects: its chains, and what of it the store has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.store.contract import named

if TYPE_CHECKING:
    from carepolicy.store.contract import Address, SubjectRow

FORM = 1


class Remembered:
    """``flows`` are those with an open case in the store; ``owners`` the (role, person) of each open case; ``sealed``
    the private facts of each as they were last sealed; ``chains`` the number and hash of the last record of each
    chain; ``levels`` what each stratum's subject remembers, as it was read."""

    __slots__ = ("address", "chains", "flows", "levels", "merged_into", "owners", "sealed")

    def __init__(self, address: Address, row: SubjectRow | None) -> None:
        self.address = address
        self.flows: set[str] = set()
        self.owners: dict[str, tuple[str | None, str | None]] = {}
        self.sealed: dict[str, tuple[bytes, bytes]] = {}
        self.chains: dict[str, tuple[int, bytes]] = {}
        self.levels: dict[str, dict[str, Any]] = {}
        self.merged_into: str | None = None
        if row is not None:
            kept = orjson.loads(row.state)
            self.merged_into = None if row.merged_into is None else named(row.merged_into)
            self.levels = kept["levels"]
            self.chains = {flow: (number, bytes.fromhex(said)) for flow, (number, said) in kept["chains"].items()}

    def state(self, levels: dict[str, dict[str, Any]]) -> bytearray:
        """What must be remembered although cases close, as bytes."""
        chains = {flow: (number, said.hex()) for flow, (number, said) in self.chains.items()}
        return bytearray(orjson.dumps({"form": FORM, "levels": levels, "chains": chains}))
