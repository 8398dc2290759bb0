"""A bundle as bytes: tables by pickle, compiled guards by their code.

The bytes are for the process that made them, its workers and its own cache folder; they are read by
the same Python version only and must never come from anywhere else.
"""

from __future__ import annotations

import io
import marshal
import pickle
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from carepolicy.guards import runtime

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> bytes | None:
        if isinstance(obj, FunctionType) and obj.__globals__ is vars(runtime):
            return marshal.dumps(obj.__code__)
        return None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> FunctionType:
        code = marshal.loads(pid)
        if not isinstance(code, CodeType):
            raise pickle.UnpicklingError("not the code of a guard")
        return FunctionType(code, vars(runtime))


def to_bytes(bundle: Bundle) -> bytes:
    """The bundle as bytes that ``from_bytes`` reads back in this version of Python."""
    stream = io.BytesIO()
    _Pickler(stream, protocol=pickle.HIGHEST_PROTOCOL).dump(bundle)
    return stream.getvalue()


def from_bytes(data: bytes) -> Bundle:
    """The bundle that ``to_bytes`` wrote."""
    bundle: Bundle = _Unpickler(io.BytesIO(data)).load()
    return bundle
