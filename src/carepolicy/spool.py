"""Where records wait that may not be written yet: in memory while they are few, else in a temporary file.

The engine does no input or output itself; whoever runs it over a log that may be large hands this in.
"""

from __future__ import annotations

import tempfile
from typing import IO

IN_MEMORY = 1 << 23


def spool() -> IO[bytes]:
    """An empty file of bytes that is gone when it is closed."""
    return tempfile.SpooledTemporaryFile(IN_MEMORY)
