"""The records of a case with what proves them, for somebody who has not the store.

A proof is signed, and bears a checkpoint of the store (see ``checkpoint``): each record leads through the hashes of its
chain and of the tree to what the checkpoint says. Who has kept a checkpoint of that time elsewhere can see that nothing
was made up since, whoever holds the keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from carepolicy.store.chain import BEGINNING, links
from carepolicy.store.checkpoint import CHECKPOINT, FORM, NotSigned, checkpoint, climbed, leaf, opened, tree_of
from carepolicy.store.naming import storable
from carepolicy.store.sql.statements import LAST_RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.store.checkpoint import Signer
    from carepolicy.store.contract import Transaction

PROOF = "carepolicy.proof"
OF_SUBJECT = """SELECT no, key, flow, sequence, loose, hash, line FROM records WHERE subject = ?
    ORDER BY key, flow, sequence, loose"""
NUMBERS = "SELECT no FROM records UNION ALL SELECT no FROM leaves ORDER BY 1"
CUTS = "SELECT key, flow, number, hash FROM cuts WHERE subject = ? ORDER BY key, flow"


class Checked(NamedTuple):
    """What a proof proves: so many records of a subject, as of an instant, said by who has the key to a public one."""

    subject: str
    records: int
    time: str
    public_key: str


def proof(transaction: Transaction, subject: str, flow: str | None, signer: Signer, now: int) -> dict[str, Any]:
    """The records of a subject (of one flow) with what proves them. Nobody may be writing meanwhile."""
    rows = [row for row in transaction.rows(OF_SUBJECT, (storable(subject),)) if flow in (None, row[2])]
    wanted = {row[0] for row in rows}
    places = {no: place for place, (no,) in enumerate(transaction.stream(NUMBERS)) if no in wanted}
    tree = tree_of(transaction, transaction.rows(LAST_RECORD)[0][0], places.values())
    records = [
        {
            "no": no,
            "key": key,
            "flow": of_flow if sequence else "",
            "number": sequence or loose,
            "line": line,
            "hash": bytes(hash).hex(),
            "place": places[no],
            "path": tree.path(places[no]),
        }
        for no, key, of_flow, sequence, loose, hash, line in rows
    ]
    cuts = [(*each[:3], bytes(each[3]).hex()) for each in transaction.rows(CUTS, (storable(subject),))]
    said = {"type": PROOF, "form": FORM, "subject": subject, "let_go": cuts, "records": records}
    return signer.signed({**said, "checkpoint": checkpoint(transaction, tree, signer, now)})


def checked(text: bytes) -> Checked:
    """What a proof proves. Raises ``NotSigned`` where it proves nothing."""
    said = opened(text, PROOF)
    try:
        head = opened(orjson.dumps(said["checkpoint"]), CHECKPOINT)
        if head["public_key"] != said["public_key"]:
            raise NotSigned("its checkpoint was signed by another")
        begun = {(key, flow): (number, bytes.fromhex(hash)) for key, flow, number, hash in said["let_go"]}
        _check(said["records"], begun, frozenset(head["tree"]))
        return Checked(said["subject"], len(said["records"]), head["time"], said["public_key"])
    except (KeyError, TypeError, AttributeError, ValueError) as fault:
        if isinstance(fault, NotSigned):
            raise
        raise NotSigned("it lacks what a proof has") from None


def _check(
    records: Iterable[dict[str, Any]], before: dict[tuple[str, str], tuple[int, bytes]], peaks: frozenset[str]
) -> None:
    for each in records:
        chain, hash = (each["key"], each["flow"]), bytes.fromhex(each["hash"])
        number, last = before.get(chain, (0, BEGINNING))
        place = f"record {each['number']} of {each['flow'] or 'no case'}"
        if each["number"] != number + 1:
            raise NotSigned(f"{place} does not follow the one before it")
        if not links(last, each["line"], hash):
            raise NotSigned(f"{place} is not what its hash says")
        if climbed(leaf(each["no"], hash), each["place"], each["path"]) not in peaks:
            raise NotSigned(f"{place} is not in the checkpoint")
        before[chain] = each["number"], hash
