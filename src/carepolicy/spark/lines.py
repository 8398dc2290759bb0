"""Lines of CloudEvents as the tasks of Spark read them, and rows as they hand them on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson

from carepolicy.engine.instants import NoInstant, read_instant

if TYPE_CHECKING:
    from pyarrow import RecordBatch

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def as_uri(path: str) -> str:
    """A path as Spark takes it: one without a scheme is of this machine, whatever the cluster's own file system is."""
    return path if "://" in path else "file://" + os.path.abspath(path)


def plain_uri(uri: str) -> str:
    """A URI without what differs between writings of one: ``file:/a`` is ``file:///a``."""
    scheme, _, rest = unquote(uri).partition(":")
    return f"{scheme}:{rest if rest.startswith('//') and not rest.startswith('///') else '/' + rest.lstrip('/')}"


def rows_of(batch: RecordBatch) -> Iterator[tuple[Any, ...]]:
    """The rows of a batch."""
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)


def placed(batches: Iterable[RecordBatch]) -> Iterator[list[tuple[bytes, str, int]]]:
    """The lines of each batch, with their file (or partition) and a number that rises along it. A batch has for each
    line its file and where its block begins there: the number is that, and how many lines of the block precede it."""
    before: dict[tuple[str, int], int] = {}
    for batch in batches:
        found = []
        for line, file, begin in rows_of(batch):
            place = before[file, begin] = before.get((file, begin), -1) + 1
            found.append((line.removeprefix(BYTE_ORDER_MARK) if begin == place == 0 else line, file, begin + place))
        yield found


def subject_and_time(line: bytes, timed: bool = True) -> tuple[str | None, int | None]:
    """The subject of a line, and where that is wanted its time (microseconds since 1970); None where it has none that
    can be read."""
    try:
        event = orjson.loads(line)
        subject = event["subject"]
    except (ValueError, LookupError, TypeError):
        return None, None
    if not isinstance(subject, str):
        return None, None
    try:
        return subject, read_instant(event["time"])[0] if timed else None
    except (NoInstant, LookupError, TypeError):
        return subject, None


def batch_of(kinds: Mapping[str, Any], rows: Sequence[tuple[Any, ...]]) -> RecordBatch:
    """Rows with columns of these names and kinds of Arrow's."""
    import pyarrow

    columns = [*zip(*rows, strict=True)] or [()] * len(kinds)
    arrays = [pyarrow.array(column, kind) for column, kind in zip(columns, kinds.values(), strict=True)]
    return pyarrow.RecordBatch.from_arrays(arrays, [*kinds])
