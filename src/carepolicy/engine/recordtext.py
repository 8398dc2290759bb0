"""The texts of records: one line of JSON each, all of it that is known beforehand written as a template.

A template is for the ``%`` operator; a live case fills in its identity, the time and a few numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from carepolicy.machine.program import Program

SPECVERSION = "1.0"


def quoted(text: str) -> str:
    """``text`` as a JSON string."""
    return orjson.dumps(text).decode()


def slug(name: str) -> str:
    """A name as part of a URI reference: lower case, runs of other characters as one hyphen."""
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split()) or "organisation"


class Writer:
    """Templates of the records of one flow. Their first five fields are always
    (identity, sequence, subject, time, sequence)."""

    def __init__(self, organisation: str, program: Program) -> None:
        self._source = quoted("/carepolicy/" + slug(organisation))
        self._flow = f'"flow":{quoted(program.flow)},"flowversion":{program.version}'

    def template(self, kind: str, data: str) -> str:
        """The template of records of ``kind``; ``data`` is the JSON of their data, itself a template."""
        head = (
            f'{{"specversion":"{SPECVERSION}","id":"@id","source":{self._source},"type":"carepolicy.{kind}",'
            f'"subject":@subject,"time":"@time",{self._flow},"sequence":@sequence,"data":'
        ).replace("%", "%%")
        for name, field in (("@id", "%s%d"), ("@subject", "%s"), ("@time", "%s"), ("@sequence", "%d")):
            head = head.replace(name, field)
        return head + data + "}\n"


def fixed(**data: object) -> str:
    """Data that is known beforehand, as the JSON part of a template."""
    return orjson.dumps(data).decode().replace("%", "%%")
