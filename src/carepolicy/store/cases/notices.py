"""Notices that wait for an opening, as a subject remembers them in a store: what is private in them is sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.engine.case import Notice, Notices
from carepolicy.engine.record import ProgramId, Told
from carepolicy.store.privacy.seal import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carepolicy.engine.case import Subject


def frozen_notices(notices: Notices, subject: Subject, seal: Callable[[bytes], bytes]) -> dict[str, Any]:
    """Notices as JSON, with the number of the last record of their flow, which may be gone when they are told."""
    case = subject.cases.get(notices.place)
    told = []
    for program, notice in notices.told:
        if notice.sealed is None and notice.whole is not None and notice.private is not None:
            notice.sealed = seal(whole(notice.whole, notice.private))
        sealed = None if notice.sealed is None else notice.sealed.hex()
        told.append((program.version, program.source, dict(notice.told), sealed))
    return {
        "flow": notices.told[0][0].flow,
        "due": notices.due,
        "sequence": subject.sequences.get(notices.place, 0) if case is None else case.sequence,
        "told": told,
    }


def thawed_notices(kept: Mapping[str, Any], place: int, opened: Callable[[bytes], bytes | None]) -> Notices:
    """Notices as they were. What is private in them stays masked where its key was thrown away."""
    told = []
    for version, source, data, sealed in kept["told"]:
        notice = Notice(Told(data))
        if sealed is not None and (plain := opened(bytes.fromhex(sealed))) is not None:
            said = orjson.loads(plain)
            notice = Notice(notice.told, Told(said["data"]), said["facts"])
            notice.sealed = bytes.fromhex(sealed)
        told.append((ProgramId(kept["flow"], version, source), notice))
    return Notices(place, kept["due"], told)
