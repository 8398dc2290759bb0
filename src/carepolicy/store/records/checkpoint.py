"""What stood in a store at an instant, signed, to be kept elsewhere; it finds a store that was put back since.

A checkpoint has the peaks of a tree of hashes over all records in the order in which they were written: a later state
has the same records at its beginning, or it is none. The tree is a row of perfect binary trees, the largest first
(a Merkle mountain range), so that it is worked out while records are read one by one. It is signed with a key of the
store's own (Ed25519), which it keeps sealed; who knows the public key needs nothing else to check it.

A *proof* has the records of a subject for somebody who has not the store. It is signed as well, and bears a checkpoint:
each record leads through the hashes of its chain and of the tree to what the checkpoint says. Who has kept a checkpoint
of that time elsewhere can see that nothing was made up since, whoever holds the keys.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from carepolicy.engine.instants import text_of
from carepolicy.store.contract import storable
from carepolicy.store.privacy.keys import Keys
from carepolicy.store.records.chain import BEGINNING, links
from carepolicy.store.records.verify import ALTERED, MISSING, Discrepancy, Inspection, fault_in
from carepolicy.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from carepolicy.store.contract import Store, Transaction

FORM = 1
CHECKPOINT = "carepolicy.checkpoint"
SIZE = 32
HIGHEST = 64

PROOF = "carepolicy.proof"


class NotSigned(ValueError):
    """A text that is no checkpoint or proof, or one whose signature is not that of its contents."""


class Signer:
    """Signs what a store says of itself."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._key = Ed25519PrivateKey.from_private_bytes(key)
        self.public = b64encode(self._key.public_key().public_bytes_raw()).decode()

    def signed(self, said: dict[str, Any]) -> dict[str, Any]:
        """The same, with the public key and the signature."""
        whole = {**said, "public_key": self.public}
        return {**whole, "signature": b64encode(self._key.sign(_text(whole))).decode()}


def known_signer(store: Store, keys: Keys) -> Signer | None:
    """Who signs for a store; None where nothing was signed yet. Raises ``StoreFault``."""
    with store.reading() as transaction:
        found = transaction.rows(statements.SIGNING_KEY)
    return Signer(keys.unseal(bytes(found[0][0]))) if found else None


def signer_of(store: Store, keys: Keys) -> Signer:
    """Who signs for a store; the key is made at the first use. Raises ``StoreFault``."""
    signer = known_signer(store, keys)
    if signer is None:
        with store.transaction() as transaction:
            transaction.run(statements.KEEP_SIGNING_KEY, (keys.seal(os.urandom(SIZE)),))
            ((sealed,),) = transaction.rows(statements.SIGNING_KEY)
        signer = Signer(keys.unseal(bytes(sealed)))
    return signer


def opened(text: bytes, kind: str) -> dict[str, Any]:
    """What was signed, if its signature is right. Raises ``NotSigned``."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        said = orjson.loads(text)
        if said["type"] != kind or said["form"] != FORM:
            raise NotSigned(f"it is no {kind.removeprefix('carepolicy.')} of a form that is known here")
        signature = b64decode(said.pop("signature"), validate=True)
        Ed25519PublicKey.from_public_bytes(b64decode(said["public_key"], validate=True)).verify(signature, _text(said))
    except InvalidSignature:
        raise NotSigned("it was altered: the signature is not that of its contents") from None
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise fault if isinstance(fault, NotSigned) else NotSigned("it is no JSON that was signed") from None
    found: dict[str, Any] = said
    return found


def _text(said: dict[str, Any]) -> bytes:
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


# -- the tree of hashes ------------------------------------------------------------------------------------------


def leaf(number: int, hash: bytes) -> bytes:
    """A record in the tree."""
    return _hash(b"leaf", b"%d %b" % (number, hash))


def joined(left: bytes, right: bytes) -> bytes:
    """Two trees of the same size as one."""
    return _hash(b"node", left + right)


def _hash(use: bytes, data: bytes) -> bytes:
    digest: bytes = blake2b(data, digest_size=SIZE, person=use).digest()
    return digest


class HashTree:
    """Perfect trees over leaves that come one by one. For the leaves at the places ``wanted`` (counted from 0) it keeps
    what leads from them to the peak of their tree."""

    def __init__(self, wanted: Iterable[int] = ()) -> None:
        self.size = 0
        self._peaks: list[tuple[int, bytes]] = []
        self._kept: dict[tuple[int, int], bytes] = {}
        beside = set(wanted)
        self._beside: list[set[int]] = []
        while beside and len(self._beside) < HIGHEST:
            self._beside.append({place ^ 1 for place in beside})
            beside = {place >> 1 for place in beside}

    def add(self, hash: bytes) -> None:
        """Add a leaf behind the others."""
        height, place = 0, self.size
        self.size += 1
        self._keep(height, place, hash)
        while self._peaks and self._peaks[-1][0] == height:
            hash = joined(self._peaks.pop()[1], hash)
            height, place = height + 1, place >> 1
            self._keep(height, place, hash)
        self._peaks.append((height, hash))

    def _keep(self, height: int, place: int, hash: bytes) -> None:
        if height < len(self._beside) and place in self._beside[height]:
            self._kept[height, place] = hash

    def peaks(self) -> list[str]:
        """The peaks of all trees, the highest first."""
        return [hash.hex() for _, hash in self._peaks]

    def path(self, place: int) -> list[str]:
        """What a leaf is joined with on its way to a peak."""
        found: list[str] = []
        while (hash := self._kept.get((len(found), (place >> len(found)) ^ 1))) is not None:
            found.append(hash.hex())
        return found


def climbed(hash: bytes, place: int, path: Iterable[str]) -> str:
    """The peak to which a path leads from a leaf."""
    for each in path:
        other = bytes.fromhex(each)
        hash = joined(other, hash) if place & 1 else joined(hash, other)
        place >>= 1
    return hash.hex()


def tree_of(transaction: Transaction, last: int, wanted: Iterable[int] = ()) -> HashTree:
    """The tree over all records up to that number, also those that were let go."""
    tree = HashTree(wanted)
    for number, hash, is_there in transaction.stream(statements.LEAVES, (last, last)):
        tree.add(leaf(number, bytes(hash)) if is_there else bytes(hash))
    return tree


# -- checkpoints ---------------------------------------------------------------------------------------------


def checkpoint(transaction: Transaction, tree: HashTree, signer: Signer, now: int) -> dict[str, Any]:
    """What stands in a store now, signed. Nobody may be writing meanwhile."""
    inspection = Inspection(transaction)
    inspection.begin()
    return signer.signed(
        {
            "type": CHECKPOINT,
            "form": FORM,
            "time": text_of(now),
            "records": tree.size,
            "last": _last(transaction),
            "tree": tree.peaks(),
            "writes": inspection.numbers,
            "sums": _of_sums(inspection),
        }
    )


def _of_sums(inspection: Inspection) -> str:
    """What stands for the sums of all tables."""
    totals = sorted((inspection.totals or {}).items())
    return _hash(b"sums", orjson.dumps([(name, each.rows, f"{each.sum:x}") for name, each in totals])).hex()


def against(transaction: Transaction, said: dict[str, Any]) -> Iterator[Discrepancy]:
    """Reasons why a store cannot come from the state that a checkpoint tells of; none where it can."""
    when = said["time"]
    tree = tree_of(transaction, said["last"])
    if tree.size < said["records"]:
        lacking = said["records"] - tree.size
        yield fault_in("records", MISSING, f"{lacking:,} that stood here at {when}: the store was put back or forked")
    elif tree.peaks() != said["tree"]:
        yield fault_in("records", ALTERED, f"those that stood here at {when} are others now: the store was forked")
    inspection = Inspection(transaction)
    inspection.begin()
    less = sum(max(0, then - inspection.numbers.get(shard, 0)) for shard, then in said["writes"].items())
    if less:
        yield fault_in("sums", MISSING, f"{less:,} writes that had been done at {when}: the store was put back")
    elif inspection.numbers == said["writes"] and _of_sums(inspection) != said["sums"]:
        yield fault_in("sums", ALTERED, f"nothing was written since {when}, and other things stand here")


def checkpoint_of(store: Store, now: int) -> dict[str, Any]:
    """What stands in a store now, signed by it. Raises ``StoreFault``."""
    signer = signer_of(store, Keys())
    with store.still() as transaction:
        return checkpoint(transaction, tree_of(transaction, _last(transaction)), signer, now)


def faults_since(store: Store, said: dict[str, Any]) -> list[Discrepancy]:
    """Reasons why a store cannot come from the state that a checkpoint tells of; none where it can. Raises
    ``StoreFault``."""
    signer = known_signer(store, Keys())
    if signer is None or signer.public != said["public_key"]:
        return [fault_in("secrets", ALTERED, "the checkpoint is another store's, or was signed after what stands here")]
    with store.reading() as transaction:
        return list(against(transaction, said))


def _last(transaction: Transaction) -> int:
    """The number of the record that was written last."""
    return int(transaction.rows(statements.LAST_RECORD)[0][0])


# -- proofs ------------------------------------------------------------------------------------------------


class Proven(NamedTuple):
    """What a proof proves: so many records of a subject, as of an instant, said by who has the key to a public one."""

    subject: str
    records: int
    time: str
    public_key: str


def proof(transaction: Transaction, subject: str, flow: str | None, signer: Signer, now: int) -> dict[str, Any]:
    """The records of a subject (of one flow) with what proves them. Nobody may be writing meanwhile."""
    rows = [row for row in transaction.rows(statements.TO_PROVE, (storable(subject),)) if flow in (None, row[2])]
    wanted = {row[0] for row in rows}
    places = {no: place for place, (no,) in enumerate(transaction.stream(statements.NUMBERS_OF_LEAVES)) if no in wanted}
    tree = tree_of(transaction, _last(transaction), places.values())
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
    cuts = [(*each[:3], bytes(each[3]).hex()) for each in transaction.rows(statements.CUTS, (storable(subject),))]
    said = {"type": PROOF, "form": FORM, "subject": subject, "let_go": cuts, "records": records}
    return signer.signed({**said, "checkpoint": checkpoint(transaction, tree, signer, now)})


def proof_of(store: Store, subject: str, flow: str | None, now: int) -> bytes:
    """A proof of what a store has of a subject, as text. Raises ``NotSigned`` where what stands there proves nothing,
    and ``StoreFault``."""
    signer = signer_of(store, Keys())
    with store.still() as transaction:
        text = orjson.dumps(proof(transaction, subject, flow, signer, now))
    proven(text)
    return text


def proven(text: bytes) -> Proven:
    """What a proof proves. Raises ``NotSigned`` where it proves nothing."""
    said = opened(text, PROOF)
    try:
        head = opened(orjson.dumps(said["checkpoint"]), CHECKPOINT)
        if head["public_key"] != said["public_key"]:
            raise NotSigned("its checkpoint was signed by another")
        begun = {(key, flow): (number, bytes.fromhex(hash)) for key, flow, number, hash in said["let_go"]}
        _check(said["records"], begun, frozenset(head["tree"]))
        return Proven(said["subject"], len(said["records"]), head["time"], said["public_key"])
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
