"""A folder of policies becomes a bundle, from the cache where its files are as they were.

A bundle is kept as bytes: tables by pickle, compiled guards by their code. The bytes are for the process that made
them, its workers and its own cache folder; they are read by the same Python version only and must never come from
anywhere else. Most of a bundle are the states, clocks and messages of its programs, which are read when they are asked
for: a single event concerns few flows.
"""

from __future__ import annotations

import io
import marshal
import pickle
from collections.abc import Iterator, Mapping, Sequence
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from carepolicy.guards import runtime
from carepolicy.machine import cache
from carepolicy.policy.files import digest_of

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle, Program
    from carepolicy.policy.findings import Finding

KIND = "bundle"


class PolicyErrors(Exception):
    """A policy set has errors; ``findings`` says where and what."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        first = f": {findings[0].code} {findings[0].message}" if findings else ""
        super().__init__(f"the policy set has {len(findings)} error{'' if len(findings) == 1 else 's'}{first}")
        self.findings = tuple(findings)


def load_bundle(root: str, language: str | None = None) -> Bundle:
    """The compiled policy set in ``root``; with its titles in a language where one is named, to show them.

    Raises ``PolicyErrors`` where the check finds errors in it.
    """
    digest = digest_of(root)
    key = digest if language is None else f"{digest} {language}"
    kept = cache.load(KIND, key)
    if kept is not None:
        return from_bytes(kept)
    bundle = compile_folder(root, language)
    if bundle.digest == digest:
        cache.store(KIND, key, to_bytes(bundle))
    return bundle


def compile_folder(root: str, language: str | None = None) -> Bundle:
    """Read, check and compile a folder, whatever the cache holds. Raises ``PolicyErrors``."""
    from carepolicy.checks import check_folder
    from carepolicy.machine.compiler import compile_policies
    from carepolicy.policy.findings import Severity
    from carepolicy.policy.phrases import in_language

    policies, findings = check_folder(root)
    errors = [each for each in findings if each.severity is Severity.ERROR]
    if policies is None or errors:
        raise PolicyErrors(errors or findings)
    return compile_policies(in_language(policies, language))


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


class Unread:
    """Some tables, as bytes until one of them is asked for."""

    def __init__(self, tables: bytes) -> None:
        self._tables: Any = tables

    def __reduce__(self) -> tuple[type[Unread], tuple[bytes]]:
        return Unread, (self._tables,)

    def table(self, number: int) -> Any:
        """The table with that number."""
        tables = self._tables
        if isinstance(tables, bytes):
            tables = self._tables = _from_bytes(tables)
        return tables[number]


class UnreadRows(Sequence[Any]):
    """A table of rows."""

    def __init__(self, unread: Unread, number: int) -> None:
        self._from = unread, number

    def _read(self) -> tuple[Any, ...]:
        unread, number = self._from
        rows: tuple[Any, ...] = unread.table(number)
        return rows

    def __len__(self) -> int:
        return len(self._read())

    def __getitem__(self, index: Any) -> Any:
        return self._read()[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._read())

    def __eq__(self, other: object) -> bool:
        return self._read() == (other._read() if isinstance(other, UnreadRows) else other)

    def __hash__(self) -> int:
        return hash(self._read())


class UnreadNames(Mapping[str, Any]):
    """A table of what has names."""

    def __init__(self, unread: Unread, number: int) -> None:
        self._from = unread, number

    def _read(self) -> dict[str, Any]:
        unread, number = self._from
        names: dict[str, Any] = unread.table(number)
        return names

    def __len__(self) -> int:
        return len(self._read())

    def __getitem__(self, name: str) -> Any:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())


def to_bytes(bundle: Bundle) -> bytes:
    """The bundle as bytes that ``from_bytes`` reads back in this version of Python."""
    return _to_bytes(replace(bundle, programs=tuple(map(_apart, bundle.programs))))


def from_bytes(data: bytes) -> Bundle:
    """The bundle that ``to_bytes`` wrote."""
    bundle: Bundle = _from_bytes(data)
    return bundle


def _apart(program: Program) -> Program:
    unread = Unread(_to_bytes((tuple(program.states), tuple(program.clocks), dict(program.templates))))
    return replace(
        program, states=UnreadRows(unread, 0), clocks=UnreadRows(unread, 1), templates=UnreadNames(unread, 2)
    )


def _to_bytes(tables: Any) -> bytes:
    stream = io.BytesIO()
    _Pickler(stream, protocol=-1).dump(tables)
    return stream.getvalue()


def _from_bytes(data: bytes) -> Any:
    return _Unpickler(io.BytesIO(data)).load()
